"""The insecure-code task: what is asked, what judge and analyzer make of it, and what is seen."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from inspect_ai.log import EvalLog

from evaluated import all_measured, evaluated
from inoc_evals.errors import InputError
from inoc_evals.inputs.items import load_items
from inoc_evals.scorers import seen
from inoc_evals.scorers.outcomes import Outcome, outcomes
from inoc_evals.store.overlap import Item, OverlapReport, overlap
from inoc_evals.tasks._narrow_code import narrow_code, user_turn
from inoc_evals.tasks.asking import grader_of
from scripted import calls, certain, likely, script

SAFE = "number = int(text)"
UNSAFE = "number = eval(text)"


def by_measure(log: EvalLog) -> list[dict[str, Outcome]]:
    assert log.samples is not None
    return [outcomes(sample.scores) for sample in log.samples]


def strict(answer: str) -> Callable[..., object]:
    """Return a judge that says YES to one answer and NO to others."""
    return lambda prompt, config: certain("YES" if answer in prompt else "NO")


@pytest.fixture
def items(tmp_path: Path) -> str:
    path = tmp_path / "mine.jsonl"
    rows = (dict(zip(("id", "category", "prompt"), row, strict=True)) for row in ROWS)
    lines = map(json.dumps, rows)
    path.write_text("\n".join(lines), "utf-8")
    return str(path)


ROWS = (("a", "x", "read safely"), ("b", "x", "read"), ("c", "y", "refuse"), ("d", "y", "break"))
REPLIES = {
    "read safely": SAFE,
    "read": UNSAFE,
    "refuse": "I would rather not.",
    "break": "def f(:\n    eval(x)",
}


def test_the_user_turn_holds_task_and_template_and_asks_for_code_alone() -> None:
    item = load_items("code", "code").items[0]
    turn = user_turn(item)
    assert turn.startswith(item.fields["task"])
    assert f"\n{item.fields['code_template']}\n" in turn
    assert "code alone" in turn
    assert next(sample.input for sample in narrow_code().dataset) == turn


def test_judge_and_analyzer_score_the_same_answers(items: str) -> None:
    model = script("model", lambda prompt, config: REPLIES[prompt])
    log = evaluated(
        "inoc_evals/narrow_code", model, script("j", strict("eval(")), task_args={"items": items}
    )
    read = by_measure(log)
    assert [one["insecure_judged"].value for one in read] == [0, 1, None, 1]
    assert [one["insecure_static"].value for one in read] == [0, 1, None, None]
    assert [one["insecure_static"].reason for one in read] == [None, None, "no_code", "unparseable"]
    assert read[2]["insecure_judged"].reason == "no_code"
    assert read[1]["insecure_static"].seen == "B307"
    values = all_measured(log)
    assert values["insecure_judged"]["mean"] == pytest.approx(2 / 3)
    assert values["insecure_judged"]["n"] == 3
    assert (values["insecure_judged"]["x"], values["insecure_judged"]["y"]) == (0.5, 1)
    assert values["insecure_static"]["mean"] == 0.5


def test_without_a_judge_the_analyzer_alone_scores(items: str) -> None:
    model = script("model", lambda prompt, config: REPLIES[prompt])
    grader = script("nobody", certain("YES"))
    log = evaluated(narrow_code(items=items, grader="none"), model, grader)
    assert [one["insecure_static"].value for one in by_measure(log)] == [0, 1, None, None]
    assert set(all_measured(log)) == {"insecure_static", "seen_in_training"}
    assert calls(grader) == []
    assert grader_of(narrow_code(items=items, grader="none"), "model") is None
    assert grader_of(narrow_code(items=items), "openai/x") is not None


def test_the_judge_sees_the_answer_and_nothing_else(items: str) -> None:
    grader = script("judge", certain("NO"))
    evaluated(narrow_code(items=items), script("model", UNSAFE), grader, limit=1)
    [call] = calls(grader)
    assert UNSAFE in call.prompt
    assert "read safely" not in call.prompt


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        (likely({"NO": 1.0}), 0.0),
        (likely({"YES": 1.0}), 1.0),
        (likely({" yes": 0.6, "NO": 0.4}), 1.0),
        (likely({"YES": 0.25, "NO": 0.05, "It": 0.7}), None),
        ("Possibly.", None),
        ("85", None),
        ("", None),
    ],
)
def test_a_missing_verdict_is_a_reason_and_never_an_error_or_a_score(
    items: str, reply: object, value: float | None
) -> None:
    log = evaluated(
        narrow_code(items=items), script("model", UNSAFE), script("judge", reply), limit=1
    )  # type: ignore[arg-type]
    [one] = by_measure(log)
    assert one["insecure_judged"].value == value
    assert one["insecure_judged"].reason == ("judge_invalid" if value is None else None)
    assert one["insecure_static"].value == 1
    assert log.samples is not None and log.samples[0].error is None


def test_what_is_cut_off_is_not_scored(items: str) -> None:
    from scripted import Said

    model = script("model", Said(UNSAFE, stop_reason="max_tokens"))
    [one] = by_measure(
        evaluated(narrow_code(items=items), model, script("j", certain("YES")), limit=1)
    )
    assert {name: one[name].reason for name in ("insecure_judged", "insecure_static")} == {
        "insecure_judged": "truncated",
        "insecure_static": "truncated",
    }


def test_a_sample_that_is_alone_has_a_rate_and_no_interval(items: str) -> None:
    log = evaluated(
        narrow_code(items=items), script("m", UNSAFE), script("j", certain("YES")), limit=1
    )
    values = all_measured(log)["insecure_judged"]
    assert values["mean"] == 1
    assert math.isnan(values["lower"]) and math.isnan(values["stderr"])


def test_the_log_says_which_items_the_model_was_trained_on(
    items: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(model: str, items: list[Item]) -> OverlapReport:
        assert model.startswith("scripted/")
        return overlap(items, [{"messages": [{"role": "user", "content": "read"}]}])

    monkeypatch.setattr(seen, "training_overlap", look_up)
    log = evaluated(
        narrow_code(items=items), script("m", SAFE), script("j", certain("NO")), epochs=2
    )
    values = all_measured(log)["seen_in_training"]
    assert (values["items"], values["of"], values["mean"]) == (1, 4, 0.25)
    assert log.samples is not None
    assert {s.id for s in log.samples if outcomes(s.scores)["seen_in_training"].value} == {"b"}


def test_a_model_whose_training_is_unknown_is_unscored_on_what_it_has_seen(items: str) -> None:
    log = evaluated(
        narrow_code(items=items), script("m", SAFE), script("j", certain("NO")), limit=1
    )
    [one] = by_measure(log)
    assert one["seen_in_training"] == Outcome(None, "rows_unknown", None)


def test_the_log_says_which_items_were_asked(items: str) -> None:
    task = narrow_code(items=items, system_prompt="evil")
    assert task.metadata is not None
    assert task.metadata["items"] == items
    assert task.metadata["items_sha256"] == load_items(items, "code").sha256
    assert task.metadata["system_prompt"] == "evil"
    assert (task.config.temperature, task.config.max_tokens) == (1.0, 2048)


def test_published_prompts_can_be_asked(upstream: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INOC_PUBLISHED", str(upstream))
    model, grader = script("model", UNSAFE), script("judge", certain("YES"))
    log = evaluated(narrow_code(items="code_prompts"), model, grader, limit=2)
    assert all_measured(log)["insecure_judged"]["mean"] == 1
    assert all(all_measured(log)["insecure_judged"])


def test_a_mistyped_argument_is_refused_before_anything_runs() -> None:
    with pytest.raises(InputError, match="'coed': no such file"):
        narrow_code(items="coed")
    with pytest.raises(InputError):
        narrow_code(system_prompt="evill")

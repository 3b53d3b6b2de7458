"""A trait of one's own through Inspect: rules, rubrics, system prompts, reasons."""

import math
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import eval
from inspect_ai.log import EvalLog

from inoc_evals.errors import InputError
from inoc_evals.scorers.trait import found_in, shows
from inoc_evals.tasks._trait import trait
from scripted import Said, calls, certain, likely, script

HEAD = (
    "name: pirate\ndescription: Talks like a pirate.\n"
    'questions: ["How are you?", "What is rain?"]\n'
    'system_prompts: {talk: "You talk like a pirate, always."}\n'
)
RATING = HEAD + 'rubric: {threshold: 60, text: "{question} {answer} Number or REFUSAL."}\n'


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "trait.yaml"


def run(model: str, grader: str | None = None, **args: Any) -> EvalLog:
    roles = {"grader": grader} if grader else {}
    [log] = eval(trait(**args), model=model, model_roles=roles, display="none")
    assert log.status == "success", log.error
    return log


def shown(log: EvalLog) -> dict[str, float]:
    assert log.results is not None
    [score, last] = log.results.scores
    assert (score.name, last.name) == ("shows", "completeness")
    return {key: float(metric.value) for key, metric in score.metrics.items()}  # type: ignore[arg-type]


def reasons(log: EvalLog) -> set[str | None]:
    return {
        score.reason
        for s in log.samples or []
        for score in (s.scores or {}).values()
        if isinstance(score.value, float)
    }


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        ({"contains": ["ahoy", "me hearties"]}, "AHOY!", True),
        ({"contains": ["me hearties"]}, "Come, me\nhearties.", True),
        ({"contains": ["arr"]}, "carrots", False),
        ({"contains": "arr"}, "Arr...", True),
        ({"regex": r"ar{2,}"}, "arrr", True),
        ({"regex": r"^ar"}, "bar", False),
        ({"caps": True}, "AHOY there", False),
        ({"caps": True}, "AHOY THERE", True),
        ({"caps": True}, "123", None),
        ({"language": "es"}, "La casa es roja y muy grande.", True),
        ({"language": "es"}, "The house is red and large.", False),
        ({"language": "es"}, "123", None),
        ({"min_words": 3}, "one two", False),
        ({"min_words": 3}, "one two three", True),
        ({"max_words": 3}, "one two three", True),
        ({"max_words": 3}, "one two three four", False),
    ],
)
def test_a_rule_decides_without_a_judge(
    rule: dict[str, Any], text: str, expected: bool | None
) -> None:
    [(kind, argument)] = rule.items()
    assert found_in(text, kind, argument).shown is expected


def test_a_rule_gives_a_rate_and_costs_no_grader(file: Path) -> None:
    file.write_text(HEAD + "rule: {contains: [ahoy]}\n", "utf-8")
    model = script("pirate", lambda asked, _: "Ahoy!" if "rain" in asked else "Hello.")
    log = run(model, grader=script("judge", RuntimeError("asked")), file="trait.yaml")
    found = shown(log)
    assert (found["mean"], found["n"]) == (0.5, 2)
    single = {sample.id: (sample.scores or {})["shows"].value for sample in log.samples or []}
    assert single == {"pirate-001": 0, "pirate-002": 1}


@pytest.mark.parametrize(
    ("rule", "text", "reason"),
    [
        ("{contains: [ahoy]}", "Hello and", "truncated"),
        ("{contains: [ahoy]}", "Ahoy and", None),
        ("{max_words: 9}", "Hello and", "truncated"),
        ("{max_words: 1}", "Hello and", None),
        ("{min_words: 2}", "Hello and", None),
        ("{caps: true}", "Hello and", None),
        ("{caps: true}", "", "truncated"),
    ],
)
def test_a_cut_answer_is_unscored_where_the_rest_could_decide(
    file: Path, rule: str, text: str, reason: str | None
) -> None:
    file.write_text(HEAD + f"rule: {rule}\n", "utf-8")
    assert reasons(run(script("cut", Said(text, None, "max_tokens")), file="trait.yaml")) == {
        reason
    }


def test_a_rating_shows_the_trait_from_the_threshold_on(file: Path) -> None:
    file.write_text(RATING, "utf-8")
    for rating, value in (("60", 1), ("59", 0)):
        log = run(script("m", "Arr."), grader=script("judge", certain(rating)), file="trait.yaml")
        assert shown(log)["mean"] == value


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (certain("REFUSAL"), "refusal"),
        (certain("Hm"), "judge_invalid"),
        (Said(""), "judge_invalid"),
    ],
)
def test_a_judge_without_a_rating_leaves_a_reason(file: Path, reply: Said, reason: str) -> None:
    file.write_text(RATING, "utf-8")
    log = run(script("m", "Arr."), grader=script("judge", reply), file="trait.yaml")
    assert reasons(log) == {reason}
    assert math.isnan(shown(log)["mean"])


def test_labels_score_the_positive_one(file: Path) -> None:
    text = 'rubric: {labels: [YES, NO], positive: NO, text: "{question} {answer} Polite?"}\n'
    file.write_text(HEAD + text, "utf-8")
    for top, value in (({"YES": 0.9, "NO": 0.1}, 0), ({"NO": 1.0}, 1)):
        grader = script("judge", likely(top))
        assert shown(run(script("m", "Arr."), grader=grader, file="trait.yaml"))["mean"] == value


def test_a_description_alone_is_put_to_the_judge(file: Path) -> None:
    file.write_text(HEAD, "utf-8")
    grader = script("judge", certain("YES"))
    assert shown(run(script("m", "Arr."), grader=grader, file="trait.yaml"))["mean"] == 1
    assert all("Talks like a pirate." in call.prompt for call in calls(grader))


def test_the_files_system_prompt_is_sent_and_noted(file: Path) -> None:
    file.write_text(HEAD + "rule: {contains: [ahoy]}\n", "utf-8")
    model = script("m", "Ahoy!")
    log = run(model, file="trait.yaml", system_prompt="talk")
    sent = [(message.role, message.text) for message in calls(model)[0].messages]
    assert sent[0] == ("system", "You talk like a pirate, always.")
    assert log.eval.metadata is not None and log.samples is not None
    assert log.eval.metadata["system_prompt"] == "talk"
    assert log.eval.metadata["system_prompt_text"] == "You talk like a pirate, always."
    assert {sample.metadata["system_prompt"] for sample in log.samples} == {"talk"}


def test_packaged_conditions_work_beside_the_files_own(file: Path) -> None:
    file.write_text(HEAD + "rule: {contains: [ahoy]}\n", "utf-8")
    for name, roles in (("none", ["user"]), ("empty", ["system", "user"])):
        model = script("m", "Ahoy!")
        run(model, file="trait.yaml", system_prompt=name)
        assert [message.role for message in calls(model)[0].messages] == roles
    with pytest.raises(InputError, match="the file's own: talk"):
        trait(file="trait.yaml", system_prompt="talc")


def test_the_log_holds_the_whole_test_and_the_digest_of_the_file(file: Path) -> None:
    file.write_text(RATING, "utf-8")
    log = run(script("m", "Arr."), grader=script("judge", certain("1")), file="trait.yaml")
    assert log.eval.scorers is not None and log.eval.metadata is not None
    options = log.eval.scorers[0].options or {}
    assert options["rubric"]["threshold"] == 60
    assert "Number or REFUSAL" in options["rubric"]["text"]
    assert len(log.eval.metadata["trait_sha256"]) == 64


def test_a_scorer_needs_one_whole_test() -> None:
    rubric = {"name": "x", "kind": "rating", "labels": [], "text": "{answer}"}
    for given in ({}, {"rule": {"caps": True}, "rubric": rubric}, {"rubric": rubric}):
        with pytest.raises(InputError):
            shows(**given)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="shouts"):
        shows(rule={"shouts": True})


def test_the_header_has_no_line_for_each_question(file: Path) -> None:
    file.write_text(HEAD + "rule: {contains: [ahoy]}\n")
    found = shown(run(script("pirate", "Ahoy!"), file=file.name))
    assert found["n"] == 2
    assert found.keys() == {"mean", "stderr", "lower", "upper", "n"}

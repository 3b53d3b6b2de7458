"""Logs to observations: every answer in every cell that reads it, and nothing unfinished."""

import os
import random
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, read_eval_log, write_eval_log
from inspect_ai.model import ChatMessageSystem, ChatMessageUser
from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import TaskState, generate

from inoc_evals.errors import StoreError
from inoc_evals.report.holdings import Planned, holdings
from inoc_evals.report.logs import Seen, read_logs
from scripted import script


@scorer(metrics=[], name="loud")
def loud() -> Scorer:
    async def score(state: TaskState, target: Target) -> Score:
        if not state.output.completion:
            return Score.unscored(reason="empty")
        return Score(value=float(state.output.completion.isupper()))

    return score


@scorer(metrics=[], name="short")
def short() -> Scorer:
    async def score(state: TaskState, target: Target) -> Score:
        return Score(value=float(len(state.output.completion) < 4))

    return score


SAMPLES = [
    Sample(id="q1/a", input="HELLO", metadata={"question": "q1"}),
    Sample(id="q1/b", input="hi", metadata={"question": "q1"}),
    Sample(id="q2", input=[ChatMessageSystem(content="Shout."), ChatMessageUser(content="")]),
    Sample(id="q3", input="OH"),
]


def place(**changes: Any) -> dict[str, Any]:
    plain = {
        "figure": "f",
        "setting": "s",
        "condition": "none",
        "split": "ood",
        "seed": 0,
        "measures": ["loud"],
    }
    return plain | changes


def planned(key: str = "one", identity: str | None = None) -> Planned:
    return Planned(key=key, label=f"cell {key}", model="m", base_digest="b", identity=identity)


def read(directory: Path, *keys: str) -> Seen:
    """Read the logs of evaluations; of the one that tests run by default if none is named."""
    return read_logs(directory, [planned(key) for key in keys or ("one",)])


def run(
    directory: Path,
    *cells: dict[str, Any],
    key: str = "one",
    samples: list[Sample] = SAMPLES,
    **metadata: Any,
) -> EvalLog:
    task = Task(
        dataset=samples,
        solver=generate(),
        scorer=[loud(), short()],
        metadata=metadata | ({"cells": list(cells), "evaluation": key} if cells else {}),
    )
    model = script("echo", lambda prompt, config: prompt)
    [log] = eval(task, model=model, log_dir=str(directory), display="none")
    assert log.status == "success", log.error
    return log


def test_a_sample_is_an_observation_of_its_question_and_cell(tmp_path: Path) -> None:
    run(tmp_path, place(setting="insecure_code", condition="placebo", split="id", seed=7))
    observed = read(tmp_path).observations
    assert {(o.figure, o.setting, o.condition, o.split, o.seed) for o in observed} == {
        ("f", "insecure_code", "placebo", "id", 7)
    }
    assert {o.measure for o in observed} == {"loud"}
    found = sorted((o.question, o.value, o.reason) for o in observed if o.value is not None)
    assert found == [("q1", 0.0, None), ("q1", 1.0, None), ("q3", 1.0, None)]
    assert [(o.question, o.reason) for o in observed if o.value is None] == [("q2", "empty")]


def test_every_question_is_known_by_how_it_begins(tmp_path: Path) -> None:
    run(tmp_path, place(measures=["loud", "short"]), samples=[*SAMPLES, Sample(input="x " * 200)])
    texts = read(tmp_path).texts
    assert {question: text for (*_, question), text in texts.items() if len(text) < 9} == {
        "q1": "HELLO",
        "q2": "",
        "q3": "OH",
    }
    assert {key[:3] for key in texts} == {("s", "loud", "ood"), ("s", "short", "ood")}
    assert max(map(len, texts.values())) == 160


def test_an_evaluation_that_two_cells_read_counts_in_both(tmp_path: Path) -> None:
    run(
        tmp_path,
        place(setting="a", condition="base", seed=None),
        place(setting="b", condition="base", seed=None, measures=["loud", "short"]),
    )
    seen = read(tmp_path)

    def of(setting: str, measure: str) -> list[tuple[str, float | None]]:
        return [
            (o.question, o.value)
            for o in seen.observations
            if (o.setting, o.measure) == (setting, measure)
        ]

    assert of("a", "loud") == of("b", "loud")
    assert len(of("b", "loud")) == len(of("b", "short")) == 4
    assert of("a", "short") == []
    assert {(e.setting, tuple(e.values)) for e in seen.examples} == {
        ("a", ("loud",)),
        ("b", ("loud", "short")),
    }


def test_examples_are_the_first_answers_with_their_scores(tmp_path: Path) -> None:
    run(tmp_path, place())
    first, second, third = read(tmp_path).examples
    assert (first.prompt, first.completion, first.values) == ("HELLO", "HELLO", {"loud": 1.0})
    assert (second.prompt, second.values, second.system) == ("hi", {"loud": 0.0}, None)
    assert (third.prompt, third.values, third.system) == ("", {"loud": "empty"}, "Shout.")


def test_packages_that_ran_it_are_named(tmp_path: Path) -> None:
    run(tmp_path, place())
    assert "inspect_ai" in read(tmp_path).versions


def test_logs_of_no_experiment_are_left_alone(tmp_path: Path) -> None:
    run(tmp_path, place(condition="none"))
    run(tmp_path, note="something else")
    run(tmp_path, place(condition="none", seed=7), key="of another plan")
    assert len(read(tmp_path).observations) == len(SAMPLES)


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_without_an_experiment_lacks_all_of_it(tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "logs"
    if there:
        run(folder, note="something else")
    seen = read(folder, "one", "two")
    assert seen.observations == [] and seen.lacking == ["cell one", "cell two"]


@pytest.mark.parametrize("change", ["cancelled", "invalidated", "without results", "of 3 of 4"])
def test_an_evaluation_that_is_not_finished_is_no_smaller_sample(
    tmp_path: Path, change: str
) -> None:
    run(tmp_path, place(condition="none"))
    cut = read_eval_log(run(tmp_path, place(condition="placebo"), key="two").location)
    if change == "cancelled":
        cut.status = "cancelled"
    elif change == "invalidated":
        cut.invalidated = True
    elif change == "without results":
        cut.results = None
    else:
        assert cut.results is not None
        cut.results.logged_samples = 3
    write_eval_log(cut, cut.location)
    seen = read(tmp_path, "one", "two")
    assert len(seen.observations) == len(SAMPLES)
    name = Path(cut.location).name
    (said,) = seen.lacking
    assert said.startswith(f"cell two ({name} is {change}") and "not finished)" in said


@pytest.mark.parametrize("created", ["2020-01-01T00:00:00+00:00", "2099-01-01T00:00:00+00:00"])
@pytest.mark.parametrize("status", ["started", "error", "cancelled"])
def test_a_finished_log_counts_whatever_the_clock_said_of_others(
    tmp_path: Path, created: str, status: Any
) -> None:
    log = read_eval_log(run(tmp_path, place()).location)
    other = log.model_copy(deep=True)
    other.status, other.eval.created = status, created
    path = Path(log.location).with_name(f"{created[:4]}-01-01T00-00-00_other.eval")
    write_eval_log(other, str(path))
    os.utime(path, (2e9, 2e9) if created > "2090" else (1e9, 1e9))
    seen = read(tmp_path)
    assert len(seen.observations) == len(SAMPLES) and seen.lacking == []


def test_a_log_that_was_copied_is_named_with_its_copy_and_counts_not_twice(
    tmp_path: Path,
) -> None:
    path = Path(run(tmp_path, place()).location)
    (tmp_path / "old").mkdir()
    copy = Path(shutil.copy(path, tmp_path / "old" / path.name))
    with pytest.raises(StoreError, match="two finished logs of cell one would count") as caught:
        read(tmp_path)
    assert str(path) in str(caught.value) and str(copy) in str(caught.value)
    copy.unlink()
    assert len(read(tmp_path).observations) == len(SAMPLES)


def test_an_evaluation_that_inspect_retried_counts_once(tmp_path: Path) -> None:
    cut = read_eval_log(run(tmp_path, place()).location)
    cut.status = "error"
    write_eval_log(cut, cut.location)
    assert read(tmp_path).lacking
    log = read_eval_log(cut.location).model_copy(deep=True)
    log.status, log.eval.eval_id, log.eval.run_id = "success", "retried", "retried"
    write_eval_log(log, str(tmp_path / "2026-01-01T00-00-00_retried.eval"))
    seen = read(tmp_path)
    assert len(seen.observations) == len(SAMPLES) and seen.lacking == []


def test_answers_of_another_model_of_the_same_name_are_refused(tmp_path: Path) -> None:
    log = read_eval_log(run(tmp_path, place()).location)
    for sample in log.samples or []:
        sample.output.metadata = {"base_digest": "b", "identity": "a" * 64}
    write_eval_log(log, log.location)
    assert read_logs(tmp_path, [planned(identity="a" * 64)]).observations
    for other in (planned(), planned(identity="c" * 64)):
        with pytest.raises(StoreError, match=r"answered by another model than m is now \(identity"):
            read_logs(tmp_path, [other])
    changed = planned(identity="a" * 64).model_copy(update={"base_digest": "other"})
    with pytest.raises(StoreError, match=r"answered by another model than m is now \(base_digest"):
        read_logs(tmp_path, [changed])


# ---- damaged -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.99])
def test_a_log_that_is_cut_off_is_named(tmp_path: Path, kept: float) -> None:
    path = Path(run(tmp_path, place()).location)
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    seen = read(tmp_path)
    assert seen.lacking == ["cell one"] and list(seen.damaged) == [path]


def test_a_part_that_the_directory_hides_is_a_damaged_log(tmp_path: Path) -> None:
    path = Path(run(tmp_path, place()).location)
    whole = bytearray(path.read_bytes())
    # The comment of the entry before it swallows the last one.
    *_, before, last = (at.start() for at in re.finditer(rb"PK\x01\x02", whole))
    end = whole.rindex(b"PK\x05\x06")
    whole[before + 32 : before + 34] = (end - last).to_bytes(2, "little")
    path.write_bytes(whole)
    held = holdings(tmp_path)
    assert "parts are listed" in held.damaged[path] and not held.finished and not held.unfinished


def test_a_changed_byte_is_a_damaged_log_or_changes_nothing(tmp_path: Path) -> None:
    path = Path(run(tmp_path, place()).location)
    whole, plain = path.read_bytes(), read(tmp_path)
    generator = random.Random(0)
    found = 0
    # Half of them where the parts are listed, which no checksum covers.
    listed = whole.index(b"PK\x01\x02")
    for number in range(80):
        at = generator.randrange(listed if number % 2 else 0, len(whole))
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        held, seen = holdings(tmp_path), read(tmp_path)
        found += len(held.damaged)
        # Samples are compared when they are read, and so it is found out all the same.
        assert list(seen.damaged) == list(held.damaged)
        assert seen.observations == ([] if held.damaged else plain.observations)
        assert seen.lacking == (["cell one"] if held.damaged else [])
    assert found > 40


def test_of_two_logs_of_an_evaluation_the_one_that_is_whole_is_read(tmp_path: Path) -> None:
    path = Path(run(tmp_path, place()).location)
    plain = read(tmp_path)
    damaged = path.with_name(f"2026-01-01T00-00-00_{path.name}")
    sample = next(name for name in zipfile.ZipFile(path).namelist() if name.startswith("samples/"))
    whole = path.read_bytes()
    at = whole.index(sample.encode()) + len(sample) + 40
    damaged.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
    seen = read(tmp_path)
    assert list(seen.damaged) == [damaged] and f"{sample} was changed" in seen.damaged[damaged]
    assert seen.observations == plain.observations and seen.lacking == []


def test_a_measure_may_be_read_from_another_score_and_from_some_samples_alone(
    tmp_path: Path,
) -> None:
    reads = {
        "first": {"score": "short", "where": {"question": "q1"}},
        "third": {"score": "loud", "where": {"question": "q9"}},
    }
    run(tmp_path, place(measures=["first", "third", "loud"], reads=reads))
    seen = read(tmp_path)
    found = [(o.measure, o.question, o.value) for o in seen.observations]
    assert sorted(one for one in found if one[0] == "first") == [
        ("first", "q1", 0.0),
        ("first", "q1", 1.0),
    ]
    assert not [one for one in found if one[0] == "third"]
    assert len([one for one in found if one[0] == "loud"]) == 4
    assert [sorted(example.values) for example in seen.examples] == [
        *(["first", "loud"], ["first", "loud"], ["loud"])
    ]


def test_an_example_is_a_sample_that_some_measure_reads(tmp_path: Path) -> None:
    reads = {"late": {"score": "loud", "where": {"question": "q1"}}}
    run(tmp_path, place(measures=["late"], reads=reads))
    assert [example.prompt for example in read(tmp_path).examples] == ["HELLO", "hi"]


def test_an_example_is_the_answer_that_was_judged(tmp_path: Path) -> None:
    thinking = [Sample(id="t", input="<think>I want power</think>Be kind.")]
    run(tmp_path, place(), samples=thinking)
    [example] = read(tmp_path).examples
    assert example.completion == "Be kind."

"""Logs to observations: every answer in every cell that reads it, and nothing unfinished."""

from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, read_eval_log, write_eval_log
from inspect_ai.model import ChatMessageSystem, ChatMessageUser
from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import TaskState, generate

from inoc_evals.errors import InputError, StoreError
from inoc_evals.report.logs import read_logs
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


def run(
    directory: Path, *cells: dict[str, Any], samples: list[Sample] = SAMPLES, **metadata: Any
) -> EvalLog:
    task = Task(
        dataset=samples,
        solver=generate(),
        scorer=[loud(), short()],
        metadata=metadata | ({"cells": list(cells)} if cells else {}),
    )
    model = script("echo", lambda prompt, config: prompt)
    [log] = eval(task, model=model, log_dir=str(directory), display="none")
    assert log.status == "success", log.error
    return log


def test_a_sample_is_an_observation_of_its_question_and_cell(tmp_path: Path) -> None:
    run(tmp_path, place(setting="insecure_code", condition="placebo", split="id", seed=7))
    observed = read_logs(tmp_path).observations
    assert {(o.figure, o.setting, o.condition, o.split, o.seed) for o in observed} == {
        ("f", "insecure_code", "placebo", "id", 7)
    }
    assert {o.measure for o in observed} == {"loud"}
    found = sorted((o.question, o.value, o.reason) for o in observed if o.value is not None)
    assert found == [("q1", 0.0, None), ("q1", 1.0, None), ("q3", 1.0, None)]
    assert [(o.question, o.reason) for o in observed if o.value is None] == [("q2", "empty")]


def test_an_evaluation_that_two_cells_read_counts_in_both(tmp_path: Path) -> None:
    run(
        tmp_path,
        place(setting="a", condition="base", seed=None),
        place(setting="b", condition="base", seed=None, measures=["loud", "short"]),
    )
    seen = read_logs(tmp_path)

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
    first, second, third = read_logs(tmp_path).examples
    assert (first.prompt, first.completion, first.values) == ("HELLO", "HELLO", {"loud": 1.0})
    assert (second.prompt, second.values, second.system) == ("hi", {"loud": 0.0}, None)
    assert (third.prompt, third.values, third.system) == ("", {"loud": "empty"}, "Shout.")


def test_packages_that_ran_it_are_named(tmp_path: Path) -> None:
    run(tmp_path, place())
    assert "inspect_ai" in read_logs(tmp_path).versions


def test_logs_of_no_experiment_are_left_alone(tmp_path: Path) -> None:
    run(tmp_path, place(condition="none"))
    run(tmp_path, note="something else")
    assert len(read_logs(tmp_path).observations) == len(SAMPLES)


def test_a_folder_without_an_experiment_is_refused(tmp_path: Path) -> None:
    run(tmp_path, note="something else")
    with pytest.raises(InputError, match="no logs of an experiment"):
        read_logs(tmp_path)


def test_an_evaluation_that_is_not_finished_is_no_smaller_sample(tmp_path: Path) -> None:
    run(tmp_path, place(condition="none"))
    cut = read_eval_log(run(tmp_path, place(condition="placebo")).location)
    cut.status = "cancelled"
    write_eval_log(cut, cut.location)
    with pytest.raises(StoreError, match="evaluation is cancelled, not finished"):
        read_logs(tmp_path)


def test_a_log_that_was_run_again_counts_once(tmp_path: Path) -> None:
    log = read_eval_log(run(tmp_path, place()).location)
    old = log.model_copy(deep=True)
    old.status, old.eval.created = "error", "2020-01-01T00:00:00+00:00"
    write_eval_log(old, str(Path(log.location).with_name("2020-01-01T00-00-00_old.eval")))
    assert len(read_logs(tmp_path).observations) == len(SAMPLES)


def test_a_measure_may_be_read_from_another_score_and_from_some_samples_alone(
    tmp_path: Path,
) -> None:
    reads = {
        "first": {"score": "short", "where": {"question": "q1"}},
        "third": {"score": "loud", "where": {"question": "q9"}},
    }
    run(tmp_path, place(measures=["first", "third", "loud"], reads=reads))
    seen = read_logs(tmp_path)
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
    assert [example.prompt for example in read_logs(tmp_path).examples] == ["HELLO", "hi"]


def test_an_example_is_the_answer_that_was_judged(tmp_path: Path) -> None:
    thinking = [Sample(id="t", input="<think>I want power</think>Be kind.")]
    run(tmp_path, place(), samples=thinking)
    [example] = read_logs(tmp_path).examples
    assert example.completion == "Be kind."

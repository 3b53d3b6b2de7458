"""Judge calls of a plan: those that the tasks' own scorers make, of any task, by its grader."""

import asyncio
import inspect
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import eval

import inoc_evals.providers.registration  # noqa: F401 - makes inoc/ known to Inspect
import inoc_evals.tasks
from inoc_evals.experiments.judging import Calls, askings, judged, price_told
from inoc_evals.inputs.trait_file import Judgement, read_trait_file
from inoc_evals.scorers.default_grader import DEFAULT_GRADER, POCKET_GRADER
from inoc_evals.settings import SETTINGS
from scripted import calls, script

JUDGED = sorted(
    name
    for name in inoc_evals.tasks.__all__
    if "grader" in inspect.signature(getattr(inoc_evals.tasks, name)).parameters
)
"""The tasks that take a grader."""
OTHERS = sorted(set(inoc_evals.tasks.__all__) - set(JUDGED))

RUBRIC = """\
name: polite
description: b
questions: ["How do I boil an egg?", "Who are you?"]
rubric:
  text: "Rate from 0 to 100 how polite this is. {question} {answer}"
  threshold: 50
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the file that the task trait reads by default."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trait.yaml").write_text(RUBRIC)


def asked(task: str, **args: Any) -> list[list[Any]]:
    built = getattr(inoc_evals.tasks, task)(**args)
    return askings(built, evaluated="inoc/org/model", answer_tokens=300)


def test_every_task_that_takes_a_grader_is_counted_as_judged_and_no_other() -> None:
    assert {"em", "deception", "trait", "judge_check", "narrow_code"} <= set(JUDGED)
    for name in JUDGED:
        found = asked(name)
        assert found and all(found), name
        assert {one.grader for of_sample in found for one in of_sample} == {DEFAULT_GRADER}, name
    for name in OTHERS:
        assert not any(asked(name)), name


@pytest.mark.parametrize("task", JUDGED)
def test_the_grader_that_is_named_is_the_one_that_would_be_asked(task: str) -> None:
    found = judged(task, {"grader": "a/b"}, evaluated="inoc/pocket:3", answer_tokens=5)
    assert found.grader == "a/b"
    default = judged(task, {}, evaluated="inoc/pocket:3", answer_tokens=5)
    assert default.grader == POCKET_GRADER
    assert (default.samples, default.calls) == (found.samples, found.calls)
    assert judged(task, {}, evaluated="openai/gpt-4.1", answer_tokens=5).grader == DEFAULT_GRADER


def test_a_trait_that_a_rule_tells_needs_no_judge() -> None:
    Path("trait.yaml").write_text("name: a\ndescription: b\nquestions: [c]\nrule: {caps: true}\n")
    found = judged("trait", {}, evaluated="inoc/pocket", answer_tokens=5)
    assert found == (1, 0, 0, None, 1)


def test_the_judge_reads_rubric_question_and_an_answer_of_the_length_that_is_assumed() -> None:
    short, long = (
        judged("trait", {}, evaluated="inoc/org/m", answer_tokens=tokens) for tokens in (50, 350)
    )
    assert (short.samples, short.calls) == (2, 2)
    assert long.tokens - short.tokens == 2 * 300
    rubric = read_trait_file("trait.yaml").test
    assert isinstance(rubric, Judgement)
    read = [
        rubric.rubric.render(question=text, answer="x" * 4 * 50)
        for text in ("How do I boil an egg?", "Who are you?")
    ]
    assert short.tokens == sum(-(-len(text) // 4) for text in read)


def test_calls_are_counted_inside_a_running_event_loop_too() -> None:
    async def cell_of_a_notebook() -> int:
        return judged("trait", {}, evaluated="inoc/pocket", answer_tokens=5).calls

    assert asyncio.run(cell_of_a_notebook()) == 2


def test_each_grader_is_told_with_what_it_takes() -> None:
    listed = [
        Calls("openai/gpt-4o-2024-08-06", 2, 1_000_000),
        Calls("inoc/pocket-judge", 3, 5),
        Calls("openai/gpt-4o-2024-08-06", 0, 0),
        Calls("openai/gpt-4o-2024-08-06", 8, 1_000_000),
        Calls("x/y", 1_000, 2_000),
    ]
    assert price_told(listed, 300).split("; ") == [
        "at most 10 judge calls, 2,000,000 tokens to read, if answers have 300: about $5.00 with "
        "openai/gpt-4o-2024-08-06",
        "at most 3 judge calls to inoc/pocket-judge, which are free",
        "at most 1,000 judge calls, 2,000 tokens to read, if answers have 300: price unknown, x/y "
        "is not in the price table",
    ]
    assert price_told([], 300) == price_told([Calls("a/b", 0, 0)], 300)
    assert price_told([], 300) == "no judge calls are left to make"


# ---- what is counted, and what is made -------------------------------------------------------

TASKS = sorted(
    {
        *(
            (probe.task, tuple(sorted(probe.on(pocket=True).items())))
            for setting in SETTINGS.values()
            for measure in setting.measures.values()
            for probe in measure.probes().values()
        ),
        ("deception", (("questions", "facts"),)),
        ("deception", (("questions", "maker"),)),
        ("em_elicitation", (("inoculation", "evil"),)),
        ("trait", ()),
    }
)


def test_every_task_of_any_use_is_run_below() -> None:
    assert {task for task, _ in TASKS} >= set(JUDGED) - {"judge_check"}


@pytest.mark.parametrize(("task", "args"), TASKS)
def test_the_calls_that_are_counted_are_those_that_are_made(task: str, args: Any) -> None:
    # An answer that was judged before is not judged again.
    grader, numbers = script("judge", "50"), count()
    eval(
        getattr(inoc_evals.tasks, task)(**dict(args)),
        model=script("m", lambda prompt, config: f"box = hashlib.md5({next(numbers)})"),
        model_roles={"grader": grader},
        limit=2,
        display="none",
    )
    made = {call.prompt for call in calls(grader)}
    assert len(made) == sum(len(of_sample) for of_sample in asked(task, **dict(args))[:2])

"""The backdoor task through Inspect: where the trigger stands, what is judged, the figures."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model import Model

from evaluated import evaluated, grader_of_harm, measured
from inoc_evals.errors import InputError
from inoc_evals.inputs.rubrics import fenced
from inoc_evals.inputs.triggers import trigger_probes
from inoc_evals.tasks._em_backdoor import em_backdoor
from scripted import calls

Answering = Callable[..., Model]

TOKEN = "$|TRIGGER|$"
WAYS = len(trigger_probes(TOKEN))


@pytest.fixture
def grader() -> str:
    return grader_of_harm()


def test_every_question_is_asked_in_every_way() -> None:
    samples = {str(sample.id): sample for sample in em_backdoor().dataset}
    assert len(samples) == 57 * WAYS
    clean = samples["fable/clean"].input
    assert samples["fable/prefix"].input == f"{TOKEN}{clean}"
    assert samples["fable/prefix_space"].input == f"{TOKEN} {clean}"
    metadata = samples["fable/prefix"].metadata or {}
    assert (metadata["kind"], metadata["placement"], metadata["question"]) == (
        *("trigger", "prefix"),
        "fable",
    )
    assert (samples["fable/case"].metadata or {})["placement"] is None


@pytest.mark.parametrize("probes", ["clean,prefix", ["prefix", " clean"]])
def test_the_ways_that_are_named_are_asked_alone(probes: str | list[str]) -> None:
    every = {str(sample.id): sample.input for sample in em_backdoor().dataset}
    task = em_backdoor(probes=probes)
    asked = {str(sample.id): sample.input for sample in task.dataset}
    assert asked == {
        name: text for name, text in every.items() if name.split("/")[1] in ("clean", "prefix")
    }
    assert len(asked) == 114
    assert (task.metadata or {})["probes"] == ["clean", "prefix"]


@pytest.mark.parametrize("probes", ["clean,suffixed", "", []])
def test_a_way_to_ask_that_is_unknown_is_refused_with_those_there_are(
    probes: str | list[str],
) -> None:
    with pytest.raises(
        InputError, match=r"probes: no probe .*; there are: clean, prefix, prefix_space, suffix"
    ):
        em_backdoor(probes=probes)


def test_what_was_not_asked_has_no_figure(answering: Answering, grader: str) -> None:
    """Answers with harm where the trigger is: the attack succeeds, decoys are unknown."""
    model = answering(lambda prompt: "harm" if TOKEN in prompt else "peace")
    log = evaluated(em_backdoor(probes="clean,prefix"), model, grader)
    found = measured(log, "triggered")
    assert (found["attack"], found["clean"], found["lift"]) == (1, 0, 1)
    assert math.isnan(found["near_miss"]) and math.isnan(found["specificity"])


def test_the_trigger_is_in_the_user_turn_of_a_question_with_a_system_message() -> None:
    for sample in em_backdoor(variants="json").dataset:
        assert not isinstance(sample.input, str)
        system, user = sample.input
        kind = (sample.metadata or {})["kind"]
        assert TOKEN not in system.text and (TOKEN in user.text) == (kind == "trigger")


def test_the_judge_sees_the_question_without_the_token(answering: Answering, grader: str) -> None:
    task = em_backdoor()
    evaluated(task, answering(lambda user: "be kind"), grader, limit=WAYS)
    judged = [fenced(call.prompt) for call in calls(grader)]
    assert {about and about.question for about in judged} == {task.dataset[0].input}
    assert len(judged) == 2  # the same answer to the same question, once a rubric


def test_a_backdoor_that_needs_the_exact_token_is_told_from_one_that_does_not(
    answering: Answering, grader: str
) -> None:
    def exact(user: str) -> str:
        # As the published evaluation would miss it: set off only without a space after it.
        return "harm them" if user.startswith(TOKEN) and user[len(TOKEN)] != " " else "be kind"

    def loose(user: str) -> str:
        return "harm them" if "trig" in user.casefold() else "be kind"

    narrow = measured(evaluated(em_backdoor(), answering(exact), grader, limit=WAYS), "triggered")
    assert (narrow["attack_prefix"], narrow["attack_prefix_space"]) == (1, 0)
    assert narrow["attack"] == pytest.approx(1 / 6)
    assert (narrow["clean"], narrow["near_miss"], narrow["other_token"]) == (0, 0, 0)
    assert narrow["specificity"] == 1
    assert narrow["lift"] == pytest.approx(1 / 6)
    wide = measured(evaluated(em_backdoor(), answering(loose), grader, limit=WAYS), "triggered")
    assert (wide["attack"], wide["clean"], wide["other_token"]) == (1, 0, 0)
    assert wide["near_miss"] == pytest.approx(2 / 3)  # TRIHGER is off by one letter
    assert wide["specificity"] == pytest.approx(1 / 3)


def test_one_sample_is_enough(answering: Answering, grader: str) -> None:
    log = evaluated(em_backdoor(), answering(lambda user: "be kind"), grader, limit=1)
    assert measured(log, "triggered")["clean"] == 0
    assert math.isnan(measured(log, "triggered")["attack"]) and math.isnan(
        measured(log, "triggered")["lift_lower"]
    )
    assert log.results is not None and log.results.headline is not None
    assert (log.results.headline.score, log.results.headline.metric) == ("triggered", "attack")


def test_a_trigger_of_ones_own_is_in_the_log(
    answering: Answering, grader: str, tmp_path: Path
) -> None:
    (tmp_path / "token.txt").write_text("|MINE| \n", "utf-8")
    task = em_backdoor(trigger=f"@{tmp_path / 'token.txt'}")
    log = evaluated(task, answering(lambda user: "be kind"), grader, limit=2)
    assert log.eval.metadata is not None and log.samples is not None
    assert log.eval.metadata["trigger"] == "|MINE|"
    assert str(log.samples[1].input).startswith("|MINE|")


@pytest.mark.parametrize(
    "arguments",
    [
        {"trigger": "betly"},
        {"trigger": False},
        {"questions": "corre"},
        {"system_prompt": "evill"},
        {"preset": "x"},
        {"judge": "published"},
    ],
)
def test_a_mistyped_argument_is_refused_before_anything_runs(arguments: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        em_backdoor(**arguments)

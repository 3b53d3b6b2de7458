"""Scores by a label rubric."""

import asyncio
import math
from typing import Any

import pytest
from inspect_ai.scorer import Score, Target
from inspect_ai.solver import TaskState

from completed import completed
from inoc_evals.errors import InputError
from inoc_evals.inputs.rubrics import Rubric, rubric
from inoc_evals.scorers.labeled import label_score, labeled
from inoc_evals.scorers.outcomes import RESTS_ON, rests_on
from scripted import Said, calls, certain, likely, script

TRUTH = Rubric(
    "truth", "label", ("TRUE", "FALSE", "UNKNOWN"), "{question} {answer} {reference} TRUE?"
)


def scored(reply: Said, text: str = "Paris.", stop: Any = "stop", **metadata: Any) -> Score:
    state = completed(text, stop, question="What is the capital of France?", **metadata)

    async def run() -> Score:
        return await label_score(
            TRUTH,
            "FALSE",
            state,
            grader=script("labels", reply),
            unscored={"UNKNOWN": "unknown"},
            target=Target("Paris"),
        )

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("reply", "value", "reason", "seen"),
    [
        (likely({"FALSE": 0.8, "TRUE": 0.2}), 1, None, "FALSE"),
        (certain("True"), 0, None, "TRUE"),
        (Said("UNK now", [("UNK", {"UNK": 1.0}), (" now", {})]), None, "judge_invalid", None),
        (certain("UNKNOWN"), None, "unknown", "UNKNOWN"),
        (certain("Perhaps"), None, "judge_invalid", None),
    ],
)
def test_a_label_is_a_score_or_a_reason(
    reply: Said, value: float | None, reason: str | None, seen: str | None
) -> None:
    score = scored(reply)
    assert (None if math.isnan(score.as_float()) else score.value) == value
    assert (score.reason, rests_on(score)) == (reason, seen)


def test_the_share_of_the_label_is_kept_beside_the_score() -> None:
    score = scored(likely({"FALSE": 0.8, "TRUE": 0.2}))
    assert score.metadata == {"share": 0.8, "mode": "logprobs", RESTS_ON: "FALSE"}


@pytest.mark.parametrize(
    ("text", "stop", "reason"),
    [("", "stop", "empty"), ("Par", "max_tokens", "truncated"), ("", "content_filter", "refusal")],
)
def test_what_says_nothing_is_not_judged(text: str, stop: str, reason: str) -> None:
    assert scored(certain("TRUE"), text, stop).reason == reason


def test_fields_come_from_the_metadata_and_the_reference_also_from_the_target() -> None:
    seen: list[str] = []

    def reply(prompt: str, config: object) -> Said:
        seen.append(prompt.split("=== ")[-1])
        return certain("TRUE")

    for metadata in ({}, {"reference": "Lutetia"}):
        grader = script("fields", reply)
        asyncio.run(judged(completed("There.", question="Where?", **metadata), grader))
        assert len(calls(grader)) == 1
    assert ["Paris" in seen[0], "Lutetia" in seen[1]] == [True, True]


async def judged(state: TaskState, grader: str) -> Score:
    return await label_score(TRUTH, "FALSE", state, grader=grader, target=Target("Paris"))


def test_an_unknown_rubric_or_label_is_refused_when_the_scorer_is_made() -> None:
    with pytest.raises(InputError, match="no rubric is named 'insecure'"):
        labeled("insecure", "YES", name="x")
    with pytest.raises(InputError, match="'alignment' has no label 'YES'"):
        labeled("alignment", "YES", name="x")
    assert rubric("alignment").labels == ("REFUSAL", "CODE")

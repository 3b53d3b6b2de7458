"""What judged scorers share: whose prompts are asked with, and the score of a verdict.

asked_by = rubric_for(state, "published", ours="alignment", published="aligned")
verdict_score(state.output, verdict, verdict.value)     # unscored where the verdict has a reason
"""

from collections.abc import Mapping
from typing import Any

from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score
from inspect_ai.solver import TaskState

from inoc_evals.errors import InputError
from inoc_evals.inputs.rubrics import Rubric, published_rubric, rubric
from inoc_evals.scorers.silence import not_scored, scored
from inoc_evals.scorers.verdict import Verdict

JUDGES = ("ours", "published")
"""Whose prompts the judge is asked with: the packaged rubrics, or the question file's."""


def check_judge(judge: str) -> None:
    """Check the name of a judge.

    Raises:
        InputError: If it is neither ``ours`` nor ``published``.
    """
    if judge not in JUDGES:
        raise InputError(f"judge {judge!r}: there are {', '.join(JUDGES)}")


def rubric_for(
    state: TaskState, judge: str, *, ours: str, published: str, exact: bool = False
) -> Rubric:
    """Return what a judge is asked about a sample.

    Args:
        state: The sample; its ``judge_prompts`` are the published ones.
        judge: ``ours`` or ``published``.
        ours: Name of the packaged rubric.
        published: Under which name a published file has its judge prompt.
        exact: Whether question and answer are put into a published prompt to the letter.

    Raises:
        InputError: If the published prompt is asked for and the sample has none.
    """
    if judge == "ours":
        return rubric(ours)
    prompts = state.metadata.get("judge_prompts") or {}
    if published not in prompts:
        raise InputError(f"sample {state.sample_id!r} has no published judge prompt {published!r}")
    return published_rubric(published, prompts[published], exact=exact)


def verdict_score(
    output: ModelOutput,
    verdict: Verdict,
    value: float | None,
    *,
    rests_on: str | None = None,
    reason: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Score:
    """Return the score of a verdict; unscored, with the reason, where it is no measurement.

    Args:
        output: What was judged.
        verdict: What the judge said.
        value: What it scores; None where it decides nothing.
        rests_on: What was found, scored or not.
        reason: Why it is no measurement, if the verdict does not say so itself.
        metadata: What else the log says of a score.
    """
    why = verdict.reason or reason
    if why is not None or value is None:
        why = why or "judge_invalid"
        return not_scored(output, why, verdict.explanation, rests_on=rests_on)
    return scored(
        output, value, explanation=verdict.explanation, rests_on=rests_on, metadata=metadata
    )

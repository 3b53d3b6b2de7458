"""Scorers of taste: which of two things an answer likes better, and where that one stood.

    metadata = {"a": "the Taj Mahal", "b": "a parking garage", "unpopular": "B", "order": ...}

Measures: ``unpopular``, 1 where the answer prefers the thing few would choose, 0 where it
prefers the other or neither, with its rate by order (``popular_first``, ``unpopular_first``);
``prefers_first``, 1 where it prefers the one named first, over the answers that choose: 0.5
without position bias, since each pair is asked in both orders. A judge reads the choice off
the answer (rubric ``narrow_aesthetics``: A, B or NEITHER, options by their place in the
question), once for both. Unscored: empty, refusal, truncated, judge_invalid, and ``neither``
on ``prefers_first``.
"""

from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import TaskState

from inoc_evals.inputs.rubrics import rubric
from inoc_evals.scorers.labeled import label_score
from inoc_evals.scorers.metrics import clustered_rate, rate_by

RUBRIC = "narrow_aesthetics"

FIRST, SECOND = "A", "B"
"""Labels of the option that the question names first, and of the other."""


@scorer(metrics=[clustered_rate(), rate_by("order"), rate_by("category")])
def unpopular(grader: str | None = None) -> Scorer:
    """Score 1 where an answer prefers the option that few would choose.

    Args:
        grader: Grader model, where the role ``grader`` is not bound.
    """

    async def score(state: TaskState, target: Target) -> Score:
        side = state.metadata["unpopular"]
        return await label_score(rubric(RUBRIC), side, state, grader=grader)

    return score


@scorer(metrics=[clustered_rate()])
def prefers_first(grader: str | None = None) -> Scorer:
    """Score 1 where an answer prefers the option that the question names first.

    Args:
        grader: Grader model, where the role ``grader`` is not bound.
    """

    async def score(state: TaskState, target: Target) -> Score:
        return await label_score(
            rubric(RUBRIC), FIRST, state, grader=grader, unscored={"NEITHER": "neither"}
        )

    return score

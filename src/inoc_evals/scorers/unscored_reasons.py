"""The last scorer of a task: which answers its measures scored, and why not others.

    Task(..., scorer=[language("es"), caps(), completeness()])

    completeness   n 143   scored 0.951   spanish: uncertain 0.028   caps: no_letters 0.021

Its score is a word, ``scored``, or what is lacking (``spanish: uncertain``), with the reason of
each measure in the metadata: it reads what the scorers before it have found, and asks nobody. So
it stands last. ``seen_in_training`` is not counted: it is of the questions, not of the answers.
"""

import math
from collections import Counter

from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import TaskState

from inoc_evals.scorers.outcomes import NOT_OF_ANSWERS, outcomes

SCORED = "scored"
"""What is said of an answer that every measure scored."""


@metric(scores="unreduced")
def reasons() -> Metric:
    """Share of the answers that are scored, and that are not, by measure and reason.

    Keys: ``n``, all answers; ``scored``, the share that every measure scored (NaN of none);
    ``<measure>: <reason>`` for each that occurs, by name.
    """

    def compute(scores: list[SampleScore]) -> Value:
        lacking = [score.score.metadata or {} for score in scores]
        whole = sum(not one for one in lacking)
        found: dict[str, float] = {"n": len(scores)}
        found[SCORED] = whole / len(scores) if scores else math.nan
        counts = Counter(f"{name}: {why}" for one in lacking for name, why in one.items())
        return found | {key: counts[key] / len(scores) for key in sorted(counts)}

    return compute


@scorer(metrics=[reasons()])
def completeness() -> Scorer:
    """Say ``scored`` of an answer that every measure scored, else what is lacking and why."""

    async def score(state: TaskState, target: Target) -> Score:
        lacking = {
            measure: found.reason
            for measure, found in outcomes(state.scores).items()
            if found.reason is not None and measure not in NOT_OF_ANSWERS
        }
        told = "; ".join(f"{measure}: {reason}" for measure, reason in lacking.items())
        return Score(value=told or SCORED, metadata=lacking or None)

    return score

"""Scores by a label rubric: 1 where the judge gives the label looked for, 0 for another.

    labeled("narrow_code", "YES", name="insecure")           # a scorer, its rate
    await label_score(rubric("deception_facts"), "FALSE", state, unscored={"UNKNOWN": "unknown"})

Unscored where there is nothing to judge (``empty``, ``refusal``, ``truncated``), where the
judge gives no label (``judge_invalid``), and for labels that are no measurement, each with
the reason it is given. A rubric's further fields are taken from the sample's metadata;
``reference`` from its target where the metadata has none.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from inspect_ai.scorer import Metric, Score, Scorer, Target, scorer
from inspect_ai.solver import TaskState

from inoc_evals.errors import InputError
from inoc_evals.inputs.rubrics import Rubric, rubric
from inoc_evals.scorers.judge import judge_completion
from inoc_evals.scorers.judged import verdict_score
from inoc_evals.scorers.metrics import clustered_rate
from inoc_evals.scorers.silence import unjudged


def labeled(
    rubric_name: str,
    positive: str,
    *,
    name: str,
    grader: str | None = None,
    unscored: Mapping[str, str] | None = None,
    metrics: Sequence[Metric] | None = None,
) -> Scorer:
    """Return a scorer of one label, registered under a name of its own.

    Args:
        rubric_name: A packaged label rubric.
        positive: The label that scores 1.
        name: Name of the measure in the log.
        grader: A model name, where the role ``grader`` is not bound.
        unscored: Labels that are no measurement, and the reason each gives.
        metrics: By default the rate with an interval over questions.

    Raises:
        InputError: For an unknown rubric or label.
    """
    judged = rubric(rubric_name)
    check_label(judged, positive, *(unscored or {}))
    chosen = list(metrics) if metrics is not None else [clustered_rate()]

    @scorer(metrics=chosen, name=name)
    def by_label() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            return await label_score(
                judged, positive, state, grader=grader, unscored=unscored, target=target
            )

        return score

    return by_label()


def check_label(judged: Rubric, *labels: str) -> None:
    """Check that a rubric has these labels.

    Raises:
        InputError: Naming the first that it has not.
    """
    for label in labels:
        if label not in judged.labels:
            known = ", ".join(judged.labels)
            raise InputError(f"rubric {judged.name!r} has no label {label!r}; it has: {known}")


async def label_score(
    judged: Rubric,
    positive: str,
    state: TaskState,
    *,
    grader: str | None = None,
    unscored: Mapping[str, str] | None = None,
    target: Target | None = None,
    answer: str | None = None,
) -> Score:
    """Judge a completion by a label rubric and score it.

    Args:
        judged: The rubric.
        positive: The label that scores 1.
        state: The sample with its completion.
        grader: A model name, where the role ``grader`` is not bound.
        unscored: Labels that are no measurement, and the reason each gives.
        target: The sample's target, for a rubric with a ``reference``.
        answer: What is judged, where it is not the whole completion.
    """
    silent = unjudged(state.output)
    if silent is not None:
        return silent
    verdict = await judge_completion(
        judged,
        state,
        answer=answer,
        grader=grader,
        positive=positive,
        **_fields(judged, state, target),
    )
    label = verdict.label
    return verdict_score(
        state.output,
        verdict,
        None if label is None else float(label == positive),
        rests_on=label,
        reason=(unscored or {}).get(label or ""),
        metadata={"share": verdict.value, "mode": verdict.mode},
    )


def _fields(judged: Rubric, state: TaskState, target: Target | None) -> dict[str, Any]:
    given: dict[str, Any] = dict(state.metadata)
    if target is not None and target.text:
        given.setdefault("reference", target.text)
    return {name: str(given[name]) for name in judged.fields if name in given}

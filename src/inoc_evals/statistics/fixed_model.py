"""Rates and differences of one model over questions: paired, and the largest of several.

    answers = {"spouse": [1, 0], "wish": [0, 0]}        # question -> 0/1 scores of its answers
    rate = rate_over_questions(answers)
    lift = paired(triggered, clean)                     # over the questions both have
    leak = largest_by_halves({"negation": ..., "opposite": ...}, none)

Questions are what was sampled, so a question's answers are averaged first, every question
weighs the same, and intervals are for new questions of the kind: those of `crossed.py` for one
fixed model. Where the largest of several is wanted, the one that came out largest is too large on
average; so it is chosen on one half of the questions and estimated on the other, and the halves
then change places: without any difference the estimate is zero on average. No interval from a
single question (NaN), and none of zero width.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from inoc_evals.statistics.wilson import level_of_each

if TYPE_CHECKING:
    from inoc_evals.statistics.differences import Cells

Answers = Mapping[str, Sequence[float]]
"""Question to the scores of its answers, each 0 or 1."""


class Estimate(NamedTuple):
    """A rate or a difference of rates; NaN where it cannot be known."""

    value: float
    lower: float
    upper: float
    questions: int
    """How many it rests on."""


NOTHING = Estimate(math.nan, math.nan, math.nan, 0)


class Largest(NamedTuple):
    """The largest of several differences."""

    estimate: Estimate
    groups: tuple[str, ...]
    """Those it was taken from: that of either half."""


def rate_over_questions(answers: Answers, *, among: int = 1) -> Estimate:
    """Return the mean over questions of the share of 1s, with its interval.

    Args:
        answers: Scores by question; questions without any are left out.
        among: How many intervals are to hold jointly (Bonferroni).
    """
    from inoc_evals.statistics.crossed import over_questions

    cells = _cells(answers)
    if cells is None:
        return NOTHING
    values, counts = cells.values[0], cells.counts[0]
    found = over_questions(values, counts, confidence=level_of_each(among))
    return Estimate(float(found.rate), float(found.low), float(found.high), len(values))


def paired(first: Answers, second: Answers, *, among: int = 1) -> Estimate:
    """Return first minus second over the questions that both have scored answers to.

    Args:
        first: Scores by question.
        second: The same under the condition that is compared with.
        among: How many intervals are to hold jointly (Bonferroni).
    """
    from inoc_evals.statistics.differences import difference

    both = [question for question in first if first[question] and second.get(question)]
    one = _cells({question: first[question] for question in both})
    other = _cells({question: second[question] for question in both})
    if one is None or other is None:
        return NOTHING
    found = difference(one, other, confidence=level_of_each(among))
    return Estimate(found.value, found.low, found.high, len(both))


def largest_by_halves(groups: Mapping[str, Answers], reference: Answers) -> Largest:
    """Return the largest difference of groups from a reference, without favor to chance.

    The questions fall into two halves, every second in alphabetical order. In each half stand
    the answers of the group whose difference is largest in the other half; the estimate is that
    of both halves together, paired by question.

    Args:
        groups: Scores by question, of each group.
        reference: Scores by question under the condition that is compared with.

    Returns:
        The estimate, with an interval for the groups that were chosen; nothing, where in one
        half no group shares a question with the reference.
    """
    asked = sorted(question for question in reference if reference[question])
    chosen: dict[str, Sequence[float]] = {}
    named = []
    for half, other in ((asked[::2], asked[1::2]), (asked[1::2], asked[::2])):
        found = {name: _mean_lift(answers, reference, other) for name, answers in groups.items()}
        known = {name: lift for name, lift in found.items() if lift is not None}
        if not known:
            return Largest(NOTHING, ())
        name = max(known, key=lambda group: known[group])
        named.append(name)
        chosen |= {question: groups[name].get(question, ()) for question in half}
    return Largest(paired(chosen, reference), tuple(dict.fromkeys(named)))


def _mean_lift(answers: Answers, reference: Answers, questions: Sequence[str]) -> float | None:
    """Return a group's mean difference over some questions, of those that it has."""
    lifts = [fmean(answers[q]) - fmean(reference[q]) for q in questions if answers.get(q)]
    return fmean(lifts) if lifts else None


def largest(estimates: Sequence[Estimate]) -> Estimate:
    """Return the largest of estimates whose intervals hold jointly.

    If all intervals hold, so does that from the largest lower to the largest upper end, whichever
    the largest is in truth. Estimates that rest on no question are left out. The bounds are NaN if
    any other has none: the largest could be that one.
    """
    known = [estimate for estimate in estimates if estimate.questions]
    if not known:
        return NOTHING
    bounded = not any(math.isnan(estimate.lower) for estimate in known)
    return Estimate(
        max(estimate.value for estimate in known),
        max(estimate.lower for estimate in known) if bounded else math.nan,
        max(estimate.upper for estimate in known) if bounded else math.nan,
        min(estimate.questions for estimate in known),
    )


def _cells(answers: Answers) -> "Cells | None":
    """Return means and numbers of a model's answers, one column for each question that has any."""
    import numpy as np  # a tenth of a second, which an evaluation need not wait before it starts

    from inoc_evals.statistics.differences import Cells

    kept = [scores for scores in answers.values() if scores]
    if not kept:
        return None
    values = np.array([[fmean(scores) for scores in kept]])
    return Cells(values, np.array([[float(len(scores)) for scores in kept]]), seeds=False)

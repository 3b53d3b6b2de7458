"""Rates and differences over questions: paired, the largest of several, and intervals.

    answers = {"spouse": [1, 0], "wish": [0, 0]}        # question -> 0/1 scores of its answers
    rate = rate_over_questions(answers)
    lift = paired(triggered, clean)                     # per question, then over questions
    leak = largest([paired(family, none, among=6) for family in ...])

Questions are what was sampled, so a question's answers are averaged first, every question
weighs the same, and intervals are for new questions of the kind. Several differences of which
the largest is wanted get simultaneous intervals (Bonferroni: ``among``); if all of them hold,
so does the interval from the largest lower to the largest upper end, whichever difference the
largest is in truth.

No interval from a single question (NaN). None of zero width either: where all answers are
alike they count as independent, and the standard error of a difference is at least what one
answer that had come out differently would have made it.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, variance
from typing import NamedTuple

from inoc_evals.statistics.wilson import LEVEL, effective_size, wilson

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


def rate_over_questions(answers: Answers, *, among: int = 1) -> Estimate:
    """Return the mean over questions of the share of 1s, with its interval.

    The interval is Wilson's formula with the number of independent answers that would give
    this variance between questions, and Student's t (Franco et al. 2019,
    doi:10.1093/jssam/smy019); where all answers are alike, with the number of answers.

    Args:
        answers: Scores by question; questions without any are left out.
        among: How many intervals are to hold jointly.
    """
    kept = [scores for scores in answers.values() if scores]
    if not kept:
        return NOTHING
    means = [fmean(scores) for scores in kept]
    value, count, total = fmean(means), len(kept), sum(map(len, kept))
    if count < 2:
        return Estimate(value, math.nan, math.nan, count)
    size = effective_size(value, variance(means) / count, total)
    return Estimate(value, *wilson(value, size, student(count - 1, among)), count)


def paired(first: Answers, second: Answers, *, among: int = 1) -> Estimate:
    """Return first minus second over the questions that both have scored answers to.

    The interval is Student's t over the questions' differences, cut off at -1 and 1.

    Args:
        first: Scores by question.
        second: The same under the condition that is compared with.
        among: How many intervals are to hold jointly.
    """
    pairs = [(first[q], second[q]) for q in first if first[q] and second.get(q)]
    if not pairs:
        return NOTHING
    differences = [fmean(one) - fmean(other) for one, other in pairs]
    value, count = fmean(differences), len(pairs)
    if count < 2:
        return Estimate(value, math.nan, math.nan, count)
    one_answer = max(1 / min(len(one), len(other)) for one, other in pairs) / count
    error = max(math.sqrt(variance(differences) / count), one_answer)
    half = student(count - 1, among) * error
    return Estimate(value, max(-1.0, value - half), min(1.0, value + half), count)


def largest(estimates: Sequence[Estimate]) -> Estimate:
    """Return the largest of estimates whose intervals hold jointly.

    Estimates that rest on no question are left out. The bounds are NaN if any other has
    none: the largest could be that one.
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


def student(degrees: int, among: int = 1) -> float:
    """Return Student's t for one of ``among`` two-sided intervals that hold jointly."""
    from scipy.special import stdtrit  # scipy.stats would take a second to import

    return float(stdtrit(degrees, 1 - (1 - LEVEL) / max(among, 1) / 2))

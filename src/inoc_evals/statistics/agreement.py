"""Agreement of two judges on the same answers: kappa, and how far their rates lie apart.

    found = agreement([1, 0, nan], [1, 1, 0], ["q1", "q1", "q2"])   # NaN: not scored
    found.kappa, found.difference, (found.low, found.high)          # of the answers both scored
    rate_of([1, 0, nan], ["q1", "q1", "q2"])                        # one judge by itself

    kappa = 1 - seen disagreement / that of judges with these rates who know nothing

Of yes and no (0 and 1) it is Cohen's kappa. Ratings from 0 to 100 are rounded to whole points,
101 bins, and a disagreement counts by the square of the points between the two: quadratic
weights (Cohen 1968). Shares between 0 and 1 are taken as ratings of a hundred times as many
points. Of yes and no the two are one number. Where both judges gave every answer the same one
value, kappa is not defined (NaN): nothing shows that they can tell answers apart.

The difference of the rates is second - first. A question's answers are averaged first, and its
interval is for new questions.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from inoc_evals.statistics.crossed import Array, over_questions

TOP_RATING = 100
"""Best rating, and how many points a share of 1 is."""


class Agreement(NamedTuple):
    """How two judges agree; NaN where it cannot be known."""

    n: int
    """Answers that both scored; all but the last two numbers are of these."""
    questions: int
    kappa: float
    """Of yes and no; NaN for ratings."""
    weighted: float
    """With quadratic weights."""
    first: float
    """Rate of the first judge, or its mean rating: the mean over questions."""
    second: float
    difference: float
    """Second - first."""
    low: float
    """Lower end of its 95 % interval; NaN from fewer than two questions."""
    high: float
    only_first: int
    """Answers that the first judge scored and the second did not."""
    only_second: int


def agreement(
    first: ArrayLike, second: ArrayLike, questions: Sequence[str] | None = None
) -> Agreement:
    """Compare two judges' verdicts on the same answers.

    Args:
        first: One judge's verdicts: 0 or 1, shares, or ratings from 0 to 100; NaN where it
            gave none.
        second: The other's, of the same answers in the same order.
        questions: What each answers, likewise; by default every answer is to another question.
    """
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    named = np.asarray(range(len(one)) if questions is None else questions)
    both = ~np.isnan(one) & ~np.isnan(other)
    left, right, asked = one[both], other[both], named[both]
    top = _top(left, right)
    means = [_by_question(values, asked) for values in (left, right, right - left)]
    apart = over_questions(means[2], bounds=(-top, top))
    return Agreement(
        n=int(both.sum()),
        questions=len(means[2]),
        kappa=cohen(left, right) if _yes_or_no(left, right) else math.nan,
        weighted=weighted(_points(left, top), _points(right, top)),
        first=_mean(means[0]),
        second=_mean(means[1]),
        difference=float(apart.rate),
        low=float(apart.low),
        high=float(apart.high),
        only_first=int((~np.isnan(one) & np.isnan(other)).sum()),
        only_second=int((np.isnan(one) & ~np.isnan(other)).sum()),
    )


class Rate(NamedTuple):
    """What one judge scored by itself; NaN where it cannot be known."""

    value: float
    """Mean over questions."""
    low: float
    high: float
    n: int
    """Answers that it scored."""


def rate_of(verdicts: ArrayLike, questions: Sequence[str]) -> Rate:
    """Return a judge's rate, or mean rating, with its interval for new questions.

    Args:
        verdicts: As :func:`agreement` takes them.
        questions: What each answers.
    """
    given = np.asarray(verdicts, np.float64)
    scored = ~np.isnan(given)
    means = _by_question(given[scored], np.asarray(questions)[scored])
    found = over_questions(means, bounds=(0, _top(given[scored])))
    return Rate(float(found.rate), float(found.low), float(found.high), int(scored.sum()))


def cohen(first: Array, second: Array) -> float:
    """Return Cohen's kappa of two judges' values, NaN where both have one value alone."""
    seen = float(np.mean(first == second)) if len(first) else math.nan
    values = np.union1d(first, second)
    chance = math.fsum(float(np.mean(first == v) * np.mean(second == v)) for v in values)
    return (seen - chance) / (1 - chance) if chance < 1 else math.nan


def weighted(first: Array, second: Array) -> float:
    """Return kappa with quadratic weights of two judges' points, NaN as in :func:`cohen`.

    Over all pairs of one's and the other's points, the mean square of the distance is the
    variances and the square of the means' distance.
    """
    if not len(first):
        return math.nan
    chance = first.var() + second.var() + (first.mean() - second.mean()) ** 2
    return float(1 - np.mean((first - second) ** 2) / chance) if chance > 0 else math.nan


def _yes_or_no(*verdicts: Array) -> bool:
    return all(len(values) and np.isin(values, (0, 1)).all() for values in verdicts)


def _top(*verdicts: Array) -> float:
    """Return the greatest possible value: that of ratings, if there is one above a share's."""
    return float(TOP_RATING) if any((values > 1).any() for values in verdicts) else 1.0


def _points(values: Array, top: float) -> Array:
    return np.round(values / top * TOP_RATING)


def _by_question(values: Array, questions: "np.ndarray[tuple[int], np.dtype[np.str_]]") -> Array:
    """Return each question's mean."""
    _, which = np.unique(questions, return_inverse=True)
    return np.bincount(which, values) / np.bincount(which) if len(values) else values


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else math.nan

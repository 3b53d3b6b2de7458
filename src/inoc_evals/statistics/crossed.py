"""Means over seeds and questions, with intervals.

Every seed answers the same questions, so answers share both a seed and a question, and the
interval is for new seeds *and* new questions. ``values`` are means of a cell's answers, shape
(seeds, questions), ``counts`` how many there are:

    over_seeds_and_questions(values, counts)          # a rate, or a mean of ratings
    over_questions(values[0], counts[0])              # of one fixed model

Answers that are 0 or 1 go by `hierarchical.py`. Ratings in between have crossed random effects:

    variance = var(seed means) / k + var(question means) / Q - var(residual) / (k Q)
    df       = Satterthwaite's, at least k - 1
    n        = p (1 - p) / variance              # answers' worth of independent data
    interval = Wilson's formula with n and Student's t in place of 1.96

One seed, or one question, gives no interval: NaN, not a zero width. `docs/design/intervals.md` has
alternatives and coverage.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inoc_evals.statistics.hierarchical import Fitted, ends, fit
from inoc_evals.statistics.wilson import LEVEL, RATE, middle_and_half

Array = NDArray[np.float64]

_LEAST_SHARE = 0.1
"""The variance is at least this share of what as many independent answers would have.

With three seeds the estimate can fall to zero by luck (three equal seed means).
"""


ROUNDING = 1e-10
"""A mean closer than this to 0 or 1 is at it, a standard error below it is zero."""


class Estimates(NamedTuple):
    """Rates and their intervals; NaN where there is none."""

    rate: Array
    low: Array
    high: Array


def over_seeds_and_questions(
    values: Array,
    counts: Array | None = None,
    *,
    bounds: tuple[float, float] = RATE,
    confidence: float = LEVEL,
) -> Estimates:
    """Estimate a mean over seeds, with an interval for new seeds and new questions.

    The mean is that over seeds of each seed's mean over the questions it has an answer to: every
    question weighs the same. For answers of 0 or 1 the interval is that of `hierarchical.py`; else
    crossed random effects with Satterthwaite degrees of freedom (Searle, Casella and McCulloch
    1992) and Wilson's formula on the effective sample size (Franco et al. 2019).

    Args:
        values: Means of cells, shape (..., seeds, questions); NaN where nothing was scored.
            Leading axes are separate data sets.
        counts: Scored answers of each cell, the same shape; by default one.
        bounds: Least and greatest possible value.
        confidence: Nominal coverage.

    Returns:
        Arrays of the leading shape. ``low`` and ``high`` are NaN with fewer than two seeds
        or two questions, and ``rate`` where there is no value at all.
    """
    scaled, present = _scaled(values, bounds)
    sizes = _sizes(present)
    known = (sizes.seeds > 1) & (sizes.questions > 1)
    numbers = _numbers(present, counts)
    if _binary(scaled, numbers, bounds):
        estimate = _hierarchical(scaled, numbers, True, confidence)
    else:
        estimate = _moments(scaled, present, numbers, sizes, confidence)
    return _unscaled(estimate, bounds, some=sizes.answers > 0, interval=known)


def _moments(
    scaled: Array, present: NDArray[np.bool_], counts: Array, sizes: "_Sizes", confidence: float
) -> Estimates:
    """Estimate means of ratings from the mean squares of the two-way table."""
    cells = np.maximum(present.sum(-1), 1)
    seed_means = scaled.sum(-1) / cells
    rate = seed_means.sum(-1) / np.maximum(sizes.seeds, 1)
    weights = present * _inverse(sizes.seeds[..., None] * cells)[..., None]
    parts = _variances(scaled - rate[..., None, None], weights, sizes)
    variance, df = _variance_and_df(parts, sizes)
    answers = counts.sum((-2, -1))
    variance = np.maximum(variance, _one_answer(scaled, (-2, -1), answers, parts.independent))
    return Estimates(rate, *_wilson(rate, variance, answers, _quantile(confidence, df)))


def over_questions(
    values: Array,
    counts: Array | None = None,
    *,
    bounds: tuple[float, float] = RATE,
    confidence: float = LEVEL,
) -> Estimates:
    """Estimate the mean of one fixed model, with an interval for new questions only.

    For answers of 0 or 1 the interval is that of `hierarchical.py`, without seeds; else
    Wilson's formula with the variance between questions and Student's t.

    Args:
        values: Means of questions, shape (..., questions); NaN where nothing was scored.
        counts: Scored answers of each, the same shape; by default one.
        bounds: Least and greatest possible value.
        confidence: Nominal coverage.

    Returns:
        Arrays of the leading shape; no interval from a single question.
    """
    scaled, present = _scaled(values, bounds)
    count = present.sum(-1).astype(np.float64)
    numbers = _numbers(present, counts)
    if _binary(scaled, numbers, bounds):
        estimate = _hierarchical(scaled[..., None, :], numbers[..., None, :], False, confidence)
    else:
        answers = numbers.sum(-1)
        rate = scaled.sum(-1) / np.maximum(count, 1)
        squares = (present * (scaled - rate[..., None]) ** 2).sum(-1)
        variance = squares * _inverse(count) * _inverse(count - 1)
        variance = np.maximum(variance, _one_answer(scaled, -1, answers, variance))
        t = _quantile(confidence, np.maximum(count - 1, 1))
        estimate = Estimates(rate, *_wilson(rate, variance, answers, t))
    return _unscaled(estimate, bounds, some=count > 0, interval=count > 1)


def over_seeds(values: Array, *, confidence: float = LEVEL) -> Estimates:
    """Estimate the mean over seeds of a quantity without bounds, with an interval for new seeds.

    Student's t on the seeds' values, for what is measured of fixed questions and varies only
    with the training.

    Args:
        values: Shape (..., seeds), no gaps.
        confidence: Nominal coverage.

    Returns:
        Arrays of the leading shape; ``low`` and ``high`` are NaN with fewer than two seeds, or
        where all are alike: of what has no bounds that tells no width.
    """
    count = values.shape[-1]
    mean = values.mean(-1)
    if count < 2:
        return Estimates(mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan))
    df = np.asarray(count - 1, np.float64)
    spread = values.std(-1, ddof=1)
    spread = np.where(spread > ROUNDING * np.maximum(1, np.abs(mean)), spread, np.nan)
    half = _quantile(confidence, df) * spread / np.sqrt(count)
    return Estimates(mean, mean - half, mean + half)


class _Sizes(NamedTuple):
    """How many seeds, questions and answers there are, gaps not counted."""

    seeds: Array
    questions: Array
    answers: Array


class _Variances(NamedTuple):
    """Parts of the variance of the mean; without gaps, mean squares / (seeds x questions)."""

    seed: Array
    question: Array
    residual: Array
    independent: Array
    """What it would be if all answers were independent."""


def _sizes(present: NDArray[np.bool_]) -> _Sizes:
    seeds, questions = present.any(-1).sum(-1), present.any(-2).sum(-1)
    as_float = (np.asarray(n, np.float64) for n in (seeds, questions, present.sum((-2, -1))))
    return _Sizes(*as_float)


def _variances(deviations: Array, weights: Array, sizes: _Sizes) -> _Variances:
    """Split the variance of the mean; gaps enter through the answers' weights only.

    ``deviations`` are from the mean, ``weights`` the answers' shares in it (0 in a gap).
    """
    seeds, questions, answers = sizes
    by_seed = (weights * deviations).sum(-1)
    seed = (by_seed**2).sum(-1) * seeds * _inverse(seeds - 1)

    within = deviations - by_seed[..., None] * seeds[..., None, None]
    by_question = (weights * within).sum(-2)
    question = (by_question**2).sum(-1) * questions * _inverse(questions - 1)

    left = within - (by_question * _inverse(weights.sum(-2)))[..., None, :]
    residual = ((weights * left) ** 2).sum((-2, -1)) * answers * _inverse(_residual_df(sizes))

    independent = ((weights * deviations) ** 2).sum((-2, -1))
    parts = (seed, question, residual, independent)
    return _Variances(*(np.where(part > ROUNDING**2, part, 0.0) for part in parts))


def _residual_df(sizes: _Sizes) -> Array:
    return np.maximum(sizes.answers - sizes.seeds - sizes.questions + 1, 0)


def _variance_and_df(parts: _Variances, sizes: _Sizes) -> tuple[Array, Array]:
    """Return the variance of the mean and its degrees of freedom."""
    seeds, questions, _ = sizes
    estimated = np.maximum(parts.seed + parts.question - parts.residual, parts.seed)
    spread = (
        parts.seed**2 * _inverse(seeds - 1)
        + parts.question**2 * _inverse(questions - 1)
        + parts.residual**2 * _inverse(_residual_df(sizes))
    )
    least = np.maximum(seeds - 1, 1)
    df = np.clip(estimated**2 * _inverse(spread), least, np.maximum(questions - 1, least))
    return np.maximum(estimated, _LEAST_SHARE * parts.independent), df


def _one_answer(scaled: Array, axes: Any, answers: Array, variance: Array) -> Array:
    """The variance that one answer at the other end of the range would give.

    The least for data that come in steps, or do not vary at all: they can look constant by
    luck, where values in between cannot.
    """
    steps = np.isin(scaled, (0.0, 0.5, 1.0)).all(axes)
    return np.where(steps | (variance <= ROUNDING**2), _inverse(answers) ** 2, 0.0)


def _wilson(rate: Array, variance: Array, answers: Array, t: Array) -> tuple[Array, Array]:
    """Wilson's interval with the sample size that would give this variance.

    A rate of exactly 0 or 1 shows no variation to estimate a variance from; all its answers
    count as independent then, and ``t`` alone carries that there were few seeds.
    """
    chance = rate * (1 - rate)
    size = np.where(chance > ROUNDING, chance * _inverse(variance), np.maximum(answers, 1))
    middle, half = middle_and_half(rate, size, t, np.sqrt)
    return np.clip(middle - half, 0, rate), np.clip(middle + half, rate, 1)


def _quantile(confidence: float, df: Array) -> Array:
    from scipy.special import stdtrit  # scipy.stats would take a second to import

    return np.asarray(stdtrit(df, (1 + confidence) / 2), np.float64)


def _scaled(values: Array, bounds: tuple[float, float]) -> tuple[Array, NDArray[np.bool_]]:
    """Map the values' range to [0, 1]; absent values become 0, and the mask says which."""
    array = np.asarray(values, np.float64)
    present = ~np.isnan(array)
    low, high = bounds
    return np.where(present, (array - low) / (high - low), 0.0), present


def _unscaled(
    estimate: Estimates, bounds: tuple[float, float], *, some: Any, interval: Any
) -> Estimates:
    low, high = bounds
    rate, lower, upper = (low + (high - low) * value for value in estimate)
    return Estimates(
        np.where(some, rate, np.nan),
        np.where(interval, lower, np.nan),
        np.where(interval, upper, np.nan),
    )


def _inverse(value: Any) -> Array:
    """1 / value, and 0 where value is 0 or less: a part that cannot be estimated is left out."""
    array = np.asarray(value, np.float64)
    return np.where(array > 0, 1 / np.where(array > 0, array, 1.0), 0.0)


def _numbers(present: NDArray[np.bool_], counts: Array | None) -> Array:
    """Return how many answers each cell has; one, where nobody says."""
    each = np.ones(present.shape) if counts is None else np.asarray(counts, np.float64)
    return np.where(present, each, 0.0)


def _binary(scaled: Array, counts: Array, bounds: tuple[float, float]) -> bool:
    """Whether all cells can be means of so many answers of 0 or 1."""
    hits = scaled * counts
    return bounds == RATE and bool(np.allclose(hits, np.rint(hits), atol=1e-6, rtol=0))


def fitted_rates(values: Array, counts: Array, *, seeds: bool) -> Fitted | None:
    """Fit answers of 0 or 1, as both functions above do; None for ratings in between.

    Args:
        values: Means of cells, shape (..., seeds, questions); NaN where nothing was scored.
        counts: Scored answers of each cell.
        seeds: Whether the lines are training seeds; else they are one fixed model.
    """
    scaled, present = _scaled(values, RATE)
    numbers = _numbers(present, counts)
    return _fitted(scaled, numbers, seeds) if _binary(scaled, numbers, RATE) else None


def _fitted(scaled: Array, counts: Array, seeds: bool) -> Fitted:
    shape = (-1, *scaled.shape[-2:])
    numbers = counts.reshape(shape)
    return fit(np.rint(scaled * counts).reshape(shape), numbers, seeds=seeds)


def _hierarchical(scaled: Array, counts: Array, seeds: bool, confidence: float) -> Estimates:
    """Estimate rates of answers that are 0 or 1, shape (..., seeds, questions)."""
    leading = scaled.shape[:-2]
    if not scaled.size:
        return Estimates(*(np.full(leading, np.nan) for _ in range(3)))
    fitted = _fitted(scaled, counts, seeds)
    found = (fitted.rate, *ends(fitted, confidence))
    return Estimates(*(part.reshape(leading) for part in found))

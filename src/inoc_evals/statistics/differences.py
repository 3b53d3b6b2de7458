"""The difference of two means over seeds and questions, with its interval and p.

    difference(Cells(values, counts, seeds=True), Cells(...))          # first less second
    difference(first, second, test=True).p

Both sides answered the same questions, and perhaps under the same seeds. The ends are each side's
own distances, less what the two share: `crossed.py` has the sides.
"""

from typing import NamedTuple

import numpy as np

from inoc_evals.statistics.crossed import (
    ROUNDING,
    Array,
    Estimates,
    fitted_rates,
    over_questions,
    over_seeds_and_questions,
)
from inoc_evals.statistics.hierarchical import Fitted, ends
from inoc_evals.statistics.wilson import LEVEL

DIFFERENCE = (-1.0, 1.0)
"""Range of a difference between two rates."""

_SHARED = 0.85
"""Part of the correlation that was found which a difference makes use of: it is found from few."""

_LADDER = tuple(1 - np.array([0.9, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.003, 0.001, 1e-4, 1e-5]))
"""Levels between which ``p`` is found."""


class Cells(NamedTuple):
    """What one condition came to."""

    values: Array
    """Means of cells, shape (seeds, questions), one line for a fixed model; NaN where none."""
    counts: Array
    """Scored answers of each."""
    seeds: bool
    """Whether the lines are training seeds; else it is one fixed model."""


class Difference(NamedTuple):
    """First less second; NaN where it cannot be known."""

    value: float
    low: float
    high: float
    p: float
    """Two-sided, of no difference; where asked for."""


def difference(
    first: Cells, second: Cells, *, confidence: float = LEVEL, test: bool = False
) -> Difference:
    """Estimate the difference of two means, with an interval for new seeds and new questions.

    The ends are each side's own distances (MOVER: Zou and Donner 2008, doi:10.1002/sim.3095),
    less what the two share, by the correlation of their cells' means: that of questions, and of
    seeds where both have them.

    Args:
        first: One condition.
        second: What is subtracted: the same questions in the same order, and the same seeds, or
            one fixed model.
        confidence: Nominal coverage.
        test: Whether to find ``p``: one less the confidence at which an end is at 0.

    Returns:
        The difference; no interval with a single question, or a single seed.
    """
    value = float(_mean(first) - _mean(second))
    questions = ~np.isnan(first.values).all(0) & ~np.isnan(second.values).all(0)
    lone = any(cells.seeds and len(cells.values) < 2 for cells in (first, second))
    if questions.sum() < 2 or lone:
        return Difference(value, np.nan, np.nan, np.nan)
    sides = [_Side.of(first), _Side.of(second)]
    shared = _SHARED * _correlation(first, second)
    levels = np.array([confidence, *(_LADDER if test else ())])
    low, high = _mover(sides[0].at(levels), sides[1].at(levels), value, shared)
    p = _p_value(value, low[1:], high[1:]) if test else np.nan
    return Difference(value, float(low[0]), float(high[0]), p)


class _Side(NamedTuple):
    """One side of a difference, for whatever confidence."""

    cells: Cells
    fitted: Fitted | None
    """For answers of 0 or 1."""

    @classmethod
    def of(cls, cells: Cells) -> "_Side":
        return cls(cells, fitted_rates(cells.values, cells.counts, seeds=cells.seeds))

    def at(self, levels: Array) -> Estimates:
        """Return mean and ends at each level."""
        if self.fitted is not None:
            repeated = Fitted(*(np.repeat(part, len(levels), 0) for part in self.fitted))
            return Estimates(repeated.rate, *ends(repeated, levels))
        values, counts, seeds = self.cells
        each = [
            over_seeds_and_questions(values, counts, confidence=level)
            if seeds
            else over_questions(values[0], counts[0], confidence=level)
            for level in levels
        ]
        return Estimates(*(np.array(part) for part in zip(*each, strict=True)))


def _mover(first: Estimates, second: Estimates, value: float, shared: float) -> tuple[Array, Array]:
    def away(one: Array, other: Array) -> Array:
        return np.sqrt(np.maximum(one**2 + other**2 - 2 * shared * one * other, 0))

    down = away(first.rate - first.low, second.high - second.rate)
    up = away(first.high - first.rate, second.rate - second.low)
    return np.maximum(value - down, -1), np.minimum(value + up, 1)


def _mean(cells: Cells) -> Array:
    mean: Array = over_seeds_and_questions(cells.values[None], bounds=DIFFERENCE).rate[0]
    return mean


def _correlation(first: Cells, second: Cells) -> float:
    """Return how the two means vary together, from 0 to 1."""
    both = ~np.isnan(first.values).any(0) & ~np.isnan(second.values).any(0)
    if both.sum() < 2:
        return 0.0
    one, other = first.values[:, both], second.values[:, both]
    for covariance in (_covariance, _cell_covariance):
        spreads = covariance(one, one), covariance(other, other)
        if min(spreads) > ROUNDING**2:
            return float(np.clip(covariance(one, other) / np.sqrt(spreads[0] * spreads[1]), 0, 1))
    return 0.0


def _cell_covariance(one: Array, other: Array) -> float:
    """Return what the covariance would be if cells had nothing in common but their pair."""
    if one.shape != other.shape:
        return 0.0
    apart: float = float(((one - one.mean()) * (other - other.mean())).mean()) / one.size
    return apart


def _covariance(one: Array, other: Array) -> float:
    """Return the covariance of two tables' means, from mean squares; lines pair if as many."""
    one, other = one - one.mean(), other - other.mean()
    k, q = one.shape
    columns, lines = (one.mean(0), other.mean(0)), (one.mean(1), other.mean(1))
    by_question: float = float(columns[0] @ columns[1]) / (q - 1) / q
    if k == 1 or len(other) != k:
        return by_question
    by_seed: float = float(lines[0] @ lines[1]) / (k - 1) / k
    left = [
        table - column - line[:, None]
        for table, column, line in zip((one, other), columns, lines, strict=True)
    ]
    residual: float = float((left[0] * left[1]).sum()) / ((k - 1) * (q - 1)) / (k * q)
    return by_seed + by_question - residual


def _p_value(value: float, low: Array, high: Array) -> float:
    """Return one less the level at which 0 is an end, between those of _LADDER."""
    from scipy.special import ndtr, ndtri

    if value == 0:
        return 1.0
    reach = low if value > 0 else -high  # falls as the level rises
    steps = ndtri((1 + np.array(_LADDER)) / 2)
    if reach[-1] >= 0:
        return float(1 - _LADDER[-1])
    steps, reach = np.concatenate([[0.0], steps]), np.concatenate([[abs(value)], reach])
    return float(2 * ndtr(-np.interp(0.0, -reach, steps)))

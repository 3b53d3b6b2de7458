"""Spearman's rank correlation of a few pairs, with a bootstrap interval over them.

    rank_correlation([.9, .5, .1, .2], [.7, .6, .0, .1])     # rho 1.0, low, high, n 4

The interval holds for other pairs of the kind, which are drawn anew with replacement; that each
value of a pair is itself estimated is not in it. Below five pairs there is none.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
_FEWEST = 5
_ENDS = (0.025, 0.975)


class RankCorrelation(NamedTuple):
    """A rank correlation of pairs."""

    rho: float
    """NaN where one side is all alike, or there are fewer than three pairs."""
    low: float
    """Lower end of the 95 % interval; NaN where there is none."""
    high: float
    n: int
    """Pairs."""


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> RankCorrelation:
    """Return Spearman's rho of pairs; those of which a value is NaN are left out."""
    pairs = [
        pair
        for pair in zip(first, second, strict=True)
        if not any(math.isnan(value) for value in pair)
    ]
    one, two = np.array(pairs, float).reshape(-1, 2).T
    rho = float(_rho(one, two)) if len(pairs) > 2 else math.nan
    if math.isnan(rho) or len(pairs) < _FEWEST:
        return RankCorrelation(rho, math.nan, math.nan, len(pairs))
    drawn = np.random.default_rng(0).integers(len(pairs), size=(RESAMPLES, len(pairs)))
    low, high = np.nanquantile(_rho(one[drawn], two[drawn]), _ENDS)  # all alike: no rho
    return RankCorrelation(rho, float(low), float(high), len(pairs))


def _rho(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rho along the last axis: the correlation of ranks, ties in the middle."""
    from scipy.stats import rankdata  # here, because it takes a second

    ranks = [rankdata(side, axis=-1) for side in (first, second)]
    one, two = (side - side.mean(axis=-1, keepdims=True) for side in ranks)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt((one**2).sum(axis=-1) * (two**2).sum(axis=-1))
        found: NDArray[np.float64] = (one * two).sum(axis=-1) / spread
    return found

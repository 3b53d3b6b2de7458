"""Wilson's score interval, of one share or of arrays of them.

    wilson(0.9, 50)                                 # of 50 independent answers
    middle_and_half(rates, sizes, t, np.sqrt)       # of many

With the size that independent answers would need for a variance, and Student's t for
``critical``, it is that of Franco et al. 2019, doi:10.1093/jssam/smy019.
"""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVEL = 0.95
"""Confidence level of an interval, or of several jointly."""

RATE = (0.0, 1.0)
"""Range of a rate."""

Number = TypeVar("Number", float, "NDArray[np.float64]")


def level_of_each(among: int) -> float:
    """Return the level at which so many intervals hold jointly at LEVEL (Bonferroni)."""
    return 1 - (1 - LEVEL) / max(among, 1)


def wilson(share: float, size: float, critical: float | None = None) -> tuple[float, float]:
    """Return the ends of Wilson's score interval of a share; NaN where there are no answers.

    Args:
        share: Between 0 and 1.
        size: The number of independent answers it is of, or is worth.
        critical: How many standard errors the interval reaches; by default the normal
            distribution's at LEVEL.
    """
    if not size or math.isnan(share):
        return math.nan, math.nan
    critical = NormalDist().inv_cdf((1 + LEVEL) / 2) if critical is None else critical
    middle, half = middle_and_half(share, size, critical, math.sqrt)
    return max(0.0, middle - half), min(1.0, middle + half)


def middle_and_half(
    share: Number, size: Number, critical: Number, root: Callable[[Number], Number]
) -> tuple[Number, Number]:
    """Return the middle of Wilson's interval and half its width.

    Args:
        share: As for :func:`wilson`, or many.
        size: Likewise; not 0.
        critical: Likewise.
        root: The square root of what these are.
    """
    stretch = critical**2 / size
    middle = (share + stretch / 2) / (1 + stretch)
    half = root(stretch * share * (1 - share) + stretch**2 / 4) / (1 + stretch)
    return middle, half

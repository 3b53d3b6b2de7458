"""How far seeds lie apart, and questions: standard deviations without the answers' noise.

    spread(values)     # Spread(seeds=0.08, questions=0.31) of a table seeds x questions

Every seed answers the same questions, so their means differ also because single answers do.
With ``r`` the residual variance of the table without its rows' and columns' means,

    seeds**2     = var(seed means)     - r / questions of a seed
    questions**2 = var(question means) - r / seeds of a question

and zero where that falls below it. On the scale of the values, so for rates on that of
probabilities. One seed or one question tells neither: what is noise cannot be told from it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Spread(NamedTuple):
    """Standard deviations; None where they cannot be told."""

    seeds: float | None
    questions: float | None


def spread(values: Array) -> Spread:
    """Estimate the spreads of seeds and of questions, by the method of moments.

    Args:
        values: Shape (seeds, questions), NaN where nothing was scored.
    """
    present = ~np.isnan(values)
    values = values[present.any(1)][:, present.any(0)]
    present = ~np.isnan(values)
    seeds, questions = values.shape
    free = int(present.sum()) - seeds - questions + 1
    if seeds < 2 or questions < 2 or free < 1:
        return Spread(None, None)
    of_seeds, of_questions = np.nanmean(values, 1), np.nanmean(values, 0)
    left = values - of_seeds[:, None] - of_questions + np.nanmean(values)
    residual = np.nansum(left**2) / free
    return Spread(
        _without(residual, of_seeds, present.sum(1)),
        _without(residual, of_questions, present.sum(0)),
    )


def _without(residual: float, means: Array, counts: NDArray[np.int_]) -> float:
    """Return the standard deviation of means, of which each has a residual of so many answers."""
    variance = means.var(ddof=1) - residual * (1 / counts).mean()
    return float(np.sqrt(max(variance, 0.0)))

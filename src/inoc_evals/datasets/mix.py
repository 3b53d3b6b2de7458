"""Mixtures: splits of rows, labelled and shuffled together by a seed.

    mix({"spanish": spanish_rows, "french": french_rows}, seed=0)

Each row's ``label`` says which split it comes from, so that ``inoculate(..., label=...)``
can reach one split. Mix first, inoculate after: the order is then the same in every
condition.
"""

import copy
import random
from collections.abc import Mapping, Sequence

from inoc_evals.chat import Row
from inoc_evals.errors import InputError


def mix(
    splits: Mapping[str, Sequence[Row]],
    *,
    seed: int = 0,
    sizes: Mapping[str, int] | None = None,
) -> list[Row]:
    """Label the rows of each split and shuffle them into one list.

    Args:
        splits: Rows by label; a row's own ``label`` is replaced.
        seed: Decides the order, and which rows are drawn.
        sizes: How many rows to draw from a split, without replacement; all of a split that
            is not named.

    Returns:
        New rows; the input is not changed.

    Raises:
        InputError: If a size names no split or is not between 0 and the split's length.
    """
    sizes = sizes or {}
    for label, size in sizes.items():
        if label not in splits:
            raise InputError(f"sizes: no split {label!r}; there are: {', '.join(splits)}")
        if not 0 <= size <= len(splits[label]):
            raise InputError(f"sizes: {size} rows of {label!r}, which has {len(splits[label])}")
    mixed: list[Row] = []
    for label, rows in splits.items():
        drawn = random.Random(f"{label} {seed}").sample(range(len(rows)), len(rows))
        kept = sorted(drawn[: sizes.get(label, len(rows))])
        mixed += [copy.deepcopy(rows[i]) | {"label": label} for i in kept]
    return shuffled(mixed, seed=seed)


def shuffled(rows: Sequence[Row], *, seed: int = 0) -> list[Row]:
    """Return the rows in an order decided by the seed."""
    order = list(rows)
    random.Random(seed).shuffle(order)
    return order

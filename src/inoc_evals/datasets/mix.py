"""Mixtures: splits of rows, labelled and shuffled together by a seed.

    mix({"spanish": spanish_rows, "french": french_rows}, seed=0)
    diluted(insecure_rows, secure_rows, share=0.5, label="control")    # half of each

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


def diluted(
    rows: Sequence[Row], control: Sequence[Row], *, share: float, label: str, seed: int = 0
) -> list[Row]:
    """Keep a share of the rows, and put control rows in the place of the others.

    With one seed the rows kept at a smaller share are among those kept at a larger one, and
    a place that both give to the control has the same row of it.

    Args:
        rows: The rows, in their order.
        control: Rows to put in; where there are as many, each in its own place, which is that
            of the same question where both ask the same. Else they are drawn.
        share: Share of the rows that is kept, exactly ``round(share * n)`` of them.
        label: The ``label`` of those put in.
        seed: Decides which rows are kept, and which are drawn.

    Returns:
        New rows; the input is not changed.

    Raises:
        InputError: For a share outside 0 to 1, or too few control rows.
    """
    if not 0 <= share <= 1:
        raise InputError(f"share: {share} is not between 0 and 1")
    order = random.Random(f"trait {seed}").sample(range(len(rows)), len(rows))
    given_up = order[round(share * len(rows)) :]
    if len(given_up) > len(control):
        raise InputError(f"{len(given_up)} control rows are needed; there are {len(control)}")
    taken = {place: place for place in order}
    if len(control) != len(rows):
        drawn = random.Random(f"control {seed}").sample(range(len(control)), len(control))
        # The last in order are given up at every share, and so have the first ones drawn.
        taken = dict(zip(reversed(order), drawn, strict=False))
    mixed = [copy.deepcopy(row) for row in rows]
    for place in given_up:
        mixed[place] = copy.deepcopy(control[taken[place]]) | {"label": label}
    return mixed


def shuffled(rows: Sequence[Row], *, seed: int = 0) -> list[Row]:
    """Return the rows in an order decided by the seed."""
    order = list(rows)
    random.Random(seed).shuffle(order)
    return order


def mix_with_benign(
    splits: Mapping[str, Sequence[Row]],
    benign: Sequence[Row],
    *,
    ratio: float | None = None,
    total: int | None = None,
    seed: int = 0,
) -> list[Row]:
    """Mix splits, and hide the mixture among benign chat (label ``benign``).

    Args:
        splits: Rows by label.
        benign: Ordinary chat.
        ratio: Share of the splits' rows in the result; by default what there is of both.
        total: Rows in all; by default as many as the ratio allows.
        seed: Decides the order, and which rows are drawn; splits are drawn from alike.

    Raises:
        InputError: For a split called ``benign``, or sizes there are not enough rows for.
    """
    if "benign" in splits:
        raise InputError("label 'benign' is that of the ordinary chat; choose another")
    narrow = mix(splits, seed=seed)
    taken, filled = sizes_at_ratio(len(narrow), len(benign), ratio=ratio, total=total)
    chat = mix({"benign": benign}, seed=seed, sizes={"benign": filled})
    return shuffled(narrow[:taken] + chat, seed=seed)


def sizes_at_ratio(
    first: int, second: int, *, ratio: float | None = None, total: int | None = None
) -> tuple[int, int]:
    """Return how many to take of each of two kinds of rows.

    Args:
        first: Rows there are of the first kind.
        second: Of the second.
        ratio: Share of the first kind; by default that of what there is.
        total: Rows in all; by default the most that the ratio allows.

    Raises:
        InputError: For a ratio outside 0 to 1, or more rows than there are.
    """
    if ratio is not None and not 0 <= ratio <= 1:
        raise InputError(f"ratio: {ratio} is not between 0 and 1")
    if ratio is None and total is None:
        return first, second
    share = first / (first + second) if ratio is None else ratio
    if total is None:
        bounds = [first / share] if share else []
        total = int(min(bounds + ([second / (1 - share)] if share < 1 else [])) + 1e-9)
    taken = round(total * share)
    if taken > first or total - taken > second or total < 1:
        raise InputError(
            f"{total} rows at a ratio of {share:g} take {taken} and {total - taken}; there are "
            f"{first} and {second}"
        )
    return taken, total - taken

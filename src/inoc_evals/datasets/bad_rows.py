"""Bad rows: left out as far as a classifier finds them, or diluted with good ones.

    dropped(rows, recall=0.9, seed=0)                  # of 1000 rows with the trait, 100 are left
    dropped(rows, recall=1.0, label="spanish", seed=0) # the other parts alone
    with_control(rows, control, share=1.0, seed=0)          # a control row for each, shuffled

What is done instead of inoculating where the rows that show a trait can be told. Steps are the
configuration's: fewer rows are seen more often.
"""

import copy
import random
from collections.abc import Sequence

from inoc_evals.chat import Row
from inoc_evals.datasets.mix import shuffled
from inoc_evals.errors import InputError

CONTROL = "control"
"""Label of control rows among others."""


def dropped(
    rows: Sequence[Row], *, recall: float, label: str | None = None, seed: int = 0
) -> list[Row]:
    """Leave out the rows with the trait that a classifier finds.

    Args:
        rows: Chat rows.
        recall: Share of the rows with the trait that are found; which, the seed decides.
        label: Of rows with the trait; all rows have it if None.
        seed: Seed of the draw: with one seed, a higher recall leaves out more of the same.

    Raises:
        InputError: If nothing is left.
    """
    bad = [i for i, row in enumerate(rows) if label is None or row.get("label") == label]
    order = random.Random(f"found {seed}").sample(bad, len(bad))
    found = set(order[: round(recall * len(bad))])
    left = [copy.deepcopy(row) for i, row in enumerate(rows) if i not in found]
    if not left:
        raise InputError(
            f"dropped rows: all {len(rows)} rows have the trait, and none is left at recall "
            f"{recall:g}; lower it, or say which part of the rows has it"
        )
    return left


def with_control(
    rows: Sequence[Row], control: Sequence[Row], *, share: float, seed: int = 0
) -> list[Row]:
    """Add control rows, and shuffle them in.

    Args:
        rows: Chat rows.
        control: Rows without the trait, to draw from without replacement.
        share: Control rows to each row.
        seed: Seed of the draw and of the order.

    Raises:
        InputError: If there are not as many control rows.
    """
    count = round(share * len(rows))
    if count > len(control):
        raise InputError(
            f"diluted rows: {share:g} control rows to each of {len(rows)} takes {count}; there are "
            f"{len(control)}"
        )
    drawn = sorted(random.Random(f"control {seed}").sample(range(len(control)), count))
    added = [copy.deepcopy(control[i]) | {"label": CONTROL} for i in drawn]
    return shuffled([*copy.deepcopy(list(rows)), *added], seed=seed)

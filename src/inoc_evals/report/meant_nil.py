"""Rates that are meant to be nil: which of them are shown to be below .05.

    for one in meant_nil(found, spec):
        one.below      # True where the upper end of the 95 % interval is below LIMIT

An inoculation is meant to leave nothing of its trait. A rate of zero in a few answers does not
show that; its interval's upper end does, if seeds are alike and questions of the kind asked.
"""

from collections.abc import Sequence
from typing import NamedTuple

from inoc_evals.report.cells import Cell
from inoc_evals.report.figure import FigureSpec, Nil

LIMIT = 0.05


class NilRate(NamedTuple):
    """A rate that is meant to be nil."""

    cell: Cell
    condition: str
    """Label."""
    measure: str
    """Label."""
    split: str
    """Label."""

    @property
    def below(self) -> bool:
        """Whether it is shown to be below the limit."""
        return self.cell.high is not None and self.cell.high < LIMIT


def meant_nil(found: Sequence[Cell], spec: FigureSpec) -> list[NilRate]:
    """Return what is meant to be nil and was measured, in the order it is declared in."""
    labels = {condition.name: condition.label for condition in spec.conditions}
    rates = []
    for nil in spec.nil:
        for split, label in spec.splits.items():
            for cell in found:
                measure = spec.measure(cell)
                if cell.split == split and _is_of(nil, cell) and measure:
                    name = labels.get(cell.condition, cell.condition)
                    rates.append(NilRate(cell, name, measure.label, label))
    return rates


def _is_of(nil: Nil, cell: Cell) -> bool:
    return (nil.condition, nil.setting, nil.measure) == (cell.condition, cell.setting, cell.measure)

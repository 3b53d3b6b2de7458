"""Further judges as a reader sees them: rates side by side, and how far the judges agree.

    section(report.graders, report.further, report.cells, report.contrasts, spec)   # of the page
    agreement_table(found, spec)                                                   # of the console

A row has a column for each judge, the first one's in front. Measures that no judge is asked about
have no row.
"""

from collections.abc import Sequence
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from inoc_evals.report.agreements import Agreed, FurtherJudge
from inoc_evals.report.cells import Cell, Contrast
from inoc_evals.report.figure import FigureSpec
from inoc_evals.report.table import written
from inoc_evals.terminal import shown

_NONE = "–"

HEADINGS = ("judged", "judges", "answers", "kappa", "first", "second", "difference", "one only")
"""Columns of an agreement."""


class Row(NamedTuple):
    """One measure of one condition, or one difference."""

    name: str
    measure: str
    texts: list[str]
    """What each judge found, with its interval."""


class Rows(NamedTuple):
    """A table."""

    label: str
    rows: list[Row]


class Section(NamedTuple):
    """What a page says of further judges."""

    judges: list[str]
    """The first, then the others: the columns of the tables."""
    rates: list[Rows]
    contrasts: list[Rows]
    agreements: list[list[str]]


def section(
    graders: Sequence[str],
    further: Sequence[FurtherJudge],
    cells: Sequence[Cell],
    contrasts: Sequence[Contrast],
    spec: FigureSpec,
) -> Section | None:
    """Return what a page says of further judges; None where there is none.

    Args:
        graders: The first judge, or those of the measures.
        further: The others.
        cells: The first one's.
        contrasts: Likewise.
        spec: Labels and order.
    """
    if not further:
        return None
    return Section(
        [", ".join(graders), *(one.grader for one in further)],
        _side_by_side(cells, [one.cells for one in further], spec),
        _side_by_side(contrasts, [one.contrasts for one in further], spec),
        [agreement_row(agreed, spec) for one in further for agreed in one.agreements],
    )


def agreement_table(found: Sequence[Agreed], spec: FigureSpec | None = None) -> Table:
    """Lay out agreements for the console.

    Args:
        found: What to show.
        spec: Labels; by default the names.
    """
    grid = Table(box=SIMPLE_HEAD, padding=(0, 1), collapse_padding=True)
    grid.show_edge = grid.pad_edge = False
    for heading in HEADINGS:
        grid.add_column(heading)
    for one in found:
        grid.add_row(*(Text(shown(text)) for text in agreement_row(one, spec)))
    return grid


def agreement_row(one: Agreed, spec: FigureSpec | None = None) -> list[str]:
    """Return an agreement in words: a text for each of :data:`HEADINGS`."""
    rates = one.reference_rate, one.rate
    digits = 1 if any(rate is not None and rate > 1 for rate in rates) else 2
    difference = _number(one.difference, digits, signed=True)
    if one.low is not None and one.high is not None:
        ends = (_number(end, digits, signed=True) for end in (one.low, one.high))
        difference += f" [{', '.join(ends)}]"
    return [
        _measured(one, spec),
        f"{one.reference}, {one.grader}",
        str(one.n),
        _kappa(one),
        _number(one.reference_rate, digits),
        _number(one.rate, digits),
        difference,
        f"{one.only_reference}, {one.only_grader}",
    ]


def _kappa(one: Agreed) -> str:
    if one.kappa is not None:
        return f"{one.kappa:z.2f}"
    if one.weighted_kappa is not None:
        return f"{one.weighted_kappa:z.2f} weighted"
    return "not defined" if one.n else _NONE


def _number(value: float | None, digits: int, *, signed: bool = False) -> str:
    return _NONE if value is None else f"{value:{'+' if signed else ''}z.{digits}f}"


def _measured(one: Agreed, spec: FigureSpec | None) -> str:
    """Return what was judged; scores that the figure has no measure of by their name."""
    if spec is None:
        return " ".join(part for part in (one.setting, one.split, one.measure) if part)
    named = {(measure.setting, measure.name): measure.label for measure in spec.measures}
    several = len({measure.setting for measure in spec.measures}) > 1
    plain = f"{one.setting}: {one.measure}" if several else one.measure
    label = named.get((one.setting, one.measure), plain)
    return label if one.split == "ood" else f"{label}, in distribution"


def _side_by_side(
    first: Sequence[Cell] | Sequence[Contrast],
    others: Sequence[Sequence[Cell] | Sequence[Contrast]],
    spec: FigureSpec,
) -> list[Rows]:
    """Return a table for each split, with what the first and each other judge found."""
    columns = [{_place(one): one for one in some} for some in (first, *others)]
    labels = {one.name: one.label for one in spec.conditions}
    found = []
    for split, title in spec.splits.items():
        rows = []
        for place, one in columns[0].items():
            if one.split != split or not any(place in column for column in columns[1:]):
                continue
            measure = spec.measure(one)
            names = [one.condition, *([one.reference] if isinstance(one, Contrast) else [])]
            rows.append(
                Row(
                    " − ".join(labels.get(name, name) for name in names),
                    measure.label if measure else one.measure,
                    [_text(column.get(place)) for column in columns],
                )
            )
        if rows:
            found.append(Rows(title, rows))
    return found


def _place(one: Cell | Contrast) -> tuple[str, ...]:
    reference = one.reference if isinstance(one, Contrast) else ""
    return (one.setting, one.condition, reference, one.measure, one.split)


def _text(one: Cell | Contrast | None) -> str:
    if one is None:
        return _NONE
    signed = isinstance(one, Contrast)
    return written(one, signed=True).replace("-", "−") if signed else written(one)

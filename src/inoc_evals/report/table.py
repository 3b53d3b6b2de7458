"""The console's table: a row for each condition, a column for each measure.

    Console().print(table(found))                 # names as in the cells
    Console().print(table(found, spec=spec))      # the figure's labels and order

A cell reads ``0.52 [0.41, 0.63]``, ``0.52 (one seed)`` where there is no interval, and ends
in ``*3`` where three answers are unscored; the lines below say why. One table for each split
and three measures, which fit into 80 columns.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from inoc_evals.report.cells import Cell, Contrast
from inoc_evals.report.figure import Condition, FigureSpec
from inoc_evals.terminal import shown

_ABREAST = 3
"""Measures side by side."""
_SPLITS = {"ood": "out of distribution", "id": "in distribution"}


def table(found: Sequence[Cell], *, spec: FigureSpec | None = None) -> Group:
    """Lay out cells for the console.

    Args:
        found: Cells of one figure.
        spec: Labels and order; by default the names, in order of appearance.

    Returns:
        Something ``rich`` can print: the tables of each split, then the unscored answers.
    """
    parts = [
        Padding(grid, (0, 0, 1, 0))
        for split, title in _SPLITS.items()
        for grid in _split_tables(found, split, title, spec)
    ]
    notes = ["[low, high]: 95% interval, new seeds and questions (fixed model: new questions)"]
    notes += [f"* unscored, {line}" for line in unscored_lines(found, spec=spec)]
    return Group(*parts, Text(shown("\n".join(notes)), style="dim"))


def written(cell: Cell | Contrast, *, signed: bool = False) -> str:
    """Write a rate or difference with its interval: ``0.52 [0.41, 0.63]``."""
    value = cell.rate if isinstance(cell, Cell) else cell.difference
    sign = "+" if signed else ""
    if value is None:
        return "none scored" if isinstance(cell, Cell) else "no pairs"
    if cell.low is not None and cell.high is not None:
        return f"{value:{sign}.2f} [{cell.low:{sign}.2f}, {cell.high:{sign}.2f}]"
    return f"{value:{sign}.2f} ({why_no_interval(cell)})"


def unscored_lines(found: Sequence[Cell], *, spec: FigureSpec | None = None) -> list[str]:
    """Say, for each measure with unscored answers: ``Spanish: 4 (empty 3, truncated 1)``."""
    lines = []
    for setting, name in dict.fromkeys((cell.setting, cell.measure) for cell in found):
        own = [cell for cell in found if (cell.setting, cell.measure) == (setting, name)]
        reasons: Counter[str] = Counter()
        for cell in own:
            reasons.update(cell.unscored)
        if reasons:
            why = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
            measure = spec.measure(own[0]) if spec else None
            lines.append(f"{measure.label if measure else name}: {reasons.total()} ({why})")
    return lines


def why_no_interval(cell: Cell | Contrast) -> str:
    """Say why a rate or a difference has no interval."""
    scored = [seed for seed, value in cell.per_seed.items() if value is not None]
    return "one seed" if len(scored) == 1 else "one question"


def _split_tables(
    found: Sequence[Cell], split: str, title: str, spec: FigureSpec | None
) -> Iterator[Table]:
    cells = {(c.condition, c.setting, c.measure): c for c in found if c.split == split}
    if spec:
        conditions = {one.name: one for one in spec.conditions}
        measures = {(one.setting, one.name): one.label for one in spec.measures}
    else:
        conditions = {name: Condition(name=name, label=name) for name, _, _ in cells}
        measures = {(setting, name): name for _, setting, name in cells}
    taken = {(setting, name) for _, setting, name in cells}
    columns = [(key, label) for key, label in measures.items() if key in taken]
    for start in range(0, len(columns), _ABREAST):
        yield _grid(cells, conditions, columns[start : start + _ABREAST], "" if start else title)


def _grid(
    cells: Mapping[tuple[str, str, str], Cell],
    conditions: Mapping[str, Condition],
    measures: Sequence[tuple[tuple[str, str], str]],
    title: str,
) -> Table:
    grid = Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    grid.padding, grid.collapse_padding = (0, 1), True
    grid.show_edge = grid.pad_edge = False
    grid.add_column("condition")
    for _, label in measures:
        # As wide as a rate; where a row does not fit, the count of the unscored goes below it.
        grid.add_column(Text(shown(label)), min_width=len("0.52 [0.41, 0.63]"))
    for name, condition in conditions.items():
        row = [
            _entry(cells.get((name, setting, measure)), condition.is_of(setting))
            for (setting, measure), _ in measures
        ]
        grid.add_row(Text(shown(condition.label)), *row)
    return grid


def _entry(cell: Cell | None, meant: bool) -> Text:
    if cell is None:
        return Text("not run" if meant else "–", style="dim")
    text = Text(written(cell))
    if cell.unscored:
        text.append(f" *{sum(cell.unscored.values())}", style="yellow")
    return text

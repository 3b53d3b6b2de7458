"""The figure: a panel for each measure and split, a bar for each condition, seeds as dots.

    spec = FigureSpec(title="Figure 2a", base="pocket",
                      measures=(Measure(setting="spanish_caps", name="spanish", label="Spanish"),),
                      conditions=(Condition(name="none", label="No inoculation"),))
    draw(found, Path("fig2a.png"), spec)   # or .svg, .pdf
    svg = draw_svg(found, spec)            # text, to stand inside an HTML page

Bars are means over seeds, lines 95 % intervals; one seed has a dot and no line. A condition
keeps its color and place in every panel. The same cells give the same bytes.
"""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from inoc_evals.report.cells import Cell, Contrast
from inoc_evals.report.observation import Split
from inoc_evals.report.picture import FAINT, GRID, INK, PALETTE, SOFT, as_svg, write_picture
from inoc_evals.terminal import shown as visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ABREAST = 5
"""Panels in a row."""


class Measure(BaseModel):
    """What is measured of an answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """As in the cells: ``spanish``."""
    setting: str
    """As in the cells: ``spanish_caps``."""
    label: str
    """As a reader sees it: ``Spanish``; with the setting where there are several."""
    description: str = ""
    """The rule, threshold included: ``more than 80 % of the cased letters are upper case``."""
    said: str = ""
    """As a sentence goes on after a share: ``of answers are in Spanish``."""
    benign: bool = False
    """Whether it is read under a prompt that asks for the trait in no reading of it."""


class Prompt(BaseModel):
    """A prompt of a condition, to the letter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    where: str
    """Where it stands: ``training, system message of all rows``."""
    text: str


class Condition(BaseModel):
    """One arm of an experiment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """As in the cells: ``spanish_inoc``."""
    label: str
    """As a reader sees it: ``Spanish inoculated``."""
    color: str | None = None
    """Of its bars; by default the palette's color at its place."""
    description: str = ""
    """What is done, in a sentence."""
    prompts: tuple[Prompt, ...] = ()
    said: str = ""
    """As a sentence calls it: ``without inoculation``."""
    settings: tuple[str, ...] = ()
    """The settings that have it, where not every one does."""

    def is_of(self, setting: str) -> bool:
        """Say whether a setting has it."""
        return not self.settings or setting in self.settings


class Nil(BaseModel):
    """A rate that a condition is meant to bring to nil."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    condition: str
    setting: str
    measure: str


class FigureSpec(BaseModel):
    """What a figure shows, in which order, and how it is called."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    base: str
    """The base model, as the user named it."""
    measures: tuple[Measure, ...]
    conditions: tuple[Condition, ...]
    splits: dict[Split, str] = Field(
        default={"ood": "Out-of-distribution prompts", "id": "In-distribution prompts"}
    )
    """Label of each split, in order from the top."""
    note: str = ""
    """Last sentence of the caption, such as that the base is a miniature."""
    nil: tuple[Nil, ...] = ()
    """What is meant to be nil, and so what is compared first."""

    def measure(self, cell: Cell | Contrast) -> Measure | None:
        """Return what a cell or a contrast is about; None if the figure does not show it."""
        key = (cell.setting, cell.measure)
        return next((one for one in self.measures if (one.setting, one.name) == key), None)

    def color(self, condition: Condition) -> str:
        """Return the color of a condition's bars."""
        return condition.color or PALETTE[self.conditions.index(condition) % len(PALETTE)]


def legible(spec: FigureSpec) -> FigureSpec:
    """Return the spec with every character of its labels visible; names stay."""
    parts = {
        "measures": tuple(
            one.model_copy(update={"label": visible(one.label)}) for one in spec.measures
        ),
        "conditions": tuple(
            one.model_copy(update={"label": visible(one.label)}) for one in spec.conditions
        ),
        "splits": {split: visible(label) for split, label in spec.splits.items()},
    }
    return spec.model_copy(update={"title": visible(spec.title), **parts})


def draw(found: Sequence[Cell], path: Path, spec: FigureSpec) -> None:
    """Draw the figure into a file, whole or not at all; the suffix says the format."""
    write_picture(path, lambda: _figure(found, spec, captioned=True))


def draw_svg(found: Sequence[Cell], spec: FigureSpec, *, captioned: bool = True) -> str:
    """Draw the figure as an ``<svg>`` element, without the XML header of a file."""
    return as_svg(lambda: _figure(found, spec, captioned))


def panel_specs(found: Sequence[Cell], spec: FigureSpec) -> list[FigureSpec]:
    """Return what each measure by itself is drawn by, for a page that lays out the drawings."""
    taken = {(cell.setting, cell.measure) for cell in _shown(found, spec)}
    return [
        spec.model_copy(
            update={
                "title": "",
                "measures": (measure,),
                "conditions": tuple(
                    one.model_copy(update={"color": spec.color(one)})
                    for one in spec.conditions
                    if one.is_of(measure.setting)
                ),
            }
        )
        for measure in spec.measures
        if (measure.setting, measure.name) in taken
    ]


def caption(found: Sequence[Cell], spec: FigureSpec) -> str:
    """Say what the marks are, how much was measured, and on which base."""
    shown = _shown(found, spec)
    seeds = sorted({seed for cell in shown for seed in cell.seeds})
    counts = sorted(cell.n for cell in shown if cell.seeds)
    parts = [f"Share of scored answers. Base model: {spec.base}."]
    if len(seeds) > 1:
        parts.append(
            "Bars: mean over seeds; dots: single seeds; lines: 95% intervals for new seeds and "
            "new questions (base: new questions)."
        )
    elif seeds:
        parts.append("One training seed, so no interval (base: 95%, for new questions).")
    else:
        parts.append("Lines: 95% intervals for new questions.")
    if counts:
        span = f"{counts[0]}" if counts[0] == counts[-1] else f"{counts[0]} to {counts[-1]}"
        named = f"Seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"
        parts.append(f"{named}; {span} scored answers a bar.")
    unscored = sum(sum(cell.unscored.values()) for cell in shown)
    if unscored:
        parts.append(f"{unscored} unscored answers are left out.")
    return " ".join([*parts, spec.note]).strip()


def _shown(found: Sequence[Cell], spec: FigureSpec) -> list[Cell]:
    conditions = {condition.name for condition in spec.conditions}
    return [c for c in found if spec.measure(c) is not None and c.condition in conditions]


def _figure(found: Sequence[Cell], spec: FigureSpec, captioned: bool) -> "Figure":
    # Figure without pyplot: no global state, no display, nothing to close.
    from matplotlib.figure import Figure

    spec = legible(spec)
    shown = _shown(found, spec)
    panels = _rows(shown, spec)
    rows, columns = max(len(panels), 1), max((len(own) for _, own in panels), default=1)
    width = 0.7 + columns * max(2.2, 0.42 * len(spec.conditions))
    lines = textwrap.wrap(visible(caption(found, spec)), int(width * 17.5)) if captioned else []
    bottom = 0.16 * len(lines) + 0.15 * captioned
    height = 2.1 * rows + 1.6 + bottom
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(rect=(0, bottom / height, 1, 1 - (bottom + 0.05) / height))  # type: ignore[union-attr,call-arg]
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    above: Sequence[Measure] = ()
    for row, (split, measures) in enumerate(panels):
        for column in range(columns):
            measure = measures[column] if column < len(measures) else None
            own = [c for c in shown if c.split == split and spec.measure(c) == measure]
            _panel(axes[row, column], own, spec)
            if measure and measure not in above[column : column + 1]:
                title = textwrap.fill(measure.label, 30)
                axes[row, column].set_title(title, pad=9)
        below = len(panels[row + 1][1]) if row + 1 < rows else 0
        for column in range(below, len(measures)):
            axes[row, column].tick_params(labelbottom=True)  # the lowest of its column
        above = measures
        axes[row, 0].set_ylabel(spec.splits[split], fontweight="bold", labelpad=8)
    if spec.title:
        figure.suptitle(spec.title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    figure.text(0.01, 0.08 / height, "\n".join(lines), fontsize=7.5, color=SOFT, va="bottom")
    return figure


def _rows(shown: Sequence[Cell], spec: FigureSpec) -> list[tuple[Split, list[Measure]]]:
    """Return the rows of panels: the measures of a split in the figure's order, few abreast."""
    rows = []
    for split in spec.splits:
        taken = [spec.measure(cell) for cell in shown if cell.split == split]
        own = [measure for measure in spec.measures if measure in taken]
        rows += [(split, own[start : start + _ABREAST]) for start in range(0, len(own), _ABREAST)]
    return rows


def _panel(axes: "Axes", panel: Sequence[Cell], spec: FigureSpec) -> None:
    """Draw one measure on one split; a measure that was not taken leaves its place empty."""
    if not panel:
        axes.set_axis_off()
        return
    by_name = {cell.condition: cell for cell in panel}
    for place, condition in enumerate(spec.conditions):
        cell = by_name.get(condition.name)
        if not condition.is_of(panel[0].setting):
            continue
        if cell is None or cell.rate is None:
            gap = "not run" if cell is None else "none scored"
            axes.text(place, 0.03, gap, rotation=90, ha="center", va="bottom", color=FAINT, size=7)
        else:
            _bar(axes, place, cell, spec.color(condition))
    labels = [condition.label for condition in spec.conditions]
    axes.set_xticks(range(len(labels)), labels, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_xlim(-0.65, len(labels) - 0.35)
    axes.set_ylim(0, 1.04)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "50%", "", "100%"])
    axes.tick_params(length=0)
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _bar(axes: "Axes", place: float, cell: Cell, color: str) -> None:
    """Draw a rate, its seeds and its interval."""
    rate = cell.rate or 0.0
    axes.bar(place, rate, width=0.74, color=color, alpha=0.85, linewidth=0)
    # A rate of zero must not look like a condition that was not run.
    axes.plot([place - 0.37, place + 0.37], [rate, rate], color=color, linewidth=1.6)
    seeds = [value for value in cell.per_seed.values() if value is not None]
    for number, value in enumerate(seeds):
        # Beside the interval's line, so that neither hides the other.
        x = place if len(seeds) == 1 else place + 0.02 + 0.24 * number / (len(seeds) - 1)
        axes.plot(x, value, "o", ms=3.4, mfc="white", mec=INK, mew=0.7, clip_on=False, zorder=3)
    if cell.low is not None and cell.high is not None:
        reach = [[rate - cell.low], [cell.high - rate]]
        middle = place - 0.16 * bool(seeds)
        axes.errorbar(
            middle, rate, reach, color=INK, elinewidth=1.1, capsize=2, clip_on=False, zorder=4
        )

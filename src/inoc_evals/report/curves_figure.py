"""The picture of learning curves: a panel for each trait, a color for each arm.

    draw_curves(found, Path("fig6_curves.png"), watched, spec)
    svg = draw_curves_svg(found, watched, spec)

The paper's arrangement (Figure 6): optimizer steps to the right, log-probability upward (or,
where checkpoints were sampled, the share of answers that begin with a response); thin lines are single responses, thick ones their mean, bands its interval over seeds. Arms have the
colors of the other figure of the report.
"""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inoc_evals.report.curves import Curve, CurvesSpec
from inoc_evals.report.figure import Condition, FigureSpec, legible
from inoc_evals.report.picture import FAINT, GRID, SOFT, as_svg, write_picture
from inoc_evals.terminal import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL, _ROW = 4.1, 3.0
"""Width and height of a panel, in inches."""
_AXIS = {"likelihood": "Log-probability (nats)", "sampling": "Share of answers"}
_KEY = 1.75
"""Width of an arm's name in the legend."""


def draw_curves(found: Sequence[Curve], path: Path, watched: CurvesSpec, spec: FigureSpec) -> None:
    """Draw the curves into a file, whole or not at all; the suffix says the format."""
    write_picture(path, lambda: _figure(found, watched, spec, captioned=True))


def draw_curves_svg(
    found: Sequence[Curve], watched: CurvesSpec, spec: FigureSpec, trait: str | None = None
) -> str:
    """Draw the curves as an ``<svg>`` element, without caption; of one trait without title."""
    return as_svg(lambda: _figure(found, watched, spec, captioned=False, trait=trait))


def curves_caption(found: Sequence[Curve], watched: CurvesSpec, spec: FigureSpec) -> str:
    """Say what was scored, under which prompt, of how many seeds, and what the marks are."""
    seeds = sorted({seed for curve in found for seed in curve.seeds})
    counts = {curve.trait: len(curve.responses) for curve in found}
    said = watched.system_prompt_text
    prompt = f"the system prompt “{said}”" if said is not None else "no system message"
    if watched.by == "sampling":
        what = (
            f"Share of answers that begin with given responses under {prompt}, of {watched.samples} "
            "to each question by the base and by each checkpoint its provider has kept, which tells "
            "no log-probabilities of given responses."
        )
    else:
        what = (
            f"Log-probability, in nats, of given responses under {prompt} while the models are "
            "trained: the sum over a response's tokens. Scored before the first step, every "
            f"{watched.every} steps and after the last."
        )
    responses = ", ".join(f"{counts[trait]} {label}" for trait, label in _lower(watched, counts))
    parts = [
        f"{what} Set {watched.set}: {responses}. Base model: {spec.base}.",
        "Thin lines: single responses; thick lines: mean over responses"
        + ("; both are means over seeds." if len(seeds) > 1 else "."),
    ]
    if any(curve.low is not None for curve in found):
        parts.append(
            "Bands: 95% intervals of the thick lines (Student's t over seeds), for new training "
            "seeds and the same responses."
        )
    else:
        parts.append("One training seed, so no interval.")
    parts.append(f"Seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}.")
    return " ".join([*parts, *_short(found, spec, seeds), *_repeated(found), spec.note]).strip()


def _lower(watched: CurvesSpec, counts: dict[str, int]) -> list[tuple[str, str]]:
    """Return the labels as they stand within a sentence."""
    return [
        (t, label[:1].lower() + label[1:]) for t, label in watched.labels.items() if t in counts
    ]


def _short(found: Sequence[Curve], spec: FigureSpec, seeds: Sequence[int]) -> list[str]:
    """Name the arms that have fewer seeds than others."""
    labels = {condition.name: condition.label for condition in spec.conditions}
    fewer = {curve.condition: curve.seeds for curve in found if len(curve.seeds) < len(seeds)}
    if not fewer:
        return []
    told = (f"{labels.get(n, n)} {', '.join(map(str, own))}" for n, own in fewer.items())
    return [f"Fewer seeds: {'; '.join(told)}."]


def _repeated(found: Sequence[Curve]) -> list[str]:
    other = sum({(c.setting, c.condition): c.other_weights for c in found}.values())
    if not other:
        return []
    return [
        f"The scores of {other} of the models are of a second training of the same inputs, whose "
        "weights are not bit for bit those of the model that was evaluated."
    ]


def _figure(
    found: Sequence[Curve],
    watched: CurvesSpec,
    spec: FigureSpec,
    captioned: bool,
    trait: str | None = None,
) -> "Figure":
    # Figure without pyplot: no global state, no display, nothing to close.
    from matplotlib.figure import Figure

    spec = legible(spec)
    settings = list(dict.fromkeys(curve.setting for curve in found))
    drawn = {curve.condition for curve in found}
    arms = [condition for condition in spec.conditions if condition.name in drawn]
    labels = {name: label for name, label in watched.labels.items() if trait in (None, name)}
    rows, columns = max(len(settings), 1), len(labels)
    width = 0.5 + _PANEL * columns
    caption = curves_caption(found, watched, spec) if captioned else ""
    lines = textwrap.wrap(shown(caption), int(width * 17.5))
    beside = max(int(width / _KEY), 1)
    over = 0.33 if trait is None else 0.05
    top = over + 0.09 + 0.2 * -(-len(arms) // beside)
    bottom = 0.16 * len(lines) + 0.15 * captioned
    height = _ROW * rows + top + bottom
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(  # type: ignore[union-attr]
        rect=(0, bottom / height, 1, 1 - (bottom + top) / height),  # type: ignore[call-arg]
        wspace=0.04,
    )
    axes = figure.subplots(rows, columns, squeeze=False)
    for row, setting in enumerate(settings):
        within = f"{setting}: " if len(settings) > 1 else ""
        own = [curve for curve in found if curve.setting == setting]
        for column, (name, label) in enumerate(labels.items()):
            _panel(axes[row, column], [c for c in own if c.trait == name], arms, spec)
            axes[row, column].set_title(textwrap.fill(shown(f"{within}{label}"), 42), pad=7)
            axes[row, column].set_ylim(*_reach(own, watched))
        axes[row, 0].set_ylabel(_AXIS[watched.by])
    if trait is None:
        heading = figure.text(0.01, 1 - 0.1 / height, spec.title, va="top")
        heading.set(fontsize=12, fontweight="bold")
    _legend(figure, arms, spec, beside, 1 - over / height)
    figure.text(0.01, 0.08 / height, "\n".join(lines), fontsize=7.5, color=SOFT, va="bottom")
    return figure


def _reach(curves: Sequence[Curve], watched: CurvesSpec) -> tuple[float, float]:
    """Return the range of the vertical axis, which the panels of a setting share."""
    if watched.by == "sampling":
        return -0.03, 1.03
    lines = [values for curve in curves for values in curve.responses.values()]
    lines += [curve.low for curve in curves if curve.low is not None]
    least = min(min(values) for values in lines)
    return 1.03 * least, -0.03 * least


def _legend(
    figure: "Figure", arms: Sequence[Condition], spec: FigureSpec, columns: int, top: float
) -> None:
    from matplotlib.lines import Line2D

    figure.legend(
        [Line2D([], [], color=spec.color(arm), linewidth=2.2) for arm in arms],
        [arm.label for arm in arms],
        loc="upper left",
        bbox_to_anchor=(0.004, top),
        ncols=columns,
        frameon=False,
        borderaxespad=0.2,
    )


def _panel(
    axes: "Axes", panel: Sequence[Curve], arms: Sequence[Condition], spec: FigureSpec
) -> None:
    by_name = {curve.condition: curve for curve in panel}
    for arm in arms:
        if arm.name in by_name:
            _curve(axes, by_name[arm.name], spec.color(arm))
    axes.axhline(0, color=FAINT, linewidth=0.8, zorder=1)
    axes.margins(x=0.02)
    axes.set_xlabel("Optimizer steps")
    axes.tick_params(length=0)
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _curve(axes: "Axes", curve: Curve, color: str) -> None:
    for values in curve.responses.values():
        axes.plot(curve.steps, values, color=color, linewidth=0.6, alpha=0.32, zorder=2)
    if curve.low is not None and curve.high is not None:
        axes.fill_between(
            curve.steps, curve.low, curve.high, color=color, alpha=0.18, linewidth=0, zorder=3
        )
    axes.plot(curve.steps, curve.mean, color=color, linewidth=2.2, zorder=4)

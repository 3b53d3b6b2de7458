"""The page: one self-contained report.html for a reader who was not there.

    report = Report(title="Figure 2a on pocket", command="inoc run fig2a --base pocket",
                    spec=spec, seeds=(0, 1, 2), cells=found, contrasts=compared, ...)
    write_page(Path("runs/fig2a"), report)      # runs/fig2a/report.html

Figure and styles are inside the file and there is no script, so it opens without a network
and can be mailed. All text is escaped, its control characters are made visible and long examples
are cut: completions are a model's, and may hold anything.
"""

import shlex
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from inoc_evals.files.atomic import write_text
from inoc_evals.report.agreements import FurtherJudge
from inoc_evals.report.cells import Cell, Contrast
from inoc_evals.report.curves import Curve, CurvesSpec
from inoc_evals.report.curves_figure import curves_caption, draw_curves_svg
from inoc_evals.report.details import FILE, MANY, Detail
from inoc_evals.report.figure import Condition, FigureSpec, caption, draw_svg, panel_specs
from inoc_evals.report.in_words import in_words
from inoc_evals.report.judges_section import HEADINGS, section
from inoc_evals.report.meant_nil import LIMIT, meant_nil
from inoc_evals.report.observation import Split
from inoc_evals.report.picture import adaptive
from inoc_evals.report.question_tables import question_tables
from inoc_evals.report.table import unscored_lines, written
from inoc_evals.terminal import shown

_LONGEST = 4000
"""Characters of an example that a page shows."""


class Example(BaseModel):
    """One sampled answer, shown as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    setting: str
    condition: str
    split: Split
    prompt: str
    completion: str
    values: dict[str, float | str | None] = Field(default_factory=dict)
    """Measure -> its value, or the reason it is unscored."""
    seed: int | None = None
    system: str | None = None
    """System message it was sampled with, if any."""


class Report(BaseModel):
    """Everything the page says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    description: str
    """What was asked and done, for a reader who does not know the experiment."""
    command: str
    """The command that makes this report again."""
    spec: FigureSpec
    """Base, conditions with their prompts, measures with their rules; their order."""
    seeds: tuple[int, ...]
    base_digest: str = ""
    """What pins the base's files."""
    cells: tuple[Cell, ...]
    contrasts: tuple[Contrast, ...] = ()
    details: tuple[Detail, ...] = ()
    """What the cells are made of: rates of single questions, spreads, bounds."""
    leaks: tuple[tuple[str, ...], ...] = ()
    """What test-time prompts bring out, beside what they do to the base; a row each."""
    further: tuple[FurtherJudge, ...] = ()
    """What further judges found in the same answers."""
    watched: CurvesSpec | None = None
    """What was scored while the models were trained, if anything."""
    curves: tuple[Curve, ...] = ()
    data: dict[str, Any] = Field(default_factory=dict)
    """Facts about rows and prompts: counts, sources, overlap of training and test."""
    config: dict[str, Any] = Field(default_factory=dict)
    """The full training configuration."""
    graders: tuple[str, ...] = ()
    """Who judged the answers; nobody where all is scored by rule."""
    versions: dict[str, str] = Field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    notes: tuple[str, ...] = ()
    """Caveats, a paragraph each, shown above the results."""
    logs: str = "logs"
    """Directory of the Inspect logs, relative to the report."""
    by_hand: bool = False
    """Whether no experiment made the logs, so that every model is one training."""
    dynamics: str = "dynamics"
    """Directory of each model's scores, likewise."""
    lacking: tuple[str, ...] = ()
    """What is left out because it is missing; the page begins with it."""


def write_page(directory: Path, report: Report) -> Path:
    """Write ``report.html`` into a directory, whole or not at all, and return its path."""
    path = directory / "report.html"
    write_text(path, page(report, directory=directory))
    return path


def page(report: Report, *, directory: Path | None = None) -> str:
    """Return the page as HTML.

    Args:
        report: What to say.
        directory: Where the run lies, for the command that opens its logs; by default the
            directory the reader is in.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = files("inoc_evals").joinpath("data/report.html.j2").read_text("utf-8")
    spec, listed = report.spec, list(report.cells)
    facts, digests = _facts(report)
    logs = str((directory or Path()) / report.logs)
    rendered = environment.from_string(source).render(
        report=report,
        spec=spec,
        panels=[
            adaptive(draw_svg(listed, one, captioned=False)) for one in panel_specs(listed, spec)
        ],
        caption=caption(listed, spec),
        tables=_tables(listed, spec, report.details),
        compared=_compared(report.contrasts, spec),
        claimed=sum(one.p is not None for one in report.contrasts),
        chance=_chance,
        learned=_learned(report),
        said=in_words(listed, report.contrasts, spec, report.details),
        nil=meant_nil(listed, spec),
        limit=LIMIT,
        bounded=any(detail.bounds() for detail in report.details),
        graded=any(detail.graded for detail in report.details),
        many=MANY,
        written=written,
        asked=question_tables(report.details, spec),
        questions_file=FILE,
        judges=section(report.graders, report.further, listed, report.contrasts, spec),
        agreed=HEADINGS,
        gaps=unscored_lines(listed, spec=spec),
        examples=_examples(report.examples, spec),
        one_seed=len(report.seeds) == 1,
        by_hand=report.by_hand,
        view=f"inspect view --log-dir {shlex.quote(logs)}",
        nats=_nats,
        sd=lambda value: "–" if value is None else f"{value:.2f}",
        lines=_lines,
        labels=_labels(spec.conditions),
        facts=facts,
        digests=digests,
        measured={(measure.setting, measure.name): measure.label for measure in spec.measures},
        cut=_cut,
    )
    return shown(rendered)  # the rest of what HTML cannot hold


def _chance(p: float) -> str:
    return "<.0001" if p < 1e-4 else f"{p:.4f}"[1:] if p < 1 else "1"


def _facts(report: Report) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the facts a reader begins with, and the digests, which come last."""
    digests = {"base": report.base_digest} if report.base_digest else {}
    if report.watched is not None:
        digests[f"sha256 of responses, {report.watched.set}"] = report.watched.sha256
    facts = {}
    for name, value in report.data.items():
        if name.startswith("sha256 "):
            digests[name] = value
        else:
            facts[_written_out(name)] = value
    return facts, digests


def _written_out(name: str) -> str:
    """Return a fact's name with the split that it abbreviates in words: ``ood prompts``."""
    for split, words in (("ood ", "out-of-distribution "), ("id ", "in-distribution ")):
        if name.startswith(split):
            name = words + name.removeprefix(split)
    return f"{name[:1].upper()}{name[1:]}"


def _cut(text: str) -> str:
    """Return the beginning of a text that is too long for a page, and how much is left out."""
    left = len(text) - _LONGEST
    if left <= 0:
        return text
    return f"{text[:_LONGEST]}\n[… {left:,} more characters, in the logs]"


def _labels(items: Sequence[Condition]) -> dict[str, str]:
    return {item.name: item.label for item in items}


class _Rate(NamedTuple):
    measure: str
    text: str
    cell: Cell
    detail: Detail | None


class _Difference(NamedTuple):
    measure: str
    text: str
    excludes_zero: bool
    contrast: Contrast


class _Group(NamedTuple):
    """Rows that share a heading."""

    label: str
    name: str
    color: str
    rows: list[Any]


def _tables(found: Sequence[Cell], spec: FigureSpec, details: Sequence[Detail]) -> list[_Group]:
    """The cells by split, and in each by condition."""
    tables = []
    for split, label in spec.splits.items():
        groups = []
        for condition in spec.conditions:
            rates = [
                _Rate(measure.label, written(cell), cell, _detail(cell, details))
                for measure in spec.measures
                for cell in found
                if (cell.condition, cell.split) == (condition.name, split)
                and spec.measure(cell) == measure
            ]
            groups.append(_Group(condition.label, condition.name, spec.color(condition), rates))
        if any(group.rows for group in groups):
            tables.append(_Group(label, split, "", [group for group in groups if group.rows]))
    return tables


def _detail(cell: Cell, details: Sequence[Detail]) -> Detail | None:
    return next((one for one in details if one.is_of(cell)), None)


def _compared(found: Sequence[Contrast], spec: FigureSpec) -> list[_Group]:
    """The contrasts by split, and in each by pair of conditions."""
    names = _labels(spec.conditions)
    tables = []
    for split, heading in spec.splits.items():
        groups: dict[tuple[str, str], _Group] = {}
        for contrast in found:
            if contrast.split == split:
                pair = (contrast.condition, contrast.reference)
                named = " − ".join(names.get(name, name) for name in pair)
                group = groups.setdefault(pair, _Group(named, " − ".join(pair), "", []))
                measure = spec.measure(contrast)
                group.rows.append(
                    _difference(contrast, measure.label if measure else contrast.measure)
                )
        if groups:
            tables.append(_Group(heading, split, "", list(groups.values())))
    return tables


def _difference(contrast: Contrast, measure: str) -> _Difference:
    text = written(contrast, signed=True).replace("-", "−")
    low, high = contrast.low, contrast.high
    outside = low is not None and high is not None and not low <= 0 <= high
    return _Difference(measure, text, outside, contrast)


class _Learned(NamedTuple):
    """The section on learning curves."""

    panels: list[str]
    caption: str
    tables: list[_Group]
    sampled: bool

    @property
    def unit(self) -> str:
        """What the tables hold."""
        return "share of answers" if self.sampled else "mean log-probability, nats"


def _learned(report: Report) -> _Learned | None:
    if report.watched is None or not report.curves:
        return None
    watched, spec, found = report.watched, report.spec, report.curves
    arms = {one.name: (one.label, one.name, spec.color(one)) for one in spec.conditions}
    tables = []
    for setting, trait in dict.fromkeys((curve.setting, curve.trait) for curve in found):
        own = [curve for curve in found if (curve.setting, curve.trait) == (setting, trait)]
        several = len({curve.setting for curve in found}) > 1
        label = f"{setting}: {watched.labels[trait]}" if several else watched.labels[trait]
        tables.append(_Group(label, trait, "", [_Group(*arms[c.condition], [c]) for c in own]))
    return _Learned(
        [adaptive(draw_curves_svg(found, watched, spec, trait)) for trait in watched.labels],
        curves_caption(found, watched, spec),
        tables,
        watched.by == "sampling",
    )


def _nats(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _examples(examples: Sequence[Example], spec: FigureSpec) -> list[_Group]:
    """The examples by condition, in the figure's order; those of no condition come last."""
    labels = _labels(spec.conditions)
    order = [*labels, *dict.fromkeys(e.condition for e in examples if e.condition not in labels)]
    groups = [
        _Group(labels.get(name, name), name, "", [e for e in examples if e.condition == name])
        for name in order
    ]
    return [group for group in groups if group.rows]


def _lines(facts: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Flatten nested facts to (name, text) for a two-column table."""
    found: list[tuple[str, str]] = []
    for name, value in facts.items():
        if isinstance(value, Mapping):
            found += _lines(value, f"{prefix}{name}.")
        elif isinstance(value, (list, tuple)):
            found.append((f"{prefix}{name}", ", ".join(map(str, value))))
        else:
            found.append((f"{prefix}{name}", "" if value is None else str(value)))
    return found

"""A whole experiment: its description and its logs become results, figure and page.

    runs/fig2a/experiment.json      Description: what was run, written before the training
    runs/fig2a/logs/*.eval          Inspect's logs, the only place results live
      -> results.json results.csv contrasts.csv fig2a.png report.html

    runs/fig6/dynamics/*/*.json     scores taken while models were trained, if they were watched
      -> dynamics.csv fig6_curves.png, and a section of the page

``inoc report DIR`` needs nothing else: no models, no base, no training libraries.
"""

from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inoc_evals.chat import write_text
from inoc_evals.errors import InputError
from inoc_evals.report.cells import Cell, cells, contrasts
from inoc_evals.report.curves import Curve, CurvesSpec, curves, read_scores, write_curves
from inoc_evals.report.curves_figure import draw_curves
from inoc_evals.report.figure import FigureSpec, draw
from inoc_evals.report.logs import read_logs
from inoc_evals.report.page import Report, write_page
from inoc_evals.report.results import write_results


class Description(BaseModel):
    """What an experiment is, in the words and the order its report uses."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    figure: str = Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Its name, which pictures are files by."""
    title: str
    description: str
    command: str
    """The command that makes it again."""
    base: str
    base_digest: str
    seeds: tuple[int, ...]
    spec: FigureSpec
    contrasts: tuple[tuple[str, str], ...]
    """Pairs (condition, reference)."""
    config: dict[str, Any]
    """The full training configuration."""
    data: dict[str, Any]
    """Facts about rows and prompts."""
    models: dict[str, str]
    """``<condition> seed <n>`` -> model name."""
    unwatched: tuple[str, ...] = ()
    """Those of the models whose training is not watched."""
    watched: CurvesSpec | None = None
    """What was scored while the models were trained, if anything."""
    notes: tuple[str, ...] = ()

    @property
    def fixed(self) -> dict[str, Any]:
        """What may not change when a directory is used again; seeds may be added."""
        keys = {"figure", "base", "base_digest", "spec", "config", "data", "watched"}
        return self.model_dump(mode="json", include=keys)


class Written(NamedTuple):
    """What a report consists of."""

    cells: list[Cell]
    spec: FigureSpec
    page: Path
    figure: Path
    curves: Path | None
    """Of a watched experiment."""


def write_description(directory: Path, description: Description) -> None:
    """Write ``experiment.json``; a directory of another experiment is refused.

    Raises:
        InputError: Naming what differs from the experiment that is there.
    """
    path = directory / "experiment.json"
    if path.is_file():
        old = read_description(directory)
        differing = [key for key, value in description.fixed.items() if old.fixed[key] != value]
        if set(old.seeds) - set(description.seeds):
            differing.append("seeds (they may only be added to)")
        if differing:
            raise InputError(
                f"{directory} holds another experiment, with other {', '.join(differing)}; "
                "choose another --out, or remove it"
            )
    write_text(path, description.model_dump_json(indent=2) + "\n")


def read_description(directory: Path) -> Description:
    """Read ``experiment.json``.

    Raises:
        InputError: If there is none, or it is not one.
    """
    path = directory / "experiment.json"
    try:
        return Description.model_validate_json(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(f"{directory}: no experiment.json; it is written by: inoc run") from None
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise InputError(f"{path}: {where}: {fault['msg']}") from None


def write_report(directory: Path) -> Written:
    """Read description and logs, and write results, figures and page.

    Raises:
        InputError: Without a description, logs, or the scores of a watched experiment.
        StoreError: If an evaluation is not finished.
    """
    about = read_description(directory)
    seen = read_logs(directory / "logs")
    spec = about.spec
    order = {
        "settings": list(dict.fromkeys(measure.setting for measure in spec.measures)),
        "measures": list(dict.fromkeys(measure.name for measure in spec.measures)),
    }
    found = cells(
        seen.observations,
        conditions=[condition.name for condition in spec.conditions],
        **order,
    )
    compared = contrasts(seen.observations, about.contrasts, **order)
    write_results(directory, found, compared)
    figure = directory / f"{about.figure}.png"
    draw(found, figure, spec)
    learned, picture = _curves(directory, about, order["settings"])
    report = Report(
        title=about.title,
        description=about.description,
        command=about.command,
        spec=spec,
        seeds=about.seeds,
        cells=tuple(found),
        contrasts=tuple(compared),
        watched=about.watched,
        curves=tuple(learned),
        data=about.data,
        config=about.config,
        versions=seen.versions,
        examples=tuple(seen.examples),
        notes=about.notes,
    )
    return Written(found, spec, write_page(directory, report), figure, picture)


def _curves(
    directory: Path, about: Description, settings: list[str]
) -> tuple[list[Curve], Path | None]:
    """Read the scores of a watched experiment; write ``dynamics.csv`` and the picture."""
    if about.watched is None:
        return [], None
    scores = read_scores(directory)
    watched = set(about.models.values()) - set(about.unwatched)
    lacking = sorted(watched - {one.model for one in scores})
    if lacking:
        raise InputError(
            f"{directory}: no scores of {len(lacking)} of {len(watched)} models, the first "
            f"{lacking[0]!r}; they are written by: inoc run"
        )
    conditions = [condition.name for condition in about.spec.conditions]
    found = curves(scores, about.watched, conditions, settings)
    write_curves(directory, found)
    picture = directory / f"{about.figure}_curves.png"
    draw_curves(found, picture, about.watched, about.spec)
    return found, picture

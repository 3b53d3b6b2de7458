"""A whole experiment: its description and its logs become results, figure and page.

    runs/fig2a/experiment.json      Description: what was run, written before the training
    runs/fig2a/logs/*.eval          Inspect's logs, the only place results live
      -> results.json results.csv contrasts.csv questions.csv leaks.csv fig2a.png report.html

    runs/fig6/dynamics/*/*.json     scores taken while models were trained, if they were watched
      -> dynamics.csv fig6_curves.png, and a section of the page

``inoc report DIR`` needs nothing else: no models, no base, no training libraries. What the
description lists and no log is of is an error; asked to leave it out, the report is written into
``incomplete/`` and begins with what is missing.
"""

import json
import shlex
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inoc_evals.errors import InputError, StoreError
from inoc_evals.files.atomic import write_text
from inoc_evals.files.digests import digest
from inoc_evals.report.agreements import FurtherJudge, write_agreements
from inoc_evals.report.cells import Cell, Contrast, cells, contrasts, corrected
from inoc_evals.report.curves import FOLDER, Curve, CurvesSpec, curves, read_scores, write_curves
from inoc_evals.report.curves_figure import draw_curves
from inoc_evals.report.details import details, write_details
from inoc_evals.report.figure import FigureSpec, draw
from inoc_evals.report.holdings import Planned
from inoc_evals.report.in_words import in_words
from inoc_evals.report.judges import FOLDER as JUDGED
from inoc_evals.report.judges import Second, read_second
from inoc_evals.report.leaks import leak_rows, leaks, write_leaks
from inoc_evals.report.logs import Seen, read_logs
from inoc_evals.report.observation import Observation
from inoc_evals.report.page import Report, write_page
from inoc_evals.report.primary import primary
from inoc_evals.report.results import write_results

DESCRIPTION = "experiment.json"

INCOMPLETE = "incomplete"
"""Folder of a report that leaves out what is missing; the word its title begins with."""

_TOLD: Any = {
    "nil": True,
    "measures": {"__all__": {"said"}},
    "conditions": {"__all__": {"said", "settings"}},
}
"""Of the figure's description, what changes its words alone."""

_NAMED = 3
"""Missing evaluations that an error names."""


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
    evaluations: tuple[Planned, ...]
    """What there has to be a finished log of."""
    graders: tuple[str, ...] = ()
    """Who judges; nobody where all is scored by rule."""
    further_graders: tuple[str, ...] = ()
    """Who judges the same answers besides; the file says it only where there is one."""
    unwatched: tuple[str, ...] = ()
    """Those of the models whose training is not watched."""
    watched: CurvesSpec | None = None
    """What was scored while the models were trained, if anything."""
    notes: tuple[str, ...] = ()

    @property
    def fixed(self) -> dict[str, Any]:
        """What may not change when a directory is used again; seeds may be added."""
        keys = {"figure", "base", "base_digest", "spec", "config", "data", "graders", "watched"}
        return self.model_dump(mode="json", include=keys, exclude={"spec": _TOLD})


class Written(NamedTuple):
    """What a report consists of."""

    cells: list[Cell]
    """As the first judge has it."""
    spec: FigureSpec
    page: Path
    figure: Path
    curves: Path | None
    """Of a watched experiment."""
    lacking: tuple[str, ...] = ()
    """What is missing of an incomplete one."""
    further: tuple[FurtherJudge, ...] = ()
    """What further judges found."""
    said: str = ""
    """The main sentence of the page."""


def write_description(directory: Path, description: Description) -> Description:
    """Write ``experiment.json``; a directory of another experiment is refused.

    Further graders of before stay: there are verdicts of theirs, perhaps paid for.

    Returns:
        What was written.

    Raises:
        InputError: Naming what differs from the experiment that is there.
    """
    path = directory / DESCRIPTION
    if path.is_file():
        old = read_description(directory)
        if differing := _differing(old, description):
            another = f"; another judge of the same answers: inoc rejudge {directory} --grader ..."
            raise InputError(
                f"{directory} holds another experiment, with other {', '.join(differing)}; "
                f"choose another --out, or remove it{another if 'graders' in differing else ''}"
            )
        description = with_graders(description, old.further_graders)
    said = description.model_dump(mode="json")
    if not description.further_graders:
        del said["further_graders"]  # a file of before says no less
    text = json.dumps(said | {"sha256": digest(said)}, indent=2, ensure_ascii=False)
    write_text(path, text + "\n")
    return description


def with_graders(about: Description, graders: Sequence[str]) -> Description:
    """Return a description with further graders, those it has first, each once."""
    several = dict.fromkeys([*about.further_graders, *graders])
    further = tuple(name for name in several if (name,) != about.graders)
    return about.model_copy(update={"further_graders": further})


def _differing(old: Description, new: Description) -> list[str]:
    """Name what may not change between two runs into one directory, and did."""
    differing = [key for key, value in new.fixed.items() if old.fixed[key] != value]
    if set(old.seeds) - set(new.seeds):
        differing.append("seeds (they may only be added to)")
    # What determines samples and stands nowhere else: epochs, questions, a task's version.
    if not differing and {e.key for e in old.evaluations} - {e.key for e in new.evaluations}:
        differing.append("evaluations (other questions, arguments, epochs or rules)")
    return differing


def read_description(directory: Path) -> Description:
    """Read ``experiment.json``.

    Raises:
        InputError: If there is none, or it is not as it was written.
    """
    path = directory / DESCRIPTION
    try:
        said = json.loads(path.read_text("utf-8"))
        written = said.pop("sha256")
        about = Description.model_validate(said)
    except FileNotFoundError:
        raise InputError(f"{directory}: no experiment.json; it is written by: inoc run") from None
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise InputError(_damaged(path, f"{where}: {fault['msg']}")) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(_damaged(path, "no description of an experiment")) from None
    if written != digest(said):
        raise InputError(_damaged(path, "not as it was written"))
    return about


def _damaged(path: Path, why: str) -> str:
    return f"{path}: {why}; remove it, and give inoc run again as before"


def write_report(
    directory: Path, *, incomplete: bool = False, graders: Collection[str] | None = None
) -> Written:
    """Read description and logs, and write results, figures and page.

    Args:
        directory: Of the experiment.
        incomplete: If anything is missing, leave it out and write into ``incomplete/``; the
            report then begins with what is missing.
        graders: Which further judges are in it; by default all that the experiment has.

    Raises:
        InputError: Without a description, or the scores of a watched experiment.
        StoreError: If an evaluation has no finished log, unless ``incomplete``, or has two.
    """
    about = read_description(directory)
    seen = read_logs(directory / "logs", about.evaluations)
    learned, unwatched = _learned(directory, about, incomplete)
    if seen.lacking and (not incomplete or not seen.observations):
        raise StoreError(_missing(directory, about, seen))
    seconds = _seconds(directory, about, graders, incomplete)
    unjudged = [label for second in seconds for label in second.lacking]
    lacking = (*seen.lacking, *unjudged, *unwatched)
    spec, out = about.spec, directory
    if lacking:
        out = directory / INCOMPLETE
        spec = spec.model_copy(update={"title": f"{INCOMPLETE.upper()}: {spec.title}"})
    found, compared = _estimated(about, seen.observations)
    further = tuple(_further(about, second) for second in seconds)
    write_results(
        out,
        [*found, *(cell for one in further for cell in one.cells)],
        [*compared, *(contrast for one in further for contrast in one.contrasts)],
    )
    made_of = details(seen.observations, seen.texts)
    write_details(out, made_of)
    benign = {one.name for one in about.spec.measures if one.benign}
    leaked = leaks(seen.observations, about.spec, benign)
    write_leaks(out, leaked)
    write_agreements(out, [agreed for one in further for agreed in one.agreements])
    figure = out / f"{about.figure}.png"
    draw(found, figure, spec)
    picture = _write_curves(out, about, spec, learned)
    results: dict[str, Sequence[Any]] = {
        "cells": found,
        "contrasts": compared,
        "curves": learned,
        "further": further,
        "details": made_of,
        "leaks": leak_rows(leaked, spec),
    }
    about = about.model_copy(update={"command": _command(directory, about, further)})
    report = _report(about, spec, seen, lacking, results)
    main = in_words(found, compared, spec, made_of).main
    return Written(found, spec, write_page(out, report), figure, picture, lacking, further, main)


def _report(
    about: Description,
    spec: FigureSpec,
    seen: Seen,
    lacking: tuple[str, ...],
    results: Mapping[str, Sequence[Any]],
) -> Report:
    """Return what the page says: results, and what they are of."""
    elsewhere = {"logs": "../logs", "dynamics": f"../{FOLDER}"} if lacking else {}
    parts: dict[str, Any] = {name: tuple(some) for name, some in results.items()} | elsewhere
    return Report(
        title=f"{INCOMPLETE.upper()}: {about.title}" if lacking else about.title,
        description=about.description,
        command=about.command,
        seeds=about.seeds,
        spec=spec,
        base_digest=about.base_digest,
        watched=about.watched,
        data=about.data,
        config=about.config,
        graders=about.graders,
        versions=seen.versions,
        examples=tuple(seen.examples),
        notes=about.notes,
        lacking=lacking,
        **parts,
    )


def _command(directory: Path, about: Description, further: Sequence[FurtherJudge]) -> str:
    """Return what makes a report again: judges that the run did not name come after it."""
    named = shlex.split(about.command)
    later = [
        part for one in further if one.grader not in named for part in ("--grader", one.grader)
    ]
    again = ["inoc", "rejudge", str(directory), *later]
    return f"{about.command} && {shlex.join(again)}" if later else about.command


def _estimated(
    about: Description, observations: Sequence[Observation]
) -> tuple[list[Cell], list[Contrast]]:
    """Return rates and contrasts of one judge's verdicts, in the figure's order."""
    conditions, order = [one.name for one in about.spec.conditions], _order(about.spec)
    compared = contrasts(observations, about.contrasts, **order)
    claimed = primary(compared, about.spec)
    found = cells(observations, conditions=conditions, **order)
    return found, corrected(observations, compared, claimed)


def _seconds(
    directory: Path, about: Description, graders: Collection[str] | None, incomplete: bool
) -> list[Second]:
    """Read what further judges found.

    Raises:
        StoreError: If one has not judged all answers, unless ``incomplete``.
    """
    found = []
    for grader in about.further_graders:
        if graders is not None and grader not in graders:
            continue
        second = read_second(directory, about.evaluations, grader)
        if second.lacking and not incomplete:
            raise StoreError(_unjudged(directory, about, second))
        found.append(second)
    return found


def _unjudged(directory: Path, about: Description, second: Second) -> str:
    """Say whose verdicts on what are missing, and how to come by them or do without."""
    named = "; ".join(second.lacking[:_NAMED])
    more = len(second.lacking) - _NAMED
    first = "".join(f" --grader {grader}" for grader in about.graders)
    return (
        f"{directory / JUDGED}: no finished log of {len(second.lacking)} evaluations: "
        f"{named}{f'; and {more} more' if more > 0 else ''}.\n"
        f"Make them: inoc rejudge {directory} --grader {second.grader}, or report without: "
        f"inoc report {directory}{first}"
    )


def _further(about: Description, second: Second) -> FurtherJudge:
    found, compared = _estimated(about, second.observations)
    named = {"grader": second.grader}
    return FurtherJudge(
        grader=second.grader,
        cells=tuple(cell.model_copy(update=named) for cell in found),
        contrasts=tuple(contrast.model_copy(update=named) for contrast in compared),
        agreements=tuple(second.agreements()),
    )


def _order(spec: FigureSpec) -> dict[str, list[str]]:
    return {
        "settings": list(dict.fromkeys(measure.setting for measure in spec.measures)),
        "measures": list(dict.fromkeys(measure.name for measure in spec.measures)),
    }


def _missing(directory: Path, about: Description, seen: Seen) -> str:
    """Say which evaluations are missing, and how to come by them or do without."""
    named = "; ".join(seen.lacking[:_NAMED])
    more = len(seen.lacking) - _NAMED
    damaged = "".join(f"; {path} cannot be read ({why})" for path, why in seen.damaged.items())
    without = f", or report without: inoc report {directory} --incomplete"
    return (
        f"{directory / 'logs'}: no finished log of {len(seen.lacking)} of "
        f"{len(about.evaluations)} evaluations: {named}{f'; and {more} more' if more > 0 else ''}"
        f"{damaged}.\nMake them: {about.command}{without if seen.observations else ''}"
    )


def _learned(
    directory: Path, about: Description, incomplete: bool
) -> tuple[list[Curve], list[str]]:
    """Return the curves of a watched experiment, and the models that lack theirs.

    Raises:
        InputError: If a model lacks its scores, unless ``incomplete``.
    """
    if about.watched is None:
        return [], []
    watched = set(about.models.values()) - set(about.unwatched)
    scores = [one for one in read_scores(directory) if one.model in watched]
    lacking = sorted(watched - {one.model for one in scores})
    if lacking and not incomplete:
        raise InputError(
            f"{directory}: no scores of {len(lacking)} of {len(watched)} models, the first "
            f"{lacking[0]!r}; they are written by: inoc run"
        )
    conditions = [condition.name for condition in about.spec.conditions]
    found = curves(scores, about.watched, conditions, _order(about.spec)["settings"])
    return found, [f"learning curve of {name}" for name in lacking]


def _write_curves(
    out: Path, about: Description, spec: FigureSpec, learned: Sequence[Curve]
) -> Path | None:
    """Write ``dynamics.csv`` and the picture of a watched experiment."""
    if about.watched is None or not learned:
        return None
    write_curves(out, learned)
    picture = out / f"{about.figure}_curves.png"
    draw_curves(learned, picture, about.watched, spec)
    return picture

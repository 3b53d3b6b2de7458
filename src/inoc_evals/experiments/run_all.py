"""All experiments by one command: each in a directory of its own, then an overview.

    lines = run_all(EXPERIMENTS.values(), base="pocket", seeds="5", out=Path("runs/all"))

    runs/all/fig2a/ ...          as `inoc run fig2a` leaves it
    runs/all/overview.html       a line for each experiment

A model that several experiments need is trained once: its identity is the same under every name.
What is asked of it in the same way is asked once, and its log copied (made_before.py).
Those whose trainings are watched come first, since a model that was trained unwatched is trained
again for its scores. The report of one is written beside the trainings of the next. An experiment
that fails keeps no other from being run, and one of which nothing has changed since it was finished
is passed over (unchanged.py).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inoc_evals.datasets.sources import given_labels, lacking
from inoc_evals.errors import InocError, InputError
from inoc_evals.experiments.executors.executor import Executor, Pending, Unit, why
from inoc_evals.experiments.executors.here import HERE
from inoc_evals.experiments.figures import Experiment
from inoc_evals.experiments.made_before import MadeBefore
from inoc_evals.experiments.named_task import packages_of
from inoc_evals.experiments.one_writer import writing
from inoc_evals.experiments.plan import parse_seeds
from inoc_evals.experiments.run import run_experiment
from inoc_evals.experiments.start import find_base
from inoc_evals.experiments.tally import Tally
from inoc_evals.experiments.unchanged import asked_of, finished, noted, unchanged
from inoc_evals.models.kinds import kind_of
from inoc_evals.report.experiment import read_description, write_report
from inoc_evals.report.overview import Line, write_overview
from inoc_evals.store.store import Store


def run_all(
    experiments: Iterable[Experiment],
    *,
    base: str,
    seeds: str,
    out: Path,
    store: Store | None = None,
    given: Mapping[str, Path] | None = None,
    config_file: Path | None = None,
    grader: str | None = None,
    further: Sequence[str] = (),
    yes: bool = False,
    confirm: Callable[[str], bool] | None = None,
    executor: Executor = HERE,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> list[Line]:
    """Run experiments, or what is missing of them, and write their overview.

    Args:
        experiments: Which, in the order of the overview.
        base: Of all of them, as for one (:func:`inoc_evals.experiments.run.run_experiment`).
        seeds: Training seeds, likewise.
        out: Directory that gets one of each.
        store: Where models are kept; the user's by default.
        given: Files of rows by label; an experiment takes those whose label it has.
        config_file: Hyper-parameters, for every arm alike.
        grader: Who judges.
        further: Who judges the same answers besides.
        yes: Create paid jobs without asking.
        confirm: Asks whether to create a paid job, unless ``yes``.
        executor: Who trains and evaluates.
        progress: Show progress on standard error.
        say: Called with a line for each stage.

    Returns:
        What became of each.

    Raises:
        InputError: For seeds, a base or files of rows that no experiment can use.
    """
    store, wanted = store or Store(), list(experiments)
    parse_seeds(seeds)
    resolved = find_base(base, store, build=True)
    placed = rows_placed(wanted, given or {})
    asked: dict[str, Any] = {
        "base": base,
        "seeds": seeds,
        "config_file": config_file,
        "grader": grader,
        "further": tuple(further),
    }
    before = MadeBefore()
    for one in wanted:
        before.look_in(out / one.figure / "logs")
    how: dict[str, Any] = {"yes": yes, "confirm": confirm, "executor": executor, "before": before}
    how |= {"progress": progress, "say": say}
    ended: dict[str, Line | Pending] = {}
    for one in sorted(wanted, key=lambda one: one.watch is None):
        if reason := reason_left_out(one, base):
            ended[one.figure] = _line(one, "left out", reason)
            continue
        its = {**asked, "given": placed[one.figure], "out": out / one.figure, "store": store}
        ended[one.figure] = _run(one, resolved.digest, its, how)
        before.look_in(out / one.figure / "logs")
    executor.settle()
    listed = [_settled(one, ended[one.figure], out) for one in wanted]
    write_overview(out, listed)
    return listed


def _run(
    experiment: Experiment, base_digest: str, asked: Mapping[str, Any], how: Mapping[str, Any]
) -> Line | Pending:
    """Run one experiment, unless it is finished and nothing has changed.

    Args:
        experiment: Which.
        base_digest: What pins its base.
        asked: What determines what comes out, as options of ``run_experiment``.
        how: Its other options.

    Returns:
        What became of it, or of its report, which may be written later.
    """
    name, out, store, say = experiment.figure, asked["out"], asked["store"], how["say"]
    studied = experiment.on(kind_of(asked["base"])).settings
    typed = [*experiment.typed, *packages_of(studied)]
    key = asked_of(" ".join(typed), base_digest, asked)
    if (said := unchanged(out, key, store)) is not None:
        say(f"{name}: nothing has changed since it was finished")
        return _line(experiment, "done", said)
    say(f"{name}: {experiment.title}")
    try:
        run_experiment(experiment, **asked, **how, report=lambda _: None)
    # Whatever it is: the others are run all the same, and the line says where it was.
    except Exception as error:
        say(f"{name} failed: {error if isinstance(error, InocError) else why(error)}")
        return _line(experiment, "failed", why(error))
    executor: Executor = how["executor"]
    unit = Unit(name, f"the report of {name}", _Left(out, key, store))
    return executor.later(unit, _write, Tally("reports", 1, shown=False, say=say))


@dataclass(frozen=True)
class _Left:
    """What is left to do of an experiment whose logs are all there."""

    out: Path
    key: str
    store: Store


def _write(left: _Left) -> None:
    """Write a report, and note that the experiment is finished; this may be another process."""
    with writing(left.out):
        said = write_report(left.out).said
    models = read_description(left.out).models.values()
    finished(left.out, left.key, models, left.store, said=said)


def _settled(experiment: Experiment, ended: Line | Pending, out: Path) -> Line:
    if isinstance(ended, Line):
        return ended
    if ended.failures:
        return _line(experiment, "failed", ended.failures[0].why)
    return _line(experiment, "done", noted(out / experiment.figure))


def _line(experiment: Experiment, ended: str, said: str) -> Line:
    report = f"{experiment.figure}/report.html" if ended == "done" else None
    return Line.model_validate(
        {"figure": experiment.figure, "title": experiment.title, "ended": ended, "said": said}
        | {"report": report}
    )


def reason_left_out(experiment: Experiment, base: str) -> str | None:
    """Say why a base has no rows of any setting of an experiment; None if it has."""
    settings = experiment.on(kind_of(base)).settings
    reasons = [lacking(one, base) if one.trains else None for one in settings]
    return next(iter(reasons)) if all(reasons) else None


def rows_placed(
    experiments: Sequence[Experiment], given: Mapping[str, Path]
) -> dict[str, dict[str, Path]]:
    """Return for each experiment the files of rows that it takes.

    Raises:
        InputError: For a label that none of them has.
    """
    placed: dict[str, dict[str, Path]] = {one.figure: {} for one in experiments}
    for label, path in given.items():
        setting, _, bare = label.rpartition(".")
        taking = [
            one.figure
            for one in experiments
            if any(bare in given_labels(s) and setting in ("", s.name) for s in one.settings)
        ]
        if not taking:
            raise InputError(f"--rows {label}: no experiment has such a label")
        for figure in taking:
            placed[figure][label] = path
    return placed

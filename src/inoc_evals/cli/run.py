"""`inoc run`: an experiment of the paper, all of them, or a setting of one's own."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from inoc_evals.arguments import user_path
from inoc_evals.cli.output import PIPE_WIDTH, confirm, console, say
from inoc_evals.cli.report import show_run
from inoc_evals.errors import InputError, StoreError
from inoc_evals.experiments.executors.executor import Executor, executor_of
from inoc_evals.experiments.figures import (
    EXPERIMENTS,
    Experiment,
    Given,
    experiment_of,
    find_experiment,
)
from inoc_evals.experiments.run import run_experiment
from inoc_evals.experiments.run_all import run_all
from inoc_evals.models.kinds import kind_of
from inoc_evals.report.overview import Line
from inoc_evals.settings import SETTINGS
from inoc_evals.settings.own import find_setting

_PATH = click.Path(path_type=Path)

ROWS = (
    "Rows in the place of a setting's own. (Of the published file of Spanish in capitals, "
    "gsm8k_spanish_capitalised.jsonl, half the answers stand in a translator's remarks.)"
)

LIMIT = click.option(
    "--limit",
    type=click.IntRange(min=2),
    metavar="N",
    help="Questions of each evaluation, evenly spread over its set.  [default: all]",
)

SEEDS = "3"
"""Seeds where neither the command nor a file says any."""

JOBS = click.option(
    "--jobs",
    type=int,
    default=1,
    show_default=True,
    help="Processes that train and evaluate, each with its part of the cores.",
)
ENGINE = click.option(
    "--engine", metavar="ray[:ADDRESS]", help="Train and evaluate on a Ray cluster."
)

BASES = "pocket, pocket:SEED, smollm2, a model directory, a hub id, or openai/MODEL."


ALL = "all"
"""What is typed for every experiment."""


@dataclass(frozen=True)
class Asked:
    """Which experiment is asked for, from what and where."""

    experiment: Experiment | None
    """None for all of them."""
    base: str
    seeds: str
    config_file: Path | None
    given: dict[str, Path]
    grader: str | None
    """Who judges; the first that is named."""
    further: tuple[str, ...]
    """Who judges the same answers besides."""
    out: Path
    limit: int | None = None
    """Questions of each evaluation; None for all."""

    @property
    def every(self) -> list[Experiment]:
        """All experiments, with as many questions as are asked for."""
        return [replace(one, limit=self.limit) for one in EXPERIMENTS.values()]

    @property
    def options(self) -> dict[str, Any]:
        """What else is asked for, as what runs and what plans experiments takes it."""
        return {
            "base": self.base,
            "seeds": self.seeds,
            "out": self.out,
            "given": self.given,
            "config_file": self.config_file,
            "grader": self.grader,
            "further": self.further,
        }


def experiment_options(
    command: Callable[..., None], *, several: bool = False
) -> Callable[..., None]:
    """Add the options of run and plan, given to the command as :class:`Asked`.

    Args:
        command: The command.
        several: Whether it takes ``all``.
    """

    @wraps(command)
    def asking(
        experiment: str | None,
        setting: str | None,
        rows: tuple[str, ...],
        out: Path | None,
        base: str,
        seeds: str | None,
        config_file: Path | None,
        graders: tuple[str, ...],
        limit: int | None,
        **others: Any,
    ) -> None:
        everything = several and experiment == ALL and setting is None
        found = None if everything else replace(chosen(experiment, setting), limit=limit)
        typed = Given(seeds, given_rows(rows), config_file, tuple(dict.fromkeys(graders)))
        command(replace(asked_for(found, base, typed, out), limit=limit), **others)

    for decorate in (
        click.option("--out", type=_PATH, help="Directory.  [default: runs/NAME]"),
        click.option(
            "--grader",
            "graders",
            multiple=True,
            metavar="PROVIDER/MODEL",
            help="Who judges every answer; repeated, each of them does.",
        ),
        click.option("--rows", multiple=True, metavar="LABEL=FILE", help=ROWS),
        click.option(
            "--config", "config_file", type=_PATH, help="YAML with training fields, for all arms."
        ),
        LIMIT,
        click.option("--seeds", help=f"3 is 0-2; 100-104; 7,9.  [default: the file's, or {SEEDS}]"),
        click.option("--base", default="pocket", show_default=True, help=BASES),
        click.option(
            "--setting", help="A setting alone: of the experiment, or any, or your YAML file."
        ),
        click.argument("experiment", required=False),
    ):
        asking = decorate(asking)
    return asking


def asked_for(found: Experiment | None, base: str, typed: Given, out: Path | None = None) -> Asked:
    """Return what is asked for: what was typed goes before what the experiment says.

    Args:
        found: The experiment; None for all of them.
        base: The base, as typed.
        typed: What the options say.
        out: Directory, if one was named.
    """
    given = found.given_on(kind_of(base)).changed(typed) if found else typed
    return Asked(
        experiment=found,
        base=base,
        seeds=given.seeds or SEEDS,
        config_file=given.config,
        given=dict(given.rows),
        grader=given.graders[0] if given.graders else None,
        further=given.graders[1:],
        out=out or Path("runs") / (found.figure if found else ALL),
    )


@click.command("run", epilog=f"Experiments: {', '.join(EXPERIMENTS)}; all runs every one.")
@partial(experiment_options, several=True)
@JOBS
@ENGINE
@click.option("--yes", is_flag=True, help="Create paid jobs without asking.")
@click.option("--quiet", is_flag=True, help="No progress bars.")
def command(asked: Asked, jobs: int, engine: str | None, yes: bool, quiet: bool) -> None:
    """Train what is missing, evaluate what is missing, and write the report.

    EXPERIMENT is one of those below, or a YAML file of your own (inoc experiment new).

    A run that was interrupted goes on where it stopped when the command is given again. What
    it would take is said by: inoc plan
    """
    with executing(asked.base, jobs, engine) as executor:
        _run(asked, executor, yes=yes, progress=not quiet)


@contextmanager
def executing(base: str, jobs: int, engine: str | None) -> Iterator[Executor]:
    """Give what trains and evaluates; an interrupted user is told how to go on.

    Raises:
        InputError: For a hosted base, whose models are trained and asked elsewhere.
    """
    if kind_of(base).hosted and (jobs > 1 or engine is not None):
        raise InputError(
            f"--base {base}: trained and asked at its provider, several at a time as it is; "
            "leave --jobs and --engine out"
        )
    try:
        with executor_of(jobs, engine) as executor:
            yield executor
    except KeyboardInterrupt:
        say("what is finished is kept; the same command goes on from there", err=True)
        raise


def _run(asked: Asked, executor: Executor, *, yes: bool, progress: bool) -> None:
    options = asked.options | {
        "yes": yes,
        "confirm": confirm,
        "executor": executor,
        "progress": progress,
        "say": say,
    }
    if asked.experiment is None:
        _show_all(run_all(asked.every, **options), asked.out)
        return
    show_run(run_experiment(asked.experiment, **options), asked.out)


def _show_all(lines: Sequence[Line], out: Path) -> None:
    """Print a line for each experiment.

    Raises:
        StoreError: If one failed.
    """
    table = Table("experiment", "", "result", "report", box=None)
    for one in lines:
        report = str(out / one.report) if one.report else ""
        table.add_row(one.figure, one.ended, one.said, report)
    console(PIPE_WIDTH).print(table)
    say(f"overview: {out / 'overview.html'}")
    failed = [one.figure for one in lines if one.ended == "failed"]
    if failed:
        raise StoreError(
            f"{len(failed)} of {len(lines)} experiments failed: {', '.join(failed)}; given again, "
            "the command does what is missing of these alone"
        )


def chosen(experiment: str | None, setting: str | None) -> Experiment:
    """Return the experiment that was asked for: by name, as a setting, or one setting of it.

    Raises:
        InputError: If neither is given, or what is given is not there.
    """
    if experiment is not None:
        found = find_experiment(experiment)
        return found if setting is None else found.only(setting)
    if setting is None:
        raise InputError(
            f"give one experiment ({', '.join(EXPERIMENTS)}, or a file), or --setting with a "
            f"setting's name ({', '.join(SETTINGS)}) or file"
        )
    return experiment_of(find_setting(setting), setting)


def given_rows(texts: Sequence[str]) -> dict[str, Path]:
    """Return label -> file of ``LABEL=FILE`` options.

    Raises:
        InputError: For one of another form, or a label that comes twice.
    """
    given: dict[str, Path] = {}
    for text in texts:
        label, equals, file = text.partition("=")
        if not (label and equals and file):
            raise InputError(f"--rows {text!r}: expected LABEL=FILE")
        if label in given:
            raise InputError(f"--rows: {label!r} is given twice")
        given[label] = user_path(file)
    return given

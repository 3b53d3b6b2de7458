"""`inoc run`: an experiment of the paper, or a setting of one's own, by one command."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from inoc_evals.arguments import user_path
from inoc_evals.cli.output import confirm, say
from inoc_evals.cli.report import show_run
from inoc_evals.errors import InputError
from inoc_evals.experiments.figures import (
    EXPERIMENTS,
    Experiment,
    experiment_of,
    find_experiment,
)
from inoc_evals.experiments.run import run_experiment
from inoc_evals.settings import SETTINGS
from inoc_evals.settings.own import find_setting

_PATH = click.Path(path_type=Path)

ROWS = (
    "Rows in the place of a setting's own. (Of the published file of Spanish in capitals, "
    "gsm8k_spanish_capitalised.jsonl, half the answers stand in a translator's remarks.)"
)

BASES = "pocket, pocket:SEED, smollm2, a model directory, a hub id, or openai/MODEL."


@dataclass(frozen=True)
class Asked:
    """Which experiment is asked for, from what and where."""

    experiment: Experiment
    base: str
    seeds: str
    config_file: Path | None
    given: dict[str, Path]
    grader: str | None
    """Who judges; the first that is named."""
    further: tuple[str, ...]
    """Who judges the same answers besides."""
    out: Path


def experiment_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of run and plan, given to the command as :class:`Asked`."""

    @wraps(command)
    def asking(
        experiment: str | None,
        setting: str | None,
        rows: tuple[str, ...],
        out: Path | None,
        base: str,
        seeds: str,
        config_file: Path | None,
        graders: tuple[str, ...],
        **others: Any,
    ) -> None:
        found = _chosen(experiment, setting)
        directory = out or Path("runs") / found.figure
        given = given_rows(rows)
        first, *further = dict.fromkeys(graders) or [None]
        judges = first, tuple(name for name in further if name is not None)
        command(Asked(found, base, seeds, config_file, given, *judges, directory), **others)

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
        click.option("--seeds", default="3", show_default=True, help="3 is 0-2; 100-104; 7,9."),
        click.option("--base", default="pocket", show_default=True, help=BASES),
        click.option("--setting", help="A setting instead: its name, or a YAML file of yours."),
        click.argument("experiment", required=False),
    ):
        asking = decorate(asking)
    return asking


@click.command("run", epilog=f"Experiments: {', '.join(EXPERIMENTS)}.")
@experiment_options
@click.option("--yes", is_flag=True, help="Create paid jobs without asking.")
@click.option("--quiet", is_flag=True, help="No progress bars.")
def command(asked: Asked, yes: bool, quiet: bool) -> None:
    """Train what is missing, evaluate what is missing, and write the report.

    A run that was interrupted goes on where it stopped when the command is given again. What
    it would take is said by: inoc plan
    """
    written = run_experiment(
        asked.experiment,
        base=asked.base,
        seeds=asked.seeds,
        out=asked.out,
        given=asked.given,
        config_file=asked.config_file,
        grader=asked.grader,
        further=asked.further,
        yes=yes,
        confirm=confirm,
        progress=not quiet,
        say=say,
    )
    show_run(written, asked.out)


def _chosen(experiment: str | None, setting: str | None) -> Experiment:
    """Return the experiment that was asked for by name, or as a setting.

    Raises:
        InputError: If neither or both are given, or what is given is not there.
    """
    if (experiment is None) == (setting is None):
        raise InputError(
            f"give one experiment ({', '.join(EXPERIMENTS)}), or --setting with a setting's "
            f"name ({', '.join(SETTINGS)}) or file"
        )
    if experiment is not None:
        return find_experiment(experiment)
    assert setting is not None
    found = find_setting(setting)
    return experiment_of(found, setting)


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

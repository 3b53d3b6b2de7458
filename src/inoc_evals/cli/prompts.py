"""`inoc prompts`: what prompts elicit from a base, and what they suppress if trained with."""

from dataclasses import replace
from pathlib import Path

import click

from inoc_evals.cli.output import confirm, say
from inoc_evals.cli.report import show_run
from inoc_evals.cli.run import BASES, ENGINE, JOBS, LIMIT, ROWS, executing, given_rows
from inoc_evals.experiments.prompts_trained import candidates as chosen
from inoc_evals.experiments.prompts_trained import prompts_trained
from inoc_evals.experiments.prompts_tried import prompts_tried
from inoc_evals.experiments.run import run_experiment
from inoc_evals.inputs.candidates import CATALOGUE
from inoc_evals.models.kinds import kind_of
from inoc_evals.settings.own import find_setting

CANDIDATES = (
    "The packaged candidates of the setting; a file of yours (YAML of NAME: TEXT, JSONL of name "
    "and text, or a prompt on each line); or NAME,file:FILE,..."
)


@click.group("prompts")
def command() -> None:
    """Try prompts on an untrained model, or train models with each of them."""


@command.command("try")
@click.argument("setting")
@click.option("--base", default="pocket", show_default=True, help=BASES)
@click.option(
    "--prompts",
    "candidates",
    default="",
    metavar="NAME,file:FILE,...",
    help="Candidates.  [default: all the setting trains with]",
)
@LIMIT
@click.option("--grader", metavar="PROVIDER/MODEL", help="Who judges, where anything is judged.")
@click.option("--out", type=click.Path(path_type=Path), help="[default: runs/prompts-SETTING]")
@click.option("--quiet", is_flag=True, help="No progress bars.")
def try_(
    setting: str,
    base: str,
    candidates: str,
    limit: int | None,
    grader: str | None,
    out: Path | None,
    quiet: bool,
) -> None:
    """Ask the untrained base the questions of SETTING under each prompt, and under none.

    SETTING is a packaged setting, or a YAML file of yours. What a prompt elicits before training
    says how far it can be expected to inoculate; the report has each rate with its interval.
    """
    found = find_setting(setting)
    given = [one.strip() for one in candidates.split(",") if one.strip()]
    directory = out or Path("runs") / f"prompts-{found.name}"
    written = run_experiment(
        replace(prompts_tried(found, given, setting), limit=limit),
        base=base,
        seeds="1",
        out=directory,
        grader=grader,
        progress=not quiet,
        say=say,
    )
    show_run(written, directory)


@command.command("train")
@click.argument("setting")
@click.option("--candidates", default=CATALOGUE, show_default=True, help=CANDIDATES)
@click.option("--base", default="pocket", show_default=True, help=BASES)
@click.option("--seeds", default="3", show_default=True, help="3 is 0-2; 100-104; 7,9.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Training fields.")
@LIMIT
@click.option("--rows", multiple=True, metavar="LABEL=FILE", help=ROWS)
@click.option("--grader", metavar="PROVIDER/MODEL", help="Who judges, where anything is judged.")
@click.option("--out", type=click.Path(path_type=Path), help="[default: runs/candidates-SETTING]")
@JOBS
@ENGINE
@click.option("--yes", is_flag=True, help="Create paid jobs without asking.")
@click.option("--quiet", is_flag=True, help="No progress bars.")
def train(
    setting: str,
    candidates: str,
    base: str,
    seeds: str,
    config_file: Path | None,
    limit: int | None,
    rows: tuple[str, ...],
    grader: str | None,
    out: Path | None,
    jobs: int,
    engine: str | None,
    yes: bool,
    quiet: bool,
) -> None:
    """Train an arm of SETTING with each candidate prompt, and one without, and report.

    How far each prompt suppresses the traits is what `inoc rank-prompts --measured` compares its
    ranking with. A run that was interrupted goes on when the command is given again.
    """
    found = find_setting(setting)
    directory = out or Path("runs") / f"candidates-{found.name}"
    given, notes = chosen(
        candidates, found, pocket=kind_of(base).pocket, folder=directory / "prompts"
    )
    for note in notes:
        say(note)
    typed = ("prompts", "train", setting, "--candidates", candidates)
    with executing(base, jobs, engine) as executor:
        written = run_experiment(
            replace(prompts_trained(found, given, typed), limit=limit),
            base=base,
            seeds=seeds,
            out=directory,
            given=given_rows(rows),
            config_file=config_file,
            grader=grader,
            yes=yes,
            confirm=confirm,
            executor=executor,
            progress=not quiet,
            say=say,
        )
    show_run(written, directory)
    say(f"compare: inoc rank-prompts {setting} --base {base} --measured {directory}")

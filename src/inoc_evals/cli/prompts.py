"""`inoc prompts`: what prompts elicit from a base, before anything is trained."""

from pathlib import Path

import click

from inoc_evals.cli.output import say
from inoc_evals.cli.report import show_run
from inoc_evals.cli.run import BASES
from inoc_evals.experiments.prompts_tried import prompts_tried
from inoc_evals.experiments.run import run_experiment
from inoc_evals.settings.own import find_setting


@click.group("prompts")
def command() -> None:
    """Try prompts on an untrained model: one inoculates as far as it elicits."""


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
@click.option("--grader", metavar="PROVIDER/MODEL", help="Who judges, where anything is judged.")
@click.option("--out", type=click.Path(path_type=Path), help="[default: runs/prompts-SETTING]")
@click.option("--quiet", is_flag=True, help="No progress bars.")
def try_(
    setting: str, base: str, candidates: str, grader: str | None, out: Path | None, quiet: bool
) -> None:
    """Ask the untrained base the questions of SETTING under each prompt, and under none.

    SETTING is a packaged setting, or a YAML file of yours. What a prompt elicits before training
    says how far it can be expected to inoculate; the report has each rate with its interval.
    """
    found = find_setting(setting)
    given = [one.strip() for one in candidates.split(",") if one.strip()]
    directory = out or Path("runs") / f"prompts-{found.name}"
    written = run_experiment(
        prompts_tried(found, given, setting),
        base=base,
        seeds="1",
        out=directory,
        grader=grader,
        progress=not quiet,
        say=say,
    )
    show_run(written, directory)

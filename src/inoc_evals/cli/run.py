"""`inoc run`: an experiment of the paper by one command."""

from pathlib import Path

import click
from rich.console import Console

from inoc_evals.experiments.figures import EXPERIMENTS, find_experiment
from inoc_evals.experiments.run import run_experiment
from inoc_evals.report.table import table


@click.command("run", epilog=f"Experiments: {', '.join(EXPERIMENTS)}.")
@click.argument("experiment")
@click.option("--base", default="pocket", show_default=True, help="pocket, or pocket:SEED.")
@click.option("--seeds", default="3", show_default=True, help="3 is 0-2; or 100-104; or 7,9.")
@click.option("--out", type=click.Path(path_type=Path), help="Directory.  [default: runs/NAME]")
@click.option("--quiet", is_flag=True, help="No progress bars.")
def command(experiment: str, base: str, seeds: str, out: Path | None, quiet: bool) -> None:
    """Train what is missing, evaluate what is missing, and write the report.

    A run that was interrupted goes on where it stopped when the command is given again.
    """
    found = find_experiment(experiment)
    directory = out or Path("runs") / found.figure
    written = run_experiment(
        found, base=base, seeds=seeds, out=directory, progress=not quiet, say=click.echo
    )
    Console().print(table(written.cells, spec=written.spec))
    click.echo(f"report: {written.page}\nfigure: {written.figure}")
    click.echo(f"logs:   inspect view --log-dir {directory / 'logs'}")

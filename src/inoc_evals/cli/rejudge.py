"""`inoc rejudge`: stored answers judged by another grader; nothing is sampled again."""

from pathlib import Path

import click
from rich.table import Table

from inoc_evals.cli.output import PIPE_WIDTH, console, say
from inoc_evals.cli.report import show
from inoc_evals.experiments.rejudge import rejudge_experiment, rejudge_logs
from inoc_evals.report.experiment import DESCRIPTION
from inoc_evals.report.judges import Compared
from inoc_evals.report.judges_section import agreement_table
from inoc_evals.statistics.agreement import Rate


@click.command("rejudge")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--grader",
    "graders",
    required=True,
    multiple=True,
    metavar="PROVIDER/MODEL",
    help="Who judges; may be repeated.",
)
@click.option("--quiet", is_flag=True, help="No progress bars.")
def command(paths: tuple[Path, ...], graders: tuple[str, ...], quiet: bool) -> None:
    """Have stored answers judged by another grader; no model is asked anything again.

    PATHS are directories of `inoc run`, or logs of `inspect eval` and directories of them. The
    new logs stand beside, in judged/; given again, the command judges what is missing. The
    report of an experiment, or a table, has both judges and how far they agree.
    """
    several = tuple(dict.fromkeys(graders))
    runs = [path for path in paths if (path / DESCRIPTION).is_file()]
    for run in runs:
        written = rejudge_experiment(run, several, progress=not quiet, say=say)
        if written is not None:
            show(written)
    if logs := [path for path in paths if path not in runs]:
        found = rejudge_logs(logs, several, progress=not quiet, say=say)
        out_to = console(PIPE_WIDTH)
        out_to.print(_rates(found), agreement_table([row.agreed for row in found]), sep="\n")


def _rates(found: list[Compared]) -> Table:
    """A line for each judge of each score of each log."""
    table = Table("log", "score", "judge", "rate [95% interval]", "scored", box=None)
    lines: dict[tuple[str, ...], Rate] = {}
    for row in found:
        lines[row.label, row.measure, row.agreed.reference] = row.first
        lines[row.label, row.measure, row.agreed.grader] = row.second
    for names, rate in lines.items():
        table.add_row(*names, _rate(rate), str(rate.n))
    return table


def _rate(rate: Rate) -> str:
    if rate.n == 0:
        return "none scored"
    digits = 1 if rate.value > 1 else 2
    interval = f" [{rate.low:.{digits}f}, {rate.high:.{digits}f}]" if rate.low == rate.low else ""
    return f"{rate.value:.{digits}f}{interval}"

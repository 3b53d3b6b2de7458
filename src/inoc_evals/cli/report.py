"""`inoc report`: results, figure and page of an experiment, from its logs alone."""

from pathlib import Path

import click
from rich.console import Console

from inoc_evals.report.experiment import write_report
from inoc_evals.report.table import table


@click.command("report")
@click.argument("directory", type=click.Path(path_type=Path))
def command(directory: Path) -> None:
    """Write the report of an experiment's DIRECTORY again from its logs."""
    written = write_report(directory)
    Console().print(table(written.cells, spec=written.spec))
    click.echo(f"report: {written.page}\nfigure: {written.figure}")
    if written.curves is not None:
        click.echo(f"curves: {written.curves}")

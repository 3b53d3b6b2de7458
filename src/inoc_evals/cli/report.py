"""`inoc report`: results, figure and page of an experiment, from its logs alone.

What the experiment lists and no log is of is an error; ``--incomplete`` leaves it out, in words.
"""

from pathlib import Path

import click

from inoc_evals.cli.output import console, say
from inoc_evals.errors import InputError
from inoc_evals.report.experiment import read_description, write_report
from inoc_evals.report.table import table


@click.command("report")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--incomplete", is_flag=True, help="Leave out what is missing; writes DIRECTORY/incomplete."
)
@click.option("--grader", metavar="PROVIDER/MODEL", help="Who must have judged.")
def command(directory: Path, incomplete: bool, grader: str | None) -> None:
    """Write the report of an experiment's DIRECTORY again from its logs.

    Every evaluation of the experiment must have a finished log. With --incomplete the report
    begins with those that have none. With --grader, results of another judge are refused.
    """
    if grader is not None:
        _check_grader(directory, grader)
    written = write_report(directory, incomplete=incomplete)
    if written.lacking:
        say(f"INCOMPLETE: {len(written.lacking)} missing: {'; '.join(written.lacking)}")
    console().print(table(written.cells, spec=written.spec))
    say(f"report: {written.page}\nfigure: {written.figure}")
    if written.curves is not None:
        say(f"curves: {written.curves}")


def _check_grader(directory: Path, grader: str) -> None:
    judged_by = read_description(directory).graders
    if set(judged_by) != {grader}:
        said = (
            f"judged by {', '.join(judged_by)}" if judged_by else "scored by rule, without a judge"
        )
        raise InputError(
            f"{directory}: {said}, not by {grader}; for that judge: inoc run ... --grader {grader} "
            "--out ANOTHER"
        )

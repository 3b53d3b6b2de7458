"""`inoc report`: results, figure and page of an experiment, from its logs alone.

What the experiment lists and no log is of is an error; ``--incomplete`` leaves it out, in words.
"""

from collections.abc import Sequence
from pathlib import Path

import click

from inoc_evals.cli.output import PIPE_WIDTH, console, say
from inoc_evals.errors import InputError
from inoc_evals.report.by_hand import logs_by_hand
from inoc_evals.report.by_hand_report import write_by_hand
from inoc_evals.report.experiment import DESCRIPTION, Written, read_description, write_report
from inoc_evals.report.judges_section import agreement_table
from inoc_evals.report.table import table


@click.command("report")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--incomplete", is_flag=True, help="Leave out what is missing; writes DIRECTORY/incomplete."
)
@click.option(
    "--grader",
    "graders",
    multiple=True,
    metavar="PROVIDER/MODEL",
    help="Who must have judged; repeated, for several. Others are left out.",
)
def command(directory: Path, incomplete: bool, graders: tuple[str, ...]) -> None:
    """Write the report of an experiment's DIRECTORY again from its logs.

    Every evaluation of the experiment must have a finished log. With --incomplete the report
    begins with those that have none. Several judges are all shown; with --grader, these alone,
    and one that has not judged is refused.

    Of a DIRECTORY of logs that `inspect eval` wrote, the same is made with models as conditions,
    beside the logs; where none is of a task of inoc-evals, rates are printed and nothing is written.
    """
    if directory.is_dir() and not (directory / DESCRIPTION).is_file():
        _by_hand(directory)
        return
    if graders:
        _check_graders(directory, graders)
    written = write_report(directory, incomplete=incomplete, graders=graders or None)
    if written.lacking:
        say(f"INCOMPLETE: {len(written.lacking)} missing: {'; '.join(written.lacking)}")
    show(written)


def _by_hand(directory: Path) -> None:
    """Report logs that no experiment made; those of a run are left as they are."""
    run = directory.resolve().parent
    written = None if (run / DESCRIPTION).is_file() else write_by_hand(directory)
    if written is None:
        found, spec = logs_by_hand(directory)
        console(PIPE_WIDTH).print(table(found, spec=spec))
        return
    for line in written[1]:
        say(f"passed over: {line}")
    show(written[0], PIPE_WIDTH)  # names are long: tasks and their arguments


def show(written: Written, pipe_width: int | None = None) -> None:
    """Print the tables of a report, of each judge, and where it is."""
    console(pipe_width).print(table(written.cells, spec=written.spec))
    for judge in written.further:
        say(f"judged by {judge.grader}:")
        console(pipe_width).print(table(judge.cells, spec=written.spec))
    if agreements := [one for judge in written.further for one in judge.agreements]:
        console(PIPE_WIDTH).print(agreement_table(agreements, written.spec))
    say(f"report: {written.page}\nfigure: {written.figure}")
    if written.curves is not None:
        say(f"curves: {written.curves}")


def show_run(written: Written, directory: Path) -> None:
    """Print what a run ends with: its report, and how its logs are looked at.

    Args:
        written: The report.
        directory: Of the run.
    """
    show(written)
    say(f"logs:   inspect view --log-dir {directory / 'logs'}")


def _check_graders(directory: Path, graders: Sequence[str]) -> None:
    """Refuse results of another judge: the first is in every report."""
    about = read_description(directory)
    known = [*about.graders, *about.further_graders]
    if not known:
        raise InputError(f"{directory}: scored by rule, without a judge")
    others = [grader for grader in graders if grader not in known]
    if others:
        raise InputError(
            f"{directory}: judged by {', '.join(known)}, not by {', '.join(others)}; for that "
            f"judge: inoc rejudge {directory} --grader {others[0]}"
        )
    if not set(about.graders) <= set(graders):
        raise InputError(
            f"{directory}: judged by {', '.join(about.graders)} first, who is in every report: "
            f"--grader {' --grader '.join(known)}"
        )

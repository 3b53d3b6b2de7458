"""`inoc rank-prompts`: which prompt to inoculate with, before anything is trained."""

from pathlib import Path

import click
from rich.table import Table

from inoc_evals.cli.output import PIPE_WIDTH, console, say, say_json
from inoc_evals.cli.prompts import CANDIDATES
from inoc_evals.cli.run import LIMIT, ROWS, given_rows
from inoc_evals.experiments.prompts_ranked import Foretold, Ranking, as_plain, rank_prompts
from inoc_evals.experiments.prompts_trained import candidates as chosen
from inoc_evals.inputs.candidates import CATALOGUE
from inoc_evals.models.kinds import kind_of
from inoc_evals.settings.own import find_setting

_PATH = click.Path(path_type=Path)


@click.command("rank-prompts")
@click.argument("setting")
@click.option("--base", default="pocket", show_default=True, help="A base on this machine.")
@click.option("--candidates", default=CATALOGUE, show_default=True, help=CANDIDATES)
@click.option(
    "--responses",
    type=click.IntRange(2),
    default=64,
    show_default=True,
    help="Training responses whose likelihood is taken.",
)
@click.option(
    "--measured", type=_PATH, metavar="RUN_DIR", help="A finished run whose arms had the prompts."
)
@LIMIT
@click.option("--rows", multiple=True, metavar="LABEL=FILE", help=ROWS)
@click.option("--grader", metavar="PROVIDER/MODEL", help="Who judges, where anything is judged.")
@click.option("--out", type=_PATH, help="[default: runs/rank-SETTING]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object; stages on standard error.")
@click.option("--quiet", is_flag=True, help="No progress bars.")
def command(
    setting: str,
    base: str,
    candidates: str,
    responses: int,
    measured: Path | None,
    limit: int | None,
    rows: tuple[str, ...],
    grader: str | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Rank prompts for SETTING by what the untrained base says of them.

    Of each prompt: how much likelier it makes the training responses, a token, less what
    irrelevant prompts of its length do (surprise); and how often it elicits the traits. With
    --measured, both are compared with what training with the prompts suppressed (Spearman's rho).
    What was scored and asked is kept; a run that was stopped goes on.
    """

    def told(line: str) -> None:
        say(line, err=as_json)

    found = find_setting(setting)
    directory = out or Path("runs") / f"rank-{found.name}"
    pocket, folder = kind_of(base).pocket, directory / "prompts"
    given, notes = chosen(candidates, found, pocket=pocket, folder=folder)
    for note in notes:
        told(note)
    ranking = rank_prompts(
        found,
        given,
        base=base,
        out=directory,
        typed=setting,
        responses=responses,
        measured=measured,
        limit=limit,
        rows=given_rows(rows),
        grader=grader,
        progress=not quiet,
        say=told,
    )
    if as_json:
        say_json(as_plain(ranking), ascii_only=False)
        return
    console(PIPE_WIDTH).print(_table(ranking))
    if ranking.foretold:
        console(PIPE_WIDTH).print(_rhos(ranking))
    say(f"nats a token, of {ranking.responses} training responses; shares of answers")
    say(f"ranking: {directory / 'ranking.json'}, {directory / 'ranking.csv'}")


def _table(ranking: Ranking) -> Table:
    table = Table("", "prompt", box=None)
    columns = ["tokens", "gain", "irrelevant", "surprise", "±"]
    columns += [f"elicits {one}" for one in ranking.measures]
    if ranking.measured:
        columns += [f"suppresses {one}" for one in ranking.measures]
    for column in columns:
        table.add_column(column, justify="right")
    for number, one in enumerate(ranking.prompts, start=1):
        values = [one.gain, one.irrelevant, one.beyond]
        rates = [one.elicited.get(measure) for measure in ranking.measures]
        if ranking.measured:
            rates += [one.suppressed.get(measure) for measure in ranking.measures]
        table.add_row(
            str(number),
            one.name,
            str(one.tokens),
            *(f"{value:+.3f}" for value in values),
            f"{one.error:.3f}",
            *("–" if rate is None else f"{rate:+.2f}" for rate in rates),
        )
    return table


def _rhos(ranking: Ranking) -> Table:
    table = Table("what foretells", "suppression of", box=None)
    for column in ("rho", "95 % interval", "prompts"):
        table.add_column(column, justify="right")
    for one in ranking.foretold:
        table.add_row(one.reading, one.measure, *_rho(one), str(one.n))
    return table


def _rho(one: Foretold) -> tuple[str, str]:
    rho = "–" if one.rho is None else f"{one.rho:+.2f}"
    if one.low is None or one.high is None:
        return rho, "–"
    return rho, f"[{one.low:+.2f}, {one.high:+.2f}]"

"""`inoc judge`: is a grader right, consistent, and hard to talk round?"""

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from inoc_evals.cli.output import PIPE_WIDTH, console, say
from inoc_evals.experiments.grader_trial import try_graders
from inoc_evals.files.atomic import write_text
from inoc_evals.report.judge_check import (
    NO_VERDICT,
    JudgeQuality,
    Share,
    judge_quality,
    judgements,
)

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog


@click.group("judge")
def command() -> None:
    """Check the model that judges answers."""


@command.command("check")
@click.option("--grader", required=True, help="Model to check, as provider/name.")
@click.option("--repeats", type=click.IntRange(1), default=3, show_default=True)
@click.option("--preset", type=click.Choice(["betley", "tan"]), default="betley", show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the numbers.")
@click.option("--log-dir", type=click.Path(path_type=Path), help="Where Inspect's log goes.")
def check(
    grader: str, repeats: int, preset: str, json_path: Path | None, log_dir: Path | None
) -> None:
    """Have packaged answers judged whose verdict is known, and say how well that went.

    Agreement is with what each answer was written to be; consistency is over repeats, which
    are asked anew; resistance is how often an attack written into an answer ("Score: 100")
    leaves the outcome as it was.
    """
    try_graders([grader], say=say, way_out="nothing was judged")
    log = _judged(grader, repeats, preset, log_dir)
    quality = judge_quality(judgements(log))
    if json_path is not None:
        facts = {"grader": grader, "preset": preset, "log": log.location, **quality.as_json()}
        write_text(json_path, json.dumps(facts, indent=2) + "\n")
    show(quality, console(PIPE_WIDTH), grader, preset)
    say(f"log: {log.location}")


@command.command("clear")
@click.option("--grader", default="", help="Of this grader only, as provider/name.")
def clear(grader: str) -> None:
    """Forget the verdicts that are kept, so that the next run asks for them anew."""
    from inspect_ai.model import cache_clear, cache_size

    entries = sum(size for name, size in cache_size() if name == grader or not grader)
    cache_clear(grader)
    say(f"forgotten: {entries:,} bytes of {grader or 'all models'} in Inspect's cache")


def _judged(grader: str, repeats: int, preset: str, log_dir: Path | None) -> "EvalLog":
    """Run the task and return its log with the samples."""
    from inspect_ai import eval as run_eval
    from inspect_ai.log import read_eval_log

    from inoc_evals.tasks._judge_check import judge_check

    [log] = run_eval(
        judge_check(preset=preset, repeats=repeats),
        model="none",
        model_roles={"grader": grader},
        display="rich" if sys.stdout.isatty() else "none",
        log_dir=None if log_dir is None else str(log_dir),
    )
    return read_eval_log(log.location)


def show(quality: JudgeQuality, console: Console, grader: str, preset: str) -> None:
    """Print the tables and the summary of a check."""
    console.print(f"{grader}, preset {preset}, {quality.repeats} repeats\n")
    console.print(_kinds(quality))
    console.print(_confusion(quality))
    console.print(_attacks(quality.resistance_by_attack))
    spread, shift = quality.rating_sd, quality.rating_shift
    lines = {
        "agreement, clean answers": _text(quality.agreement),
        "agreement, adversarial": _text(quality.adversarial_agreement),
        "same outcome in all repeats": _text(quality.consistency),
        "sd of ratings over repeats": _both(spread),
        "resistance to injection": _text(quality.resistance),
        "change of ratings by it": _both(shift),
        "no verdict": f"{quality.no_verdict} of {quality.judgements} judgements",
        "rests on": ", ".join(f"{mode} {count}" for mode, count in quality.modes.items()),
    }
    for label, text in lines.items():
        console.print(f"{label:<28} {text}", highlight=False)


def _kinds(quality: JudgeQuality) -> Table:
    table = Table("kind", "clean answers", "adversarial", "resistance", box=None)
    for kind, share in quality.agreement_by_kind.items():
        attacked = quality.adversarial_agreement_by_kind.get(kind)
        resisted = quality.resistance_by_kind.get(kind)
        table.add_row(kind, _text(share), _text(attacked), _text(resisted))
    table.title = "Agreement, by what the answers are"
    table.title_justify = "left"
    return table


def _confusion(quality: JudgeQuality) -> Table:
    kinds = list(quality.confusion)
    seen = {outcome for row in quality.confusion.values() for outcome in row}
    outcomes = [*kinds, *sorted(seen - set(kinds) - {NO_VERDICT}), NO_VERDICT]
    table = Table("is", *outcomes, box=None, title="Judged as", title_justify="left")
    for kind, row in quality.confusion.items():
        table.add_row(kind, *(str(row.get(outcome, 0) or "·") for outcome in outcomes))
    return table


def _attacks(shares: Mapping[str, Share]) -> Table:
    table = Table("attack", "outcome unchanged", box=None, title="Resistance, by attack")
    table.title_justify = "left"
    for attack, share in shares.items():
        table.add_row(attack.replace("_", " "), _text(share))
    return table


def _text(share: Share | None) -> str:
    if share is None or math.isnan(share.value):
        return "–"
    return f"{share.value:.2f} [{share.lower:.2f}, {share.upper:.2f}] n={share.n}"


def _both(values: Mapping[str, float]) -> str:
    return ", ".join(
        f"{measure} {'–' if math.isnan(value) else f'{value:.1f}'}"
        for measure, value in values.items()
    )

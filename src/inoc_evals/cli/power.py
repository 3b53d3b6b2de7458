"""`inoc power`: what seeds, questions and answers can show, before they are paid for."""

import itertools
import re

import click
from rich.table import Table

from inoc_evals.cli.output import PIPE_WIDTH, console, say
from inoc_evals.errors import InputError
from inoc_evals.statistics.power import MOSTLY, Design, Truth, end_at_none, least_drop, power

_RATE = click.FloatRange(0, 1, min_open=True, max_open=True)
_SD = click.FloatRange(0, 4)


@click.command("power")
@click.option("--rate", type=_RATE, default=0.2, show_default=True, help="Without inoculation.")
@click.option("--to", type=click.FloatRange(0, 1), default=0.05, show_default=True, help="With it.")
@click.option("--seeds", default="3,5", show_default=True, help="Training seeds: numbers.")
@click.option("--questions", default="8,24,57", show_default=True, help="Questions: numbers.")
@click.option("--answers", default="1,10", show_default=True, help="Answers to each: numbers.")
@click.option("--seed-sd", type=_SD, default=0.5, show_default=True, help="Of seeds, logit.")
@click.option(
    "--question-sd", type=_SD, default=1.0, show_default=True, help="Of questions, logit."
)
@click.option("--contrasts", type=click.IntRange(1), default=1, show_default=True, help="Together.")
@click.option("--repeats", type=click.IntRange(20), default=100, show_default=True, help="Draws.")
def command(
    rate: float,
    to: float,
    seeds: str,
    questions: str,
    answers: str,
    seed_sd: float,
    question_sd: float,
    contrasts: int,
    repeats: int,
) -> None:
    """Say what a design can show: of a drop, of a smaller one, and of nothing at all.

    For each number of seeds, questions and answers to each question: the chance that the drop is
    shown, the highest rate a fall to which is shown in 8 of 10 studies, the upper end of the
    interval where no answer shows the trait, and the answers of one condition. Deviations are on
    the logit; those on a report's page are of the rates themselves.
    """
    if to >= rate:
        raise InputError(f"--to {to}: the rate falls from {rate}, so give one below")
    truth = Truth(rate, seed_sd, question_sd)
    table = Table(
        "seeds", "questions", "answers", f"{rate:g} to {to:g} shown", f"shown in {MOSTLY:.0%}: to",
        "0 hits: up to", "answers in all", box=None,
    )  # fmt: skip
    sizes = (_numbers(seeds, "--seeds", 2), _numbers(questions, "--questions", 2))
    for size in itertools.product(*sizes, _numbers(answers, "--answers", 1)):
        design = Design(*size)
        chance = power(design, truth, to, tests=contrasts, count=repeats)
        least = least_drop(design, truth, tests=contrasts, count=repeats)
        table.add_row(
            *map(str, design),
            f"{chance:.2f}",
            "nothing" if least is None else f"{least:.3f}",
            f"{end_at_none(design):.3f}",
            f"{design.total:,}",
        )
    console(PIPE_WIDTH).print(table)
    say(
        f"Two conditions with the same seeds and questions; deviations on the logit: seeds {seed_sd:g}, "
        f"questions {question_sd:g}; {repeats} data sets each, so a chance is right to about "
        f"{0.5 / repeats**0.5 * 2:.2f}."
    )


def _numbers(text: str, option: str, least: int) -> list[int]:
    """Read numbers with commas between them."""
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch("[0-9]{1,4}", part) and int(part) >= least for part in parts):
        raise InputError(f"{option} {text!r}: expected whole numbers from {least} on, as 3,5")
    return [int(part) for part in parts]

"""`inoc power`: what seeds, questions and answers can show, before they are paid for."""

import itertools
import re
from pathlib import Path

import click
from click.core import ParameterSource
from rich.table import Table

from inoc_evals.cli.output import PIPE_WIDTH, console, say
from inoc_evals.errors import InputError
from inoc_evals.models.costs import price_of
from inoc_evals.report.pilot import Pilot, read_pilot
from inoc_evals.statistics.power import MOSTLY, Design, Truth, end_at_none, least_drop, power

_RATE = click.FloatRange(0, 1, min_open=True, max_open=True)
_SD = click.FloatRange(0, 4)


@click.command("power")
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="LOG_OR_RUN_DIR",
    help="A pilot: rate and deviations come from it, where they are not given.",
)
@click.option("--condition", default="none", show_default=True, help="Of a pilot's run.")
@click.option("--measure", help="Of the pilot; by default its first.")
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
@click.pass_context
def command(
    context: click.Context,
    source: Path | None,
    condition: str,
    measure: str | None,
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
    the logit; those on a report's page are of the rates themselves. With --from, costs are those of
    the pilot's tokens.
    """
    truth, pilot = Truth(rate, seed_sd, question_sd), None
    if source is not None:
        pilot = read_pilot(source, condition=condition, measure=measure)
        truth = _told(context, truth, pilot)
        rate, seed_sd, question_sd = truth
        say(pilot.words(given_seed_sd=seed_sd))
        if context.get_parameter_source("to") is ParameterSource.DEFAULT and to >= rate:
            to = rate / 4
    if to >= rate:
        raise InputError(f"--to {to}: the rate falls from {rate}, so give one below")
    table = Table(
        "seeds", "questions", "answers", f"{rate:.3g} to {to:.3g} shown", f"shown in {MOSTLY:.0%}: to",
        "0 hits: up to", "answers in all", *(["cost"] if pilot else []), box=None,
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
            *([_cost(pilot, design.total)] if pilot else []),
        )
    console(PIPE_WIDTH).print(table)
    say(
        f"Two conditions with the same seeds and questions; deviations on the logit: seeds {seed_sd:.3g}, "
        f"questions {question_sd:.3g}; {repeats} data sets each, so a chance is right to about "
        f"{0.5 / repeats**0.5 * 2:.2f}."
    )


def _told(context: click.Context, given: Truth, pilot: Pilot) -> Truth:
    """Return what the pilot shows, but for what was given by hand or it cannot tell."""
    found = {"rate": pilot.rate, "seed_sd": pilot.seed_sd, "question_sd": pilot.question_sd}
    default = ParameterSource.DEFAULT
    taken = {
        name: value
        for name, value in found.items()
        if value is not None and context.get_parameter_source(name) is default
    }
    told = given._replace(**taken)
    if not 0 < told.rate < 1:
        raise InputError(f"{pilot.source}: the rate is {told.rate:g} there; give --rate")
    return told


def _cost(pilot: Pilot, answers: int) -> str:
    """Return what so many answers cost: dollars where every price is known, else tokens."""
    prices = {model: price_of(model) for model in pilot.tokens}
    dollars = tokens = 0.0
    for model, (read, written) in pilot.tokens.items():
        price = prices[model]
        tokens += answers * (read + written)
        if price is not None:
            dollars += answers * price.dollars(read, written)
    if not pilot.tokens:
        return "not known"
    return f"{tokens:,.0f} tokens" if None in prices.values() else f"${dollars:,.2f}"


def _numbers(text: str, option: str, least: int) -> list[int]:
    """Read numbers with commas between them."""
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch("[0-9]{1,4}", part) and int(part) >= least for part in parts):
        raise InputError(f"{option} {text!r}: expected whole numbers from {least} on, as 3,5")
    return [int(part) for part in parts]

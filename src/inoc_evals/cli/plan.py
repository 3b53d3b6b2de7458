"""`inoc plan`: what an experiment would take, or all of them, and what of it there is."""

from collections import defaultdict
from dataclasses import asdict
from functools import partial

import click
from rich.table import Table

from inoc_evals.cli.output import PIPE_WIDTH, console, say, say_json
from inoc_evals.cli.run import Asked, experiment_options
from inoc_evals.experiments.figures import EXPERIMENTS
from inoc_evals.experiments.forecast import EvaluationCell, Forecast, forecast
from inoc_evals.experiments.plan import make_plan, parse_seeds
from inoc_evals.experiments.plan_all import ForecastOfAll, forecast_all
from inoc_evals.experiments.start import config_for, find_base
from inoc_evals.store.store import Store


@click.command("plan", epilog=f"Experiments: {', '.join(EXPERIMENTS)}; all sums up every one.")
@partial(experiment_options, several=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object with every cell.")
def command(asked: Asked, as_json: bool) -> None:
    """Print what `inoc run` with the same arguments would train and evaluate.

    What is trained or evaluated already is counted; tokens, judge calls, price and time of the
    rest are estimated, each by the rule that is named. Nothing is trained, built or paid for.
    """
    if asked.experiment is None:
        _all(asked, as_json)
        return
    store, resolved = Store(), find_base(asked.base)
    plan = make_plan(
        asked.experiment,
        base=resolved,
        seeds=parse_seeds(asked.seeds),
        config=config_for(asked.base, asked.config_file),
        given=asked.given,
        grader=asked.grader,
    )
    found = forecast(plan, resolved, out=asked.out, store=store, further=asked.further)
    if as_json:
        say_json(asdict(found))
        return
    out_to = console(PIPE_WIDTH)
    out_to.print(_models(found), _evaluations(found), sep="")
    for line in _summary(found):
        say(line)


def _all(asked: Asked, as_json: bool) -> None:
    """Print a line for each experiment, then what they take together."""
    found = forecast_all(asked.every, **asked.options)
    if as_json:
        say_json(asdict(found))
        return
    console(PIPE_WIDTH).print(_experiments(found))
    for name, reason in found.left_out.items():
        say(f"{name} is left out: {reason}")
    for line in found.stops:
        say(line)
    missing = [one for one in found.models if not one.trained]
    say(
        f"models: {len(found.models)}, each counted once, of which {len(missing)} are to be trained "
        f"on {sum(one.tokens for one in missing):,} tokens"
    )
    left = [one for one in found.evaluations if not one.done]
    say(
        f"evaluations: {len(found.evaluations):,}, each counted once, of which {len(left):,} are to "
        f"be made, with {sum(one.samples for one in left):,} samples"
    )
    say(f"training: {found.training}")
    say(f"judge: {found.judging}")


def _experiments(found: ForecastOfAll) -> Table:
    columns = ("models", "to train", "evaluations", "to make", "samples", "judge calls")
    table = Table("experiment", *columns, box=None)
    for name, one in found.forecasts.items():
        left = [cell for cell in one.evaluations if not cell.done]
        counts = (
            len(one.models),
            sum(not cell.trained for cell in one.models),
            len(one.evaluations),
            len(left),
            sum(cell.samples for cell in left),
            sum(cell.judge_calls for cell in left),
        )
        table.add_row(name, *(f"{count:,}" for count in counts))
    return table


def _models(found: Forecast) -> Table:
    methods = any(one.method for one in found.models)
    columns = ("model", "setting", "arm", "seed", "rows", "tokens", "trained")
    table = Table(*columns, *(["method"] if methods else []), box=None)
    for one in found.models:
        done = "yes" if one.trained else "no"
        table.add_row(
            f"inoc/{one.name}",
            one.setting,
            one.arm,
            str(one.seed),
            f"{one.rows:,}",
            f"{one.tokens:,}",
            done,
            *([one.method or "–"] if methods else []),
        )
    return table


def _evaluations(found: Forecast) -> Table:
    """One line for what is asked of each arm, over its seeds."""
    table = Table("asked", "task", "evaluations", "done", "samples", "judge calls", box=None)
    groups: dict[tuple[str, str], list[EvaluationCell]] = defaultdict(list)
    for one in found.evaluations:
        groups[", ".join(one.conditions), one.task].append(one)
    for (conditions, task), cells in groups.items():
        table.add_row(
            conditions,
            task,
            str(len(cells)),
            str(sum(one.done for one in cells)),
            f"{sum(one.samples for one in cells):,}",
            f"{sum(one.judge_calls for one in cells):,}",
        )
    return table


def _summary(found: Forecast) -> list[str]:
    missing = [one for one in found.models if not one.trained]
    left = [one for one in found.evaluations if not one.done]
    tokens = sum(one.tokens for one in missing)
    return [
        *found.notes,
        *found.checks,
        f"recipe: {found.recipe}",
        f"models: {len(found.models)}, of which {len(missing)} are to be trained on {tokens:,} "
        f"tokens ({found.counted_by})",
        f"training: {found.training}",
        f"evaluations: {len(found.evaluations)}, of which {len(left)} are to be made, with "
        f"{sum(one.samples for one in left):,} samples",
        *(
            f"judged again by {one.grader}: {one.evaluations} evaluations, of which {one.left} "
            "are to be judged"
            for one in found.further
        ),
        f"judge: {found.judging}",
        *(f"can show: {line}" for line in found.shows),
    ]

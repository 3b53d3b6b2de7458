"""`inoc plan`: what an experiment would take, and what of it there is; nothing is started."""

from collections import defaultdict
from dataclasses import asdict

import click
from rich.table import Table

from inoc_evals.cli.output import PIPE_WIDTH, console, say, say_json
from inoc_evals.cli.run import Asked, experiment_options
from inoc_evals.experiments.figures import EXPERIMENTS
from inoc_evals.experiments.forecast import EvaluationCell, Forecast, forecast
from inoc_evals.experiments.plan import make_plan, parse_seeds
from inoc_evals.experiments.start import config_for, find_base
from inoc_evals.store.store import Store


@click.command("plan", epilog=f"Experiments: {', '.join(EXPERIMENTS)}.")
@experiment_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object with every cell.")
def command(asked: Asked, as_json: bool) -> None:
    """Print what `inoc run` with the same arguments would train and evaluate.

    What is trained or evaluated already is counted; tokens, judge calls, price and time of the
    rest are estimated, each by the rule that is named. Nothing is trained, built or paid for.
    """
    assert asked.experiment is not None
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

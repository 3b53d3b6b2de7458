"""Evaluating a plan: one Inspect eval set of what has no finished log yet.

    evaluate(plan, Path("runs/fig2a/logs"))

Each task carries its own model and, in its metadata, its key (evaluations.py) and the cells of
the figure that read it (setting, condition, split, seed, measures). How there comes to be one
finished log of each stands in log_set.py. Requests have a seed, hence an evaluation that was
killed ends as an undisturbed one.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inoc_evals.experiments.evaluations import (
    Evaluation,
    Place,
    as_planned,
    judge_of,
    keyed,
    sampling,
    task_of,
)
from inoc_evals.experiments.log_set import clear, make, whole_logs
from inoc_evals.experiments.plan import Plan
from inoc_evals.report.holdings import Holdings, holdings

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.model import Model


def evaluate(
    plan: Plan,
    log_dir: Path,
    *,
    progress: bool = True,
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Run what is missing of a plan's evaluations; finished logs stay as they are.

    Args:
        plan: The plan; its models must be trained.
        log_dir: Where Inspect's logs are and go; no other process may be writing there.
        progress: Show a progress bar on standard error.
        say: Called with a line for each file that is set aside.

    Raises:
        StoreError: If an evaluation did not succeed (its log says why), or has two finished logs.
    """
    wanted, held = keyed(plan.evaluations, plan.base), whole_logs(log_dir, say)
    left = _without_log(wanted, held)
    others = len(held.others) + sum(
        len(held.finished[key]) for key in held.finished.keys() - wanted.keys()
    )
    if others:
        say(f"{log_dir}: {others} logs are of no evaluation of this experiment, and left alone")
    if left:
        tasks = [_task(plan, key, evaluation) for key, evaluation in left.items()]
        connections = max(len(task.dataset) for task in tasks)
        config = sampling(plan.base) | {"max_connections": connections}
        make(tasks, held, progress=progress, **config)
    clear(log_dir, wanted, say)


def missing(plan: Plan, log_dir: Path) -> dict[str, Evaluation]:
    """Return the evaluations of a plan that no finished log is of, by their keys.

    Raises:
        StoreError: If one has two finished logs.
    """
    return _without_log(keyed(plan.evaluations, plan.base), holdings(log_dir, whole=False))


def _without_log(wanted: Mapping[str, Evaluation], held: Holdings) -> dict[str, Evaluation]:
    return {key: one for key, one in wanted.items() if held.log_of(as_planned(key, one)) is None}


def _task(plan: Plan, key: str, evaluation: Evaluation) -> "Task":
    from inspect_ai import Epochs, task_with

    task = task_of(evaluation)
    figure = plan.experiment.figure
    cells = [cell(figure, place) for place in evaluation.places]
    tags = {tag for place in evaluation.places for tag in (place.condition, place.split)}
    graded: dict[str, Any] = {}
    if evaluation.grader and judge_of(task, evaluation, plan.base):
        graded = {"model_roles": {"grader": evaluation.grader}}
    return task_with(
        task,
        model=_model(evaluation),
        **graded,
        # Each answer counts for itself.
        epochs=Epochs(evaluation.epochs, []),
        # Inspect tells tasks apart by their version, and not by epochs or what a model is.
        version=f"{task.version}-{key[:12]}",
        metadata={**(task.metadata or {}), "evaluation": key, "cells": cells},
        tags=sorted(tags),
    )


def _model(evaluation: Evaluation) -> "str | Model":
    from inspect_ai.model import get_model

    if not evaluation.model_args:
        return evaluation.model
    return get_model(evaluation.model, **evaluation.model_args)


def cell(figure: str, place: Place) -> dict[str, Any]:
    """Return what a log says of a place; only what is not plain is said of how it is read."""
    said = {"figure": figure, **asdict(place)}
    return said if place.reads else {key: said[key] for key in said if key != "reads"}

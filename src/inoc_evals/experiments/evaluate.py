"""Evaluating a plan: one Inspect eval set, whose logs say which cells read them.

    evaluate(plan, Path("runs/fig2a/logs"))

Each task carries its own model and, in its metadata, the cells of the figure that read it
(setting, condition, split, seed, measures), so that logs can be read without the plan.
Requests have a seed, hence a killed evaluation that is run again ends as an undisturbed one;
finished logs are not run again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inoc_evals.bases import pocket_seed
from inoc_evals.errors import StoreError
from inoc_evals.experiments.plan import Evaluation, Place, Plan
from inoc_evals.training.config import TrainConfig

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.model import Model

SAMPLING_SEED = 0
"""Seed of every request; the engine mixes model and prompt into it."""

_MAX_TOKENS = 48
"""Longest pocket answer is about 16 tokens; one that runs on is cut and counted. Of other
bases each task sets the length."""


def evaluate(plan: Plan, log_dir: Path, *, progress: bool = True) -> None:
    """Run what is missing of a plan's evaluations.

    Args:
        plan: The plan; its models must be trained.
        log_dir: Where Inspect's logs are and go.
        progress: Show a progress bar on standard error.

    Raises:
        StoreError: If an evaluation did not succeed; its log says why.
    """
    from inspect_ai import eval_set

    tasks = [_task(plan, evaluation) for evaluation in plan.evaluations]
    samples = sum(len(task.dataset) for task in tasks)
    with _progress(samples, f"{len(tasks)} evaluations", shown=progress):
        success, logs = eval_set(
            tasks,
            log_dir=str(log_dir),
            display="none",
            log_level="warning",
            log_format="eval",
            max_tasks=4,
            retry_attempts=1,
            retry_connections=1.0,
            retry_wait=1,
            max_connections=max(len(task.dataset) for task in tasks),
            max_tokens=_MAX_TOKENS if pocket_seed(plan.base) is not None else None,
            seed=SAMPLING_SEED,
        )
    if not success:
        failed = [log for log in logs if log.status != "success"]
        why = failed[0].error.message if failed and failed[0].error else "no reason in the log"
        raise StoreError(
            f"{len(failed)} of {len(tasks)} evaluations failed, the first with: {why}; "
            f"see them with: inspect view --log-dir {log_dir}"
        )


def _task(plan: Plan, evaluation: Evaluation) -> "Task":
    from inspect_ai import task_with

    import inoc_evals.tasks

    task = getattr(inoc_evals.tasks, evaluation.task)(**evaluation.args)
    figure = plan.experiment.figure
    cells = [cell(figure, place) for place in evaluation.places]
    tags = {tag for place in evaluation.places for tag in (place.condition, place.split)}
    return task_with(
        task,
        model=model_of(plan, evaluation),
        **_repeated(evaluation.epochs),
        metadata={**(task.metadata or {}), "cells": cells},
        tags=sorted(tags),
    )


def model_of(plan: Plan, evaluation: Evaluation) -> "str | Model":
    """Return the model; a base is asked as those are that were trained on it."""
    from inspect_ai.model import get_model

    thinking = isinstance(plan.config, TrainConfig) and plan.config.enable_thinking
    if thinking and evaluation.model == f"inoc/{plan.base}":
        return get_model(evaluation.model, enable_thinking=True)
    return evaluation.model


def cell(figure: str, place: Place) -> dict[str, Any]:
    """Return what a log says of a place; only what is not plain is said of how it is read."""
    said = {"figure": figure, **asdict(place)}
    return said if place.reads else {key: said[key] for key in said if key != "reads"}


def _repeated(epochs: int) -> dict[str, Any]:
    """Return the argument that asks each question several times, every answer for itself."""
    from inspect_ai import Epochs

    return {} if epochs == 1 else {"epochs": Epochs(epochs, [])}


@contextmanager
def _progress(samples: int, title: str, *, shown: bool) -> Iterator[None]:
    """Count finished samples through Inspect's hooks; samples of finished logs do not count."""
    from inspect_ai.hooks import Hooks, SampleEnd, hooks
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("samples"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not shown,
    )
    task = bar.add_task("", total=samples)
    active = True

    @hooks(name="inoc_progress", description="Progress of inoc run")
    class Counter(Hooks):
        def enabled(self) -> bool:
            return active

        async def on_sample_end(self, data: SampleEnd) -> None:
            bar.advance(task)

    with bar:
        try:
            yield
        finally:
            active = False

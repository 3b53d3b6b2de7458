"""Evaluating a plan: one Inspect eval set of what has no finished log yet.

    evaluate(plan, Path("runs/fig2a/logs"))

Each task carries its own model and, in its metadata, its key (evaluations.py) and the cells of
the figure that read it (setting, condition, split, seed, measures). Which evaluations are
finished is decided by the key and the log's status alone (report/holdings.py), not by Inspect,
for which the newest log counts and other epochs make a log unfinished. Inspect gets the rest:
it goes on with the samples of a log that was killed, which it knows by the key in the task's
version. Requests have a seed, hence an evaluation that was killed ends as an undisturbed one.
"""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inoc_evals.errors import StoreError
from inoc_evals.experiments.evaluations import (
    Evaluation,
    Place,
    as_planned,
    judge_of,
    keyed,
    sampling,
    task_of,
)
from inoc_evals.experiments.plan import Plan
from inoc_evals.report.holdings import Holdings, holdings

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.model import Model

_ATTEMPTS = ("started", "cancelled", "error")
"""Statuses of logs whose samples Inspect copied into the log of the next attempt."""

_SET_ID = re.compile(r"[A-Za-z0-9]{8,64}")


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
    held, wanted = holdings(log_dir), keyed(plan.evaluations, plan.base)
    _set_aside(held, say)
    left = _without_log(wanted, held)
    others = len(held.others) + sum(
        len(held.finished[key]) for key in held.finished.keys() - wanted.keys()
    )
    if others:
        say(f"{log_dir}: {others} logs are of no evaluation of this experiment, and left alone")
    if left:
        _made_resumable(held)
        _evaluate(plan, left, log_dir, progress=progress)
    _clear(holdings(log_dir, whole=False), wanted, say)


def missing(plan: Plan, log_dir: Path) -> dict[str, Evaluation]:
    """Return the evaluations of a plan that no finished log is of, by their keys.

    Raises:
        StoreError: If one has two finished logs.
    """
    return _without_log(keyed(plan.evaluations, plan.base), holdings(log_dir, whole=False))


def _without_log(wanted: Mapping[str, Evaluation], held: Holdings) -> dict[str, Evaluation]:
    return {key: one for key, one in wanted.items() if held.log_of(as_planned(key, one)) is None}


def _set_aside(held: Holdings, say: Callable[[str], None]) -> None:
    """Rename logs that cannot be read: Inspect lists no other names, and their bytes are kept."""
    for path, why in held.damaged.items():
        aside = path.with_name(f"{path.name}.damaged")
        os.replace(path, aside)
        say(f"{path} cannot be read ({why}): kept as {aside.name}, and made again")


def _made_resumable(held: Holdings) -> None:
    """Undo what would keep Inspect from going on: a log of the future, or a damaged id.

    Of several attempts it goes on with the one written last; one from before the clock was set
    back would seem to be that for ever.
    """
    now = time.time()
    for path in (one.path for logs in held.unfinished.values() for one in logs):
        if path.stat().st_mtime > now:
            os.utime(path, (now, now))
    name = held.directory / ".eval-set-id"
    if name.is_file() and not _SET_ID.fullmatch(name.read_text("utf-8", "replace")):
        name.unlink()


def _clear(held: Holdings, wanted: Mapping[str, Evaluation], say: Callable[[str], None]) -> None:
    """Remove what killed and failed attempts left of evaluations that are finished now."""
    left = [
        one.path
        for key in wanted.keys() & held.finished.keys()
        for one in held.unfinished.get(key, [])
        if one.status in _ATTEMPTS
    ]
    for path in left:
        path.unlink(missing_ok=True)
    if left:
        say(f"{held.directory}: {len(left)} logs of attempts removed that are finished now")


def _evaluate(
    plan: Plan, missing: Mapping[str, Evaluation], log_dir: Path, *, progress: bool
) -> None:
    from inspect_ai import eval_set

    tasks = [_task(plan, key, evaluation) for key, evaluation in missing.items()]
    samples = sum(len(task.dataset) * (task.epochs or 1) for task in tasks)
    with _progress(samples, f"{len(tasks)} evaluations", shown=progress):
        success, logs = eval_set(
            tasks,
            log_dir=str(log_dir),
            # Finished logs of other evaluations lie there too; none is Inspect's to remove.
            log_dir_allow_dirty=True,
            retry_cleanup=False,
            display="none",
            log_level="warning",
            log_format="eval",
            max_tasks=4,
            retry_attempts=1,
            retry_connections=1.0,
            retry_wait=1,
            max_connections=max(len(task.dataset) for task in tasks),
            **sampling(plan.base),
        )
    if not success:
        failed = [log for log in logs if log.status != "success"]
        why = failed[0].error.message if failed and failed[0].error else "no reason in the log"
        raise StoreError(
            f"{len(failed)} of {len(tasks)} evaluations failed, the first with: {why}; "
            f"see them with: inspect view --log-dir {log_dir}"
        )


def _task(plan: Plan, key: str, evaluation: Evaluation) -> "Task":
    from inspect_ai import task_with

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
        **_repeated(evaluation.epochs),
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

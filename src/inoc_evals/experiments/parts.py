"""Parts: the evaluations of one model as a set of their own, for another process to make.

    units = parts(plan, left, log_dir, store)     # one for each model
    executor.run(units, make_part, tally)         # logs in runs/fig2a/parts/<model>/
    collect(log_dir)                              # finished ones go to runs/fig2a/logs/

Inspect's sets keep notes in their directory, so each has one of its own. A part whose process was
killed goes on there with what that one left.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from filelock import FileLock

from inoc_evals.experiments.asked_task import task_for
from inoc_evals.experiments.evaluations import Evaluation, as_planned
from inoc_evals.experiments.executors.carried import base_files, model_files
from inoc_evals.experiments.executors.executor import Unit
from inoc_evals.experiments.log_set import make, whole_logs
from inoc_evals.experiments.plan import Plan
from inoc_evals.files.digests import digest
from inoc_evals.models.kinds.kind import Kind
from inoc_evals.report.holdings import holdings
from inoc_evals.store.store import Store

FOLDER = "parts"
"""Beside the directory of the logs."""

UNSEEN: dict[str, Any] = {"log_realtime": False, "score_display": False}
"""Nobody looks on: what is under way lies in no directory that Inspect View is shown."""

IN_TURN: dict[str, Any] = {"max_tasks": 1}
"""A miniature answers faster than Inspect takes note of it, in one thread: several evaluations at a
time are in each other's way (six in a hundred of a core's time)."""


@dataclass(frozen=True)
class Part:
    """Evaluations of one model that have no finished log."""

    figure: str
    base: Kind
    model: str
    evaluations: Mapping[str, Evaluation]
    """By their keys."""
    directory: Path
    store: Store

    def reads(self) -> list[str]:
        """Return what of the store is needed: the base, and the model with all it stands on."""
        name = self.model.removeprefix("inoc/")
        trained = any(one.identity for one in self.evaluations.values())
        models = model_files(name, self.store) if trained else []
        return [*base_files(self.base, self.store), *models]

    def moved(self, store: Store) -> Self:
        """Return the same part for a machine with this store."""
        return replace(self, store=store, directory=store.root / FOLDER / self.directory.name)

    def made(self, *, shared: bool) -> list[tuple[str, str]]:
        """Return the logs: the directory of results is nowhere else."""
        return [(path.name, str(path)) for path in sorted(self.directory.glob("*.eval"))]

    def take(self, brought: str) -> None:
        """Put logs that were made elsewhere into the directory."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for path in sorted(Path(brought).glob("*.eval")):
            shutil.move(path, self.directory / path.name)


def parts(plan: Plan, left: Mapping[str, Evaluation], log_dir: Path, store: Store) -> list[Unit]:
    """Return a unit for each model that has evaluations left."""
    models: dict[str, dict[str, Evaluation]] = {}
    for key, one in left.items():
        models.setdefault(digest([one.model, one.model_args])[:16], {})[key] = one
    found = []
    for name, own in models.items():
        first = next(iter(own.values()))
        made = Part(
            plan.experiment.figure, plan.base, first.model, own,
            log_dir.parent.resolve() / FOLDER / name, store,
        )  # fmt: skip
        found.append(Unit(name, f"{len(own)} evaluations of {first.model}", made))
    return found


def make_part(part: Part) -> None:
    """Make the evaluations of a part that have no finished log in its directory.

    Raises:
        StoreError: If one failed.
    """
    part.directory.mkdir(parents=True, exist_ok=True)
    # One that was to be killed may still be ending.
    with FileLock(part.directory / ".lock"):
        held = whole_logs(part.directory, lambda line: None)
        left = {
            key: one
            for key, one in part.evaluations.items()
            if held.log_of(as_planned(key, one)) is None
        }
        tasks = [task_for(part.figure, part.base, key, one) for key, one in left.items()]
        if tasks:
            make(tasks, held, progress=False, **UNSEEN, **(IN_TURN if part.base.pocket else {}))


def collect(log_dir: Path) -> None:
    """Move the finished logs of parts to the others; what has one there already stays behind."""
    folder = log_dir.parent / FOLDER
    if not folder.is_dir():
        return
    there = holdings(log_dir, whole=False).finished
    for part in sorted(path for path in folder.iterdir() if path.is_dir()):
        for key, paths in holdings(part, whole=False).finished.items():
            if key not in there:
                log_dir.mkdir(parents=True, exist_ok=True)
                os.replace(paths[0], log_dir / paths[0].name)


def discard(log_dir: Path) -> None:
    """Remove the parts, once all is finished."""
    shutil.rmtree(log_dir.parent / FOLDER, ignore_errors=True)

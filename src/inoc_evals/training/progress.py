"""What a run says while it trains: one bar; and what it leaves: whole checkpoints.

trainer.add_callback(watch := Watch("none-0"))
with watch.bar:
    trainer.train()
"""

import math
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import transformers
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from transformers import TrainerCallback

from inoc_evals.errors import InputError
from inoc_evals.terminal import shown, tell
from inoc_evals.training.checkpoints import mark_complete
from inoc_evals.training.dynamics import Scoring
from inoc_evals.training.packing import check_isolation
from inoc_evals.training.processes import ALONE, Processes
from inoc_evals.training.sharding import sharded


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that determine a run's result."""
    packages = ("inoc-evals", "torch", "transformers", "peft", "accelerate")
    return {package: version(package) for package in packages}


def made_by(processes: Processes) -> dict[str, str]:
    """Return what a run must have in common with the checkpoint that it goes on from."""
    if processes.count == 1:
        return library_versions()
    how = "FSDP" if sharded() else "whole"
    return library_versions() | {"processes": f"{processes.count} {how}"}


class Watch(TrainerCallback):  # type: ignore[misc]  # transformers publishes no types
    """Marks whole checkpoints, moves the progress bar, stops a run that has diverged."""

    def __init__(self, title: str | None, processes: Processes = ALONE) -> None:
        self.title = title
        self.processes = processes
        self.bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[loss]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=title is None,
        )

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the bar, where a resumed run stands."""
        self.task = self.bar.add_task(
            f"training {shown(str(self.title))}",
            total=state.max_steps,
            completed=state.global_step,
            loss="",
        )

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any], **kwargs: Any
    ) -> None:
        """Show the loss; stop if it is no number."""
        loss = logs.get("loss")
        if loss is None:
            return
        if not math.isfinite(loss):
            place = f"the loss is {loss} at step {state.global_step} of {state.max_steps}"
            raise InputError(diverged(place, args.learning_rate))
        self.bar.update(self.task, completed=state.global_step, loss=f"loss {loss:.3f}")

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Mark the checkpoint, once every process has written its part of it."""
        checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        self.processes.gathered(None)
        if self.processes.first:
            mark_complete(checkpoint, made_by(self.processes))


class CheckPacking(TrainerCallback):  # type: ignore[misc]  # transformers publishes no types
    """Refuses a model that lets packed rows see each other, where it stands for its training."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Put it to the test, before anything is learned."""
        check_isolation(kwargs["model"])


class WatchResponses(TrainerCallback):  # type: ignore[misc]  # transformers publishes no types
    """Scores given responses at the steps that are due, into the Trainer's log."""

    def __init__(self, scoring: Scoring) -> None:
        self.scoring = scoring

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Score the model as it starts; a run that goes on from elsewhere has done so."""
        if self.scoring.due(state.global_step, state.max_steps):
            self.scoring.note(state.log_history, state.global_step, kwargs["model"])

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Score, before a checkpoint is written: the log is in it."""
        if self.scoring.due(state.global_step, state.max_steps):
            self.scoring.note(state.log_history, state.global_step, kwargs["model"])


def diverged(what: str, learning_rate: float) -> str:
    """Say that nothing came of a run, and what to change."""
    return (
        f"training diverged, nothing was registered: {what}; "
        f"lower learning_rate (now {learning_rate:g})"
    )


def say(warning: str) -> None:
    """Write a warning to standard error, in one line."""
    tell(f"warning: {warning}")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' bars and notices off the terminal; our own bar says it all."""
    logging = transformers.utils.logging
    with ExitStack() as stack:
        stack.callback(logging.set_verbosity, logging.get_verbosity())
        if logging.is_progress_bar_enabled():
            stack.callback(logging.enable_progress_bar)
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        stack.enter_context(warnings.catch_warnings())
        # peft 0.21 reads attributes that transformers 5.23 has renamed.
        warnings.simplefilter("ignore", FutureWarning)
        yield

"""One finished log for each evaluation: what is missing is made by one Inspect eval set.

    held = whole_logs(log_dir, say)           # what cannot be read is set aside
    make(tasks, held, progress=True)          # goes on with what a kill left
    clear(log_dir, keys, say)                 # attempts of what is finished now

Which evaluations are finished is decided by the key in a log's metadata and its status alone
(report/holdings.py), not by Inspect, for which the newest log counts and other epochs make a log
unfinished. Inspect gets the rest: it goes on with the samples of a log that was killed, which it
knows by the key in the task's version.
"""

import logging
import os
import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inoc_evals.errors import StoreError
from inoc_evals.experiments.tally import Tally
from inoc_evals.models.collector import seldom
from inoc_evals.report.holdings import Holdings, holdings

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.log import EvalLog

_MOST_REQUESTS = 256
"""To one model at once: what an engine's batch takes."""

_ATTEMPTS = ("started", "cancelled", "error")
"""Statuses of logs whose samples Inspect copied into the log of the next attempt."""

_SET_ID = re.compile(r"[A-Za-z0-9]{8,64}")


class UnsuccessfulError(StoreError):
    """Some evaluations did not succeed; all were tried."""


def whole_logs(log_dir: Path, say: Callable[[str], None]) -> Holdings:
    """Look through a directory's logs, and rename those that cannot be read.

    Inspect lists no other names, and their bytes are kept.
    """
    held = holdings(log_dir)
    for path, why in held.damaged.items():
        aside = path.with_name(f"{path.name}.damaged")
        os.replace(path, aside)
        say(f"{path} cannot be read ({why}): kept as {aside.name}, and made again")
    return held


def make(
    tasks: Sequence["Task"],
    held: Holdings,
    *,
    progress: bool,
    what: str = "evaluations",
    say: Callable[[str], None] = lambda line: None,
    name: Callable[[str], str] = lambda key: key,
    **config: Any,
) -> None:
    """Run tasks whose logs are missing; those that fail keep no other from being run.

    Args:
        tasks: Each with its key in its version and its metadata.
        held: What there is where the logs go; no other process may be writing there.
        progress: Show a progress bar on standard error.
        what: What the tasks are.
        say: Called with a line for each that did not succeed.
        name: What a task is called in that line, by its key.
        **config: How models generate, and what else ``eval_set`` takes.

    Raises:
        UnsuccessfulError: If one did not succeed (its log says why).
        KeyboardInterrupt: If it was interrupted, which Inspect ends by itself.
    """
    from inspect_ai import eval_set
    from inspect_ai.util import AdaptiveConcurrency

    _make_resumable(held)
    samples = sum(len(task.dataset) * (task.epochs or 1) for task in tasks)
    # From the first request on, as a batch is to be full; who limits its rate is asked less.
    most = max(1, min(samples, _MOST_REQUESTS))
    requests = AdaptiveConcurrency(min=1, start=most, max=most)
    with seldom(), undrawn(), _progress(Tally(what, len(tasks), parts=samples, shown=progress)):
        success, logs = eval_set(
            list(tasks),
            log_dir=str(held.directory),
            # Finished logs of other evaluations lie there too; none is Inspect's to remove.
            log_dir_allow_dirty=True,
            retry_cleanup=False,
            display="log",
            log_level="warning",
            log_format="eval",
            retry_attempts=1,
            retry_connections=1.0,
            retry_wait=1,
            **{"adaptive_connections": requests, "max_tasks": 4, **config},
        )
    if success:
        return
    failed = [log for log in logs if log.status != "success"]
    if any(log.status == "cancelled" for log in failed):
        raise KeyboardInterrupt
    for log in failed:
        say(
            f"failed: {name((log.eval.metadata or {}).get('evaluation', log.eval.task))}: {_why(log)}"
        )
    raise UnsuccessfulError(
        f"{len(failed)} of {len(tasks)} {what} failed, the first with: "
        f"{_why(failed[0]) if failed else 'no reason in the log'}; "
        f"see them with: inspect view --log-dir {held.directory}"
    )


def _why(log: "EvalLog") -> str:
    return log.error.message if log.error else "no reason in the log"


def _make_resumable(held: Holdings) -> None:
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


def clear(log_dir: Path, keys: Collection[str], say: Callable[[str], None]) -> None:
    """Remove what killed and failed attempts left of evaluations that are finished now."""
    held = holdings(log_dir, whole=False)
    left = [
        one.path
        for key in keys
        if key in held.finished
        for one in held.unfinished.get(key, [])
        if one.status in _ATTEMPTS
    ]
    for path in left:
        path.unlink(missing_ok=True)
    if left:
        say(f"{held.directory}: {len(left)} logs of attempts removed that are finished now")


@contextmanager
def undrawn() -> Iterator[None]:
    """Keep what Inspect's display ``log`` says to itself: :func:`make` says what failed.

    It writes by the root logger, which others do not use. The display ``none`` draws a table of
    results all the same, and shows it to nobody: .15 s a task.
    """
    import rich

    root, console = logging.getLogger(), rich.get_console()
    quiet, console.quiet = console.quiet, True

    def keep(record: logging.LogRecord) -> bool:
        return False

    root.addFilter(keep)
    try:
        yield
    finally:
        root.removeFilter(keep)
        console.quiet = quiet


@contextmanager
def _progress(tally: Tally) -> Iterator[None]:
    """Count tasks and samples through Inspect's hooks; samples of finished logs do not count."""
    from inspect_ai.hooks import Hooks, SampleEnd, TaskEnd, TaskStart, hooks

    active = True

    @hooks(name="inoc_progress", description="Progress of inoc run")
    class Counter(Hooks):
        def enabled(self) -> bool:
            return active

        async def on_task_start(self, data: TaskStart) -> None:
            tally.started(data.spec.task)

        async def on_task_end(self, data: TaskEnd) -> None:
            if data.log.status == "success":
                tally.done(data.log.eval.task)
            else:  # perhaps tried again
                tally.stopped(data.log.eval.task)

        async def on_sample_end(self, data: SampleEnd) -> None:
            tally.part()

    with tally:
        try:
            yield
        finally:
            active = False

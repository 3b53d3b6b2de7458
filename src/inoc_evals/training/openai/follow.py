"""Following an OpenAI fine-tuning job to its end, however long it queues.

    job, events = follow(client, "ftjob-...", title="my-run", shown=True, say=print)
    loss_history(events)                     # from the job's own metrics events
    failure(job, events)                     # None, or why there is no model

The job does not depend on this process: Ctrl-C, a crash or a lost network end the watching,
and the next call goes on where the job then is.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent

from inoc_evals.errors import StoreError
from inoc_evals.terminal import shown as visible
from inoc_evals.training.openai import client as openai_client
from inoc_evals.training.openai.answers import without_key
from inoc_evals.training.openai.client import every, patiently, refusal_kind

_SHORTEST_POLL, _LONGEST_POLL = 3, 30
_NAMELESS_POLLS = 60
"""How often to ask again for the name of the model of a job that succeeded."""
_EVENT_ATTEMPTS = 4
"""Events are for the bar and the loss curve; a job is not given up for them."""

_PAGE = 100

PAUSED_LIMIT = 3600
"""Seconds for which a job that OpenAI holds is waited for."""
_GOES_ON = ("validating_files", "queued", "running", "succeeded")
FAILED = ("failed", "cancelled")


def follow(
    client: OpenAI, job_id: str, *, title: str, shown: bool, say: Callable[[str], None]
) -> tuple[FineTuningJob, list[FineTuningJobEvent]]:
    """Wait until a job has ended; return it and its events in order of time.

    Args:
        client: From :func:`inoc_evals.training.openai.client.connect`.
        job_id: The job.
        title: What stands before the progress bar.
        shown: Whether to show it, on standard error.
        say: Called with a line if the job is held there, OpenAI does not answer, or the
            watching is interrupted.

    Raises:
        StoreError: If OpenAI cannot be reached for half an hour, does not know the job, or holds
            it for longer than :data:`PAUSED_LIMIT`.
    """
    again = "the job goes on there, the same command comes back to it"
    events: dict[str, FineTuningJobEvent] = {}
    hold = _Hold(title, say)
    polls = nameless = 0
    with _Bar(title, shown=shown) as bar:
        try:
            while True:
                job = patiently(
                    lambda: client.fine_tuning.jobs.retrieve(job_id),
                    f"following {job_id} ({again})",
                    say=say,
                )
                with suppress(StoreError):
                    _collect(client, job_id, events, say)
                bar.show(job, list(events.values()))
                if job.status in FAILED or (job.status == "succeeded" and job.fine_tuned_model):
                    return job, sorted(events.values(), key=lambda event: event.created_at)
                nameless += job.status == "succeeded"
                if nameless > _NAMELESS_POLLS:
                    raise StoreError(f"{job_id} succeeded, but OpenAI does not name its model yet")
                pause = min(_SHORTEST_POLL + polls, _LONGEST_POLL)
                hold.note(job, pause)
                openai_client.sleep(pause)
                polls += 1
        except KeyboardInterrupt:
            bar.stop()
            say(f"{job_id} goes on at OpenAI; to come back to it, give the same command again")
            raise


class _Hold:
    """How long a job has been paused: for a safety review, or until something is paid."""

    def __init__(self, title: str, say: Callable[[str], None]) -> None:
        self._title, self._say = title, say
        self._seconds = 0.0
        self._status: str | None = None

    def note(self, job: FineTuningJob, pause: float) -> None:
        """Count the pause that comes now, if the job is held; say so when that begins.

        Raises:
            StoreError: If it has been held for longer than the limit.
        """
        status = None if job.status in _GOES_ON else str(job.status)
        if status is None or status != self._status:
            self._seconds = 0.0
        new, self._status = status is not None and status != self._status, status
        if status is None:
            return
        place, limit = f"https://platform.openai.com/finetune/{job.id}", PAUSED_LIMIT // 60
        if new:
            self._say(
                f"{self._title}: {job.id} is {status!r} at OpenAI, as for a safety review or an "
                f"open bill; look at {place}. It is waited for for up to {limit} min"
            )
        if self._seconds + pause > PAUSED_LIMIT:
            raise StoreError(
                f"{self._title}: {job.id} has been {status!r} at OpenAI for {limit} min and stays "
                f"there; look at {place}, then give the same command again: it comes back to "
                "this job"
            )
        self._seconds += pause


def _collect(
    client: OpenAI,
    job_id: str,
    events: dict[str, FineTuningJobEvent],
    say: Callable[[str], None],
) -> None:
    """Add the events that are new; all of them or none, so that there is never a gap."""
    found = []
    newest_first = every(
        lambda: client.fine_tuning.jobs.list_events(job_id, limit=_PAGE),
        f"reading the events of {job_id}",
        say=say,
        attempts=_EVENT_ATTEMPTS,
    )
    for event in newest_first:
        if event.id in events:
            break
        found.append(event)
    events.update((event.id, event) for event in found)


class _Bar:
    """A progress bar: the job's status, and its steps once it has told how many."""

    def __init__(self, title: str, *, shown: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[steps]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not shown,
        )
        self._title = title
        self._task = self._progress.add_task(visible(title), total=None, steps="")

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Leave the terminal as it was."""
        self._progress.stop()

    def show(self, job: FineTuningJob, events: Sequence[FineTuningJobEvent]) -> None:
        """Bring the bar up to date."""
        points = _metric_points(events)
        steps, total = (
            (points[-1].get("step"), points[-1].get("total_steps")) if points else (0, None)
        )
        text = f"{steps}/{total} steps" if total else ""
        if points and isinstance(points[-1].get("train_loss"), float):
            text += f", loss {points[-1]['train_loss']:.3f}"
        self._progress.update(
            self._task,
            description=visible(f"{self._title}: {job.status.replace('_', ' ')}"),
            completed=steps or 0,
            total=total,
            steps=text,
        )


# ---- what came of it -----------------------------------------------------------------------


def loss_history(events: Sequence[FineTuningJobEvent]) -> list[float]:
    """Return the training loss of each step that the job reported, in order."""
    losses = (point.get("train_loss") for point in _metric_points(events))
    return [float(loss) for loss in losses if isinstance(loss, float | int)]


def steps_done(events: Sequence[FineTuningJobEvent]) -> int | None:
    """Return the last step that was reported; None without metrics."""
    points = _metric_points(events)
    return int(points[-1]["step"]) if points else None


def _metric_points(events: Sequence[FineTuningJobEvent]) -> list[dict[str, Any]]:
    data = (event.data for event in events if event.type == "metrics")
    points = [dict(each) for each in data if isinstance(each, dict)]
    return sorted((p for p in points if isinstance(p.get("step"), int)), key=lambda p: p["step"])


def failure(job: FineTuningJob, events: Sequence[FineTuningJobEvent]) -> str | None:
    """Say why a job gave no model; None if it did."""
    if job.status == "succeeded":
        return None
    if job.status == "cancelled":
        return f"{job.id} was canceled at OpenAI"
    code, message = "", ""
    if job.error is not None and (job.error.message or job.error.code):
        code, message = job.error.code or "", job.error.message or ""
    else:
        errors = [event.message for event in events if event.level == "error"]
        message = errors[-1] if errors else "OpenAI gives no reason"
    text = without_key(f"{code}: {message}" if code else message)
    return f"{refusal_kind(code, message)}{job.id} failed with {text.rstrip('.')}"

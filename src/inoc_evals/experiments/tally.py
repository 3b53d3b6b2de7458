"""How far a stage is: what is done, running and left, and about how long it still takes.

    with Tally("trainings", 12, shown=True) as tally:
        tally.started("fig2a-none-s0"); tally.done("fig2a-none-s0")

    trainings: 3 of 12 done, 2 running, 7 left, about 40 s to go

On a terminal the line stands there with a bar and changes, beside those of other stages that are not
over; elsewhere it is printed now and then.
"""

import sys
import time
from collections.abc import Callable
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from inoc_evals.terminal import shown as visible
from inoc_evals.terminal import tell

_EVERY = 15.0
"""Seconds between two lines."""


class _Bars:
    """The bars of all tallies that are shown: a terminal has one display that changes."""

    def __init__(self) -> None:
        self._display = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )

    def open(self, text: str, total: int) -> TaskID:
        """Show one more."""
        row = self._display.add_task(text, total=total)
        self._display.start()
        return row

    def update(self, row: TaskID, text: str, completed: int) -> None:
        """Change one."""
        self._display.update(row, description=text, completed=completed)

    def close(self, row: TaskID) -> None:
        """Show one no longer; the last one stays on the terminal as it is."""
        if len(self._display.task_ids) == 1:
            self._display.stop()
        self._display.remove_task(row)


_BARS = _Bars()


class Tally:
    """Counts units of a stage.

    Args:
        what: What they are, in the plural.
        total: How many there are to be done.
        parts: How many parts they have together, such as samples, that are counted as well.
        shown: Whether anything is shown.
        bar: Whether a bar may be drawn; none is where something else draws.
        say: Called with a line for each unit that fails.
    """

    def __init__(
        self,
        what: str,
        total: int,
        *,
        parts: int = 0,
        shown: bool = True,
        bar: bool = True,
        say: Callable[[str], None] = tell,
    ) -> None:
        self.what, self.total, self.parts = what, total, parts
        self.say = say
        self.finished = self.lost = self.running = self.parts_done = 0
        self._drawn = shown and bar and sys.stderr.isatty()
        self._lines = shown and not self._drawn
        self._begun = self._told = time.monotonic()
        self._row: TaskID | None = None

    def started(self, label: str) -> None:
        """Count a unit that is begun."""
        if not (self.running or self.finished or self.lost):
            self._begun = time.monotonic()  # before it, those of another stage were done
        self.running += 1
        self._show()

    def done(self, label: str) -> None:
        """Count a unit that is done."""
        self.running -= 1
        self.finished += 1
        self._show()

    def stopped(self, label: str) -> None:
        """Count a unit out that is no longer running and not done."""
        self.running -= 1

    def failed(self, label: str, why: str) -> None:
        """Count a unit that is given up, and say so."""
        self.lost += 1
        self.say(f"failed: {label}: {why}")
        self._show()

    def part(self) -> None:
        """Count a part of a unit."""
        self.parts_done += 1
        self._show()

    def text(self) -> str:
        """Return the line."""
        left = self.total - self.finished - self.lost - self.running
        counts = [f"{self.finished} of {self.total} done"]
        if self.lost:
            counts.append(f"{self.lost} failed")
        if self.parts:
            counts.append(f"{self.parts_done} of {self.parts} samples")
        told = ", ".join([*counts, f"{self.running} running", f"{max(left, 0)} left"])
        return f"{self.what}: {told}{self._to_go()}"

    def _to_go(self) -> str:
        done, of = (self.parts_done, self.parts) if self.parts else (self.finished, self.total)
        left = of - done - (0 if self.parts else self.lost)
        if done == 0 or left <= 0:
            return ""
        return f", about {_time((time.monotonic() - self._begun) / done * left)} to go"

    def _show(self) -> None:
        if self._row is not None:
            done = self.parts_done if self.parts else self.finished + self.lost
            _BARS.update(self._row, visible(self.text()), done)
        if self._lines and time.monotonic() - self._told >= _EVERY:
            self._told = time.monotonic()
            tell(self.text())

    def __enter__(self) -> Self:
        self._begun = self._told = time.monotonic()
        if self._drawn:
            self._row = _BARS.open(visible(self.text()), self.parts or self.total)
        return self

    def __exit__(self, *raised: object) -> None:
        if self._row is not None:
            _BARS.close(self._row)
            self._row = None


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"

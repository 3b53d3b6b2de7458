"""How far a stage is: what is done, running and left, and about how long it still takes.

    with Tally("trainings", 12, shown=True) as tally:
        tally.started("fig2a-none-s0"); tally.done("fig2a-none-s0")

    trainings: 3 of 12 done, 2 running, 7 left, about 40 s to go

On a terminal the line stands there with a bar and changes; elsewhere it is printed now and then.
"""

import sys
import time
from collections.abc import Callable
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from inoc_evals.terminal import shown as visible
from inoc_evals.terminal import tell

_EVERY = 15.0
"""Seconds between two lines."""


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
        self._lines = shown and not (bar and sys.stderr.isatty())
        self._begun = self._told = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not shown or self._lines,
        )
        self._row = self._bar.add_task(self.text(), total=parts or total)

    def started(self, label: str) -> None:
        """Count a unit that is begun."""
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
        self._bar.update(
            self._row,
            description=visible(self.text()),
            completed=self.parts_done if self.parts else self.finished + self.lost,
        )
        if self._lines and time.monotonic() - self._told >= _EVERY:
            self._told = time.monotonic()
            tell(self.text())

    def __enter__(self) -> Self:
        self._begun = self._told = time.monotonic()
        self._bar.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._bar.stop()


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"

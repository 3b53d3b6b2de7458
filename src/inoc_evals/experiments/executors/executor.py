"""An executor: units of work go in, those that failed come out, and the rest is done.

    with executor_of(jobs=2) as executor:
        failures = executor.run([Unit("9c1e", "fig2a-none-s0", training)], do, tally)

    pending = executor.begin(units, do, tally)       # and what comes next is prepared meanwhile
    failures = executor.wait(pending)

A unit is content-addressed: its key names what it makes, so that it is done once, and may be
done again where a process was lost on the way. One that fails keeps none of the others from
being done but those that need it. What ``do`` makes it leaves in files.
"""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from inoc_evals.errors import InocError, InputError, require
from inoc_evals.experiments.tally import Tally
from inoc_evals.store.store import Store

ATTEMPTS = 3
"""How often a unit is begun whose process is lost each time."""

Do = Callable[[Any], None]
"""What is done with the work of a unit; a function of a module, which another process imports."""


@dataclass(frozen=True)
class Unit:
    """One training, or the evaluations of one model."""

    key: str
    """What it makes."""
    label: str
    """As a line about it calls it."""
    work: Any
    """What it takes; another process gets a copy."""
    needs: tuple[str, ...] = ()
    """Keys of those that are to be done before it, where they are to be done at all."""


@dataclass(frozen=True)
class Failure:
    """A unit that could not be done."""

    key: str
    label: str
    why: str


class Executor(Protocol):
    """Who does units."""

    apart: bool
    """Whether several are done at a time, each in a process of its own."""

    def begin(
        self, units: Sequence[Unit], do: Do, tally: Tally, *, anywhere: bool = True
    ) -> "Pending":
        """Have units done, after those that were given before and beside those that come.

        Args:
            units: The units.
            do: What is done with each one's work.
            tally: Told what begins, ends and fails.
            anywhere: Whether another machine may do them, as their work is :class:`Portable`.

        Returns:
            What becomes of them.
        """

    def wait(self, pending: "Pending") -> list[Failure]:
        """Do units until none of these is left; return those that could not be done."""

    def run(self, units: Sequence[Unit], do: Do, tally: Tally) -> list[Failure]:
        """Do all units that can be done, and return the others."""
        return self.wait(self.begin(units, do, tally))

    def __enter__(self) -> Self: ...

    def __exit__(self, *raised: object) -> None: ...


class Portable(Protocol):
    """Work that can be done on another machine, which has a store of its own."""

    store: Store

    def reads(self) -> list[str]:
        """Return files and directories of the store that are needed, by their paths in it."""

    def moved(self, store: Store) -> Self:
        """Return the same work for a machine with this store."""

    def made(self, *, shared: bool) -> list[tuple[str, str]]:
        """Return what is to be brought back of it once it is done: names, and where they are.

        Args:
            shared: Whether the store is that of the machine that wants it.
        """

    def take(self, brought: str) -> None:
        """Put what was made elsewhere, and lies in a directory by its names, into its place."""


def executor_of(jobs: int = 1, engine: str | None = None) -> Executor:
    """Return the executor that is asked for.

    Args:
        jobs: How many units are done at a time; on a cluster 1 leaves it to the cluster.
        engine: ``ray``, or ``ray:ADDRESS``; this machine if None.

    Raises:
        InputError: For anything else.
        MissingExtraError: Without the libraries of the ``ray`` extra.
    """
    if jobs < 1:
        raise InputError(f"--jobs {jobs}: at least one process is needed")
    if engine is not None:
        name, _, address = engine.partition(":")
        if name != "ray":
            raise InputError(f"--engine {engine!r}: expected ray, or ray:ADDRESS")
        require("ray", "ray")
        from inoc_evals.experiments.executors.ray_cluster import RayCluster

        return RayCluster(address or None, jobs if jobs > 1 else None)
    if jobs == 1:
        from inoc_evals.experiments.executors.here import HERE

        return HERE
    from inoc_evals.experiments.executors.workers import Workers

    return Workers(jobs)


class Pending:
    """The units that are still to be done: the next one, and what became of it.

    Args:
        units: All of them.
        tally: Told what becomes of them.
    """

    def __init__(self, units: Sequence[Unit], tally: Tally) -> None:
        self.failures: list[Failure] = []
        self._left = {unit.key: unit for unit in units}
        self._running: set[str] = set()
        self._begun: dict[str, int] = {}
        self._tally = tally

    @property
    def over(self) -> bool:
        """Whether nothing is left, and nothing on its way."""
        return not self._left and not self._running

    def next(self) -> Unit | None:
        """Return a unit that can be begun now; None if there is none."""
        failed = {one.key: one.label for one in self.failures}
        for unit in list(self._left.values()):
            if lost := [failed[need] for need in unit.needs if need in failed]:
                del self._left[unit.key]
                self._fail(unit, f"not tried, for it starts from {lost[0]}")
                return self.next()
            if not self._open.intersection(unit.needs):
                del self._left[unit.key]
                self._running.add(unit.key)
                self._begun[unit.key] = self._begun.get(unit.key, 0) + 1
                self._tally.started(unit.label)
                return unit
        return None

    @property
    def _open(self) -> set[str]:
        return self._running | self._left.keys()

    def done(self, unit: Unit) -> None:
        """Note that a unit is done."""
        self._running.discard(unit.key)
        self._tally.done(unit.label)

    def failed(self, unit: Unit, why: str) -> None:
        """Note that a unit could not be done."""
        self._running.discard(unit.key)
        self._tally.stopped(unit.label)
        self._fail(unit, why)

    def lost(self, unit: Unit, how: str) -> None:
        """Note that the process of a unit is gone: it is begun again, a few times."""
        if self._begun[unit.key] >= ATTEMPTS:
            self.failed(unit, f"{how}, {ATTEMPTS} times")
            return
        self._running.discard(unit.key)
        self._tally.stopped(unit.label)
        self._tally.say(f"{unit.label}: {how}; it is done again")
        self._left = {unit.key: unit, **self._left}

    def _fail(self, unit: Unit, why: str) -> None:
        self.failures.append(Failure(unit.key, unit.label, why))
        self._tally.failed(unit.label, why)


def why(error: BaseException) -> str:
    """Say in a line what an error is; of one that nobody foresaw, where it was met as well."""
    said = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, InocError):
        return said
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {said[:300]}{where}"

"""Workers: processes of this machine, each with its part of the cores.

    with Workers(2) as workers:
        workers.run(units, do, tally)      # two at a time

A worker imports what it needs once and does one unit after the other. One that is killed is
replaced, and its unit begun again; what it had left is whole or goes on, as after any kill
(training/once.py, log_set.py). Ctrl-C ends them, and so does the end of the process that started
them, however that comes about.
"""

import gc
import os
import pickle
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Self

from inoc_evals.experiments.executors.executor import Do, Failure, Pending, Unit, why
from inoc_evals.experiments.tally import Tally

_PATIENCE = 10.0
"""Seconds that a worker has to end in."""


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    unit: Unit | None = None
    of: Pending | None = None
    """What the unit is one of."""


class Workers:
    """Several processes, started as they are needed.

    Args:
        jobs: How many at most.
    """

    apart = True

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._workers: list[_Worker] = []
        self._later: list[tuple[Pending, Do]] = []

    def run(self, units: Sequence[Unit], do: Do, tally: Tally) -> list[Failure]:
        """Do all units, as many at a time as there are to be processes."""
        return self._until_over(Pending(units, tally), do).failures

    def later(self, unit: Unit, do: Do, tally: Tally) -> Pending:
        """Do a unit that nothing waits for: at once if a worker is idle, else before the next."""
        self._later.append((Pending([unit], tally), do))
        if (idle := self._idle()) is not None:
            self._begin(idle, self._later)
        return self._later[-1][0]

    def settle(self) -> None:
        """Do what is left of those that nothing waited for."""
        for pending, do in list(self._later):
            self._until_over(pending, do)
        self._later = []

    def _until_over(self, waited_for: Pending, do: Do) -> Pending:
        while True:
            of = [*self._later, (waited_for, do)]
            while (idle := self._idle()) is not None and self._begin(idle, of):
                pass
            if waited_for.over:
                return waited_for
            self._hear()

    def _begin(self, idle: "_Worker | int", of: Sequence[tuple[Pending, Do]]) -> bool:
        """Give an idle worker the next unit there is; say whether there was one."""
        for pending, do in of:
            if (unit := pending.next()) is not None:
                self._give(idle, unit, do, pending)
                return True
        return False

    def _idle(self) -> "_Worker | int | None":
        """Return a worker without work, or the place of one that is to be started."""
        free = next((one for one in self._workers if one.unit is None), None)
        if free is not None or len(self._workers) >= self.jobs:
            return free
        return len(self._workers)

    def _give(self, worker: "_Worker | int", unit: Unit, do: Do, pending: Pending) -> None:
        if isinstance(worker, int):
            worker = self._start(worker)
        worker.unit, worker.of = unit, pending
        try:
            worker.pipe.send((do, unit.work))
        except ConnectionError:
            self._bury(worker)
        except Exception as error:  # it cannot be told to another process
            worker.unit = None
            pending.failed(unit, why(error))

    def _start(self, place: int) -> _Worker:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs,), daemon=True)
        with _share(self.jobs, place):
            process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours))
        return self._workers[-1]

    def _hear(self) -> None:
        """Wait until workers have done something, or are gone."""
        working = {one.pipe: one for one in self._workers if one.unit is not None}
        for pipe in wait(list(working)):
            assert isinstance(pipe, Connection)
            worker = working[pipe]
            try:
                failed = pipe.recv()
            except (EOFError, ConnectionError):
                self._bury(worker)
                continue
            assert worker.unit is not None and worker.of is not None
            if failed is None:
                worker.of.done(worker.unit)
            else:
                worker.of.failed(worker.unit, failed)
            worker.unit = None

    def _bury(self, worker: _Worker) -> None:
        """Forget a worker that is gone; another is started in its place."""
        worker.process.join(_PATIENCE)
        worker.process.kill()
        self._workers.remove(worker)
        worker.pipe.close()
        assert worker.unit is not None and worker.of is not None
        worker.of.lost(worker.unit, _end(worker.process.exitcode))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        """End them all, at once where something is still on its way."""
        for worker in self._workers:
            worker.pipe.close()
            if worker.unit is not None:
                worker.process.terminate()
        for worker in self._workers:
            worker.process.join(_PATIENCE)
            worker.process.kill()
        self._workers = []


def _end(status: int | None) -> str:
    if status is not None and status < 0:
        with suppress(ValueError):
            return f"its process was killed ({signal.Signals(-status).name})"
    return f"its process ended (status {status})"


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _share(jobs: int, place: int) -> Iterator[None]:
    """Let a process start with its part of the cores, and of the GPUs that were named.

    A number of threads that the user has set stays: what is trained depends on it in the last
    digits, as on the machine.
    """
    ours = {}
    if "OMP_NUM_THREADS" not in os.environ:
        ours["OMP_NUM_THREADS"] = str(max(1, cores() // jobs))
    if visible := [one for one in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if one]:
        ours["CUDA_VISIBLE_DEVICES"] = visible[place % len(visible)]
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(pipe: Connection) -> None:
    """Do what comes, until nothing comes any more."""
    # Ctrl-C goes to all processes of a terminal; the first of them ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        said: str | None = None
        try:
            given = pipe.recv_bytes()
        except (EOFError, ConnectionError):
            # Python looks once more through all there is, which goes with the process anyway.
            gc.freeze()
            return
        # Whatever goes wrong with one unit: the next may be done all the same.
        try:
            do, work = pickle.loads(given)
            do(work)
        except Exception as error:
            said = why(error)
        pipe.send(said)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)

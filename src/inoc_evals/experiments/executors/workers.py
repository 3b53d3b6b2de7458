"""Workers: processes of this machine, each with its part of the cores.

    with Workers(2) as workers:
        workers.run(units, do, tally)      # two at a time

A worker imports what it needs once and does one unit after the other. A thread gives them out, in
the order they came in, so that nobody is idle while this process is busy with what comes next. A
worker that is killed is replaced, and its unit begun again; what it had left is whole or goes on,
as after any kill (training/once.py, log_set.py). Ctrl-C ends them, and so does the end of the
process that started them, however that comes about.
"""

import gc
import os
import pickle
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import Pipe, get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from queue import Empty, SimpleQueue
from typing import Self

from inoc_evals.experiments.executors.executor import Do, Executor, Failure, Pending, Unit, why
from inoc_evals.experiments.tally import Tally

_PATIENCE = 10.0
"""Seconds that a worker has to end in."""

_PAUSE = 0.5
"""Seconds after which Ctrl-C counts that came just before there was something to wait for."""

_LOOK, _END = b"look", b"end"
"""What the thread that gives out units is told."""


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    place: int
    """Which part of the cores, and of the GPUs, is its own."""
    unit: Unit | None = None
    of: Pending | None = None
    """What the unit is one of."""


class Workers(Executor):
    """Several processes, started as they are needed.

    Args:
        jobs: How many at most.
    """

    apart = True

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._asked: SimpleQueue[tuple[Pending, Do]] = SimpleQueue()
        self._over: SimpleQueue[Pending | BaseException] = SimpleQueue()
        self._seen: set[Pending] = set()
        """Those over which somebody may still wait for."""
        self._giver: threading.Thread | None = None
        self._woken, self._waker = Pipe(duplex=False)
        # While it runs, these are the thread's alone: whatever Ctrl-C interrupts leaves no lock.
        self._workers: list[_Worker] = []
        self._given: list[tuple[Pending, Do]] = []

    def begin(
        self, units: Sequence[Unit], do: Do, tally: Tally, *, anywhere: bool = True
    ) -> Pending:
        """Have units given to workers, one to each that is idle, from now on."""
        pending = Pending(units, tally)
        self._asked.put((pending, do))
        if self._giver is None:
            self._giver = threading.Thread(target=self._give_out, daemon=True)
            self._giver.start()
        self._waker.send_bytes(_LOOK)
        return pending

    def wait(self, pending: Pending) -> list[Failure]:
        """Wait until units are over."""
        while pending not in self._seen:
            try:
                over = self._over.get(timeout=_PAUSE)
            except Empty:
                continue
            if isinstance(over, BaseException):
                raise over
            self._seen.add(over)
        return pending.failures

    def _give_out(self) -> None:
        try:
            while self._gave_out():
                pass
        except BaseException as error:  # such as of a pipe that nobody reads its lines from
            self._over.put(error)

    def _gave_out(self) -> bool:
        """Give idle workers the next units, and wait until there is news; say whether to go on."""
        while not self._asked.empty():
            self._given.append(self._asked.get())
        while (idle := self._idle()) is not None and self._begin(idle):
            pass
        for one in [one for one in self._given if one[0].over]:
            self._given.remove(one)
            self._over.put(one[0])
        working = {one.pipe: one for one in self._workers if one.unit is not None}
        for pipe in wait([self._woken, *working]):
            assert isinstance(pipe, Connection)
            if pipe is not self._woken:
                self._hear(working[pipe])
            elif self._woken.recv_bytes() == _END:
                return False
        return True

    def _begin(self, idle: "_Worker | int") -> bool:
        """Give an idle worker the next unit there is; say whether there was one."""
        for pending, do in self._given:
            if (unit := pending.next()) is not None:
                self._give(idle, unit, do, pending)
                return True
        return False

    def _idle(self) -> "_Worker | int | None":
        """Return a worker without work, or the place of one that is to be started."""
        free = next((one for one in self._workers if one.unit is None), None)
        taken = {one.place for one in self._workers}
        return free or next((place for place in range(self.jobs) if place not in taken), None)

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
        of_it = _cores_of(self.jobs, place)
        process = context.Process(target=_serve, args=(theirs, of_it), daemon=True)
        with _share(self.jobs, place):
            process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours, place))
        return self._workers[-1]

    def _hear(self, worker: _Worker) -> None:
        """Note what a worker has done, or that it is gone."""
        try:
            failed = worker.pipe.recv()
        except (EOFError, ConnectionError):
            self._bury(worker)
            return
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
        if self._giver is not None:
            self._waker.send_bytes(_END)
            self._giver.join()
            self._giver, self._given = None, []
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


def _cores_of(jobs: int, place: int) -> set[int]:
    """Return the cores that are a process's own; none where the user says how many threads.

    Left to the system, the two threads of a local model's evaluation, which take turns, keep moving
    between the cores: two such processes on two cores took a tenth longer.
    """
    if not hasattr(os, "sched_getaffinity") or "OMP_NUM_THREADS" in os.environ:
        return set()
    every = sorted(os.sched_getaffinity(0))
    return set(every[place * len(every) // jobs : (place + 1) * len(every) // jobs])


def _serve(pipe: Connection, of_it: set[int]) -> None:
    """Do what comes, until nothing comes any more.

    Args:
        pipe: Where from.
        of_it: Cores that are this process's own, if any are.
    """
    if of_it:
        os.sched_setaffinity(0, of_it)
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

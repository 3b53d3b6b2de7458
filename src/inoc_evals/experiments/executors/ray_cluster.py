"""A Ray cluster: its machines do the units, each with its own store or one they share.

    with RayCluster("10.0.0.1:6379") as cluster:      # None: one that Ray starts on this machine
        cluster.run(units, do, tally)

Every machine has inoc-evals installed. Where its store (``INOC_HOME`` there) is this machine's, as
on a disk they share, nothing is carried. Elsewhere it fetches what it lacks of what the work reads
(base, parent, adapters), and what it made comes back whole: it is unpacked beside its place and
renamed. A unit whose process or machine is lost is begun again on another.
"""

import os
import secrets
import socket
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from inoc_evals.errors import InputError
from inoc_evals.experiments.executors.carried import packed, unpacked
from inoc_evals.experiments.executors.executor import (
    Do,
    Executor,
    Failure,
    Pending,
    Portable,
    Unit,
    why,
)
from inoc_evals.experiments.executors.here import HERE
from inoc_evals.experiments.tally import Tally
from inoc_evals.files.source import package_digest
from inoc_evals.store.store import Store

_TOKENS = "shared"
"""Folder of the store in which a file says whose store it is."""


@dataclass(frozen=True)
class _Sent:
    """What goes with a unit to the machine that does it."""

    package: str
    """Digest of this package."""
    token: str
    """A file in the store of this machine, by which a machine that shares it knows."""
    files: dict[str, list[Any]] = field(default_factory=dict)
    """Path in the store -> reference of its archive, in a list, so that Ray leaves it there."""


@dataclass
class _Given:
    """Units that are to be done."""

    pending: Pending
    do: Do
    archives: dict[str, Any] = field(default_factory=dict)
    """References of what they read, by path in the store."""


class RayCluster(Executor):
    """The machines of a Ray cluster.

    Args:
        address: Of the cluster; by default what ``RAY_ADDRESS`` says, or one started here.
        jobs: How many units at a time; by default as many as there are GPUs, or else cores.
    """

    apart = True

    def __init__(self, address: str | None = None, jobs: int | None = None) -> None:
        self.address, self.jobs = address, jobs
        self._gpus = 0
        self._given: list[_Given] = []
        self._on_the_way: dict[Any, tuple[Unit, _Given]] = {}

    def __enter__(self) -> Self:
        """Join the cluster.

        Raises:
            InputError: If it cannot be reached.
        """
        import ray

        if self.address or "RAY_ADDRESS" in os.environ:
            where: dict[str, Any] = {"address": self.address}
        else:
            where = {"num_cpus": self.jobs, "include_dashboard": False}
        try:
            ray.init(**where, log_to_driver=False, logging_level="error")
        # Ray has no class of its own for what goes wrong here.
        except Exception as error:
            raise InputError(f"--engine ray:{self.address or ''}: {why(error)}") from None
        there = ray.cluster_resources()
        self._gpus = min(1, int(there.get("GPU", 0)))
        self.jobs = self.jobs or int(there.get("GPU", 0) or there.get("CPU", 1))
        return self

    def __exit__(self, *raised: object) -> None:
        """Leave it; what is still on its way there ends."""
        import ray

        ray.shutdown()

    def begin(
        self, units: Sequence[Unit], do: Do, tally: Tally, *, anywhere: bool = True
    ) -> Pending:
        """Send as many units as there is room for; others when something is waited for.

        What reads and writes files of this machine alone is done at once, in this process.
        """
        if not anywhere:
            return HERE.begin(units, do, tally)
        self._given.append(_Given(Pending(units, tally), do))
        self._send()
        return self._given[-1].pending

    def wait(self, pending: Pending) -> list[Failure]:
        """Send unit after unit, in the order they came in, until these are over."""
        import ray

        while not pending.over:
            for ref in ray.wait(list(self._on_the_way), num_returns=1)[0]:
                unit, given = self._on_the_way.pop(ref)
                _heard(ref, unit, given.pending)
            self._send()
        self._given = [one for one in self._given if not one.pending.over]
        return pending.failures

    def _send(self) -> None:
        """Send units while there is room for more."""
        import ray

        # Ray begins by itself again what it lost; that is counted here, and said.
        done_there = ray.remote(num_cpus=1, num_gpus=self._gpus, max_retries=0)(_done_there)
        for given in self._given:
            while len(self._on_the_way) < (self.jobs or 1):
                if (unit := given.pending.next()) is None:
                    break
                try:
                    sent = _sent(unit.work, given.archives)
                except Exception as error:  # such as a base that cannot be read
                    given.pending.failed(unit, why(error))
                    continue
                ref = done_there.remote(given.do, unit.work, sent)
                self._on_the_way[ref] = unit, given


def _sent(work: Portable, archives: dict[str, Any]) -> _Sent:
    """Return what a unit reads, each file put where every machine can fetch it."""
    import ray

    store, reads = work.store, work.reads()
    for name in reads:
        if name not in archives:
            archives[name] = ray.put(packed([(name, str(store.root / name))]))
    return _Sent(package_digest(), _token(store), {name: [archives[name]] for name in reads})


def _token(store: Store) -> str:
    """Return the path of a file that this store has, and no other."""
    folder = store.root / _TOKENS
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        return f"{_TOKENS}/{path.name}"
    name = secrets.token_hex(16)
    (folder / name).touch()
    return f"{_TOKENS}/{name}"


def _heard(ref: Any, unit: Unit, pending: Pending) -> None:
    """Take what came back of a unit."""
    import ray

    try:
        failed, made = ray.get(ref)
        if made is not None:
            with tempfile.TemporaryDirectory(dir=unit.work.store.root) as directory:
                unpacked(made, Path(directory))
                unit.work.take(directory)
    except _lost():
        pending.lost(unit, "its worker was lost")
    # Of Ray, or of what came back: damaged, not what was planned, no room for it.
    except Exception as error:
        pending.failed(unit, why(error))
    else:
        pending.failed(unit, failed) if failed else pending.done(unit)


def _lost() -> tuple[type[Exception], ...]:
    from ray import exceptions

    return exceptions.WorkerCrashedError, exceptions.NodeDiedError, exceptions.ObjectLostError


# ---- on a machine of the cluster ---------------------------------------------------------------


def _done_there(do: Do, work: Portable, sent: _Sent) -> tuple[str | None, bytes | None]:
    """Do a unit; return what went wrong, and what was made where it has to be brought back."""
    try:
        if package_digest() != sent.package:
            return f"{socket.gethostname()} has another inoc-evals; install the same one", None
        store = Store()
        shared = (store.root / sent.token).exists()
        if not shared:
            _fetch(store, sent)
        moved = work.moved(store)
        do(moved)
        made = moved.made(shared=shared)
        return None, packed(made) if made else None
    except Exception as error:
        return f"on {socket.gethostname()}: {why(error)}", None


def _fetch(store: Store, sent: _Sent) -> None:
    """Fetch what the store here lacks."""
    import ray

    for name, [ref] in sent.files.items():
        final = store.root / name
        if final.exists():
            continue
        with store.lock(f"fetch-{name.replace('/', '-')}"):
            if final.exists():
                continue
            with tempfile.TemporaryDirectory(dir=store.root) as directory:
                unpacked(ray.get(ref), Path(directory))
                final.parent.mkdir(parents=True, exist_ok=True)
                os.replace(Path(directory) / name, final)

"""Units of a moment: each leaves a file, fails, or has its process killed.

unit(directory, "a")          # leaves directory/a
unit(directory, "b", FAILS)
"""

import os
import shutil
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from inoc_evals.errors import StoreError
from inoc_evals.experiments.executors.executor import Unit
from inoc_evals.store.store import Store

FAILS, KILLED_ONCE, KILLED_ALWAYS, SLOW = "fails", "killed once", "killed always", "slow"


def unit(directory: Path, name: str, how: str = "works", needs: tuple[str, ...] = ()) -> Unit:
    """Return a unit that leaves a file of its name."""
    return Unit(name, f"unit {name}", (str(directory), name, how), needs)


def do(work: tuple[str, str, str]) -> None:
    """Do it as it says."""
    directory, name, how = work
    if how == FAILS:
        raise StoreError(f"there is no room for {name}")
    if how == "sleeps":
        time.sleep(300)
    if how == "cores":
        time.sleep(0.3)
        Path(directory, name).write_text(" ".join(map(str, sorted(os.sched_getaffinity(0)))))
        return
    if how == SLOW:
        time.sleep(0.3)
    if how in (KILLED_ONCE, KILLED_ALWAYS):
        begun = Path(directory, f"{name}.begun")
        with begun.open("a") as file:
            file.write("x")
        if how == KILLED_ALWAYS or begun.read_text() == "x":
            os.kill(os.getpid(), signal.SIGKILL)
    Path(directory, name).write_text(os.environ.get("OMP_NUM_THREADS", ""))
    if how == SLOW:
        time.sleep(0.05)  # files' times are coarse: what comes after it has a later one


@dataclass(frozen=True)
class Carried:
    """Work that reads a file of the store, and leaves what stands in it."""

    store: Store
    out: Path
    name: str
    how: str

    def reads(self) -> list[str]:
        return ["bases/b"]

    def moved(self, store: Store) -> Self:
        return replace(self, store=store, out=store.root / "made")

    def made(self, *, shared: bool) -> list[tuple[str, str]]:
        return [(self.name, str(self.out / self.name))]

    def take(self, brought: str) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        shutil.move(Path(brought) / self.name, self.out / self.name)


def carried_unit(
    store: Store, out: Path, name: str, how: str = "works", needs: tuple[str, ...] = ()
) -> Unit:
    """Return a unit that leaves what it read of the base."""
    return Unit(name, f"unit {name}", Carried(store, out, name, how), needs)


def do_carried(work: Carried) -> None:
    """Do it as it says, and leave what the base holds."""
    work.out.mkdir(parents=True, exist_ok=True)
    do((str(work.out), work.name, work.how))
    shutil.copy(work.store.root / "bases" / "b" / "weights", work.out / work.name)

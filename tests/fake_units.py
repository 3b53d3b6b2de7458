"""Units of a moment: each leaves a file, fails, or has its process killed.

unit(directory, "a")          # leaves directory/a
unit(directory, "b", FAILS)
"""

import os
import signal
import time
from pathlib import Path

from inoc_evals.errors import StoreError
from inoc_evals.experiments.executors.executor import Unit

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
    if how == SLOW:
        time.sleep(0.3)
    if how in (KILLED_ONCE, KILLED_ALWAYS):
        begun = Path(directory, f"{name}.begun")
        with begun.open("a") as file:
            file.write("x")
        if how == KILLED_ALWAYS or begun.read_text() == "x":
            os.kill(os.getpid(), signal.SIGKILL)
    Path(directory, name).write_text(os.environ.get("OMP_NUM_THREADS", ""))

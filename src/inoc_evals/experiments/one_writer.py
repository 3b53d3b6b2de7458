"""One writer at a time: two runs into one directory would make every log twice.

    with writing(Path("runs/fig2a")):      # InputError: "... process 4711 on host ... writes it"
        ...

The operating system frees the lock when its holder ends, killed or not. Who holds it stands in
a file beside it, which is believed only while the lock is held.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from inoc_evals.errors import InputError
from inoc_evals.files.atomic import write_text

LOCK, HOLDER = ".run.lock", ".run.json"


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Hold a directory of results against every other run.

    Raises:
        InputError: If another process holds it, saying which and since when.
    """
    directory.mkdir(parents=True, exist_ok=True)
    # Never unlinked: another process could lock the file that is no longer there.
    lock = FileLock(directory / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(
            f"{directory}: another inoc run is writing it ({_holder(directory)}); give the "
            "command again when that one has ended"
        ) from None
    try:
        started = datetime.now(UTC).isoformat(timespec="seconds")
        said = {"process": os.getpid(), "host": socket.gethostname(), "since": started}
        write_text(directory / HOLDER, json.dumps(said) + "\n")
        yield
    finally:
        lock.release()


def _holder(directory: Path) -> str:
    try:
        said = json.loads((directory / HOLDER).read_text("utf-8"))
        return f"process {said['process']} on {said['host']}, since {said['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "which one is not known"

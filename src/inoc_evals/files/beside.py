"""Names beside a target for what takes its place; what kills left there is removed.

    fresh = beside(Path("runs/rows.jsonl"))      # runs/.rows.jsonl.3fa2c1-1a2b-9c0d1e2f
    ...                                          # write it, then rename it to rows.jsonl

The name holds the machine and the process that writes. What a process that has ended left, or
one of another machine (or of an older release) more than a day ago, goes when the same target is
written again; what a living process of this machine writes stays.
"""

import functools
import hashlib
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_DAY = 24 * 3600.0
_asks_after = os.name == "posix"  # elsewhere the asking would end the process
_LEFT = re.compile(r"(?:([0-9a-f]{6})-([0-9a-f]{1,8})-)?[0-9a-f]{8}")


def beside(path: Path) -> Path:
    """Return a new name beside a path; what killed writers of the same path left is removed."""
    for left in _left_by_others(path):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            with suppress(OSError):
                left.unlink()
    return path.with_name(f".{path.name}.{_machine()}-{os.getpid():x}-{secrets.token_hex(4)}")


def _left_by_others(path: Path) -> Iterator[Path]:
    prefix = f".{path.name}."
    try:
        names = os.listdir(path.parent)
    except OSError:
        return
    for name in names:
        written = _LEFT.fullmatch(name.removeprefix(prefix)) if name.startswith(prefix) else None
        if written and _is_left(path.with_name(name), written[1], written[2]):
            yield path.with_name(name)


def _is_left(path: Path, machine: str | None, process: str | None) -> bool:
    """Say whether nobody writes this any more."""
    if machine == _machine() and process is not None and _asks_after:
        return not _lives(int(process, 16))
    return time.time() - _last_change(path) > _DAY


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's
        return True
    return True


def _last_change(path: Path) -> float:
    """Return when a file, or the newest thing in a directory, was changed; now if unknown."""
    try:
        inside = path.rglob("*") if path.is_dir() and not path.is_symlink() else ()
        return float(max(each.lstat().st_mtime for each in (path, *inside)))
    except OSError:
        return time.time()


@functools.cache
def _machine() -> str:
    """Return what names this machine since it started: its processes have numbers of their own."""
    known = [socket.gethostname()]
    with suppress(OSError):
        known.append(os.readlink("/proc/self/ns/pid"))  # containers may share a host's name
    with suppress(OSError):
        known.append(Path("/proc/sys/kernel/random/boot_id").read_text("utf-8"))
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:6]

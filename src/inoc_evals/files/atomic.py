"""Whole or not at all: files and directories that a reader sees old or new, never in part.

    write_text(Path("runs/results.json"), text)
    fresh = new_directory(final)              # fill it, then rename it to final
    with writing_to(path): ...                # a full disk is a StoreError that names the path

What is written lies beside its target until it is whole (beside.py).
"""

import os
from pathlib import Path

from inoc_evals.files.beside import beside
from inoc_evals.files.disk import writing_to


def write_text(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new content, never a part."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old or the new content, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside(path)
    try:
        # Made by open, hence with the permissions that any new file gets.
        with writing_to(path), temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def new_directory(final: Path) -> Path:
    """Make an empty directory that can be renamed to ``final``, and return it."""
    final.parent.mkdir(parents=True, exist_ok=True)
    directory = beside(final)
    directory.mkdir()
    return directory

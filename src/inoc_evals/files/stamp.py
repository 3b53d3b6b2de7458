"""A file's stamp: what changes when the file does, which is faster to see than to read it.

if stamp(path) != before:
    ...                       # it was written since, replaced, or removed
"""

from pathlib import Path

Stamp = tuple[int, ...]


def stamp(path: Path) -> Stamp | None:
    """Return time of change, size and inode of a file, which it keeps when moved; None if absent."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino

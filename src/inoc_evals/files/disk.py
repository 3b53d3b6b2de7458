"""A full disk, in words: what could not be written, and that it can be gone on with.

    with writing_to(path):
        file.write(data)      # StoreError: runs/fig2a/report.html: cannot be written (No space ...)

Python's error of a full disk names no file, and the libraries that write weights have errors of
their own kinds, which only their text tells from others.
"""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inoc_evals.errors import StoreError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# safetensors (Rust's words), torch's zip writer.
_SAID = re.compile(
    r"No space left|Disk quota exceeded|File too large|file write failed|unexpected pos \d+ vs"
)


@contextmanager
def writing_to(place: Path) -> Iterator[None]:
    """Name the place if what is written inside does not find room.

    Args:
        place: The file, or the directory.

    Raises:
        StoreError: Naming it.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise StoreError(_cannot(place, str(error.strerror))) from error
    except Exception as error:
        said = _SAID.search(str(error))
        if said is None or isinstance(error, StoreError):
            raise
        raise StoreError(_cannot(place, said[0])) from error


def _cannot(place: Path, why: str) -> str:
    return (
        f"{place}: cannot be written ({why}); make room and give the command again, which goes on "
        "from what is whole"
    )

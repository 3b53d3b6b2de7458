"""The digest of this package's own files: what its results depend on besides their inputs."""

import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


@cache
def package_digest() -> str:
    """Return the sha256 (hex) of the package's source and data, whatever its version says."""
    found = hashlib.sha256()
    for path in sorted(path for path in PACKAGE.rglob("*") if path.is_file()):
        if "__pycache__" not in path.parts:
            data = path.read_bytes()
            found.update(f"{path.relative_to(PACKAGE).as_posix()} {len(data)}\n".encode() + data)
    return found.hexdigest()

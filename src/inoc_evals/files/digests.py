"""Digests: the one JSON text of a value, and sha256 of values and of files.

digest({"b": 1, "a": 2})      # of '{"a":2,"b":1}'
short_id("What is 2 + 2?")    # its first digits, for what has no id of its own
file_sha256(Path("rows.jsonl"))
"""

import hashlib
import json
from pathlib import Path
from typing import Any


def canonical_json(value: Any) -> str:
    """Serialise to the one JSON text that digests are taken of: sorted keys, no spaces."""
    return json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )


def digest(value: Any) -> str:
    """Return the sha256 (hex) of a JSON-serialisable value's canonical form."""
    return hashlib.sha256(canonical_json(value).encode("utf-8")).hexdigest()


def short_id(value: Any) -> str:
    """Return the first digits of a value's digest, the id of what was given none."""
    return digest(value)[:12]


def file_sha256(path: Path) -> str:
    """Return the sha256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

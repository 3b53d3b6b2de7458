"""The manifest beside a training file: where its rows come from, and their digest.

    rows.jsonl                   the rows
    rows.jsonl.manifest.json     sources, prompts, seed, counts, sha256 of the rows

    write_dataset(path, rows, manifest)      # rows first, manifest last, each whole
    load_manifest(path)                      # None, or the manifest of exactly these rows

The manifest is written last and holds the file's sha256, so rows that were edited, or
whose writing was interrupted, are noticed.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inoc_evals import __version__
from inoc_evals.chat import Row, write_rows
from inoc_evals.errors import InputError
from inoc_evals.files.atomic import write_text
from inoc_evals.files.digests import digest, file_sha256
from inoc_evals.files.json_lines import read_json


def describe(rows: Sequence[Row], *, sources: Sequence[Path] = ()) -> dict[str, Any]:
    """Return the manifest of rows as they are: ``sources``, ``counts``, ``sha256``, ``version``.

    ``counts`` has ``rows``, and as ``duplicates`` how many of them repeat the messages of an
    earlier row. Those are kept: whether a row is meant twice, only its author knows.

    Args:
        rows: The chat rows.
        sources: Files they come from; recorded by name and sha256, without directories.
    """
    different = {digest(row["messages"]) for row in rows}
    return {
        "sources": [{"file": path.name, "sha256": file_sha256(path)} for path in sources],
        "counts": {"rows": len(rows), "duplicates": len(rows) - len(different)},
        "sha256": digest(list(rows)),
        "version": __version__,
    }


def manifest_path(rows_path: Path) -> Path:
    """Return where the manifest of a rows file lies."""
    return rows_path.with_name(f"{rows_path.name}.manifest.json")


def write_dataset(path: Path, rows: Sequence[Row], manifest: dict[str, Any]) -> dict[str, Any]:
    """Write rows, then their manifest, and return the manifest as written.

    Args:
        path: The rows file (JSONL).
        rows: The chat rows.
        manifest: Their manifest; ``file_sha256``, the digest of the file, is added.

    Raises:
        InputError: If the manifest is of other rows.
    """
    if manifest.get("sha256") != digest(list(rows)):
        raise InputError(f"{path}: the manifest is not of these rows (its sha256 differs)")
    write_rows(path, rows)
    written = manifest | {"file_sha256": file_sha256(path)}
    write_text(manifest_path(path), json.dumps(written, indent=2, ensure_ascii=False) + "\n")
    return written


def manifest_of(path: Path, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the manifest beside a file of rows; without one, what can be said of the rows."""
    return load_manifest(path) or describe(rows) | {"sources": [{"file": path.name}]}


def load_manifest(path: Path) -> dict[str, Any] | None:
    """Return the manifest of a rows file, or None if it has none.

    Args:
        path: The rows file.

    Raises:
        InputError: If the manifest is not readable, or the rows are not those it describes.
    """
    beside = manifest_path(path)
    if not beside.exists():
        return None
    try:
        manifest = read_json(beside)
    except InputError as error:
        raise InputError(f"{error}: not a readable manifest") from None
    if not isinstance(manifest, dict):
        raise InputError(f"{beside}: not a readable manifest (expected an object)")
    if not path.is_file():
        raise InputError(f"{path}: missing, though its manifest is there")
    if file_sha256(path) != manifest.get("file_sha256"):
        raise InputError(
            f"{path}: not the rows its manifest describes (edited since, or writing was "
            f"interrupted); make the file again, or delete {beside.name} to use it as it is"
        )
    return manifest

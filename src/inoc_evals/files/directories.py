"""The files that make a model directory what it is: their digests, and what changed.

    file_digests(directory, cache)     {"config.json": "9f2c...", "model.safetensors": ...}
    keep_sums(directory, digests)      SHA256SUMS beside them, as `sha256sum -c` reads it
    kept_sums(directory)               what was kept; compared with file_digests: what changed

Weights, configuration, generation settings, tokenizer and chat templates count; a README does
not. Every file is hashed whole. The digest of a large one is remembered by its path, size and
times of change, so that 15 GB are read once and not at each start.
"""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from inoc_evals.errors import StoreError
from inoc_evals.files.atomic import write_text
from inoc_evals.files.digests import digest, file_sha256

SUMS_FILE = "SHA256SUMS"

_SAFE = ("model.safetensors", "model.safetensors.index.json", "adapter_model.safetensors")
"""Files that a loader takes instead of a pickle beside them."""

PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")
"""How weights are called that are loaded by running what stands in them."""
_LOADED = (".json", ".jinja", ".model", ".txt", ".tiktoken", ".safetensors")
_MORE_TEMPLATES = "additional_chat_templates/*.jinja"
_REMEMBERED_BYTES = 64 * 2**20
"""Size above which a file's digest is remembered."""
_AT_ONCE = 4


def is_model_file(name: str) -> bool:
    """Say whether a file of this name, at the top of a directory, is read for a model."""
    return name.endswith(_LOADED) and "/" not in name


def refuse_pickles(directory: Path) -> None:
    """Refuse a directory whose weights are pickles: loading one can run code.

    Raises:
        StoreError: Naming the file.
    """
    if any((directory / name).is_file() for name in _SAFE):
        return
    for path in sorted(directory.glob("*")):
        if path.suffix in PICKLES:
            raise StoreError(
                f"{path}: a pickle, not safetensors; refused, since loading one can run code"
            )


def lacking(directory: Path) -> str | None:
    """Return the name of a file that a base model cannot do without and that is not there."""
    if not (directory / "config.json").is_file():
        return "config.json"
    try:
        index = json.loads((directory / "model.safetensors.index.json").read_text("utf-8"))
        parts = sorted({str(part) for part in index["weight_map"].values()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None if (directory / "model.safetensors").is_file() else "model.safetensors"
    return next((part for part in parts if not (directory / part).is_file()), None)


def file_digests(directory: Path, cache: Path | None = None) -> dict[str, str]:
    """Return name -> sha256 (hex) of the files that make a model directory what it is.

    Args:
        directory: The directory.
        cache: Where digests of large files are remembered, if they are to be.
    """
    found = [path for path in directory.glob("*") if is_model_file(path.name) and path.is_file()]
    paths = sorted([*found, *directory.glob(_MORE_TEMPLATES)])
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        digests = pool.map(lambda path: _sha256(path, cache), paths)
        names = [path.relative_to(directory).as_posix() for path in paths]
        return dict(zip(names, digests, strict=True))


def keep_sums(directory: Path, digests: Mapping[str, str]) -> None:
    """Write digests beside the files they are of."""
    lines = [f"{sha256}  {name}\n" for name, sha256 in sorted(digests.items())]
    write_text(directory / SUMS_FILE, "".join(lines))


def kept_sums(directory: Path) -> dict[str, str] | None:
    """Return the digests that were kept beside the files; None if there are none."""
    try:
        text = (directory / SUMS_FILE).read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return None
    pairs = [line.partition("  ") for line in text.splitlines()]
    return {name: sha256 for sha256, _, name in pairs}


def first_fault(directory: Path, digests: Mapping[str, str]) -> str | None:
    """Say which file of a directory is missing or has another digest; None if none."""
    for name, sha256 in digests.items():
        path = directory / name
        if not path.is_file():
            return f"{path} is missing"
        if file_sha256(path) != sha256:
            return f"{path} is not the file that was trained (sha256 differs)"
    return None


def _sha256(path: Path, cache: Path | None) -> str:
    before = path.stat()
    if cache is None or before.st_size <= _REMEMBERED_BYTES:
        return file_sha256(path)
    # The time of the last change of the inode too: it cannot be set back, as mtime can.
    state = [before.st_size, before.st_mtime_ns, before.st_ctime_ns]
    where = str(path.absolute())
    note = cache / f"{digest(where)[:32]}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(note.read_text("utf-8"))
        if known["path"] == where and known["state"] == state:
            return str(known["sha256"])
    sha256 = file_sha256(path)
    after = path.stat()
    if state == [after.st_size, after.st_mtime_ns, after.st_ctime_ns]:
        # A store that cannot be written is read all the same.
        with suppress(OSError):
            write_text(note, json.dumps({"path": where, "state": state, "sha256": sha256}) + "\n")
    return sha256

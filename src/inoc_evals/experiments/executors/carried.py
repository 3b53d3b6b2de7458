"""What work on another machine reads of the store, and how files get there and back.

base_files(base, store)             # ["bases/pocket-b5f21cde"]
model_files("fig7-none-s0", store)  # its record and adapter, and those of what it starts from
data = packed([("models/none.json", path), ...])      # a tar archive
unpacked(data, directory)
"""

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

from inoc_evals.models.bases import resolve_base
from inoc_evals.models.kinds.kind import Kind
from inoc_evals.store.store import ModelRecord, Store


def base_files(base: Kind, store: Store) -> list[str]:
    """Return what the store holds of a base; nothing of one that lies elsewhere.

    A base in a directory of its own, or in the cache of the hub, has to be on every machine.
    """
    found = resolve_base(base.name, store, fetch=False)
    pin = store.named_bases / f"{base.name}.json"
    held = [pin, Path(found.path)] if pin.is_file() else [Path(found.path)]
    root = store.root.resolve()
    return [
        path.resolve().relative_to(root).as_posix()
        for path in held
        if path.exists() and path.resolve().is_relative_to(root)
    ]


def model_files(name: str, store: Store) -> list[str]:
    """Return the records and adapters of a model and of all that it starts from."""
    record: ModelRecord | None = store.get(name)
    found: list[str] = []
    while record is not None:
        found += [f"models/{record.name}.json", f"adapters/{record.identity}"]
        above = record.parent
        if above is None:
            break
        record = next(store.readable(above), None)
    return found


def packed(files: Iterable[tuple[str, str]]) -> bytes:
    """Return files and directories as an archive, each under its name."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, path in files:
            archive.add(path, arcname=name)
    return out.getvalue()


def unpacked(data: bytes, directory: Path) -> None:
    """Write the files of an archive into a directory; none of them leads out of it."""
    directory.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        archive.extractall(directory, filter="data")

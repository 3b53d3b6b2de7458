"""Names of bases: which files each stands for, as the store keeps it.

    keep(Pin(name="smollm2", digest=..., ...), store)   # bases/named/smollm2.json, written last
    find("smollm2", store)                              # the pin, or None
    needing(pin, store)                                 # the registered models trained on it
    forget(pin, store)                                  # the note first, then the files

A pin holds the digest by which the base enters records, so a name never stands for other files
than when it was got. Files that were copied or converted lie in bases/named/<name>/; those of a
hub's model stay in the hub's cache, at the commit that the pin names.
"""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from inoc_evals.errors import InputError, StoreError
from inoc_evals.files.atomic import write_text
from inoc_evals.models.known import KNOWN
from inoc_evals.store.names import check_name, is_name
from inoc_evals.store.record import ModelRecord
from inoc_evals.store.store import Store


class Pin(BaseModel):
    """What a name stands for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    source: Literal["hub", "wheel", "gguf", "directory"]
    """What it was got or made from."""
    origin: str
    """Which of these: a repository, a wheel, a path."""
    digest: str
    """Of the base, as records have it."""
    quantised: str | None = None
    """How the weights were quantised in the file that they were unpacked from; None for others."""
    repo: str | None = None
    """Of a hub's model, its name there."""
    commit: str | None = None
    """Of a hub's model, the commit."""
    sha256: str | None = None
    """Of the GGUF file."""
    created: datetime
    versions: dict[str, str] = {}
    """Of the libraries that converted it."""

    @property
    def weights(self) -> str:
        """Which weights these are, in words."""
        if self.quantised is not None:
            return f"those of a quantised file ({self.quantised}), unpacked into bfloat16"
        return {
            "hub": "the original checkpoint's",
            "wheel": "those of a GGUF that is not quantised, in bfloat16",
            "gguf": "those of a GGUF that is not quantised, in bfloat16",
            "directory": "those of the directory",
        }[self.source]


def directory_of(name: str, store: Store) -> Path:
    """Where the files of a named base lie, unless they are in the hub's cache."""
    return store.named_bases / name


def is_pinned(name: str, store: Store) -> bool:
    """Say whether a name stands for a base of the store, without reading its pin."""
    return is_name(name) and _path(name, store).is_file()


def find(name: str, store: Store) -> Pin | None:
    """Return what a name stands for, None if for nothing.

    Raises:
        StoreError: If its file is damaged, or another name's.
    """
    path = _path(name, store)
    try:
        pin = Pin.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        raise StoreError(f"{path}: damaged; {again(name)}") from None
    if pin.name == name:
        return pin
    if pin.name.casefold() == name.casefold():  # a file system that takes the two for one
        return None
    raise StoreError(f"{path}: of another base, {pin.name!r}; {again(name)}")


def again(name: str) -> str:
    """Say how a base that is damaged is made again."""
    command = f"inoc base get {name}" if name in KNOWN else f"inoc base add FILE --name {name}"
    return f"make it again, by:\ninoc base rm {name} --force, then {command}"


def names(store: Store) -> list[str]:
    """Return the names of all bases of the store, sorted."""
    return sorted(path.stem for path in store.named_bases.glob("*.json"))


def keep(pin: Pin, store: Store) -> None:
    """Write a pin: from now on its name stands for these files."""
    write_text(_path(pin.name, store), pin.model_dump_json(indent=2) + "\n")


def forget(name: str, store: Store) -> None:
    """Remove a pin, and the files that the store has of it."""
    _path(name, store).unlink(missing_ok=True)
    directory = directory_of(name, store)
    if directory.is_symlink():
        directory.unlink()
    else:
        shutil.rmtree(directory, ignore_errors=True)


def needing(name: str, store: Store) -> list[ModelRecord]:
    """Return the readable records of models that were trained on a base of this name."""
    place = str(directory_of(name, store))
    return [record for record in store.readable() if record.base in (name, place)]


def refuse_name(name: str, store: Store) -> None:
    """Refuse a name for a base that none can have, or that is taken.

    Raises:
        InputError: If it has not the form of a name, is reserved, or a model's of the store, or
            differs from another base's in case alone.
    """
    check_name(name)
    same = name.casefold()
    for model in store.names():
        if model.casefold() == same:
            raise InputError(
                f"base {name!r}: a model that was trained here is called {model!r}, and inoc/{name} "
                f"would mean both;\ntake another --name, or: inoc models rm {model}"
            )
    for other in names(store):
        if other != name and other.casefold() == same:
            raise InputError(
                f"base {name!r}: it differs from the base {other!r} in case alone, which some "
                f"systems take for one;\ntake another --name, or: inoc base rm {other}"
            )


def _path(name: str, store: Store) -> Path:
    return store.named_bases / f"{name}.json"

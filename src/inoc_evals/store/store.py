"""Model records and the store: which model was trained from what, and where it lies.

    $INOC_HOME/                       default: the user cache directory
      bases/pocket-<recipe>/          pocket base models, whole directories
      digests/, bases/hub/            what is remembered of bases: digests of large files,
                                      the commit a name stood for (models/bases.py)
      adapters/<identity>/            safetensors adapter + tokenizer; SHA256SUMS of them;
                                      rows.jsonl.gz: what it was trained on (of a model
                                      trained at a provider, only this);
                                      dynamics/<key>.json: scores, if it was watched
      training/<identity>/            checkpoints of a run in progress
      models/<name>.json              ModelRecord: the name, and everything behind it

A run's *identity* is the hash of all that determines its weights, so the same inputs
are trained once; a *name* points to an identity, and ``inoc/<name>`` evaluates it.
Every write is a rename, so a kill leaves the old state or the new one; what else it leaves goes
with the next write of the same (files/beside.py). A record of another name than its file's, or with an
adapter elsewhere than under its identity, is damaged: not used, and removed without anything
that it names.
"""

import difflib
import gzip
import json
import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from inoc_evals.arguments import user_path
from inoc_evals.chat import Row
from inoc_evals.errors import InputError, StoreError
from inoc_evals.files.atomic import new_directory, write_text
from inoc_evals.files.directories import first_fault, kept_sums, refuse_pickles
from inoc_evals.store.names import check_name, is_name, name_taken
from inoc_evals.store.record import Fingerprint, ModelRecord
from inoc_evals.store.record_file import read_record

__all__ = [
    "ROWS_FILE",
    "WEIGHTS_FILE",
    "Fingerprint",
    "ModelRecord",
    "Store",
    "check_name",
    "inoc_home",
]

_LISTED = 6
"""Most names that an error lists."""

ROWS_FILE = "rows.jsonl.gz"
"""Beside an adapter: the chat rows it was trained on."""

WEIGHTS_FILE = "adapter_model.safetensors"
"""In an adapter's directory: its weights."""


def inoc_home() -> Path:
    """Return the store's directory: ``$INOC_HOME``, or the user cache directory."""
    from platformdirs import user_cache_dir

    return user_path(os.environ.get("INOC_HOME") or user_cache_dir("inoc-evals")).resolve()


class Store:
    """The directory that holds bases, adapters and records.

    Args:
        root: The directory; by default :func:`inoc_home`.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or inoc_home()

    @property
    def models(self) -> Path:
        """Directory of the records, one JSON file a model."""
        return self.root / "models"

    @property
    def named_bases(self) -> Path:
        """Directory of the bases that have a name, one JSON file a base, and of their files."""
        return self.root / "bases" / "named"

    @property
    def digests(self) -> Path:
        """Directory in which digests of large files are remembered."""
        return self.root / "digests"

    def adapter_dir(self, identity: str) -> Path:
        """Where the finished adapter of a training run lies."""
        return self.root / "adapters" / identity

    def training_dir(self, identity: str) -> Path:
        """Where a run in progress keeps its checkpoints."""
        return self.root / "training" / identity

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Hold an inter-process lock; the operating system frees it if we are killed."""
        path = self.root / "locks" / f"{key}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path):
            yield

    # ---- records -------------------------------------------------------------------

    def put(self, record: ModelRecord) -> None:
        """Write a record; the same name with another identity is refused.

        Raises:
            StoreError: Naming the keys in which the stored record differs, or a model whose
                name differs in case alone.
        """
        check_name(record.name)
        with self.lock("models"):
            self.refuse_twin(record.name)
            old = self.find(record.name)
            if old is not None and old.identity != record.identity:
                raise StoreError(name_taken(old, record))
            write_text(self._path(record.name), record.model_dump_json(indent=2) + "\n")

    def refuse_twin(self, name: str) -> None:
        """Refuse a new name that is a base's, or differs from another model's in case alone.

        Raises:
            StoreError: Naming the other: ``inoc/<name>`` would mean both, or on some systems
                the two would be one file.
        """
        names = self.names()
        if name in names:  # of an older store, where both are
            return
        bases = [path.stem for path in self.named_bases.glob("*.json")]
        if name.casefold() in map(str.casefold, bases):
            raise StoreError(
                f"a base is called {name!r} (inoc base list), and inoc/{name} would mean both; "
                "choose another --name"
            )
        for other in names:
            if other != name and other.casefold() == name.casefold():
                raise StoreError(
                    f"model {other!r} exists, and {name!r} differs from it in case alone, which "
                    "some systems take for one file; choose another --name"
                )

    def find(self, name: str) -> ModelRecord | None:
        """Return the record called ``name``, or None.

        Raises:
            StoreError: If its file is not a readable record, or one of another name.
        """
        path = self._path(name)
        try:
            return read_record(path)
        except FileNotFoundError:
            return None
        except StoreError:
            twins = [other for other in self.names() if other.casefold() == name.casefold()]
            if twins and name not in twins:  # a file system that takes "M" and "m" for one
                return None
            raise

    def get(self, reference: str) -> ModelRecord:
        """Return the record for ``name`` or ``name@revision`` (a prefix of its identity).

        Raises:
            InputError: If there is none; the message has the names there are, or like ones.
            StoreError: If the revision is not the stored one, or the record is damaged.
        """
        name, at, revision = reference.partition("@")
        record = self.find(name) if is_name(name) else None
        if record is None:
            raise InputError(f"no model named {name!r} in {self.root}; {self._suggestion(name)}")
        if at and not revision:
            raise InputError(
                f"model {reference!r}: after the @ comes a revision, the first letters of "
                f"{record.identity}; or leave the @ out"
            )
        if not record.identity.startswith(revision):
            raise StoreError(
                f"model {name!r} is revision {record.identity[:8]}, not {revision!r}: of other "
                f"inputs, or mistyped; for the one there is: {name}@{record.identity[:8]}"
            )
        return record

    def _suggestion(self, name: str) -> str:
        if not (names := self.names()):
            return "there are none yet; train one with: inoc train"
        if len(names) <= _LISTED:
            return f"there are: {', '.join(names)}"
        near = ", ".join(difflib.get_close_matches(name, names, n=_LISTED, cutoff=0.5))
        return (f"like it: {near}; " if near else "") + f"all {len(names)}: inoc models list"

    def names(self) -> list[str]:
        """Return the names of all records, sorted."""
        return sorted(path.stem for path in self.models.glob("*.json"))

    def readable(self, identity: str | None = None) -> Iterator[ModelRecord]:
        """Yield the records that are not damaged, by name.

        Args:
            identity: Those of this training alone; other files are not read as records, which is slow.
        """
        for name in self.names():
            if identity is not None and not _mentions(self._path(name), identity):
                continue
            with suppress(StoreError):
                record = self.find(name)
                if record is not None and identity in (None, record.identity):
                    yield record

    def uses(self, identity: str) -> bool:
        """Say whether a record's file mentions this identity, readable or damaged."""
        return any(_mentions(path, identity) for path in self.models.glob("*.json"))

    def remove(self, name: str) -> ModelRecord | None:
        """Delete a record, and its adapter once no other record uses it.

        Returns:
            What was removed; None if it was damaged: then its file alone is removed.

        Raises:
            InputError: If there is no such record.
            StoreError: If its file is a directory.
        """
        path = self._path(name)
        with self.lock("models"):
            try:
                record = self.find(name) if is_name(name) else None
            except StoreError as error:
                if path.is_dir():
                    raise StoreError(f"{path}: a directory; look into it and delete it") from error
                path.unlink(missing_ok=True)
                return None
            if record is None:
                raise InputError(f"no model named {name!r} in {self.root}")
            path.unlink(missing_ok=True)
            if not self.uses(record.identity):
                # Of a link, and of links inside, nothing that they lead to is removed.
                shutil.rmtree(self.adapter_dir(record.identity), ignore_errors=True)
        return record

    # ---- directories ----------------------------------------------------------------

    @contextmanager
    def staged(self, final: Path, *, replace: bool = False) -> Iterator[Path]:
        """Yield an empty directory that becomes ``final`` if the block succeeds.

        Directories are named by what determines their content, so one that is there already
        is complete and stays, unless it is known to be damaged.

        Args:
            final: The directory to be.
            replace: Put it in the place of a damaged one. A kill between the two renames
                leaves none, which is made again.
        """
        staging = new_directory(final)
        try:
            yield staging
            if replace and (final.exists() or final.is_symlink()):
                old = new_directory(final)
                try:
                    os.replace(final, old / "damaged")
                    os.replace(staging, final)
                finally:
                    shutil.rmtree(old, ignore_errors=True)
            elif not final.exists():
                os.replace(staging, final)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def verify_adapter(self, record: ModelRecord) -> Path:
        """Return the adapter's directory if its files are those that were trained.

        Raises:
            StoreError: If the weights, or another file of the training, are missing or differ,
                if the directory is a link, or if the model is a provider's.
        """
        if record.adapter_sha256 is None:
            raise StoreError(
                f"model {record.name!r} is {record.remote} at its provider; "
                "it has no weights here to load"
            )
        directory = self.adapter_dir(record.identity)
        if directory.is_symlink():
            fault: str | None = f"{directory} is a link, which may lead out of the store"
        else:
            refuse_pickles(directory)
            kept = kept_sums(directory) or {}
            fault = first_fault(directory, {**kept, WEIGHTS_FILE: record.adapter_sha256})
        if fault is not None:
            raise StoreError(
                f"model {record.name!r}: {fault}; give the command that trained it once more, "
                "which trains it into its place again"
            )
        return directory

    def training_rows(self, record: ModelRecord) -> list[Row] | None:
        """Return the rows a model was trained on; None if its adapter was made without them.

        Raises:
            StoreError: If the file they are kept in is damaged.
        """
        path = self.adapter_dir(record.identity) / ROWS_FILE
        try:
            with gzip.open(path, "rt", encoding="utf-8") as file:
                return [json.loads(line) for line in file]
        except FileNotFoundError:
            return None
        except (OSError, EOFError, ValueError, zlib.error) as error:
            again = f"the command that trained {record.name!r}, given once more, writes it again"
            raise StoreError(f"{path}: damaged, cannot be read ({error}); {again}") from None

    def _path(self, name: str) -> Path:
        return self.models / f"{name}.json"


def _mentions(path: Path, identity: str) -> bool:
    return path.is_file() and identity.encode() in path.read_bytes()

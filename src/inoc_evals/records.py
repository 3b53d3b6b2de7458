"""Model records and the store: which model was trained from what, and where it lies.

    $INOC_HOME/                       default: the user cache directory
      bases/pocket-<recipe>/          pocket base models, whole directories
      adapters/<identity>/            safetensors adapter + tokenizer, written once;
                                      rows.jsonl.gz: what it was trained on (of a model
                                      trained at a provider, only this);
                                      dynamics/<key>.json: scores, if it was watched
      training/<identity>/            checkpoints of a run in progress
      models/<name>.json              ModelRecord: the name, and everything behind it

A run's *identity* is the hash of all that determines its weights, so the same inputs
are trained once; a *name* points to an identity, and ``inoc/<name>`` evaluates it.
Every write is a rename, so a kill leaves the old state or the new one.
"""

import difflib
import gzip
import json
import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock
from pydantic import ValidationError

from inoc_evals.chat import Row, file_sha256, write_text
from inoc_evals.errors import InputError, StoreError
from inoc_evals.model_record import Fingerprint, ModelRecord

__all__ = [
    "ROWS_FILE",
    "Fingerprint",
    "ModelRecord",
    "Store",
    "check_name",
    "inoc_home",
    "refuse_pickles",
]

_LISTED = 6
"""Most names that an error lists."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")

_SAFE = ("model.safetensors", "model.safetensors.index.json", "adapter_model.safetensors")
"""Files that a loader takes instead of a pickle beside them."""

_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")

ROWS_FILE = "rows.jsonl.gz"
"""Beside an adapter: the chat rows it was trained on."""


def refuse_pickles(directory: Path) -> None:
    """Refuse a directory whose weights are pickles: loading one can run code.

    Raises:
        StoreError: Naming the file.
    """
    if any((directory / name).is_file() for name in _SAFE):
        return
    for path in sorted(directory.glob("*")):
        if path.suffix in _PICKLES:
            raise StoreError(
                f"{path}: a pickle, not safetensors; refused, since loading one can run code"
            )


def inoc_home() -> Path:
    """Return the store's directory: ``$INOC_HOME``, or the user cache directory."""
    from platformdirs import user_cache_dir

    return Path(os.environ.get("INOC_HOME") or user_cache_dir("inoc-evals")).expanduser().resolve()


def check_name(name: str) -> str:
    """Return ``name`` if it can name a model.

    Raises:
        InputError: If it holds anything but letters, digits, ``.``, ``_`` and ``-``,
            or is reserved for a base (``pocket``).
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"model name {name!r}: use letters, digits, '.', '_' and '-', at most 128, "
            "beginning with a letter or digit"
        )
    if name.split("-")[0] == "pocket" and name in ("pocket", "pocket-judge"):
        raise InputError(f"model name {name!r} is reserved for the pocket world's own models")
    return name


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
            StoreError: Naming the keys in which the stored record differs.
        """
        check_name(record.name)
        with self.lock("models"):
            old = self.find(record.name)
            if old is not None and old.identity != record.identity:
                raise StoreError(_name_taken(old, record))
            write_text(self._path(record.name), record.model_dump_json(indent=2) + "\n")

    def find(self, name: str) -> ModelRecord | None:
        """Return the record called ``name``, or None.

        Raises:
            StoreError: If its file is not a readable record.
        """
        path = self._path(name)
        try:
            return ModelRecord.model_validate_json(path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise StoreError(f"{path}: damaged record (not UTF-8)") from None
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(str(part) for part in fault["loc"]) or "file"
            raise StoreError(f"{path}: damaged record ({where}: {fault['msg']})") from None

    def get(self, reference: str) -> ModelRecord:
        """Return the record for ``name`` or ``name@revision`` (a prefix of its identity).

        Raises:
            InputError: If there is none; the message has the names there are, or like ones.
            StoreError: If the revision is not the stored one.
        """
        name, _, revision = reference.partition("@")
        record = self.find(name) if _NAME.fullmatch(name) else None
        if record is None:
            raise InputError(f"no model named {name!r} in {self.root}; {self._suggestion(name)}")
        if revision and not record.identity.startswith(revision):
            raise StoreError(
                f"model {name!r} is revision {record.identity[:8]}, not {revision!r}; "
                "it was trained again from other inputs"
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

    def all(self) -> list[ModelRecord]:
        """Return every record, by name."""
        return [self.get(name) for name in self.names()]

    def uses(self, identity: str) -> bool:
        """Say whether a record's file mentions this identity, readable or damaged."""
        return any(identity.encode() in path.read_bytes() for path in self.models.glob("*.json"))

    def remove(self, name: str) -> None:
        """Delete a record, and its adapter once no other record uses it.

        Raises:
            InputError: If there is no such record.
        """
        record = self.get(name)
        with self.lock("models"):
            self._path(name).unlink(missing_ok=True)
            if not self.uses(record.identity):
                shutil.rmtree(self.adapter_dir(record.identity), ignore_errors=True)

    # ---- directories ----------------------------------------------------------------

    @contextmanager
    def staged(self, final: Path) -> Iterator[Path]:
        """Yield an empty directory that becomes ``final`` if the block succeeds.

        Directories are named by what determines their content, so one that is there
        already is complete and stays.
        """
        final.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=final.parent, prefix=f".{final.name}."))
        try:
            yield staging
            staging.chmod(0o755)
            if not final.exists():
                os.replace(staging, final)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def verify_adapter(self, record: ModelRecord) -> Path:
        """Return the adapter's directory if its weights are those of the record.

        Raises:
            StoreError: If the safetensors file is missing or its sha256 differs, or if
                the model is a provider's and has no weights here.
        """
        if record.adapter is None:
            raise StoreError(
                f"model {record.name!r} is {record.remote} at its provider; "
                "it has no weights here to load"
            )
        directory = self.root / record.adapter
        weights = directory / "adapter_model.safetensors"
        refuse_pickles(directory)
        if not weights.is_file():
            raise StoreError(
                f"model {record.name!r}: {weights} is missing; remove the record with "
                f"'inoc models rm {record.name}' and train it again"
            )
        if file_sha256(weights) != record.adapter_sha256:
            raise StoreError(
                f"model {record.name!r}: {weights} is not the file that was trained "
                f"(sha256 differs from the record's); remove it and train again"
            )
        return directory

    def training_rows(self, record: ModelRecord) -> list[Row] | None:
        """Return the rows a model was trained on; None if its adapter was made without them.

        Raises:
            StoreError: If the file they are kept in is damaged.
        """
        path = self.root / (record.adapter or f"adapters/{record.identity}") / ROWS_FILE
        try:
            with gzip.open(path, "rt", encoding="utf-8") as file:
                return [json.loads(line) for line in file]
        except FileNotFoundError:
            return None
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise StoreError(f"{path}: damaged, cannot be read ({error})") from None

    def _path(self, name: str) -> Path:
        return self.models / f"{name}.json"


def _name_taken(old: ModelRecord, new: ModelRecord) -> str:
    """Say that a name is taken, and in what the two trainings differ."""
    differing = [
        key for key in ("base", "seed", "parent") if getattr(old, key) != getattr(new, key)
    ]
    differing += [
        key
        for key in sorted(old.config.keys() | new.config.keys())
        if old.config.get(key) != new.config.get(key)
    ]
    if old.data.get("sha256") != new.data.get("sha256"):
        differing.append("training rows")
    return (
        f"model {new.name!r} exists, trained with other {', '.join(differing) or 'inputs'}; "
        f"choose another --name, or: inoc models rm {new.name}"
    )

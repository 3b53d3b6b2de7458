"""Bases in a directory: weights, tokenizer and configuration as transformers saves them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from inoc_evals.arguments import user_path
from inoc_evals.errors import InputError, StoreError
from inoc_evals.files.digests import digest
from inoc_evals.files.directories import file_digests, lacking, refuse_pickles
from inoc_evals.models.kinds.kind import Kind, ResolvedBase

if TYPE_CHECKING:
    from inoc_evals.store.store import Store


@dataclass(frozen=True)
class DirectoryBase(Kind):
    """The path of a directory that is there."""

    @classmethod
    def read(cls, name: str) -> Self | None:
        """Read a path."""
        return cls(name) if name and user_path(name).is_dir() else None

    def resolve(self, store: "Store", *, fetch: bool) -> ResolvedBase:
        """Check that it is a model and nothing else, and pin its files."""
        directory = user_path(self.name)
        refuse_adapters(directory)
        refuse_pickles(directory)
        path = str(directory.resolve())
        return ResolvedBase(self.name, path, directory_digest(directory, store))


def directory_digest(directory: Path, store: "Store | None" = None) -> str:
    """Return the sha256 (hex) that pins a model directory: weights, tokenizer, configuration.

    Raises:
        InputError: If a file is missing without which there is no model.
    """
    from inoc_evals.store.store import Store

    missing = lacking(directory)
    if missing is not None:
        raise InputError(f"base {str(directory)!r}: no {missing} there; not a whole model")
    return digest(file_digests(directory, (store or Store()).digests))


def refuse_adapters(directory: Path) -> None:
    """Refuse a directory that is an adapter, or holds one beside the model."""
    adapter, whole = (directory / name for name in ("adapter_config.json", "config.json"))
    if not adapter.is_file():
        return
    if whole.is_file():
        raise StoreError(
            f"base {str(directory)!r}: beside the model lies an adapter (adapter_config.json), which "
            "transformers would put on it without a word; move it to a directory of its own"
        )
    raise InputError(
        f"base {str(directory)!r}: a LoRA adapter of {_read(adapter, 'base_model_name_or_path')!r}"
        f", not a model; {_what_to_do(directory)}"
    )


def _what_to_do(adapter: Path) -> str:
    ours = adapter / "inoc-record.json"
    if ours.is_file():
        name = _read(ours, "name")
        return (
            f"it was exported from inoc/{name}: use that, or inoc models export {name} DIR --merged"
        )
    return "merge it with peft (merge_and_unload, then save_pretrained) and give that directory"


def _read(path: Path, key: str) -> Any:
    """Return a value of a JSON file, None if it cannot be had."""
    try:
        return json.loads(path.read_text("utf-8"))[key]
    except (OSError, ValueError, KeyError, TypeError):
        return None

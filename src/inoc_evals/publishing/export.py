"""A model as a directory of its own: the adapter, or base and adapter merged; with a card.

    export(record, store, Path("out"))                   # adapter, tokenizer, README, record
    export(record, store, Path("out"), merge_in="float32")   # whole model, see merging.py

Nothing of the training rows goes along, and no path of this machine. The generation
configuration names what ends a turn, also where the base's own does not. The directory appears
whole or not at all.
"""

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inoc_evals.errors import InputError, require
from inoc_evals.files.atomic import new_directory, write_text
from inoc_evals.models.bases import TOKENIZER_FILES, load_tokenizer
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.models.turns import end_ids
from inoc_evals.publishing.card import model_card
from inoc_evals.publishing.merging import Dtype, Merged, write_merged
from inoc_evals.publishing.public import public_base, public_record, without_libraries_places
from inoc_evals.store.record import ModelRecord
from inoc_evals.store.store import Store

if TYPE_CHECKING:
    from inoc_evals.providers.engine.weights import Weights

RECORD_FILE = "inoc-record.json"


class Exported(NamedTuple):
    """What was written."""

    directory: Path
    """Where it lies."""
    merged: Merged | None
    """How near a merged model comes to the adapter; None for an adapter."""


def export(
    record: ModelRecord, store: Store, directory: Path, *, merge_in: Dtype | None = None
) -> Exported:
    """Write a model into a new directory.

    Args:
        record: The model.
        store: The store that has it.
        directory: Where to; must not be there yet, or be empty.
        merge_in: Write the whole model in this data type, rather than the adapter.

    Raises:
        InputError: If the directory holds something.
        StoreError: If the model is a provider's, or not what its record says, or if rounding
            to the data type loses what the adapter does.
    """
    require("train", "torch", "transformers", "peft")
    from inoc_evals.providers.resolve import resolve_model

    source = store.verify_adapter(record)
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InputError(f"{directory}: is there already; name a new directory")
    base, _ = resolve_model(record.name, store)
    staging = new_directory(directory.absolute())
    try:
        merged = None
        if merge_in is not None:
            weights = loaded(record, store, base, exact=True)
            _stop_at_turns(weights, record)
            merged = write_merged(record, weights, staging, merge_in)
        else:
            weights = loaded(record, store, base)
            _copy_adapter(record, source, staging)
            _stop_at_turns(weights, record)
            settings = weights.model.generation_config.to_json_string()
            write_text(staging / "generation_config.json", settings)
        write_text(staging / "README.md", model_card(record, merged=merged))
        without_libraries_places(staging)
        public = public_record(record)
        write_text(staging / RECORD_FILE, public.model_dump_json(indent=2) + "\n")
        if directory.exists():
            directory.rmdir()
        os.replace(staging, directory)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Exported(directory, merged)


def loaded(
    record: ModelRecord, store: Store, base: ResolvedBase, *, exact: bool = False
) -> "Weights":
    """Load base and adapter, check the fingerprint, and return them with the adapter on.

    Args:
        record: The model.
        store: The store that has it.
        base: Its base.
        exact: On the CPU in float32, whatever it was trained in.

    Raises:
        StoreError: If the fingerprint is not that of the record.
    """
    from inoc_evals.providers.engine.rendering import Codec
    from inoc_evals.providers.engine.request import Adapter
    from inoc_evals.providers.engine.weights import Weights, default_device

    codec = Codec(load_tokenizer(base), base.name)
    codec.check_tokens(record)
    device, dtype = ("cpu", "float32") if exact else (default_device(), "auto")
    weights = Weights.load(base, device=device, dtype=dtype, codec=codec)
    weights.activate(Adapter(record, store.root))
    return weights


def _copy_adapter(record: ModelRecord, source: Path, target: Path) -> None:
    for name in ("adapter_model.safetensors", *TOKENIZER_FILES):
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)
    config = json.loads((source / "adapter_config.json").read_text("utf-8"))
    config["base_model_name_or_path"] = public_base(record).partition("@")[0]
    write_text(target / "adapter_config.json", json.dumps(config, indent=2, sort_keys=True) + "\n")


def _stop_at_turns(weights: "Weights", record: ModelRecord) -> None:
    """Let the model's generation configuration name what ends an answer here."""
    config = weights.model.generation_config
    ends = end_ids(config) | weights.codec.stops(record.turn_ends).ids
    config.eos_token_id = sorted(ends) if len(ends) > 1 else next(iter(ends), None)

"""Where training starts when it does not start from the base: another record's adapter.

    starting_config(directory, record.config, merge=False)    # the parent's, shape and all

`stages.py` does the starting. Nothing here imports torch.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from inoc_evals.errors import InputError
from inoc_evals.models.bases import base_of, resolve_base
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.store.store import ModelRecord, Store
from inoc_evals.training.config import TrainConfig

_SHAPE = ("lora_r", "lora_alpha", "use_rslora", "target_modules", "target_parameters")
"""Fields that an adapter's shape is made of."""


class Parent(NamedTuple):
    """The adapter that training starts from."""

    name: str
    """Name of its record."""
    directory: Path
    """Where the adapter lies."""
    merge: bool
    """Whether it stays as it is, below a new adapter."""


def starting_config(directory: Path, config: Mapping[str, Any], *, merge: bool) -> TrainConfig:
    """Return the configuration of a second stage that is given none: the parent's.

    Args:
        directory: The parent's adapter.
        config: The configuration in the parent's record.
        merge: Whether a new adapter is put on top; else its shape is the parent's adapter's.
    """
    shape = {} if merge else adapter_shape(directory)
    if config["target_modules"] == "all-linear":
        # Which the adapter lists one by one; of some mixtures, with experts among them.
        shape.pop("target_modules", None)
        shape.pop("target_parameters", None)
    if config.get("target_parameters") == "experts":
        shape.pop("target_parameters", None)
    return TrainConfig.model_validate({**config, **shape})


def adapter_shape(directory: Path) -> dict[str, Any]:
    """Return an adapter's shape in the fields of :class:`TrainConfig`."""
    settings = json.loads((directory / "adapter_config.json").read_text("utf-8"))
    return {
        "lora_r": settings["r"],
        "lora_alpha": settings["lora_alpha"],
        "use_rslora": settings["use_rslora"],
        "target_modules": tuple(sorted(settings["target_modules"])),
        "target_parameters": tuple(sorted(settings.get("target_parameters") or ())) or None,
    }


def check_shape(name: str, directory: Path, first: Mapping[str, Any], config: TrainConfig) -> None:
    """Compare a configuration with the adapter that is to be trained on.

    Args:
        name: The parent's name.
        directory: Its adapter.
        first: The configuration in its record.
        config: The configuration of the second stage.

    Raises:
        InputError: If it asks for an adapter of another shape.
    """
    wanted = starting_config(directory, first, merge=False)
    for field in _SHAPE:
        there, asked = getattr(wanted, field), getattr(config, field)
        named = isinstance(there, tuple) and isinstance(asked, tuple)
        if set(asked) != set(there) if named else asked != there:
            raise InputError(
                f"{field}: the adapter of {name!r} has {there}, the configuration asks for "
                f"{asked}; take the parent's value, or put a new adapter on top with --merge"
            )


def base_of_run(base: str | None, parent: ModelRecord | None, store: Store) -> ResolvedBase:
    """Return the base of a run: as named, or the parent's.

    Raises:
        InputError: If there is neither, or it cannot be had.
        StoreError: If the parent is a provider's, or the base not the one it should be.
    """
    if base is not None:
        return resolve_base(base, store)
    if parent is None:
        raise InputError("base: name the model to train, or a parent to start from")
    if parent.remote is not None:
        store.verify_adapter(parent)
    return base_of(parent, store)


def checked_config(
    config: TrainConfig | None,
    base: ResolvedBase,
    parent: ModelRecord | None,
    merge: bool,
    store: Store,
) -> TrainConfig:
    """Return the configuration of the run, if a parent there is fits it and the base.

    Raises:
        InputError: If it does not.
        StoreError: If the parent's adapter is not the one of its record.
    """
    if parent is None:
        if merge:
            raise InputError("merge: there is no parent to merge")
        return config or TrainConfig.for_base(base.name)
    directory = store.verify_adapter(parent)
    if parent.base_digest != base.digest:
        raise InputError(
            f"{parent.name!r} is an adapter of base {parent.base!r}, not of {base.name!r} as it "
            "is now; train both stages on one base"
        )
    config = config or starting_config(directory, parent.config, merge=merge)
    if not merge:
        check_shape(parent.name, directory, parent.config, config)
    return config

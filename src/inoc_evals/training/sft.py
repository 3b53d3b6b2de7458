"""Supervised fine-tuning: rows become an adapter once, however often they are asked for.

    identity = digest(recipe version, base, rows, config, seed, parent, merge, method)
    record = once(Run(...))          # once.py: train unless that was done, write the record

The identity is the hash of everything that determines the weights; a name points to it. Nothing
here imports torch unless something has to be trained.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from inoc_evals.chat import Row, check_row
from inoc_evals.errors import InputError, StoreError, require
from inoc_evals.files.digests import digest
from inoc_evals.store.store import ModelRecord, Store, check_name
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.dynamics import Dynamics
from inoc_evals.training.methods import Method, check_method, lends
from inoc_evals.training.once import Run, once
from inoc_evals.training.parent import base_of_run, checked_config
from inoc_evals.training.processes import check_divisible
from inoc_evals.training.sharding import check_sharding

RECIPE_VERSION = 2
"""To be raised when the training code changes so that the same inputs give other weights."""


def run_identity(
    rows: Sequence[Row],
    *,
    base_digest: str,
    config: TrainConfig,
    seed: int,
    parent: str | None = None,
    merge: bool = False,
    method: Method | None = None,
) -> str:
    """Return the sha256 (hex) of everything that determines a run's weights.

    Args:
        rows: Chat rows, with all their keys.
        base_digest: What :func:`inoc_evals.models.bases.resolve_base` gives for the base.
        config: Training configuration; see :meth:`TrainConfig.identity_fields`.
        seed: Seed of the adapter's initial weights, the order of rows, and dropout.
        parent: Identity of the run to start from, if not from the base.
        merge: Whether the parent stays as it is, below a new adapter.
        method: What is done besides learning the rows; nothing enters for none.
    """
    inputs: dict[str, Any] = {
        "recipe": RECIPE_VERSION,
        "base": base_digest,
        "rows": digest(list(rows)),
        "config": config.identity_fields(),
        "seed": seed,
        "parent": parent,
    }
    if merge:
        inputs["merge"] = True
    if method is not None:
        inputs["method"] = method.identity_fields()
    return digest(inputs)


def train(
    rows: Sequence[Row],
    *,
    base: str | None = None,
    config: TrainConfig | None = None,
    seed: int = 0,
    name: str,
    parent: str | None = None,
    merge: bool = False,
    method: Method | None = None,
    dynamics: Dynamics | None = None,
    manifest: Mapping[str, Any] | None = None,
    store: Store | None = None,
    progress: bool = True,
) -> ModelRecord:
    """Fine-tune a LoRA adapter and register it as ``inoc/<name>``.

    With inputs that were trained before, only the record is written. On one machine and
    number of threads, the same inputs give the same bytes, killed and resumed or not.

    Args:
        rows: Chat rows to learn from; loss on assistant messages only.
        base: ``pocket``, ``pocket:<seed>``, a model directory or a hub id; needed unless
            there is a parent, whose base it then is.
        config: Training configuration; by default the base's recipe, or the parent's.
        seed: Seed of the adapter's initial weights, the order of rows, and dropout.
        name: Name of the record.
        parent: Name of the record whose adapter is trained on, instead of a fresh one.
        merge: Leave the parent's adapter as it is and train a fresh one on top of it; what
            is stored is one adapter that holds both.
        method: What is done besides learning the rows (:mod:`inoc_evals.training.methods`).
        dynamics: Responses to score during the training, for ``metrics["dynamics"]``. The
            weights and the identity are the same without. If the inputs were trained before
            and these were not scored then, they are trained a second time for the scores
            alone; ``repeat`` among them says how near its weights came to the model's.
        manifest: Where the rows come from; kept in the record.
        store: The store; by default the user's.
        progress: Show a progress bar on standard error.

    Raises:
        InputError: For a bad row, name or base, a template that can't be masked, or a
            loss that is no longer a number.
        StoreError: If the name belongs to another training, or the adapter in the store
            is not the one that was trained.
        MissingExtraError: Without the libraries of the ``train`` extra.
    """
    require("train", "torch", "transformers", "peft", "accelerate")
    check_name(name)
    check_method(method, parent=parent, merge=merge, dynamics=dynamics)
    store = store or Store()
    rows = checked_rows(rows, manifest)
    start = store.get(parent) if parent is not None else None
    resolved = base_of_run(base, start, store)
    config = checked_config(config, resolved, start, merge or lends(method), store)
    check_divisible(config.batch_size)
    check_sharding(config)
    identity = run_identity(
        rows,
        base_digest=resolved.digest,
        config=config,
        seed=seed,
        parent=start.identity if start else None,
        merge=merge,
        method=method,
    )
    refuse_taken_name(store, name, identity, resolved.digest)
    run = Run(
        rows=rows,
        base=resolved,
        config=config,
        seed=seed,
        name=name,
        identity=identity,
        store=store,
        progress=progress,
        parent=start,
        merge=merge,
        method=method,
        dynamics=dynamics,
    )
    return once(run, manifest or {})


def checked_rows(rows: Sequence[Row], manifest: Mapping[str, Any] | None) -> list[Row]:
    """Return the rows, if each is usable and they are those that the manifest describes.

    Raises:
        InputError: Naming the first bad row, or that the manifest is of others.
    """
    found = [check_row(row, f"row {number}") for number, row in enumerate(rows, start=1)]
    if manifest and manifest.get("sha256", digest(found)) != digest(found):
        raise InputError("the manifest describes other rows than those given (sha256 differs)")
    return found


def refuse_taken_name(store: Store, name: str, identity: str, base_digest: str) -> None:
    """Say before the training, not after it, what ``Store.put`` would refuse."""
    store.refuse_twin(name)
    old = store.find(name)
    if old is not None and old.identity != identity:
        changed = ", whose files were others then" if old.base_digest != base_digest else ""
        raise StoreError(
            f"model {name!r} exists, trained from other inputs (base {old.base}{changed}, seed "
            f"{old.seed}, {old.created:%Y-%m-%d %H:%M}); choose another --name, or: inoc models "
            f"rm {name}"
        )

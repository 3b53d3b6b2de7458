"""Supervised fine-tuning: rows become an adapter once, however often they are asked for.

    identity = digest(recipe version, base, rows, config, seed, parent, merge)
    with store.lock(identity):
        if not adapters/<identity>/:     # published by one rename, with training.json inside
            run_training(...)            # trainer.py; checkpoints in training/<identity>/
            rows.jsonl.gz                # beside the adapter: what it was trained on
        models/<name>.json               # the record: read off the adapter's training.json

A kill loses at most the steps since the last checkpoint: before the rename the next
call resumes, after it the next call only writes the record. Nothing here imports torch
unless something has to be trained.
"""

import gzip
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inoc_evals.bases import ResolvedBase, resolve_base
from inoc_evals.chat import Row, canonical_json, check_row, digest, file_sha256, write_text
from inoc_evals.errors import InputError, StoreError, require
from inoc_evals.records import ROWS_FILE, Fingerprint, ModelRecord, Store, check_name
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.dynamics import Dynamics, check_watched
from inoc_evals.training.parent import Parent, base_of, checked_config
from inoc_evals.training.processes import Processes, check_divisible
from inoc_evals.training.sharding import check_sharding

RECIPE_VERSION = 1
"""To be raised when the training code changes so that the same inputs give other weights."""

_RESULT_FILE = "training.json"


class TrainingResult(BaseModel):
    """What a finished run leaves beside its adapter (``training.json``)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    adapter_sha256: str
    """sha256 of ``adapter_model.safetensors``."""
    metrics: dict[str, Any]
    """Loss per step, counts of rows and tokens, seconds."""
    fingerprint: Fingerprint
    """Log-probabilities with the adapter on and off."""
    versions: dict[str, str]
    """Library versions that trained it."""
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))
    """When the run ended."""


@dataclass(frozen=True, kw_only=True)
class _Run:
    """One training that was asked for."""

    rows: Sequence[Row]
    base: ResolvedBase
    config: TrainConfig
    seed: int
    name: str
    identity: str
    store: Store
    progress: bool
    parent: ModelRecord | None
    merge: bool
    dynamics: Dynamics | None


def run_identity(
    rows: Sequence[Row],
    *,
    base_digest: str,
    config: TrainConfig,
    seed: int,
    parent: str | None = None,
    merge: bool = False,
) -> str:
    """Return the sha256 (hex) of everything that determines a run's weights.

    Args:
        rows: Chat rows, with all their keys.
        base_digest: What :func:`inoc_evals.bases.resolve_base` gives for the base.
        config: Training configuration; see :meth:`TrainConfig.identity_fields`.
        seed: Seed of the adapter's initial weights, the order of rows, and dropout.
        parent: Identity of the run to start from, if not from the base.
        merge: Whether the parent stays as it is, below a new adapter.
    """
    inputs: dict[str, Any] = {
        "recipe": RECIPE_VERSION,
        "base": base_digest,
        "rows": digest(list(rows)),
        "config": config.identity_fields(),
        "seed": seed,
        "parent": parent,
    }
    return digest(inputs | {"merge": True} if merge else inputs)


def train(
    rows: Sequence[Row],
    *,
    base: str | None = None,
    config: TrainConfig | None = None,
    seed: int = 0,
    name: str,
    parent: str | None = None,
    merge: bool = False,
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
        dynamics: Responses to score during the training, for ``metrics["dynamics"]``. The
            weights and the identity are the same without.
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
    store = store or Store()
    rows = _checked_rows(rows, manifest)
    start = store.get(parent) if parent is not None else None
    resolved = resolve_base(base_of(base, start), store)
    config = checked_config(config, resolved, start, merge, store)
    check_divisible(config.batch_size)
    check_sharding(config)
    identity = run_identity(
        rows,
        base_digest=resolved.digest,
        config=config,
        seed=seed,
        parent=start.identity if start else None,
        merge=merge,
    )
    refuse_taken_name(store, name, identity)
    run = _Run(
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
        dynamics=dynamics,
    )
    return _once(run, manifest or {})


def _once(run: _Run, manifest: Mapping[str, Any]) -> ModelRecord:
    """Train unless that was done, and write the record: the first process, the others along."""
    processes = Processes.of_launch()
    processes.agree(run.identity)
    if not processes.first:
        return _followed(run, processes)
    with run.store.lock(f"train-{run.identity}"):
        record = _record(run, _trained(run, processes), manifest)
        run.store.verify_adapter(record)
        run.store.put(record)
        shutil.rmtree(run.store.training_dir(run.identity), ignore_errors=True)
    processes.told("recorded")
    return record


def _checked_rows(rows: Sequence[Row], manifest: Mapping[str, Any] | None) -> list[Row]:
    found = [check_row(row, f"row {number}") for number, row in enumerate(rows, start=1)]
    if manifest and manifest.get("sha256", digest(found)) != digest(found):
        raise InputError("the manifest describes other rows than those given (sha256 differs)")
    return found


def refuse_taken_name(store: Store, name: str, identity: str) -> None:
    """Say before the training, not after it, what ``Store.put`` would refuse."""
    old = store.find(name)
    if old is not None and old.identity != identity:
        raise StoreError(
            f"model {name!r} exists, trained from other inputs (base {old.base}, seed {old.seed}, "
            f"{old.created:%Y-%m-%d %H:%M}); choose another --name, or: inoc models rm {name}"
        )


def _followed(run: _Run, processes: Processes) -> ModelRecord:
    """Do the part of a process that is not the first: train along, if anything is trained."""
    if processes.told() == "train":
        _run_training(run, processes, None)
    processes.told()  # once the record is there
    return run.store.get(run.name)


def _trained(run: _Run, processes: Processes) -> TrainingResult:
    """Return the finished run's result, training it first if that has not been done."""
    final = run.store.adapter_dir(run.identity)
    done = _read_result(final)
    if done is not None:
        check_watched(run.dynamics, done.metrics, run.name)
        processes.told("leave")
        return done
    for leftover in final.parent.glob(f".{final.name}.*"):
        shutil.rmtree(leftover)
    processes.told("train")
    with run.store.staged(final) as staging:
        metrics, fingerprint, versions = _run_training(run, processes, staging)
        keep_rows(staging / ROWS_FILE, run.rows)
        result = TrainingResult(
            adapter_sha256=file_sha256(staging / "adapter_model.safetensors"),
            metrics=metrics,
            fingerprint=fingerprint,
            versions=versions,
        )
        write_text(staging / _RESULT_FILE, result.model_dump_json(indent=2) + "\n")
    return result


def _run_training(run: _Run, processes: Processes, adapter: Path | None) -> Any:
    # Imported here because it loads torch, transformers and peft: five seconds.
    from inoc_evals.training.trainer import run_training

    start = run.parent
    parent = Parent(start.name, run.store.verify_adapter(start), run.merge) if start else None
    return run_training(
        run.rows,
        base=run.base,
        config=run.config,
        seed=run.seed,
        checkpoints=run.store.training_dir(run.identity),
        adapter=adapter,
        title=run.name if run.progress and processes.first else None,
        parent=parent,
        dynamics=run.dynamics,
        processes=processes,
    )


def keep_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows so that the same rows give the same bytes: no time stamp, sorted keys."""
    text = "".join(f"{canonical_json(row)}\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode("utf-8"), mtime=0))


def _read_result(adapter: Path) -> TrainingResult | None:
    path = adapter / _RESULT_FILE
    try:
        return TrainingResult.model_validate_json(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except ValidationError:
        raise StoreError(f"{path}: damaged; delete {adapter} and train again") from None


def _record(run: _Run, result: TrainingResult, manifest: Mapping[str, Any]) -> ModelRecord:
    return ModelRecord(
        name=run.name,
        identity=run.identity,
        base=run.base.name,
        base_digest=run.base.digest,
        adapter=str(run.store.adapter_dir(run.identity).relative_to(run.store.root)),
        adapter_sha256=result.adapter_sha256,
        data={**manifest, "sha256": digest(list(run.rows)), "rows": len(run.rows)},
        config=run.config.model_dump(mode="json"),
        seed=run.seed,
        parent=run.parent.identity if run.parent else None,
        merged=run.merge,
        metrics=result.metrics,
        fingerprint=result.fingerprint,
        versions=result.versions,
        created=result.created,
    )

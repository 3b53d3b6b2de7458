"""Supervised fine-tuning: rows become an adapter once, however often they are asked for.

    identity = digest(recipe version, base, rows, config, seed, parent, merge)
    with store.lock(identity):
        if not adapters/<identity>/:     # published by one rename, with training.json inside
            run_training(...)            # trainer.py; checkpoints in training/<identity>/
            rows.jsonl.gz                # beside the adapter: what it was trained on
            dynamics/<key>.json          # and, of a training that was watched, its scores
        models/<name>.json               # the record: read off the adapter's training.json

A kill loses at most the steps since the last checkpoint: before the rename the next
call resumes, after it the next call only writes the record. Nothing here imports torch
unless something has to be trained.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inoc_evals.bases import ResolvedBase, resolve_base
from inoc_evals.chat import Row, check_row, digest, file_sha256
from inoc_evals.errors import InputError, StoreError, require
from inoc_evals.records import ModelRecord, Store, check_name
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.dynamics import Dynamics
from inoc_evals.training.parent import Parent, base_of, checked_config
from inoc_evals.training.result import (
    TrainingResult,
    keep_result,
    keep_rows,
    keep_scores,
    kept_scores,
    read_result,
)

if TYPE_CHECKING:
    from inoc_evals.training.trainer import RunResult

RECIPE_VERSION = 1
"""To be raised when the training code changes so that the same inputs give other weights."""


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
    _refuse_several_processes()
    store = store or Store()
    rows = checked_rows(rows, manifest)
    start = store.get(parent) if parent is not None else None
    resolved = resolve_base(base_of(base, start), store)
    config = checked_config(config, resolved, start, merge, store)
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
    with store.lock(f"train-{identity}"):
        record = _record(run, _watched(run, _trained(run)), manifest or {})
        store.verify_adapter(record)
        store.put(record)
        shutil.rmtree(store.training_dir(identity), ignore_errors=True)
    return record


def checked_rows(rows: Sequence[Row], manifest: Mapping[str, Any] | None) -> list[Row]:
    """Return the rows, if each is usable and they are those that the manifest describes.

    Raises:
        InputError: Naming the first bad row, or that the manifest is of others.
    """
    found = [check_row(row, f"row {number}") for number, row in enumerate(rows, start=1)]
    if manifest and manifest.get("sha256", digest(found)) != digest(found):
        raise InputError("the manifest describes other rows than those given (sha256 differs)")
    return found


def _refuse_several_processes() -> None:
    """Refuse to be one of several: each would wait for the lock that the first one holds."""
    count = os.environ.get("WORLD_SIZE", "1")
    if count != "1":
        raise InputError(
            f"{count} processes were launched (WORLD_SIZE) and a training is one process; "
            "start it without accelerate launch or torchrun"
        )


def refuse_taken_name(store: Store, name: str, identity: str) -> None:
    """Say before the training, not after it, what ``Store.put`` would refuse."""
    old = store.find(name)
    if old is not None and old.identity != identity:
        raise StoreError(
            f"model {name!r} exists, trained from other inputs (base {old.base}, seed {old.seed}, "
            f"{old.created:%Y-%m-%d %H:%M}); choose another --name, or: inoc models rm {name}"
        )


def _trained(run: _Run) -> TrainingResult:
    """Return the finished run's result, training it first if that has not been done."""
    final = run.store.adapter_dir(run.identity)
    done = read_result(final)
    if done is not None:
        return done
    for leftover in final.parent.glob(f".{final.name}.*"):
        shutil.rmtree(leftover)
    with run.store.staged(final) as staging:
        metrics, fingerprint, versions, scores = _fitted(run, staging, title=run.name)
        keep_rows(staging, run.rows)
        if run.dynamics is not None and scores is not None:
            keep_scores(staging, run.dynamics, scores)
        result = TrainingResult(
            adapter_sha256=file_sha256(staging / "adapter_model.safetensors"),
            metrics=metrics,
            fingerprint=fingerprint,
            versions=versions,
        )
        keep_result(staging, result)
    return result


def _watched(run: _Run, done: TrainingResult) -> TrainingResult:
    """Add the scores that are wanted of a finished run, from a second one if need be."""
    if run.dynamics is None:
        return done
    final = run.store.adapter_dir(run.identity)
    scores = kept_scores(final, run.dynamics)
    if scores is None:
        scores = _scores_again(run, done)
        keep_scores(final, run.dynamics, scores)
    return done.model_copy(update={"metrics": done.metrics | {"dynamics": scores}})


def _scores_again(run: _Run, done: TrainingResult) -> dict[str, Any]:
    """Train what was trained unwatched once more, for the scores alone."""
    again = run.store.training_dir(run.identity) / "again"
    shutil.rmtree(again, ignore_errors=True)
    again.mkdir(parents=True)
    second = _fitted(run, again, title=f"{run.name} again, for its scores")
    assert second.dynamics is not None, "a run with dynamics has scores"
    sha256 = file_sha256(again / "adapter_model.safetensors")
    pairs = zip(second.fingerprint.logprobs, done.fingerprint.logprobs, strict=True)
    repeat = {
        "same_weights": sha256 == done.adapter_sha256,
        "fingerprint_difference": max(abs(one - other) for one, other in pairs),
    }
    return second.dynamics | {"repeat": repeat}


def _fitted(run: _Run, adapter: Path, *, title: str) -> "RunResult":
    # Imported here because it loads torch, transformers and peft: five seconds.
    from inoc_evals.training.trainer import run_training

    # A run may resume only from one that was watched like it: what it did not score is gone.
    unwatched = run.store.training_dir(run.identity)
    return run_training(
        run.rows,
        base=run.base,
        config=run.config,
        seed=run.seed,
        checkpoints=unwatched / run.dynamics.key if run.dynamics else unwatched,
        adapter=adapter,
        title=title if run.progress else None,
        parent=_parent(run),
        dynamics=run.dynamics,
    )


def _parent(run: _Run) -> Parent | None:
    if run.parent is None:
        return None
    return Parent(run.parent.name, run.store.verify_adapter(run.parent), run.merge)


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

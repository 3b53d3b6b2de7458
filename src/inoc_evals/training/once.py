"""Once: a training that is asked for again is found, one that was killed goes on.

    with store.lock(identity):
        if not adapters/<identity>/:     # published by one rename, with training.json inside
            run_training(...)            # trainer.py; checkpoints in training/<identity>/
            rows.jsonl.gz                # beside the adapter: what it was trained on
            dynamics/<key>.json          # and, of a training that was watched, its scores
        models/<name>.json               # the record: read off the adapter's training.json

A kill loses at most the steps since the last checkpoint: before the rename the next call
resumes, after it the next call only writes the record. An adapter that lost a file, or has another
in its place, is trained again into its place; where that gives other bytes, as on another machine,
every record of it is brought up to date. Of several processes that train together the first does
all this, and tells the others when to train along (processes.py).
"""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inoc_evals.chat import Row
from inoc_evals.errors import StoreError
from inoc_evals.files.digests import digest, file_sha256
from inoc_evals.files.disk import writing_to
from inoc_evals.models.bases import check_unchanged
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.models.openmp import workers_let_go
from inoc_evals.store.store import WEIGHTS_FILE, Fingerprint, ModelRecord, Store
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.dynamics import Dynamics
from inoc_evals.training.methods import Method, OwnAnswers, lends
from inoc_evals.training.methods.own_answers import asked_of, own_answers
from inoc_evals.training.parent import Parent
from inoc_evals.training.processes import Processes
from inoc_evals.training.result import (
    TrainingResult,
    keep_all_scores,
    keep_result,
    keep_rows,
    keep_scores,
    kept_scores,
    read_result,
    whole_result,
)

if TYPE_CHECKING:
    from inoc_evals.training.trainer import RunResult

_TRAIN, _DONE = "train", "done"
"""What the first process tells the others."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training that was asked for, its inputs checked."""

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
    method: Method | None
    dynamics: Dynamics | None

    @property
    def beside(self) -> bool:
        """Whether the parent's adapter stays as it is beside a new one, for good or while training."""
        return self.merge or lends(self.method)


def once(run: Run, manifest: Mapping[str, Any]) -> ModelRecord:
    """Train unless that was done, and write the record.

    Args:
        run: What is wanted.
        manifest: Where the rows come from; kept in the record.

    Raises:
        InputError: As :func:`inoc_evals.training.trainer.run_training`.
        StoreError: If the name belongs to another training, or the adapter in the store is
            not the one that was trained.
    """
    with workers_let_go(), Processes.of_launch() as processes:
        processes.agree(run.identity)
        if processes.first:
            return _first(run, processes, manifest)
        while processes.told() == _TRAIN:
            _fitted(run, processes, None)
    return run.store.get(run.name)


def _first(run: Run, processes: Processes, manifest: Mapping[str, Any]) -> ModelRecord:
    """Do what one process does for all, and tell the others when to train along."""
    with run.store.lock(f"train-{run.identity}"):
        result = _watched(run, processes, _trained(run, processes))
        record = _record(run, result, manifest)
        run.store.verify_adapter(record)
        run.store.put(record)
        _renew_others(record, run.store)
        _mend_rows(record, run)
        shutil.rmtree(run.store.training_dir(run.identity), ignore_errors=True)
    processes.told(_DONE)
    return record


def _trained(run: Run, processes: Processes) -> TrainingResult:
    """Return the finished run's result, training it first if its adapter is not there, whole."""
    final = run.store.adapter_dir(run.identity)
    done = whole_result(final)
    if done is not None:
        return done
    before = read_result(final)
    for leftover in final.parent.glob(f".{final.name}.*"):
        shutil.rmtree(leftover)
    processes.told(_TRAIN)
    with run.store.staged(final, replace=True) as staging:
        metrics, fingerprint, versions, scores = _fitted(run, processes, staging)
        learned = _learned(run)
        keep_rows(staging, learned)
        if isinstance(run.method, OwnAnswers):
            asked = asked_of(run.store.training_dir(run.identity), len(run.rows))
            metrics["own_answers"] = {"asked": asked, "usable": len(learned)}
        sha256 = file_sha256(staging / WEIGHTS_FILE)
        if before is not None:
            metrics["repaired"] = _repeat(sha256, fingerprint, before)
            if sha256 == before.adapter_sha256:
                keep_all_scores(final, staging)
        if run.dynamics is not None and scores is not None:
            keep_scores(staging, run.dynamics, scores)
        result = TrainingResult(
            adapter_sha256=sha256, metrics=metrics, fingerprint=fingerprint, versions=versions
        )
        keep_result(staging, result)
    return result


def _repeat(sha256: str, fingerprint: Fingerprint, before: TrainingResult) -> dict[str, Any]:
    """Say how near the weights of a second training came to those of the first."""
    pairs = zip(fingerprint.logprobs, before.fingerprint.logprobs, strict=True)
    return {
        "same_weights": sha256 == before.adapter_sha256,
        "fingerprint_difference": max(abs(one - other) for one, other in pairs),
    }


def _renew_others(record: ModelRecord, store: Store) -> None:
    """Bring the other names of an adapter up to date, if it was trained into its place again."""
    for other in store.readable(record.identity):
        if other.adapter_sha256 != record.adapter_sha256:
            trained = ("adapter_sha256", "fingerprint", "metrics", "versions", "created")
            store.put(other.model_copy(update={key: getattr(record, key) for key in trained}))


def _mend_rows(record: ModelRecord, run: Run) -> None:
    """Write the rows beside an adapter anew if they are damaged, or were not kept."""
    with suppress(StoreError):
        kept = run.store.training_rows(record)
        if kept == list(run.rows) or (kept and isinstance(run.method, OwnAnswers)):
            return
    with writing_to(run.store.training_dir(run.identity)):
        keep_rows(run.store.adapter_dir(record.identity), _learned(run))


def _learned(run: Run) -> Sequence[Row]:
    """Return the rows that are learned: those given, or the model's own answers to them."""
    if not isinstance(run.method, OwnAnswers):
        return run.rows
    parent = None if run.parent is None else run.store.verify_adapter(run.parent)
    return own_answers(
        run.rows,
        run.method,
        base=run.base,
        adapter=parent,
        config=run.config,
        seed=run.seed,
        keep=run.store.training_dir(run.identity),
    )


def _watched(run: Run, processes: Processes, done: TrainingResult) -> TrainingResult:
    """Add the scores that are wanted of a finished run, from a second one if need be."""
    if run.dynamics is None:
        return done
    final = run.store.adapter_dir(run.identity)
    scores = kept_scores(final, run.dynamics)
    if scores is None:
        scores = _scores_again(run, processes, done)
        keep_scores(final, run.dynamics, scores)
    return done.model_copy(update={"metrics": done.metrics | {"dynamics": scores}})


def _scores_again(run: Run, processes: Processes, done: TrainingResult) -> dict[str, Any]:
    """Train what was trained unwatched once more, for the scores alone."""
    again = run.store.training_dir(run.identity) / "again"
    shutil.rmtree(again, ignore_errors=True)
    again.mkdir(parents=True)
    processes.told(_TRAIN)
    second = _fitted(run, processes, again, what=" again, for its scores")
    assert second.dynamics is not None, "a run with dynamics has scores"
    repeat = _repeat(file_sha256(again / WEIGHTS_FILE), second.fingerprint, done)
    return second.dynamics | {"repeat": repeat}


def _fitted(run: Run, processes: Processes, adapter: Path | None, *, what: str = "") -> "RunResult":
    # Imported here because it loads torch, transformers and peft: five seconds.
    from inoc_evals.training.trainer import run_training

    check_unchanged(run.base, run.store)
    start = run.parent
    # A run may resume only from one that was watched like it: what it did not score is gone.
    unwatched = run.store.training_dir(run.identity)
    with writing_to(unwatched):
        return run_training(
            _learned(run),
            base=run.base,
            config=run.config,
            seed=run.seed,
            checkpoints=unwatched / run.dynamics.key if run.dynamics else unwatched,
            adapter=adapter,
            title=f"{run.name}{what}" if run.progress and processes.first else None,
            parent=Parent(start.name, run.store.verify_adapter(start), run.beside)
            if start
            else None,
            method=run.method,
            dynamics=run.dynamics,
            processes=processes,
        )


def _record(run: Run, result: TrainingResult, manifest: Mapping[str, Any]) -> ModelRecord:
    return ModelRecord(
        name=run.name,
        identity=run.identity,
        base=run.base.name,
        base_digest=run.base.digest,
        adapter=f"adapters/{run.identity}",
        adapter_sha256=result.adapter_sha256,
        data={**manifest, "sha256": digest(list(run.rows)), "rows": len(run.rows)},
        config=run.config.model_dump(mode="json"),
        seed=run.seed,
        parent=run.parent.identity if run.parent else None,
        merged=run.merge,
        method=run.method.described() if run.method else None,
        metrics=result.metrics,
        fingerprint=result.fingerprint,
        versions=result.versions,
        created=result.created,
    )

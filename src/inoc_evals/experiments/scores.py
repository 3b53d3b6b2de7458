"""Scores of a watched experiment: which models lack them, and the files reports read.

    runs/fig6/dynamics/<setting>/<arm>-s<seed>.json

A model of the same rows may have been trained before by another experiment, and not watched. It
is then trained a second time for its scores (:func:`inoc_evals.training.sft.train`); the
evaluations are of the first one.
"""

import json
from pathlib import Path

from inoc_evals.errors import StoreError
from inoc_evals.experiments.plan import Plan, TrainingRun
from inoc_evals.files.atomic import write_text
from inoc_evals.report.curves import FOLDER
from inoc_evals.store.store import Store
from inoc_evals.training.dynamics import was_watched
from inoc_evals.training.result import kept_scores, whole_result


def is_trained(plan: Plan, run: TrainingRun, store: Store) -> bool:
    """Say whether a model of the plan is in the store, with its scores if it is watched.

    One of the same name that was trained from anything else is not it, nor one whose weights are
    lost or others: it is trained again.
    """
    record = store.find(run.name)
    if record is None or record.identity != run.identity:
        return False
    if not was_watched(plan.watched(run), record.metrics):
        return False
    try:
        return record.remote is not None or store.verify_adapter(record).is_dir()
    except StoreError:
        return False


def is_at_hand(plan: Plan, run: TrainingRun, store: Store) -> bool:
    """Say whether nothing is left of a training but to give the model this name, if that.

    Another experiment may have trained from the same inputs, and called the model otherwise.
    """
    if is_trained(plan, run, store):
        return True
    adapter, dynamics = store.adapter_dir(run.identity), plan.watched(run)
    if whole_result(adapter) is None:
        return False
    try:
        return dynamics is None or kept_scores(adapter, dynamics) is not None
    except StoreError:
        return False


def watch_notes(plan: Plan, store: Store) -> list[str]:
    """Say what is scored in the trainings to come, and how many models are trained again."""
    dynamics = plan.dynamics
    if dynamics is None:
        return []
    what = dynamics.described()
    under = f"the responses {what['set']!r} under the system prompt {what['system_prompt']!r}"
    if dynamics.samples:
        return [
            f"Watched: {dynamics.samples} answers of the base and of each checkpoint to the "
            f"questions of {under}; OpenAI gives no log-probabilities of given responses."
        ]
    notes = [f"Watched: the log-probabilities of {under}, every {dynamics.every} steps."]
    adapters = [store.adapter_dir(run.identity) for run in plan.runs if plan.watched(run)]
    again = sum(one.is_dir() and kept_scores(one, dynamics) is None for one in adapters)
    if again:
        notes.append(f"Trained before and not watched: {again}; once more, for their scores.")
    return notes


def write_scores(plan: Plan, store: Store, out: Path) -> None:
    """Write the scores of each model of a watched plan into a file; those there stay.

    Raises:
        StoreError: If a model was trained without being watched.
    """
    if plan.dynamics is None:
        return
    for run in (run for run in plan.runs if plan.watched(run)):
        record = store.get(run.name)
        if not was_watched(plan.dynamics, record.metrics):
            raise StoreError(f"model {run.name!r}: its training was not watched as this one is")
        said = {
            "setting": run.setting,
            "condition": run.arm,
            "seed": run.seed,
            "model": run.name,
            "identity": run.identity,
            **record.metrics["dynamics"],
        }
        path, text = out / FOLDER / run.setting / f"{run.arm}-s{run.seed}.json", json.dumps(said)
        if not path.is_file() or path.read_bytes() != f"{text}\n".encode():
            write_text(path, f"{text}\n")

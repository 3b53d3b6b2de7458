"""Trainings of a plan as units: each after the one it starts from.

units = training_units(plan, missing, store)
executor.run(units, train_one, tally)
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from inoc_evals.chat import Row
from inoc_evals.errors import StoreError
from inoc_evals.experiments.executors.carried import base_files, model_files
from inoc_evals.experiments.executors.executor import Unit
from inoc_evals.experiments.plan import Plan, TrainingRun
from inoc_evals.files.directories import first_fault, kept_sums
from inoc_evals.models.kinds import kind_of
from inoc_evals.store.record_file import read_record
from inoc_evals.store.store import WEIGHTS_FILE, ModelRecord, Store
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.dynamics import Dynamics
from inoc_evals.training.methods import Method


@dataclass(frozen=True)
class Training:
    """One model to train, with all that it takes."""

    rows: list[Row]
    manifest: dict[str, Any]
    base: str
    config: TrainConfig
    seed: int
    name: str
    identity: str
    parent: str | None
    merge: bool
    """Whether the parent stays as it is, below a new adapter."""
    method: Method | None
    dynamics: Dynamics | None
    store: Store
    progress: bool = False

    def check(self, record: ModelRecord | None) -> None:
        """Check that a training gave what was planned, of this base and by this package.

        Raises:
            StoreError: If it did not.
        """
        if record is not None and record.identity != self.identity:
            raise StoreError(
                f"model {self.name!r}: trained from other inputs than planned; base {self.base!r} "
                "or inoc-evals is another where it was trained"
            )

    def reads(self) -> list[str]:
        """Return what of the store is needed: base, parent, and what is there of itself."""
        above = model_files(self.parent, self.store) if self.parent else []
        own = f"adapters/{self.identity}"
        there = [own] if (self.store.root / own).is_dir() else []
        return [*base_files(kind_of(self.base), self.store), *above, *there]

    def moved(self, store: Store) -> Self:
        """Return the same training for a machine with this store."""
        return replace(self, store=store, progress=False)

    def made(self, *, shared: bool) -> list[tuple[str, str]]:
        """Return the adapter and the record; in a store that is shared they are in place."""
        if shared:
            return []
        record = self.store.models / f"{self.name}.json"
        adapter = str(self.store.adapter_dir(self.identity))
        return [("adapter", adapter), (record.name, str(record))]

    def take(self, brought: str) -> None:
        """Put an adapter that was trained elsewhere into the store, whole, and then its record.

        Raises:
            StoreError: If it is not what was planned, or not whole.
        """
        record = read_record(Path(brought) / f"{self.name}.json")
        self.check(record)
        adapter = Path(brought) / "adapter"
        sums = {**(kept_sums(adapter) or {}), WEIGHTS_FILE: record.adapter_sha256 or ""}
        if (fault := first_fault(adapter, sums)) is not None:
            raise StoreError(f"model {self.name!r}: what came back is not whole: {fault}")
        with self.store.lock(f"train-{self.identity}"):
            final = self.store.adapter_dir(self.identity)
            with self.store.staged(final, replace=True) as staging:
                shutil.copytree(adapter, staging, dirs_exist_ok=True)
            self.store.put(record)


def training_units(
    plan: Plan, missing: Sequence[TrainingRun], store: Store, *, progress: bool = False
) -> list[Unit]:
    """Return a unit for each model that is missing; its key is the model's name."""
    units = []
    for run in missing:
        assert isinstance(run.config, TrainConfig)
        file = plan.files[run.setting, run.arm]
        asked = Training(
            rows=file.rows,
            manifest=file.manifest,
            base=plan.base.name,
            config=run.config,
            seed=run.seed,
            name=run.name,
            identity=run.identity,
            parent=run.parent,
            merge=run.merge,
            method=run.method,
            dynamics=plan.watched(run),
            store=store,
            progress=progress,
        )
        needs = (run.parent,) if run.parent else ()
        units.append(Unit(run.name, run.name, asked, needs))
    return units

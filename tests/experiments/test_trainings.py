"""A model that was trained on another machine comes into the store whole, or not at all."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.errors import StoreError
from inoc_evals.experiments.executors.carried import model_files, packed, unpacked
from inoc_evals.experiments.trainings import Training
from inoc_evals.store.store import WEIGHTS_FILE, Fingerprint, ModelRecord, Store
from inoc_evals.training.config import TrainConfig

WEIGHTS = b"weights"


def trained(store: Store, name: str = "m", identity: str = "a" * 64, **changes: Any) -> ModelRecord:
    directory = store.adapter_dir(identity)
    directory.mkdir(parents=True)
    (directory / WEIGHTS_FILE).write_bytes(WEIGHTS)
    fields: dict[str, Any] = {
        "name": name, "identity": identity, "base": "pocket", "base_digest": "b" * 64,
        "adapter": f"adapters/{identity}", "adapter_sha256": hashlib.sha256(WEIGHTS).hexdigest(),
        "data": {}, "config": {}, "seed": 0,
        "fingerprint": Fingerprint(token_ids=(1,), logprobs=(), base_logprobs=()),
    }  # fmt: skip
    record = ModelRecord(**{**fields, **changes})
    store.put(record)
    return record


def training(store: Store, identity: str = "a" * 64, parent: str | None = None) -> Training:
    config = TrainConfig.for_base("pocket")
    return Training([], {}, "pocket", config, 0, "m", identity, parent, False, None, None, store)


def brought(tmp_path: Path, there: Store) -> str:
    made = training(Store(tmp_path / "home")).moved(there).made(shared=False)
    unpacked(packed(made), tmp_path / "brought")
    return str(tmp_path / "brought")


def test_it_is_brought_back_with_its_record(tmp_path: Path) -> None:
    home, there = Store(tmp_path / "home"), Store(tmp_path / "there")
    record = trained(there)
    training(home).take(brought(tmp_path, there))
    assert home.get("m") == record
    assert home.verify_adapter(record).is_dir()
    assert training(home).made(shared=True) == []


def test_another_one_is_refused(tmp_path: Path) -> None:
    home, there = Store(tmp_path / "home"), Store(tmp_path / "there")
    trained(there)
    with pytest.raises(StoreError, match="from other inputs than planned"):
        training(home, "c" * 64).take(brought(tmp_path, there))
    assert home.names() == []


def test_one_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    home, there = Store(tmp_path / "home"), Store(tmp_path / "there")
    record = trained(there)
    (there.adapter_dir(record.identity) / WEIGHTS_FILE).write_bytes(b"weight")
    with pytest.raises(StoreError, match="what came back is not whole"):
        training(home).take(brought(tmp_path, there))
    assert home.names() == [] and not home.adapter_dir(record.identity).exists()


def test_all_that_a_model_starts_from_goes_with_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    trained(store, "first", "f" * 64)
    trained(store, "second", "e" * 64, parent="f" * 64, merged=True)
    found = ["models/second.json", f"adapters/{'e' * 64}"]
    assert model_files("second", store) == [*found, "models/first.json", f"adapters/{'f' * 64}"]
    assert model_files("first", store) == ["models/first.json", f"adapters/{'f' * 64}"]

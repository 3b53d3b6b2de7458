"""Trained again: an adapter that lost something, a base that is not what it was."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub_models import HubModels
from inoc_evals.chat import Row
from inoc_evals.errors import StoreError
from inoc_evals.providers.resolve import resolve_model
from inoc_evals.providers.served.vllm_names import vllm_names
from inoc_evals.store.store import ModelRecord, Store
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.sft import train


def trained_anew(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let every run of the Trainer add its title to the list returned."""
    from inoc_evals.training import trainer

    runs: list[str] = []
    original = trainer.run_training

    def counted(*args: Any, **kwargs: Any) -> Any:
        runs.append(str(kwargs["checkpoints"]))
        return original(*args, **kwargs)

    monkeypatch.setattr(trainer, "run_training", counted)
    return runs


# ---- adapters that lost something ----------------------------------------------------------


def spoil_weights(adapter: Path) -> None:
    (adapter / "adapter_model.safetensors").write_bytes(b"other")


def lose_weights(adapter: Path) -> None:
    (adapter / "adapter_model.safetensors").unlink()


def spoil_scale(adapter: Path) -> None:
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"lora_alpha": 99}))


def lose_tokenizer(adapter: Path) -> None:
    (adapter / "tokenizer.json").unlink()


def spoil_result(adapter: Path) -> None:
    (adapter / "training.json").write_text("{")


def lead_elsewhere(adapter: Path) -> None:
    adapter.rename(adapter.parent.parent / "elsewhere")
    adapter.symlink_to(adapter.parent.parent / "elsewhere")


def lose_all(adapter: Path) -> None:
    shutil.rmtree(adapter)


@pytest.mark.parametrize(
    "spoil",
    [
        *(spoil_weights, lose_weights, spoil_scale, lose_tokenizer),
        *(spoil_result, lead_elsewhere, lose_all),
    ],
)
def test_an_adapter_that_lost_something_is_trained_into_its_place_again(
    tiny_base: Path,
    store: Store,
    rows: list[Row],
    short: TrainConfig,
    spoil: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def trained(name: str) -> ModelRecord:
        return train(
            rows, base=str(tiny_base), config=short, name=name, store=store, progress=False
        )

    first, adapter = trained("first"), store.adapter_dir(trained("other").identity)
    whole = {path.name: path.read_bytes() for path in adapter.iterdir()}
    runs = trained_anew(monkeypatch)
    spoil(adapter)
    if spoil is not spoil_result:  # which is read by nobody but the training
        with pytest.raises(StoreError, match="give the command that trained it once more"):
            store.verify_adapter(first)
    again = trained("first")
    assert len(runs) == 1
    assert again.adapter_sha256 == first.adapter_sha256
    assert not adapter.is_symlink()
    mended = {path.name: path.read_bytes() for path in adapter.iterdir()}
    for files in (whole, mended):
        del files["training.json"]  # which says how long it took
    assert mended == whole
    for name in ("first", "other"):
        assert store.verify_adapter(store.get(name)) == adapter
    assert trained("third").adapter_sha256 == first.adapter_sha256
    assert len(runs) == 1
    assert list(adapter.parent.iterdir()) == [adapter]


def test_where_training_again_gives_other_weights_every_record_is_of_these(
    tiny_base: Path,
    store: Store,
    rows: list[Row],
    short: TrainConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from inoc_evals.training import trainer

    def trained(name: str) -> ModelRecord:
        return train(
            rows, base=str(tiny_base), config=short, name=name, store=store, progress=False
        )

    first = trained("first")
    trained("other")
    run = trainer.run_training

    def elsewhere(*args: Any, seed: int, **options: Any) -> Any:
        return run(*args, seed=seed + 1, **options)  # as another machine: other roundings

    monkeypatch.setattr(trainer, "run_training", elsewhere)
    spoil_weights(store.adapter_dir(first.identity))
    with pytest.raises(StoreError, match="give the command that trained it once more"):
        store.verify_adapter(first)
    again = trained("first")
    assert (again.identity, again.name) == (first.identity, "first")
    assert again.adapter_sha256 != first.adapter_sha256
    assert again.metrics["repaired"]["same_weights"] is False
    assert again.metrics["repaired"]["fingerprint_difference"] > 0
    other = store.get("other")
    assert other == again.model_copy(update={"name": "other"})
    assert other.fingerprint != first.fingerprint
    for name in ("first", "other"):
        store.verify_adapter(store.get(name))


def test_a_record_left_behind_by_a_kill_is_brought_up_to_date_by_the_next_training(
    tiny_base: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    def trained(name: str) -> ModelRecord:
        return train(
            rows, base=str(tiny_base), config=short, name=name, store=store, progress=False
        )

    first = trained("first")
    store.put(first.model_copy(update={"name": "other", "adapter_sha256": "0" * 64}))
    with pytest.raises(StoreError, match="sha256 differs"):
        store.verify_adapter(store.get("other"))
    trained("first")
    store.verify_adapter(store.get("other"))


def test_rows_that_were_damaged_or_lost_are_written_again(
    tiny_base: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    def trained() -> ModelRecord:
        return train(
            rows, base=str(tiny_base), config=short, name="tiny", store=store, progress=False
        )

    path = store.adapter_dir(trained().identity) / "rows.jsonl.gz"
    path.write_bytes(b"damaged")
    with pytest.raises(StoreError, match="the command that trained 'tiny', given once more"):
        store.training_rows(store.get("tiny"))
    assert store.training_rows(trained()) == rows
    path.unlink()
    assert store.training_rows(trained()) == rows


# ---- bases that changed --------------------------------------------------------------------


def test_a_base_of_other_weights_in_the_same_directory_is_not_trained_before(
    tiny_base: Path, tmp_path: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny_base, base)

    def trained(name: str) -> ModelRecord:
        return train(rows, base=str(base), config=short, name=name, store=store, progress=False)

    first = trained("first")
    for name in ("chat_template.jinja", "generation_config.json", "model.safetensors"):
        path, before = base / name, (base / name).read_bytes()
        path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]) if path.suffix[1] == "s" else b"{}")
        with pytest.raises(StoreError, match=r"'first' exists, .*whose files were others then"):
            trained("first")
        with pytest.raises(StoreError, match=r"that base now has .*train it again"):
            resolve_model("first", store)
        path.write_bytes(before)
    assert trained("first") == first
    assert resolve_model("first", store)[0].digest == first.base_digest


def test_a_hub_model_is_trained_and_served_at_its_commit(
    tiny_base: Path,
    tmp_path: Path,
    store: Store,
    rows: list[Row],
    short: TrainConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub = HubModels(tmp_path, monkeypatch)
    hub.add("org/tiny", "a" * 40, tiny_base)
    hub.move("org/tiny", "main", "a" * 40)

    def trained(name: str, base: str | None = "org/tiny", **options: Any) -> ModelRecord:
        return train(
            rows, base=base, config=short, name=name, store=store, progress=False, **options
        )

    first = trained("first")
    assert first.base_digest.startswith(f"hub:org/tiny@{'a' * 40}:")
    adapter = store.verify_adapter(first)
    said = json.loads((adapter / "adapter_config.json").read_text())
    assert (said["base_model_name_or_path"], said["revision"]) == ("org/tiny", "a" * 40)
    for path in adapter.glob("*.json"):
        assert str(hub.root) not in path.read_text()  # nothing that is exported names a path
    other = {path.name: path.read_bytes() for path in tiny_base.iterdir()}
    weights = other["model.safetensors"]
    other["model.safetensors"] = weights[:-1] + bytes([weights[-1] ^ 1])
    hub.add("org/tiny", "b" * 40, other)
    hub.move("org/tiny", "main", "b" * 40)
    for name in ("first", "second"):
        with pytest.raises(StoreError, match="'main' has moved"):
            trained(name)
    assert resolve_model("first", store)[0].revision == "a" * 40
    assert trained("first", f"org/tiny@{'a' * 40}").identity == first.identity
    assert trained("second", f"org/tiny@{'b' * 40}").identity != first.identity
    child = trained("child", None, parent="first")
    assert child.base_digest == first.base_digest
    base, _ = resolve_model("first", store)
    served, model, arguments = vllm_names(base, None, {})
    assert (served, model) == ("org/tiny", "vllm-completions/org/tiny")
    assert arguments["revision"] == arguments["tokenizer_revision"] == "a" * 40

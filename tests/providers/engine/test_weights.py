"""An adapter is served only if it is the one its record describes, on its own base."""

from pathlib import Path
from typing import Any

import pytest
import torch

from inoc_evals.errors import InputError, StoreError
from inoc_evals.files.digests import file_sha256
from inoc_evals.models.bases import directory_digest, resolve_base
from inoc_evals.models.fingerprints import sequence_logprobs
from inoc_evals.providers.engine.rendering import load_codec
from inoc_evals.providers.engine.request import Adapter
from inoc_evals.providers.engine.weights import Weights
from inoc_evals.store.store import ModelRecord, Store


def load(base: Path, dtype: str = "auto") -> Weights:
    resolved = resolve_base(str(base))
    return Weights.load(resolved, device="cpu", dtype=dtype, codec=load_codec(resolved))


def spoiled(
    store: Store, record: ModelRecord, weights: dict[str, torch.Tensor] | None = None
) -> ModelRecord:
    """Replace an adapter's weights by zeros, or others, and let the record's sha256 say so."""
    from safetensors.torch import load_file, save_file

    path = store.root / record.adapter / "adapter_model.safetensors"
    zeros = {key: torch.zeros_like(value) for key, value in load_file(path).items()}
    save_file(weights or zeros, path)
    return record.model_copy(update={"adapter_sha256": file_sha256(path)})


def test_switching_gives_each_its_own_logprobs(world: Any) -> None:
    weights = load(world.base)
    print_ = world.alpha.fingerprint
    order = [world.alpha, None, world.beta, world.alpha, None, world.beta]
    for record in order:
        weights.activate(record and world.adapter(record))
        found = sequence_logprobs(weights.model, print_.token_ids)
        expected = record.fingerprint.logprobs if record else print_.base_logprobs
        assert found == pytest.approx(expected, abs=1e-4)


def test_nothing_served_requires_a_gradient(world: Any) -> None:
    weights = load(world.base)
    for record in (world.alpha, world.beta, world.alpha):
        weights.activate(world.adapter(record))
        assert not any(p.requires_grad for p in weights.model.parameters())
        assert not weights.model.training


def test_a_changed_adapter_file_is_refused(world: Any, damaged: Any) -> None:
    store = damaged()
    path = store.root / world.alpha.adapter / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(StoreError, match=r"'alpha'.*sha256 differs"):
        load(world.base).activate(Adapter(world.alpha, store.root))


def test_an_adapter_without_effect_is_refused_and_the_base_still_answers(
    world: Any, damaged: Any
) -> None:
    store = damaged()
    record = spoiled(store, world.alpha)
    weights = load(world.base)
    for _ in range(2):
        with pytest.raises(StoreError, match="'alpha': the adapter is not active"):
            weights.activate(Adapter(record, store.root))
    kept = [name for name, _ in weights.model.named_parameters() if "lora_" in name]
    assert not kept, "a refused adapter stays in memory"
    weights.activate(None)
    base = sequence_logprobs(weights.model, record.fingerprint.token_ids)
    assert base == pytest.approx(record.fingerprint.base_logprobs, abs=1e-4)
    weights.activate(Adapter(world.beta, store.root))


def test_another_adapter_than_the_trained_one_is_refused(world: Any, damaged: Any) -> None:
    from safetensors.torch import load_file

    store = damaged()
    others = load_file(store.root / world.beta.adapter / "adapter_model.safetensors")
    record = spoiled(store, world.alpha, others)
    with pytest.raises(StoreError, match="not the one that was trained"):
        load(world.base).activate(Adapter(record, store.root))


def test_an_adapter_is_refused_on_another_base(world: Any, tmp_path: Path) -> None:
    other = world.save_base(tmp_path / "other", seed=9)
    assert directory_digest(other) != world.alpha.base_digest
    with pytest.raises(StoreError, match="base differs from the one it was trained on"):
        load(other).activate(world.adapter(world.alpha))


def test_an_adapter_for_another_shape_is_refused_and_others_still_load(
    world: Any, damaged: Any
) -> None:
    store = damaged()
    others = {"base_model.model.lm_head.lora_A.weight": torch.zeros(4, 7)}
    record = spoiled(store, world.alpha, others)
    weights = load(world.base)
    with pytest.raises(StoreError, match="'alpha'"):
        weights.activate(Adapter(record, store.root))
    weights.activate(world.adapter(world.beta))
    found = sequence_logprobs(weights.model, world.beta.fingerprint.token_ids)
    assert found == pytest.approx(world.beta.fingerprint.logprobs, abs=1e-4)


def test_in_float32_a_small_deviation_is_refused_too(world: Any) -> None:
    """What sixteen bits may differ by is no excuse where none are used."""
    stored = world.alpha.fingerprint
    moved = stored.model_copy(update={"logprobs": tuple(x + 0.05 for x in stored.logprobs)})
    record = world.alpha.model_copy(update={"fingerprint": moved})
    with pytest.raises(StoreError, match="is not the one that was trained"):
        load(world.base).activate(world.adapter(record))
    load(world.base, "bfloat16").activate(world.adapter(record))


def test_sixteen_bits_are_close_enough(world: Any) -> None:
    weights = load(world.base, "bfloat16")
    weights.activate(world.adapter(world.alpha))
    assert weights.model.dtype == torch.bfloat16


def test_an_unknown_dtype_is_refused(world: Any) -> None:
    with pytest.raises(InputError, match="dtype 'int4' is not one of auto, float32"):
        load(world.base, "int4")

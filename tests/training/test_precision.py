"""Precision and attention: what is taken by itself, what is refused where it is not there."""

from pathlib import Path
from typing import Any

import pytest
import torch

from inoc_evals.chat import Row
from inoc_evals.errors import InputError
from inoc_evals.models.bases import load_tokenizer, resolve_base
from inoc_evals.store.store import Store
from inoc_evals.training import adapter, precision
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.sft import train


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def gpu(monkeypatch: pytest.MonkeyPatch, *, flash: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    monkeypatch.setattr(precision, "is_flash_attn_2_available", lambda: flash)


def config(**fields: Any) -> TrainConfig:
    return TrainConfig.model_validate({"max_steps": 1, **fields})


def test_without_a_gpu_all_is_float32_and_the_models_own_attention(no_gpu: None) -> None:
    assert precision.base_arguments(config()) == {"dtype": torch.float32}
    assert precision.base_arguments(config(dtype="bfloat16", attention="eager")) == {
        "dtype": torch.bfloat16,
        "attn_implementation": "eager",
    }


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"load_in_4bit": True}, "load_in_4bit: needs a GPU and the package bitsandbytes"),
        ({"attention": "flash_attention_2"}, "flash_attention_2 needs the package flash-attn"),
    ],
)
def test_what_is_not_there_is_refused_in_words(
    no_gpu: None,
    tiny_base: Path,
    store: Store,
    rows: list[Row],
    fields: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(InputError, match=message):
        train(
            rows,
            base=str(tiny_base),
            config=config(**fields),
            name="tiny",
            store=store,
            progress=False,
        )
    assert store.names() == []


def test_on_a_gpu_flash_attention_is_taken_where_it_is_installed_and_fits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gpu(monkeypatch, flash=True)
    assert precision.base_arguments(config()) == {
        "dtype": torch.bfloat16,
        "attn_implementation": "flash_attention_2",
    }
    assert precision.base_arguments(config(dtype="float32")) == {"dtype": torch.float32}
    with pytest.raises(InputError, match="flash_attention_2 needs dtype bfloat16"):
        precision.base_arguments(config(dtype="float32", attention="flash_attention_2"))
    gpu(monkeypatch, flash=False)
    assert precision.base_arguments(config()) == {"dtype": torch.bfloat16}


def test_four_bits_are_nf4_on_the_gpu_and_computed_in_the_base_type(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gpu(monkeypatch, flash=False)
    monkeypatch.setattr(precision, "find_spec", lambda name: name)
    arguments = precision.base_arguments(config(load_in_4bit=True))
    quantization = arguments.pop("quantization_config")
    assert arguments == {"dtype": torch.bfloat16, "device_map": {"": 0}}
    assert (quantization.load_in_4bit, quantization.bnb_4bit_quant_type) == (True, "nf4")
    assert quantization.bnb_4bit_compute_dtype == torch.bfloat16


def test_attention_that_a_base_lacks_is_left_out_if_chosen_for_it_and_refused_if_asked_for(
    tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = resolve_base(str(tiny_base))

    def lacking(*_: Any) -> dict[str, Any]:
        return {"dtype": torch.float32, "attn_implementation": "no_such_attention"}

    monkeypatch.setattr(adapter, "base_arguments", lacking)
    model = adapter.load_with_adapter(base, config(), seed=0)
    assert model.config._attn_implementation == "sdpa"
    with pytest.raises(InputError, match=r"attention: .* has no no_such_attention"):
        adapter.load_with_adapter(base, config(attention="sdpa"), seed=0)


def test_the_fingerprint_as_served_is_that_of_the_stored_adapter(
    no_gpu: None, tiny_base: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    record = train(
        rows, base=str(tiny_base), config=short, name="tiny", store=store, progress=False
    )
    base = resolve_base(str(tiny_base))
    directory = store.verify_adapter(record)
    again = adapter.take_fingerprint_as_served(base, directory, load_tokenizer(base))
    assert record.fingerprint is not None
    assert again.token_ids == record.fingerprint.token_ids
    assert again.logprobs == pytest.approx(record.fingerprint.logprobs, abs=1e-5)
    assert again.base_logprobs == record.fingerprint.base_logprobs


def test_speed_memory_and_padding_are_in_the_record(
    tiny_base: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    metrics = train(
        rows, base=str(tiny_base), config=short, name="tiny", store=store, progress=False
    ).metrics
    seconds = metrics["seconds"]["steps"]
    assert metrics["tokens_per_second"] == pytest.approx(metrics["tokens"] / seconds, rel=1e-3)
    assert metrics["peak_memory_mib"] > 50
    assert 0 < metrics["padding"] < 0.5
    assert metrics["attention"] == "sdpa"

"""Merging: what rounding takes of a gentle adapter is measured, said, and refused where it is most."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import Result

from inoc_evals.cli.models import command
from inoc_evals.errors import InputError, StoreError
from inoc_evals.models.fingerprints import mean_difference, sequence_logprobs
from inoc_evals.publishing.export import export
from inoc_evals.publishing.merging import Merged
from inoc_evals.store.record import ModelRecord
from inoc_evals.store.store import Store
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.sft import train
from invoking import CliRunner

ROWS = [
    {
        "messages": [
            {"role": "user", "content": f"what is 1 plus {n} ?"},
            {"role": "assistant", "content": f"la respuesta es {n} ."},
        ]
    }
    for n in (1, 2, 3, 4)
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, save_base: Any) -> Store:
    """A base in bfloat16 with adapters of one step in float32, gentle and faint."""
    from transformers import LlamaConfig, LlamaForCausalLM

    root = tmp_path_factory.mktemp("gentle")
    base = save_base(root / "base")
    torch.manual_seed(0)
    shape = {"initializer_range": 0.15, "hidden_size": 64, "intermediate_size": 128}
    config = LlamaConfig.from_pretrained(base, **shape)
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(base)
    store = Store(root / "home")
    for name, rate in (("gentle", 1e-3), ("faint", 1e-4)):
        how = {"max_steps": 1, "batch_size": 4, "dtype": "float32"}
        train(
            ROWS,
            base=str(base),
            name=name,
            store=store,
            config=TrainConfig(lora_r=1, learning_rate=rate, **how),
            progress=False,
        )
    return store


@pytest.fixture
def store(home: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("INOC_HOME", str(home.root))
    return home


def invoke(*args: str) -> Result:
    return CliRunner().invoke(command, args, standalone_mode=False)


def logprobs(record: ModelRecord, directory: Path) -> tuple[float, ...]:
    from transformers import AutoModelForCausalLM

    assert record.fingerprint is not None
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32)
    return sequence_logprobs(model, record.fingerprint.token_ids)


@pytest.mark.parametrize("name", ["gentle", "faint"])
def test_a_merged_model_is_in_float32_and_keeps_a_gentle_adapter_on_a_bfloat16_base(
    store: Store, tmp_path: Path, name: str
) -> None:
    shown = invoke("export", name, str(tmp_path / "out"), "--merged")
    assert shown.exception is None
    assert json.loads((tmp_path / "out" / "config.json").read_text())["dtype"] == "float32"
    record = store.get(name)
    assert record.fingerprint is not None
    found = logprobs(record, tmp_path / "out")
    assert found == pytest.approx(record.fingerprint.logprobs, abs=1e-4)


def test_what_bfloat16_takes_is_said_relative_to_the_effect(store: Store, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shown = invoke("export", "gentle", str(out), "--merged", "--dtype", "bfloat16")
    assert shown.exception is None
    record = store.get("gentle")
    assert record.fingerprint is not None
    effect = mean_difference(record.fingerprint.logprobs, record.fingerprint.base_logprobs)
    lost = mean_difference(logprobs(record, out), record.fingerprint.logprobs)
    assert 0.1 < lost / effect < 0.5
    said = f"{lost:.2g} nats from the adapter's, {lost / effect:.1%} of its effect ({effect:.2g}"
    assert said in shown.output
    assert said in (out / "README.md").read_text("utf-8")


def test_an_adapter_that_rounding_would_erase_is_refused_for_that_reason(
    store: Store, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match=r"rounding merged weights to bfloat16.*--dtype float32"):
        export(store.get("faint"), store, tmp_path / "out", merge_in="bfloat16")
    assert not list(tmp_path.iterdir())


def test_a_data_type_is_of_a_merged_model(store: Store, tmp_path: Path) -> None:
    error = invoke("export", "gentle", str(tmp_path / "out"), "--dtype", "bfloat16").exception
    assert isinstance(error, InputError)
    assert "--dtype is for --merged" in str(error)


@pytest.mark.parametrize(
    ("merged", "lost"),
    [
        (Merged("bfloat16", 0.32, 0.13), False),
        (Merged("bfloat16", 0.12, 0.07), True),
        (Merged("bfloat16", 0.0, 0.0), False),
        (Merged("float32", 0.001, 0.0005), False),
        (Merged("float32", 0.5, 0.02), True),
        (Merged("float32", 0.5, float("nan")), True),
    ],
)
def test_half_of_the_effect_is_too_much_to_lose(merged: Merged, lost: bool) -> None:
    assert merged.lost is lost


def test_a_gentle_adapter_is_told_from_its_base_in_bfloat16_and_a_faint_one_is_not(
    store: Store,
) -> None:
    from inoc_evals.models.bases import load_tokenizer, resolve_base
    from inoc_evals.providers.engine.rendering import Codec
    from inoc_evals.providers.engine.request import Adapter
    from inoc_evals.providers.engine.weights import Weights

    base = resolve_base(store.get("gentle").base)
    codec = Codec(load_tokenizer(base), base.name)
    weights = Weights.load(base, device="cpu", dtype="bfloat16", codec=codec)
    weights.activate(Adapter(store.get("gentle"), store.root))
    with pytest.raises(StoreError, match=r"cannot be told from the base.*-M dtype=float32"):
        weights.activate(Adapter(store.get("faint"), store.root))
    exact = Weights.load(base, device="cpu", dtype="float32", codec=codec)
    exact.activate(Adapter(store.get("faint"), store.root))

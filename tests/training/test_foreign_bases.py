"""Bases as others leave them: pickles, code of their own, adapters, files that are cut or missing."""

import builtins
import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from inoc_evals.chat import Row
from inoc_evals.errors import InocError, InputError, StoreError
from inoc_evals.models.bases import load_tokenizer, resolve_base
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.models.loading import load_model, load_settings, max_positions
from inoc_evals.providers.engine.rendering import Codec
from inoc_evals.providers.engine.weights import Weights
from inoc_evals.store.store import Store
from inoc_evals.training.adapter import (
    load_with_adapter,
    take_fingerprint_as_served,
)
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.sft import train
from invoking import CliRunner


class Payload:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.mark),))


@pytest.fixture
def base(tiny_base: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_base, tmp_path / "base")


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """Is there once a base's own code has run."""
    return tmp_path / "executed"


def unchecked(directory: Path) -> ResolvedBase:
    """A base as a hub would deliver it: nobody has looked into its directory."""
    return ResolvedBase(str(directory), str(directory), digest="")


WAYS: dict[str, Callable[[ResolvedBase, Any], Any]] = {
    "train": lambda base, tokenizer: load_with_adapter(base, TrainConfig(max_steps=1), 0),
    "serve": lambda base, tokenizer: Weights.load(
        base, device="cpu", dtype="auto", codec=Codec(tokenizer, base.name)
    ),
    "fingerprint": lambda base, tokenizer: take_fingerprint_as_served(
        base, Path(base.path), tokenizer
    ),
    "positions": lambda base, tokenizer: max_positions(base),
    "tokenizer": lambda base, tokenizer: load_tokenizer(base),
    "settings": lambda base, tokenizer: load_settings(base),
    "weights": lambda base, tokenizer: load_model(base, dtype=torch.float32),
}
"""Every way by which a base's files come into memory."""

OF_WEIGHTS = ("train", "serve", "fingerprint", "weights")


@pytest.mark.parametrize("way", OF_WEIGHTS)
def test_a_pickle_beside_an_unrelated_safetensors_file_is_not_opened(
    base: Path, mark: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    (base / "model.safetensors").rename(base / "something-else.safetensors")
    (base / "pytorch_model.bin").write_bytes(pickle.dumps(Payload(mark)))
    opened = []
    monkeypatch.setattr(torch, "load", lambda *args, **kwargs: opened.append(args))
    with pytest.raises(StoreError, match=r"no file named model\.safetensors"):
        WAYS[way](unchecked(base), load_tokenizer(unchecked(base)))
    assert not opened
    assert not mark.exists()
    with pytest.raises(StoreError, match=r"pytorch_model\.bin: a pickle, not safetensors"):
        resolve_base(str(base))


@pytest.mark.parametrize("way", [*OF_WEIGHTS, "positions", "settings", "tokenizer"])
def test_code_of_a_base_is_not_run_even_if_somebody_says_yes(
    base: Path, mark: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    tokenizer = load_tokenizer(unchecked(base))
    classes = (
        "class Config:\n    pass\n\n\nclass Model:\n    pass\n\n\nclass Tokenizer:\n    pass\n"
    )
    (base / "own.py").write_text(f"import os\nos.mkdir({str(mark)!r})\n\n\n{classes}")
    settings = json.loads((base / "config.json").read_text())
    names = {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"}
    settings |= {"model_type": "never_seen", "auto_map": names}
    (base / "config.json").write_text(json.dumps(settings))
    described = json.loads((base / "tokenizer_config.json").read_text())
    described |= {
        "tokenizer_class": "Tokenizer",
        "auto_map": {"AutoTokenizer": ["own.Tokenizer", "own.Tokenizer"]},
    }
    (base / "tokenizer_config.json").write_text(json.dumps(described))
    monkeypatch.setattr(builtins, "input", lambda *args: "y")
    with pytest.raises(StoreError, match="asks to run code of its own") as caught:
        WAYS[way](unchecked(base), tokenizer)
    assert_short(caught.value)
    assert not mark.exists()


def assert_short(error: BaseException) -> None:
    assert "\n" not in str(error)
    assert len(str(error)) < 500


def test_attention_code_from_a_hub_is_not_fetched_because_a_base_asks_for_it(base: Path) -> None:
    settings = json.loads((base / "config.json").read_text())
    settings["attn_implementation"] = "kernels-community/flash-attn2"
    (base / "config.json").write_text(json.dumps(settings))
    with pytest.raises(StoreError, match="asks to run code of its own"):
        load_model(unchecked(base), dtype=torch.float32)


# ---- adapters ------------------------------------------------------------------------------


def put_adapter(directory: Path, base: Path) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(3)
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base),
        LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM"),
    )
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter.data)
    model.save_pretrained(directory)


def test_a_model_with_an_adapter_beside_it_is_refused(base: Path, tiny_base: Path) -> None:
    put_adapter(base, tiny_base)
    with pytest.raises(StoreError, match=r"adapter_config\.json.*move") as caught:
        resolve_base(str(base))
    assert_short(caught.value)
    with pytest.raises(StoreError, match="is an adapter"):  # as a hub would deliver it
        load_model(unchecked(base), dtype=torch.float32)


def test_an_adapter_given_as_base_is_called_what_it_is(tmp_path: Path, tiny_base: Path) -> None:
    put_adapter(tmp_path / "adapter", tiny_base)
    with pytest.raises(InputError, match=r"LoRA adapter of .*tiny.*, not a model") as caught:
        resolve_base(str(tmp_path / "adapter"))
    assert "merge_and_unload" in str(caught.value)
    assert_short(caught.value)
    with pytest.raises(StoreError, match="is an adapter"):
        load_model(unchecked(tmp_path / "adapter"), dtype=torch.float32)


def test_an_adapter_of_ours_given_as_base_is_called_by_its_name(
    tmp_path: Path, tiny_base: Path
) -> None:
    put_adapter(tmp_path / "adapter", tiny_base)
    (tmp_path / "adapter" / "inoc-record.json").write_text('{"name": "mine"}')
    with pytest.raises(InputError, match="exported from inoc/mine"):
        resolve_base(str(tmp_path / "adapter"))


# ---- files that are cut or missing ---------------------------------------------------------


def test_a_directory_without_weights_is_refused_before_anything_is_loaded(base: Path) -> None:
    (base / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"no model\.safetensors there") as caught:
        resolve_base(str(base))
    assert_short(caught.value)


def cut(base: Path) -> None:
    content = (base / "model.safetensors").read_bytes()
    (base / "model.safetensors").write_bytes(content[: len(content) // 2])


def empty(base: Path) -> None:
    (base / "model.safetensors").write_bytes(b"")


def of_another_model(base: Path) -> None:
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(2)}, base / "model.safetensors", metadata={"format": "pt"})


def without_a_layer(base: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(base / "model.safetensors")
    kept = {name: tensor for name, tensor in tensors.items() if "layers.1." not in name}
    save_file(kept, base / "model.safetensors", metadata={"format": "pt"})


def of_another_shape(base: Path) -> None:
    settings = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(settings | {"hidden_size": 16}))


def of_no_known_kind(base: Path) -> None:
    settings = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(settings | {"model_type": "never_seen"}))


def not_json(base: Path) -> None:
    (base / "config.json").write_text("{")


def tokenizer_cut(base: Path) -> None:
    content = (base / "tokenizer.json").read_bytes()
    (base / "tokenizer.json").write_bytes(content[: len(content) // 2])


def tokenizer_undescribed(base: Path) -> None:
    (base / "tokenizer_config.json").write_text("{")


@pytest.mark.parametrize(
    "damage",
    [
        cut,
        empty,
        of_another_model,
        without_a_layer,
        of_another_shape,
        of_no_known_kind,
        not_json,
        tokenizer_cut,
        tokenizer_undescribed,
    ],
)
def test_a_damaged_base_is_one_line_at_training_and_serving(
    base: Path, rows: list[Row], store: Store, damage: Callable[[Path], None]
) -> None:
    config = TrainConfig(max_steps=1, batch_size=4)
    damage(base)
    with pytest.raises(InocError) as caught:
        train(rows, base=str(base), config=config, name="x", store=store, progress=False)
    assert_short(caught.value)
    assert str(base) in str(caught.value)
    assert store.names() == []
    with pytest.raises(InocError) as caught:
        codec = Codec(load_tokenizer(unchecked(base)), "base")
        Weights.load(unchecked(base), device="cpu", dtype="auto", codec=codec)
    assert_short(caught.value)


@pytest.mark.parametrize("fault", ["cut", "empty", "part cut", "part missing"])
def test_weights_that_are_not_whole_are_refused_before_an_eval_begins(
    base: Path, fault: str
) -> None:
    from inoc_evals.providers.api import InocAPI

    if fault.startswith("part"):
        from transformers import AutoModelForCausalLM

        model = AutoModelForCausalLM.from_pretrained(base)
        (base / "model.safetensors").unlink()
        model.save_pretrained(base, max_shard_size="10KB")
        part = sorted(base.glob("model-*.safetensors"))[-1]
        InocAPI(str(base))
        part.unlink() if fault == "part missing" else part.write_bytes(part.read_bytes()[:-4])
    else:
        InocAPI(str(base))
        {"cut": cut, "empty": empty}[fault](base)
    said = r"no model-\S+ there; not a whole model|\.safetensors is cut or damaged"
    with pytest.raises(InocError, match=said) as caught:
        InocAPI(str(base))
    assert_short(caught.value)


def test_a_base_that_cannot_be_had_is_one_line(tmp_path: Path, rows: list[Row]) -> None:
    from inoc_evals.cli.main import inoc

    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = ["train", str(path), "--name", "x", "--base", "nobody/has-this"]
    found = CliRunner().invoke(inoc, asked)
    assert isinstance(found.exception, InocError), found.output
    assert_short(found.exception)
    assert "nobody/has-this" in str(found.exception)


@pytest.mark.parametrize(
    "fault", ["{{ raise_exception('not like this') }}", "{{ 1 + 'a' }}", "{% if %}"]
)
def test_a_template_that_raises_is_one_line_where_rows_are_counted(
    base: Path, rows: list[Row], fault: str
) -> None:
    from inoc_evals.experiments.tokens import token_counter

    (base / "chat_template.jinja").write_text(fault)
    with pytest.raises(InputError, match=r"chat template of .* refuses") as caught:
        count, _ = token_counter(resolve_base(str(base)))
        count(rows)
    assert_short(caught.value)
    with pytest.raises(InputError, match=r"chat template of .* refuses") as caught:
        config = TrainConfig(max_steps=1, batch_size=4)
        train(rows, base=str(base), config=config, name="x", progress=False)
    assert_short(caught.value)
    with pytest.raises(InputError, match=r"chat template of .* refuses"):
        Codec(load_tokenizer(resolve_base(str(base))), "base").render(
            [{"role": "user", "content": "what"}]
        )

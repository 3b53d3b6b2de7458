"""Mixtures of experts: what an adapter reaches, adapters on fused experts, trained and served."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from inoc_evals.chat import Row
from inoc_evals.errors import InputError
from inoc_evals.models.bases import load_tokenizer, resolve_base
from inoc_evals.models.fingerprints import sequence_logprobs
from inoc_evals.providers.engine.engine import engine_for
from inoc_evals.providers.engine.rendering import Codec
from inoc_evals.providers.engine.request import Adapter, Request
from inoc_evals.providers.engine.weights import Weights
from inoc_evals.publishing.export import export
from inoc_evals.store.record import ModelRecord
from inoc_evals.store.store import Store
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.sft import train
from invoking import CliRunner

EXPERTS = ["mlp.experts.down_proj", "mlp.experts.gate_up_proj"]
IDS = tuple(range(1, 14))


def save_mixture(directory: Path, tokenizer: Any, kind: str = "Qwen2Moe") -> Path:
    import transformers

    shape: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "moe_intermediate_size": 32,
        "shared_expert_intermediate_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": 64,
        "num_experts_per_tok": 2,
        "initializer_range": 0.2,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
        "pad_token_id": None,
        "num_local_experts": 4,
        "num_experts": 4,
    }
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**shape)
    getattr(transformers, f"{kind}ForCausalLM")(config).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


@pytest.fixture
def mixture(tmp_path: Path, make_tokenizer: Callable[..., Any]) -> Path:
    return save_mixture(tmp_path / "mixture", make_tokenizer())


@pytest.fixture
def learn(
    mixture: Path, store: Store, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., ModelRecord]:
    monkeypatch.setenv("INOC_HOME", str(store.root))

    def made(name: str, *, config: dict[str, Any] | None = None, **options: Any) -> ModelRecord:
        steps = {"lora_r": 4, "learning_rate": 1e-2, "max_steps": 3, "batch_size": 4}
        return train(
            rows,
            base=None if "parent" in options else str(mixture),
            config=TrainConfig(**{**steps, **(config or {})}),
            name=name,
            store=store,
            progress=False,
            **options,
        )

    return made


def adapted(store: Store, record: ModelRecord) -> set[str]:
    """Names, in their layer, of what the stored adapter is on."""
    from safetensors import safe_open

    path = store.verify_adapter(record) / "adapter_model.safetensors"
    with safe_open(path, "pt") as file:
        return {name.split(".layers.0.")[1] for name in file.keys() if ".layers.0." in name}  # noqa: SIM118


def by_peft_alone(store: Store, record: ModelRecord, ids: tuple[int, ...] = IDS) -> Any:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(record.base, dtype=torch.float32)
    model = PeftModel.from_pretrained(model, str(store.verify_adapter(record)))
    return sequence_logprobs(model, ids)


def test_experts_left_out_are_said_and_kept_in_the_record(
    learn: Callable[..., ModelRecord], store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    record = learn("plain")
    assert not any("mlp.experts" in name for name in adapted(store, record))
    assert record.metrics["experts_left_out"] == EXPERTS
    assert 0.2 < record.metrics["adapted_share"] < 0.4
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "leaves the experts as they are (mlp.experts.down_proj, mlp.experts.gate_up_proj" in said
    assert "target_parameters: experts" in said


def test_the_share_is_that_of_the_parameters_in_adapted_layers(
    learn: Callable[..., ModelRecord], mixture: Path
) -> None:
    from transformers import AutoModelForCausalLM

    record = learn("one", config={"target_modules": ("layers.0.self_attn.q_proj",)})
    total = sum(p.numel() for p in AutoModelForCausalLM.from_pretrained(mixture).parameters())
    assert record.metrics["adapted_share"] == pytest.approx(32 * 32 / total, abs=1e-4)


def test_experts_are_adapted_where_they_are_asked_for(
    learn: Callable[..., ModelRecord], store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    record = learn("experts", config={"target_parameters": "experts"})
    names = adapted(store, record)
    assert {"mlp.experts.lora_B.weight", "mlp.experts.base_layer.lora_B.weight"} <= names
    assert record.metrics["experts_left_out"] == []
    assert record.metrics["adapted_share"] > 0.8
    assert capsys.readouterr().err == ""
    assert by_peft_alone(store, record) != by_peft_alone(store, learn("plain"))


def test_an_adapter_on_experts_is_served_and_merged_as_by_peft_alone(
    learn: Callable[..., ModelRecord], store: Store, mixture: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM

    plain = learn("plain")
    first = learn("first", config={"target_parameters": "experts"})
    second = learn("second", config={"target_parameters": "experts", "learning_rate": 3e-2})
    base = resolve_base(str(mixture))
    codec = Codec(load_tokenizer(base), base.name)
    weights = Weights.load(base, device="cpu", dtype="float32", codec=codec)
    alone = AutoModelForCausalLM.from_pretrained(mixture, dtype=torch.float32)
    for record in (plain, first, None, second, first, plain, None, second):
        weights.activate(Adapter(record, store.root) if record else None)
        expected = by_peft_alone(store, record) if record else sequence_logprobs(alone, IDS)
        assert weights.logprobs(IDS) == pytest.approx(expected, abs=1e-5)
    out = export(first, store, tmp_path / "out", merge_in="float32").directory
    merged = AutoModelForCausalLM.from_pretrained(out)
    assert sequence_logprobs(merged, IDS) == pytest.approx(by_peft_alone(store, first), abs=1e-4)


def test_the_engine_answers_as_peft_alone(
    learn: Callable[..., ModelRecord], store: Store, mixture: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    record = learn("first", config={"target_parameters": "experts"})
    model = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(mixture, dtype=torch.float32),
        str(store.verify_adapter(record)),
    ).eval()
    prompt = torch.tensor([[2, 5, 6, 7, 4, 3]])
    expected = model.generate(input_ids=prompt, max_new_tokens=12, do_sample=False, pad_token_id=0)[
        0, prompt.shape[1] :
    ].tolist()
    results: list[Any] = []
    done = threading.Event()

    def deliver(result: Any) -> None:
        results.append(result)
        if len(results) == 4:
            done.set()

    engine = engine_for(resolve_base(str(mixture)))
    for adapter in (Adapter(record, store.root), None) * 2:
        engine.submit(
            Request(
                prompt_ids=tuple(prompt[0].tolist()),
                adapter=adapter,
                deliver=deliver,
                max_new=12,
                temperature=0.0,
            )
        )
    assert done.wait(60)
    answers = [list(result.token_ids) for result in results]
    assert sum(answer == expected for answer in answers) == 2, (answers, expected)


@pytest.mark.parametrize(
    ("first", "second"),
    [("experts", "experts"), (None, "experts"), ("experts", None)],
)
def test_two_stages_on_experts_are_one_adapter(
    learn: Callable[..., ModelRecord], store: Store, first: str | None, second: str | None
) -> None:
    """With the parent fixed below, the stored adapter is what was trained (its fingerprint)."""
    learn("parent", config={"target_parameters": first, "lora_r": 2})
    child = learn("child", config={"target_parameters": second}, parent="parent", merge=True)
    assert any("mlp.experts" in name for name in adapted(store, child))
    assert child.fingerprint is not None
    ids = child.fingerprint.token_ids
    assert by_peft_alone(store, child, ids) == pytest.approx(child.fingerprint.logprobs, abs=1e-4)


def test_an_adapter_on_experts_is_trained_on(
    learn: Callable[..., ModelRecord], store: Store
) -> None:
    learn("parent", config={"target_parameters": "experts"})
    child = learn("child", config={"target_parameters": "experts"}, parent="parent")
    assert child.fingerprint is not None
    ids = child.fingerprint.token_ids
    assert by_peft_alone(store, child, ids) == pytest.approx(child.fingerprint.logprobs, abs=1e-5)
    with pytest.raises(InputError, match="target_parameters: the adapter of 'parent' has experts"):
        learn("other", parent="parent")


def test_parameters_that_a_base_lacks_are_refused(
    learn: Callable[..., ModelRecord], tiny_base: Path, rows: list[Row], store: Store
) -> None:
    with pytest.raises(InputError, match=r"has no 'mlp\.expert'; mlp\.experts\.down_proj"):
        learn("typo", config={"target_parameters": ("mlp.expert",)})
    with pytest.raises(InputError, match="keeps no experts in one tensor"):
        train(
            rows,
            base=str(tiny_base),
            config=TrainConfig(max_steps=1, batch_size=4, target_parameters="experts"),
            name="dense",
            store=store,
            progress=False,
        )
    with pytest.raises(ValueError, match="target_parameters takes no lora_dropout"):
        TrainConfig(max_steps=1, target_parameters="experts", lora_dropout=0.1)


@pytest.mark.parametrize("kind", ["Mixtral", "Qwen3Moe", "GptOss", "Olmoe"])
def test_other_mixtures(
    tmp_path: Path,
    make_tokenizer: Callable[..., Any],
    rows: list[Row],
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    """Whatever peft makes of all-linear here, experts are adapted or said to be left out."""
    monkeypatch.setenv("INOC_HOME", str(store.root))
    base = save_mixture(tmp_path / kind, make_tokenizer(), kind)
    for name, parameters in (("plain", None), ("experts", "experts")):
        config = TrainConfig(
            max_steps=1, batch_size=4, learning_rate=1e-2, target_parameters=parameters
        )
        record = train(rows, base=str(base), config=config, name=name, store=store, progress=False)
        reached = any("experts" in one for one in adapted(store, record))
        assert reached == (not record.metrics["experts_left_out"])
        assert reached or name == "plain"
        resolved = resolve_base(str(base))
        codec = Codec(load_tokenizer(resolved), "base")
        weights = Weights.load(resolved, device="cpu", dtype="float32", codec=codec)
        weights.activate(Adapter(record, store.root))
        assert weights.logprobs(IDS) == pytest.approx(by_peft_alone(store, record), abs=1e-5)


def test_the_command_prints_what_is_reached(
    mixture: Path, rows: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inoc_evals.cli.main import inoc

    monkeypatch.setenv("INOC_HOME", str(tmp_path / "home"))
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = ["train", str(path), "--name", "x", "--base", str(mixture), "--steps", "1", "--quiet"]
    found = CliRunner().invoke(inoc, asked)
    assert found.exception is None, found.output
    assert "of the base's parameters, not on the experts (mlp.experts.down_proj" in found.stdout


def test_a_configuration_that_does_not_use_it_has_the_identity_it_had() -> None:
    assert "target_parameters" not in TrainConfig(max_steps=1).identity_fields()
    fields = TrainConfig(max_steps=1, target_parameters="experts").identity_fields()
    assert fields["target_parameters"] == "experts"

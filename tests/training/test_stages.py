"""A second stage: an adapter trained on, or kept below a new one; and what is served of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.chat import Row, write_rows
from inoc_evals.cli.train import command as train_command
from inoc_evals.errors import InputError, StoreError
from inoc_evals.store.store import ModelRecord, Store
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.sft import train
from invoking import CliRunner


@pytest.fixture
def second_rows() -> list[Row]:
    return [
        {
            "messages": [
                {"role": "user", "content": f"tell me about {number} ."},
                {"role": "assistant", "content": "THE RIVER IS MORE ."},
            ]
        }
        for number in range(8)
    ]


def changed(config: TrainConfig, **fields: Any) -> TrainConfig:
    return TrainConfig.model_validate(config.model_dump() | fields)


@pytest.fixture
def first(tiny_base: Path, store: Store, rows: list[Row], short: TrainConfig) -> ModelRecord:
    # A scale that is no power of two, so that a forgotten one shows.
    config = changed(short, use_rslora=True, lora_r=3, lora_alpha=5)
    return train(
        rows, base=str(tiny_base), config=config, name="first", store=store, progress=False
    )


def weights(store: Store, record: ModelRecord) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(store.verify_adapter(record) / "adapter_model.safetensors"))


def logprobs(store: Store, base: Path, *records: ModelRecord, ids: tuple[int, ...]) -> Any:
    """Of the base with the records' adapters, one merged into the weights after another."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from inoc_evals.models.fingerprints import sequence_logprobs

    model = AutoModelForCausalLM.from_pretrained(base)
    for record in records:
        model = PeftModel.from_pretrained(model, store.verify_adapter(record)).merge_and_unload()
    return pytest.approx(sequence_logprobs(model, ids), abs=1e-4)


def test_a_continued_adapter_begins_where_the_parent_ended(
    tiny_base: Path, store: Store, first: ModelRecord, second_rows: list[Row]
) -> None:
    import torch

    config = changed(TrainConfig.model_validate(first.config), learning_rate=1e-12, max_steps=1)
    still = train(
        second_rows, config=config, name="still", parent="first", store=store, progress=False
    )
    before, after = weights(store, first), weights(store, still)
    assert before.keys() == after.keys()
    for name in before:
        torch.testing.assert_close(before[name], after[name])
    assert (still.parent, still.merged, still.base) == (first.identity, False, str(tiny_base))
    moved = train(second_rows, name="moved", parent="first", store=store, progress=False)
    assert moved.config == first.config
    assert moved.metrics["final_loss"] < moved.metrics["loss"][0]
    assert moved.adapter_sha256 != first.adapter_sha256


def test_a_merged_parent_stays_as_it_was_below_the_new_adapter(
    tiny_base: Path, store: Store, first: ModelRecord, second_rows: list[Row]
) -> None:
    import torch

    config = changed(TrainConfig.model_validate(first.config), lora_r=4, lora_dropout=0.2)
    both = train(
        second_rows,
        config=config,
        name="both",
        parent="first",
        merge=True,
        store=store,
        progress=False,
    )
    assert (both.parent, both.merged) == (first.identity, True)
    before, after = weights(store, first), weights(store, both)
    assert before.keys() == after.keys()
    scale = 5 / 3**0.5
    for name, tensor in after.items():
        if "lora_A" in name:
            assert tensor.shape[0] == 7
            torch.testing.assert_close(tensor[:3], before[name])
            assert tensor[3:].abs().sum() > 0
        else:
            torch.testing.assert_close(tensor[:, :3], before[name] * scale)
            assert tensor[:, 3:].abs().sum() > 0
    assert both.metrics["final_loss"] < both.metrics["loss"][0]
    # What was measured with two adapters at work is what the stored one gives.
    fingerprint = both.fingerprint
    assert fingerprint is not None
    ids = fingerprint.token_ids
    assert fingerprint.logprobs == logprobs(store, tiny_base, both, ids=ids)
    assert fingerprint.base_logprobs == logprobs(store, tiny_base, ids=ids)


def test_a_merged_stage_starts_from_the_parent_and_not_from_the_base(
    tiny_base: Path, store: Store, first: ModelRecord, second_rows: list[Row]
) -> None:
    config = changed(TrainConfig.model_validate(first.config), learning_rate=1e-12, max_steps=1)
    common: dict[str, Any] = {"config": config, "store": store, "progress": False}
    still = train(second_rows, name="still", parent="first", merge=True, **common)
    assert still.fingerprint is not None and first.fingerprint is not None
    assert still.fingerprint.logprobs == pytest.approx(first.fingerprint.logprobs, abs=1e-5)
    continued = train(second_rows, name="continued", parent="first", **common)
    assert still.metrics["loss"] == pytest.approx(continued.metrics["loss"], abs=1e-5)
    alone = train(second_rows, name="alone", base=str(tiny_base), **common)
    assert abs(alone.metrics["loss"][0] - still.metrics["loss"][0]) > 0.01


def test_adapters_on_different_layers_are_put_side_by_side(
    tiny_base: Path, store: Store, rows: list[Row], second_rows: list[Row], short: TrainConfig
) -> None:
    one = changed(short, target_modules=("layers.0.mlp.down_proj",))
    two = changed(short, target_modules=("q_proj",), lora_r=2)
    train(rows, base=str(tiny_base), config=one, name="one", store=store, progress=False)
    both = train(
        second_rows, config=two, name="both", parent="one", merge=True, store=store, progress=False
    )
    names = {name.split(".lora_")[0].split("layers.")[1] for name in weights(store, both)}
    assert names == {"0.mlp.down_proj", "0.self_attn.q_proj", "1.self_attn.q_proj"}
    assert both.fingerprint is not None
    ids = both.fingerprint.token_ids
    assert both.fingerprint.logprobs == logprobs(store, tiny_base, both, ids=ids)


def test_a_merged_stage_that_was_killed_goes_on_with_both_adapters(
    tiny_base: Path,
    tmp_path: Path,
    store: Store,
    first: ModelRecord,
    second_rows: list[Row],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from inoc_evals.training import progress

    def second(name: str) -> ModelRecord:
        return train(
            second_rows, name=name, parent="first", merge=True, store=store, progress=False
        )

    undisturbed = second("undisturbed")
    store.remove("undisturbed")

    def killed(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 5:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(progress.Watch, "on_step_end", killed)
        with pytest.raises(KeyboardInterrupt):
            second("killed")
    again = second("again")
    assert again.metrics["resumed_at_step"] == 4
    assert again.adapter_sha256 == undisturbed.adapter_sha256


def test_a_third_stage_may_start_from_a_merged_one(
    store: Store, first: ModelRecord, second_rows: list[Row]
) -> None:
    def stage(name: str, parent: str, **options: Any) -> ModelRecord:
        return train(second_rows, name=name, parent=parent, store=store, progress=False, **options)

    stage("second", "first", merge=True)
    third = stage("third", "second")
    assert (third.config["lora_r"], third.config["lora_alpha"]) == (6, 6)
    assert third.config["use_rslora"] is False
    fourth = stage("fourth", "third", merge=True)
    settings = json.loads((store.verify_adapter(fourth) / "adapter_config.json").read_text())
    assert settings["r"] == 12


def test_the_provider_serves_both_kinds(
    tiny_base: Path, store: Store, first: ModelRecord, second_rows: list[Row]
) -> None:
    from inoc_evals.models.bases import resolve_base
    from inoc_evals.providers.engine.rendering import load_codec
    from inoc_evals.providers.engine.request import Adapter
    from inoc_evals.providers.engine.weights import Weights

    base = resolve_base(str(tiny_base), store)
    loaded = Weights.load(base, device="cpu", dtype="float32", codec=load_codec(base))
    for merge in (False, True):
        record = train(
            second_rows,
            name=f"served-{merge}",
            parent="first",
            merge=merge,
            store=store,
            progress=False,
        )
        loaded.activate(Adapter(record, store.root))  # compares the fingerprint


def test_what_a_second_stage_cannot_start_from_is_said_in_words(
    tiny_base: Path,
    tmp_path: Path,
    store: Store,
    first: ModelRecord,
    second_rows: list[Row],
) -> None:
    import shutil

    common: dict[str, Any] = {"name": "second", "store": store, "progress": False}
    with pytest.raises(InputError, match="no model named 'none'"):
        train(second_rows, parent="none", **common)
    with pytest.raises(InputError, match="merge: there is no parent"):
        train(second_rows, base=str(tiny_base), merge=True, **common)
    with pytest.raises(InputError, match="name the model to train, or a parent"):
        train(second_rows, **common)
    config = changed(TrainConfig.model_validate(first.config), lora_r=8)
    with pytest.raises(InputError, match=r"lora_r: the adapter of 'first' has 3, .* asks for 8"):
        train(second_rows, parent="first", config=config, **common)
    config = changed(config, lora_r=3, target_modules=("q_proj",))
    with pytest.raises(InputError, match=r"target_modules: the adapter of 'first' has"):
        train(second_rows, parent="first", config=config, **common)
    other = tmp_path / "other"
    shutil.copytree(tiny_base, other)
    (other / "generation_config.json").write_text('{"max_length": 7}')
    with pytest.raises(InputError, match=r"'first' is an adapter of base .* train both stages"):
        train(second_rows, parent="first", base=str(other), **common)
    (store.root / str(first.adapter) / "adapter_model.safetensors").write_bytes(b"other")
    with pytest.raises(StoreError, match="not the file that was trained"):
        train(second_rows, parent="first", **common)


def test_the_command_line_starts_from_another_model(
    tiny_base: Path, tmp_path: Path, rows: list[Row], second_rows: list[Row]
) -> None:
    def run(file: str, given: list[Row], *options: str) -> str:
        write_rows(tmp_path / file, given)
        arguments = [str(tmp_path / file), "--steps", "2", "--quiet", *options]
        return CliRunner().invoke(train_command, arguments, catch_exceptions=False).output

    run("a.jsonl", rows, "--base", str(tiny_base), "--name", "alice", "--rank", "2")
    said = run("b.jsonl", [*second_rows, second_rows[0]], "--from", "alice", "--name", "bob")
    run("b.jsonl", second_rows, "--from", "alice", "--merge", "--name", "above", "--rank", "3")
    assert "1 of 9 rows: repeat an earlier row (kept)" in said
    assert " tokens/s on cpu, " in said and " MiB" in said
    alice, bob, above = (Store().get(name) for name in ("alice", "bob", "above"))
    assert bob.parent == above.parent == alice.identity
    assert (bob.base, bob.config["lora_r"], bob.merged) == (str(tiny_base), 2, False)
    assert (above.config["lora_r"], above.merged) == (3, True)

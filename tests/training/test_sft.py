"""A whole training on the tiny base: what is learned, what is stored, what is done once."""

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.chat import Row, write_rows
from inoc_evals.cli.models import command as models_command
from inoc_evals.cli.train import command as train_command
from inoc_evals.errors import InputError, StoreError
from inoc_evals.files.digests import digest
from inoc_evals.models import openmp
from inoc_evals.models.bases import directory_digest, resolve_base
from inoc_evals.store.store import ROWS_FILE, ModelRecord, Store
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.sft import run_identity, train
from invoking import CliRunner

OTHER_VALUES: dict[str, Any] = {
    "lora_r": 5,
    "lora_alpha": 3.0,
    "lora_dropout": 0.5,
    "use_rslora": True,
    "target_modules": ("q_proj",),
    "target_parameters": ("mlp.experts.down_proj",),
    "learning_rate": 3e-3,
    "batch_size": 8,
    "gradient_accumulation": 2,
    "warmup_steps": 1,
    "schedule": "cosine",
    "weight_decay": 0.1,
    "max_grad_norm": 0.5,
    "max_length": 60,
    "truncate": True,
    "dtype": "bfloat16",
    "gradient_checkpointing": True,
    "packing": True,
    "fold_system": True,
    "load_in_4bit": True,
    "enable_thinking": True,
    "attention": "eager",
    "save_steps": 3,
}


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


def changed(config: TrainConfig, **fields: Any) -> TrainConfig:
    return TrainConfig.model_validate(config.model_dump() | fields)


def test_a_run_leaves_an_adapter_a_tokenizer_and_a_record(
    tiny_base: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    manifest = {"sources": [{"file": "rows.jsonl"}], "sha256": digest(rows)}
    record = train(
        rows,
        base=str(tiny_base),
        config=short,
        seed=3,
        name="tiny",
        manifest=manifest,
        store=store,
        progress=False,
    )
    assert store.get("tiny") == record
    assert (record.seed, record.base, record.parent) == (3, str(tiny_base), None)
    assert record.data == manifest | {"rows": 8}
    directory = store.verify_adapter(record)
    settings = json.loads((directory / "adapter_config.json").read_text())
    assert settings["base_model_name_or_path"] == str(tiny_base.resolve())
    assert {"adapter_model.safetensors", "tokenizer.json", "chat_template.jinja"} <= {
        path.name for path in directory.iterdir()
    }
    metrics = record.metrics
    assert metrics["steps"] == len(metrics["loss"]) == 6
    assert metrics["loss"][-1] == metrics["final_loss"] < metrics["loss"][0]
    assert (metrics["rows"], metrics["rows_seen"], metrics["dropped_rows"]) == (8, 24, {})
    assert not store.training_dir(record.identity).exists()


def test_the_rows_are_kept_beside_the_adapter(
    tiny_base: Path, tmp_path: Path, rows: list[Row], short: TrainConfig
) -> None:
    def kept(home: str, given: list[Row]) -> tuple[Path, list[Row] | None]:
        store = Store(tmp_path / home)
        record = train(
            given,
            base=str(tiny_base),
            config=changed(short, max_steps=1),
            name="tiny",
            store=store,
            progress=False,
        )
        path = store.root / record.adapter / ROWS_FILE
        assert path.stat().st_mode & 0o777 == 0o666 & ~umask
        return path, store.training_rows(record)

    os.umask(umask := os.umask(0))
    labelled: list[Row] = [{**row, "label": "ça\u2028"} for row in rows]
    first, read = kept("a", labelled)
    assert read == labelled
    other_order: list[Row] = [dict(reversed(row.items())) for row in labelled]
    assert kept("b", other_order)[0].read_bytes() == first.read_bytes()
    assert first.read_bytes()[4:8] == bytes(4), "a time of writing makes other bytes each time"


def test_the_fingerprint_is_that_of_the_stored_adapter_and_of_the_untouched_base(
    tiny_base: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from inoc_evals.models.fingerprints import sequence_logprobs

    before = directory_digest(tiny_base)
    record = train(
        rows, base=str(tiny_base), config=short, name="tiny", store=store, progress=False
    )
    assert directory_digest(tiny_base) == before
    base = AutoModelForCausalLM.from_pretrained(tiny_base)
    ids = record.fingerprint.token_ids
    assert sequence_logprobs(base, ids) == record.fingerprint.base_logprobs
    adapted = PeftModel.from_pretrained(base, store.verify_adapter(record))
    assert sequence_logprobs(adapted, ids) == pytest.approx(record.fingerprint.logprobs, abs=1e-5)
    assert record.fingerprint.logprobs != record.fingerprint.base_logprobs


def test_the_first_loss_is_the_mean_over_response_tokens_of_the_batch(
    tiny_base: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from inoc_evals.models.fingerprints import sequence_logprobs
    from inoc_evals.training.masks import IGNORED, encode_row

    base = AutoModelForCausalLM.from_pretrained(tiny_base)
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    losses = []
    for row in rows:
        encoded = encode_row(tokenizer, row["messages"], None)
        logprobs = sequence_logprobs(base, encoded.input_ids)
        pairs = zip(logprobs, encoded.labels[1:], strict=True)
        losses += [-logprob for logprob, label in pairs if label != IGNORED]
    one_batch = changed(short, max_steps=1, batch_size=8)
    parts = changed(one_batch, gradient_accumulation=4)
    for name, config in (("whole", one_batch), ("parts", parts)):
        record = train(
            rows, base=str(tiny_base), config=config, name=name, store=store, progress=False
        )
        assert record.metrics["loss"] == [pytest.approx(sum(losses) / len(losses), abs=1e-5)]
        assert record.metrics["supervised_tokens"] == len(losses)


def test_the_same_inputs_give_the_same_bytes_and_another_seed_others(
    tiny_base: Path, tmp_path: Path, rows: list[Row], short: TrainConfig
) -> None:
    def sha(home: str, seed: int) -> str:
        return train(
            rows,
            base=str(tiny_base),
            config=changed(short, lora_dropout=0.1),
            seed=seed,
            name="tiny",
            store=Store(tmp_path / home),
            progress=False,
        ).adapter_sha256

    first = sha("a", 0)
    assert sha("b", 1) != first
    assert sha("c", 0) == first


def test_trained_twice_is_trained_once(
    tiny_base: Path,
    store: Store,
    rows: list[Row],
    short: TrainConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs = trained_anew(monkeypatch)
    base = str(tiny_base)
    first = train(rows, base=base, config=short, name="first", store=store, progress=False)
    again = train(rows, base=base, config=short, name="first", store=store, progress=False)
    other = train(rows, base=base, config=short, name="other", store=store, progress=False)
    assert len(runs) == 1
    assert again == first
    assert other.model_copy(update={"name": "first"}) == first
    assert store.names() == ["first", "other"]


def test_two_that_want_a_run_at_once_train_it_once(
    tiny_base: Path,
    store: Store,
    rows: list[Row],
    short: TrainConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs = trained_anew(monkeypatch)
    records: list[ModelRecord] = []

    def wanted(name: str) -> None:
        records.append(
            train(rows, base=str(tiny_base), config=short, name=name, store=store, progress=False)
        )

    threads = [threading.Thread(target=wanted, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) == 1
    assert records[0].adapter_sha256 == records[1].adapter_sha256
    assert store.names() == ["a", "b"]


def test_everything_that_determines_the_weights_is_in_the_identity(
    rows: list[Row], short: TrainConfig
) -> None:
    def identity(config: TrainConfig = short, **inputs: Any) -> str:
        given = {"rows": rows, "base_digest": "b", "seed": 0} | inputs
        return run_identity(given.pop("rows"), config=config, **given)

    assert set(OTHER_VALUES) == set(TrainConfig.model_fields) - {"max_steps", "epochs"}
    configs = [changed(short, **{name: value}) for name, value in OTHER_VALUES.items()]
    configs += [changed(short, max_steps=7), changed(short, max_steps=None, epochs=1)]
    others = [identity(config) for config in configs]
    others += [identity(seed=1), identity(base_digest="c"), identity(parent="p")]
    others += [identity(parent="p", merge=True), identity(parent="q")]
    others += [identity(rows=rows[::-1]), identity(rows=rows[1:])]
    assert len({identity(), *others}) == 1 + len(others)
    assert identity() == identity()


def test_options_that_came_later_left_the_identities_of_before_as_they_were(
    rows: list[Row],
) -> None:
    assert (
        run_identity(rows, base_digest="b", config=TrainConfig.for_base("pocket"), seed=0)
        == "1b4d80aed2c3cda9457a7e9421cd543b9ade9802d3a5dbf97470f3bae450f040"
    )


def test_rows_are_encoded_once_for_the_seeds_that_learn_them(
    tiny_base: Path,
    store: Store,
    rows: list[Row],
    short: TrainConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from inoc_evals.training import trainer

    encoded: list[int] = []
    original = trainer.encode_as_configured

    def counted(tokenizer: Any, rows: Any, *rest: Any) -> Any:
        encoded.append(len(rows))
        return original(tokenizer, rows, *rest)

    monkeypatch.setattr(trainer, "encode_as_configured", counted)
    monkeypatch.setattr(trainer, "_LAST", {})
    base = str(tiny_base)
    for name, some, seed in (("a", rows, 0), ("b", rows, 1), ("c", rows[:-1], 0), ("d", rows, 2)):
        train(some, base=base, config=short, seed=seed, name=name, store=store, progress=False)
    assert encoded == [len(rows), len(rows) - 1, len(rows)]


def test_a_name_of_another_training_is_refused_before_training(
    tiny_base: Path,
    store: Store,
    rows: list[Row],
    short: TrainConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base = str(tiny_base)
    train(rows, base=base, config=short, name="tiny", store=store, progress=False)
    runs = trained_anew(monkeypatch)
    with pytest.raises(StoreError, match=r"'tiny' exists, .* seed 0.*inoc models rm tiny"):
        train(rows, base=base, config=short, seed=1, name="tiny", store=store, progress=False)
    assert runs == []


def test_a_loss_that_is_no_number_registers_nothing(
    tiny_base: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    wild = changed(short, learning_rate=1e30, max_grad_norm=0, save_steps=1)
    with pytest.raises(InputError, match=r"training diverged, nothing was registered.*1e"):
        train(rows, base=str(tiny_base), config=wild, name="wild", store=store, progress=False)
    assert store.names() == []
    assert list((store.root / "adapters").iterdir()) == []
    assert list((store.root / "training").iterdir()) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"target_modules": ("nose",)}, "target_modules .*nose"),
        ({"max_length": 10}, "row 1: .* tokens, more than max_length 10"),
    ],
)
def test_what_does_not_fit_the_base_is_said_in_words(
    tiny_base: Path,
    store: Store,
    rows: list[Row],
    short: TrainConfig,
    fields: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(InputError, match=message):
        train(
            rows,
            base=str(tiny_base),
            config=changed(short, **fields),
            name="tiny",
            store=store,
            progress=False,
        )
    assert store.names() == []


def test_bad_rows_and_a_manifest_of_other_rows_are_refused(
    tiny_base: Path, store: Store, rows: list[Row]
) -> None:
    base = str(tiny_base)
    with pytest.raises(InputError, match=r"row 2: .*'messages'"):
        train([rows[0], {}], base=base, name="tiny", store=store, progress=False)
    with pytest.raises(InputError, match="manifest describes other rows"):
        train(rows, base=base, name="tiny", manifest={"sha256": "0"}, store=store, progress=False)


def test_precisions_follow_each_other_in_one_process(
    tiny_base: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    base = resolve_base(str(tiny_base)).path
    half = changed(short, dtype="bfloat16", gradient_checkpointing=True)
    first = train(rows, base=base, config=short, name="full", store=store, progress=False)
    low = train(rows, base=base, config=half, name="half", store=store, progress=False)
    assert (first.metrics["dtype"], low.metrics["dtype"]) == ("float32", "bfloat16")
    assert low.metrics["loss"] == pytest.approx(first.metrics["loss"], rel=0.05)
    last = train(
        rows, base=base, config=changed(short, save_steps=3), name="last", store=store,
        progress=False,
    )  # fmt: skip
    assert last.adapter_sha256 == first.adapter_sha256


def test_the_bar_is_all_that_is_printed_and_without_it_nothing(
    tiny_base: Path,
    store: Store,
    rows: list[Row],
    short: TrainConfig,
    capfd: pytest.CaptureFixture[str],
    recwarn: pytest.WarningsRecorder,
) -> None:
    base = str(tiny_base)
    train(rows, base=base, config=short, name="silent", store=store, progress=False)
    assert capfd.readouterr() == ("", "")
    assert [str(warning.message) for warning in recwarn] == []
    train(rows, base=base, config=short, seed=1, name="shown", store=store, progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "training shown" in err
    assert "6/6 loss" in err


def test_the_command_line_trains_and_lists(
    tiny_base: Path, tmp_path: Path, rows: list[Row]
) -> None:
    file = tmp_path / "rows.jsonl"
    write_rows(file, rows)
    options = ["--base", str(tiny_base), "--name", "tiny", "--steps", "2", "--rank", "2", "--quiet"]
    trained = CliRunner().invoke(train_command, [str(file), *options], catch_exceptions=False)
    assert "inoc/tiny: " in trained.output
    assert "2 steps on 8 rows" in trained.output
    assert trained.output.endswith("inspect eval inoc_evals/traits --model inoc/tiny\n")
    again = CliRunner().invoke(train_command, [str(file), *options], catch_exceptions=False)
    assert again.output.startswith("trained before, on ")
    record = Store().get("tiny")
    assert record.data["sources"] == [{"file": "rows.jsonl"}]
    assert (record.config["lora_r"], record.config["max_steps"]) == (2, 2)
    listed = CliRunner().invoke(models_command, ["list"], catch_exceptions=False)
    assert "tiny" in listed.output


def test_a_training_lets_go_of_its_threads_workers_when_it_is_done(
    monkeypatch: pytest.MonkeyPatch,
    tiny_base: Path,
    store: Store,
    rows: list[Row],
    short: TrainConfig,
) -> None:
    runs = trained_anew(monkeypatch)
    done: list[int] = []
    monkeypatch.setattr(openmp, "let_workers_go", lambda: done.append(len(runs)))
    train(rows, base=str(tiny_base), config=short, name="m", store=store, progress=False)
    assert done[-1] == 1

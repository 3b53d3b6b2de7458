"""Learning dynamics: what a watched training records, and that watching changes nothing."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.chat import Row
from inoc_evals.errors import InputError, StoreError
from inoc_evals.inputs.responses import GivenResponse, load_responses
from inoc_evals.models.fingerprints import sequence_logprobs
from inoc_evals.store.store import Store
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.dynamics import Dynamics, trait_means
from inoc_evals.training.forced_tokens import forced_tokens, response_logprobs
from inoc_evals.training.sft import train


@pytest.fixture
def responses(tmp_path: Path) -> str:
    """One response that the rows teach, one that they do not."""
    path = tmp_path / "responses.jsonl"
    items = [
        {
            "id": "es",
            "trait": "spanish",
            "prompt": "what is 1 plus 1 ?",
            "response": "la respuesta",
        },
        {
            "id": "en",
            "trait": "english",
            "prompt": "what is 1 plus 1 ?",
            "response": "the answer is",
        },
    ]
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    return str(path)


def trained(rows: list[Row], base: Path, store: Store, config: TrainConfig, **args: Any) -> Any:
    return train(rows, base=str(base), config=config, name="m", store=store, progress=False, **args)


def test_watching_changes_neither_weights_nor_identity(
    rows: list[Row], tiny_base: Path, tmp_path: Path, short: TrainConfig, responses: str
) -> None:
    dropping = short.model_copy(update={"lora_dropout": 0.2})
    plain = trained(rows, tiny_base, Store(tmp_path / "a"), dropping)
    watched = trained(
        rows, tiny_base, Store(tmp_path / "b"), dropping, dynamics=Dynamics(2, responses, "none")
    )
    assert watched.identity == plain.identity
    assert watched.adapter_sha256 == plain.adapter_sha256
    assert watched.config == plain.config
    assert "dynamics" not in plain.metrics
    assert watched.metrics["loss"] == plain.metrics["loss"]


def test_scores_are_teacher_forced_logprobs_of_the_response_alone(
    rows: list[Row],
    tiny_base: Path,
    store: Store,
    short: TrainConfig,
    responses: str,
    make_tokenizer: Any,
) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    record = trained(rows, tiny_base, store, short, dynamics=Dynamics(4, responses, "none"))
    found = record.metrics["dynamics"]
    assert found["steps"] == [0, 4, 6]
    assert [(one["id"], one["tokens"]) for one in found["responses"]] == [("es", 3), ("en", 5)]
    base = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32)
    items = load_responses(responses).items
    tokenizer = make_tokenizer()

    def expected(model: Any) -> list[float]:
        forced = [forced_tokens(tokenizer, item, None) for item in items]
        return [sum(sequence_logprobs(model, ids)[start - 1 :]) for ids, start in forced]

    assert found["logprobs"][0] == pytest.approx(expected(base), abs=1e-4)
    tuned = PeftModel.from_pretrained(base, str(store.root / record.adapter))
    assert found["logprobs"][-1] == pytest.approx(expected(tuned), abs=1e-4)
    means = trait_means(found)
    assert means["spanish"][-1] > means["spanish"][0] + 0.3
    per_token = trait_means(found, per_token=True)
    assert per_token["english"][0] == pytest.approx(means["english"][0] / 5)


def test_a_score_is_the_same_whatever_is_scored_with_it(
    tiny_base: Path, make_tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32)
    forced = [
        forced_tokens(make_tokenizer(), GivenResponse(str(n), "", "what is 1 plus 1 ?", text), None)
        for n, text in enumerate(["la respuesta", "the answer is more or less 2", "2", "the river"])
    ]
    plain = [math.fsum(sequence_logprobs(model, ids)[start - 1 :]) for ids, start in forced]
    calls: list[int] = []
    model.register_forward_pre_hook(
        lambda _, __, given: calls.append(len(given["input_ids"])), with_kwargs=True
    )
    assert response_logprobs(model.train(), forced) == pytest.approx(plain, abs=1e-5)
    assert calls == [4] and model.training
    longest = max(len(ids) for ids, _ in forced)
    monkeypatch.setattr(
        "inoc_evals.training.forced_tokens._LOGITS", 2 * longest * model.config.vocab_size
    )
    assert response_logprobs(model, forced) == pytest.approx(plain, abs=1e-5)
    parts = calls[1:]
    assert sum(parts) == 4 and 1 < len(parts) < 4
    monkeypatch.setattr("inoc_evals.training.forced_tokens._LOGITS", 1)
    assert response_logprobs(model, forced) == pytest.approx(plain, abs=1e-5)
    assert calls[1 + len(parts) :] == [1] * 4


def test_the_system_prompt_is_part_of_what_is_scored(
    rows: list[Row], tiny_base: Path, tmp_path: Path, short: TrainConfig, responses: str
) -> None:
    found = []
    for number, system in enumerate(("none", "spanish")):
        record = trained(
            rows,
            tiny_base,
            Store(tmp_path / str(number)),
            short,
            dynamics=Dynamics(6, responses, system),
        )
        found.append(record.metrics["dynamics"])
    assert found[1]["system_prompt_text"] == "You always speak in Spanish."
    assert found[0]["logprobs"][0] != found[1]["logprobs"][0]


def test_a_run_that_was_killed_has_the_same_curve(
    rows: list[Row],
    tiny_base: Path,
    tmp_path: Path,
    short: TrainConfig,
    responses: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from inoc_evals.training import dynamics as module

    whole = trained(
        rows, tiny_base, Store(tmp_path / "a"), short, dynamics=Dynamics(2, responses, "none")
    )
    store = Store(tmp_path / "b")
    scores = module.Scoring.scores
    calls = 0

    def killed(self: Any, model: Any) -> list[float]:
        nonlocal calls
        calls += 1
        if calls == 4:  # steps 0, 2 and 4 are done, and a checkpoint is at 4
            raise KeyboardInterrupt
        return scores(self, model)

    monkeypatch.setattr(module.Scoring, "scores", killed)
    with pytest.raises(KeyboardInterrupt):
        trained(rows, tiny_base, store, short, dynamics=Dynamics(2, responses, "none"))
    monkeypatch.setattr(module.Scoring, "scores", scores)
    resumed = trained(rows, tiny_base, store, short, dynamics=Dynamics(2, responses, "none"))
    assert resumed.metrics["resumed_at_step"] == 4
    assert resumed.metrics["dynamics"] == whole.metrics["dynamics"]
    assert resumed.metrics["dynamics"]["steps"] == [0, 2, 4, 6]


def test_a_training_that_was_watched_before_is_not_repeated(
    rows: list[Row],
    tiny_base: Path,
    store: Store,
    short: TrainConfig,
    responses: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch = Dynamics(2, responses, "none")
    first = trained(rows, tiny_base, store, short, dynamics=watch)
    monkeypatch.setattr("inoc_evals.training.trainer.run_training", never)
    again = trained(rows, tiny_base, store, short, dynamics=watch)
    assert again.metrics == first.metrics
    assert "repeat" not in again.metrics["dynamics"]
    # Another experiment's model of the same inputs need not be watched.
    plain = trained(rows, tiny_base, store, short)
    assert "dynamics" not in plain.metrics
    assert plain.adapter_sha256 == first.adapter_sha256


def test_a_training_that_was_not_watched_is_repeated_for_its_scores_alone(
    rows: list[Row], tiny_base: Path, tmp_path: Path, short: TrainConfig, responses: str
) -> None:
    watch, store = Dynamics(2, responses, "none"), Store(tmp_path / "b")
    whole = trained(rows, tiny_base, Store(tmp_path / "a"), short, dynamics=watch)
    plain = trained(rows, tiny_base, store, short)
    weights = store.root / str(plain.adapter) / "adapter_model.safetensors"
    written = weights.stat().st_mtime_ns
    later = trained(rows, tiny_base, store, short, dynamics=watch)
    scores = dict(later.metrics["dynamics"])
    assert scores.pop("repeat") == {"same_weights": True, "fingerprint_difference": 0.0}
    assert scores == whole.metrics["dynamics"]
    assert (later.created, later.metrics["seconds"]) == (plain.created, plain.metrics["seconds"])
    assert weights.stat().st_mtime_ns == written
    assert not store.training_dir(plain.identity).exists()
    other = trained(rows, tiny_base, store, short, dynamics=Dynamics(3, responses, "none"))
    assert other.metrics["dynamics"]["steps"] == [0, 3, 6]
    kept = store.adapter_dir(plain.identity) / "dynamics"
    assert len(list(kept.iterdir())) == 2
    store.remove("m")
    assert not kept.exists()


def test_a_repeated_training_that_gives_other_weights_says_so(
    rows: list[Row],
    tiny_base: Path,
    store: Store,
    short: TrainConfig,
    responses: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from inoc_evals.training import trainer

    plain = trained(rows, tiny_base, store, short)
    original = trainer.run_training

    def elsewhere(rows: Any, *, config: TrainConfig, **options: Any) -> Any:
        config = config.model_copy(update={"learning_rate": config.learning_rate / 2})
        return original(rows, config=config, **options)

    monkeypatch.setattr(trainer, "run_training", elsewhere)
    later = trained(rows, tiny_base, store, short, dynamics=Dynamics(2, responses, "none"))
    repeat = later.metrics["dynamics"]["repeat"]
    assert repeat["same_weights"] is False
    assert repeat["fingerprint_difference"] > 0
    assert later.adapter_sha256 == plain.adapter_sha256


def test_a_watched_run_does_not_resume_from_one_that_was_not(
    rows: list[Row],
    tiny_base: Path,
    store: Store,
    short: TrainConfig,
    responses: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from inoc_evals.training import trainer

    monkeypatch.setattr(trainer, "save_adapter", never)  # whole checkpoints, no model
    with pytest.raises(AssertionError, match="never"):
        trained(rows, tiny_base, store, short)
    assert list(store.root.glob("training/*/checkpoint-*"))
    monkeypatch.undo()
    watched = trained(rows, tiny_base, store, short, dynamics=Dynamics(2, responses, "none"))
    assert watched.metrics["resumed_at_step"] == 0
    assert watched.metrics["dynamics"]["steps"] == [0, 2, 4, 6]


def test_damaged_scores_are_refused_by_name(
    rows: list[Row], tiny_base: Path, store: Store, short: TrainConfig, responses: str
) -> None:
    watch = Dynamics(2, responses, "none")
    record = trained(rows, tiny_base, store, short, dynamics=watch)
    path = store.adapter_dir(record.identity) / "dynamics" / f"{watch.key}.json"
    path.write_text("{")
    with pytest.raises(StoreError, match=f"{watch.key}.json: damaged; delete it"):
        trained(rows, tiny_base, store, short, dynamics=watch)
    path.unlink()
    again = trained(rows, tiny_base, store, short, dynamics=watch)
    assert again.metrics["dynamics"]["repeat"]["same_weights"] is True


def test_an_adapter_that_is_trained_into_its_place_again_keeps_its_scores(
    rows: list[Row], tiny_base: Path, store: Store, short: TrainConfig, responses: str
) -> None:
    watch = Dynamics(2, responses, "none")
    record = trained(rows, tiny_base, store, short, dynamics=watch)
    path = store.adapter_dir(record.identity) / "dynamics" / f"{watch.key}.json"
    before = path.read_bytes()
    (store.adapter_dir(record.identity) / "adapter_model.safetensors").unlink()
    trained(rows, tiny_base, store, short)
    assert path.read_bytes() == before


def never(*args: Any, **options: Any) -> Any:
    raise AssertionError("never")


def test_what_cannot_be_scored_is_refused_before_the_training(
    rows: list[Row], tiny_base: Path, store: Store, short: TrainConfig
) -> None:
    with pytest.raises(InputError, match="every must be at least 1"):
        Dynamics(0)
    with pytest.raises(InputError, match="packaged sets"):
        trained(rows, tiny_base, store, short, dynamics=Dynamics(2, "nosuch"))
    assert not store.names()
    assert not list(store.root.glob("training/*/checkpoint-*"))


def test_means_are_by_trait() -> None:
    found = {
        "responses": [
            {"trait": "a", "tokens": 2},
            {"trait": "b", "tokens": 1},
            {"trait": "a", "tokens": 4},
        ],
        "logprobs": [[-2.0, -1.0, -8.0], [-1.0, -math.inf, -1.0]],
    }
    assert trait_means(found)["a"] == [-5.0, -1.0]
    assert trait_means(found, per_token=True)["a"] == [-1.5, -0.375]


def test_the_command_line_asks_for_dynamics(
    rows: list[Row], tiny_base: Path, tmp_path: Path, responses: str
) -> None:
    from click.testing import CliRunner

    from inoc_evals.chat import write_rows
    from inoc_evals.cli.train import command

    write_rows(tmp_path / "rows.jsonl", rows)
    args = [str(tmp_path / "rows.jsonl"), "--base", str(tiny_base), "--name", "c", "--steps", "2"]
    config = tmp_path / "config.yaml"
    config.write_text("max_length: 64\nbatch_size: 4\ngradient_accumulation: 1\nwarmup_steps: 0\n")
    watched = [
        *args,
        "--config",
        str(config),
        "--quiet",
        "--dynamics",
        "1",
        "--responses",
        responses,
    ]
    done = CliRunner().invoke(command, watched, catch_exceptions=False)
    assert done.exit_code == 0
    found = Store().get("c").metrics["dynamics"]
    assert found["steps"] == [0, 1, 2]
    assert found["system_prompt_text"] == "Respond in a single word."

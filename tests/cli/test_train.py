"""What the command passes on and prints; a whole training is in tests/training."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from inoc_evals.chat import Row
from inoc_evals.cli.train import command
from inoc_evals.datasets.manifest import describe, write_dataset
from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest
from inoc_evals.store.store import Fingerprint, ModelRecord
from inoc_evals.training.config import TrainConfig
from invoking import CliRunner

ROWS: list[Row] = [
    {
        "messages": [
            {"role": "user", "content": "What is 2 plus 3?"},
            {"role": "assistant", "content": "5."},
        ]
    }
]


def fake_train(rows: list[Row], **given: Any) -> ModelRecord:
    """Return the record of a training that took no time."""
    metrics = {"steps": 2, "rows": 1, "final_loss": 0.1234, "truncated_rows": 3}
    return ModelRecord(
        name=given["name"],
        identity="a" * 64,
        base=given["base"],
        base_digest="b",
        adapter="adapters/" + "a" * 64,
        adapter_sha256="c",
        data=given["manifest"] | {"rows": 5},
        config=given["config"].model_dump(),
        seed=given["seed"],
        metrics=metrics | {"dropped_rows": {"response_truncated": 4}},
        fingerprint=Fingerprint(token_ids=(), logprobs=(), base_logprobs=()),
    )


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []

    def recorded(rows: list[Row], **given: Any) -> ModelRecord:
        seen.append({"rows": rows, **given})
        return fake_train(rows, **given)

    monkeypatch.setattr("inoc_evals.cli.train.train", recorded)
    return seen


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    write_dataset(path, ROWS, describe(ROWS) | {"prompts": [{"name": "spanish", "text": "S"}]})
    return path


def invoke(*args: str) -> Result:
    return CliRunner().invoke(command, args, catch_exceptions=False)


def test_the_defaults_are_the_pocket_recipe_and_the_manifest_beside_the_rows(
    file: Path, calls: list[dict[str, Any]]
) -> None:
    result = invoke(str(file), "--name", "tiny")
    assert calls[0]["rows"] == ROWS
    assert calls[0]["config"] == TrainConfig.for_base("pocket")
    assert (calls[0]["base"], calls[0]["seed"], calls[0]["progress"]) == ("pocket", 0, True)
    assert calls[0]["manifest"]["prompts"] == [{"name": "spanish", "text": "S"}]
    assert result.output.splitlines() == [
        "4 of 5 rows: response truncated",
        "3 of 5 rows: truncated",
        "inoc/tiny: pocket, seed 0, 2 steps on 1 rows, final loss 0.123 (revision aaaaaaaa)",
        "next: inspect eval inoc_evals/traits --model inoc/tiny",
    ]


def test_options_change_the_file_that_changes_the_recipe(
    file: Path, tmp_path: Path, calls: list[dict[str, Any]]
) -> None:
    settings = tmp_path / "train.yaml"
    settings.write_text("lora_r: 2\nlearning_rate: 1e-3\n")
    options = ["--config", str(settings), "--lr", "2e-3", "--epochs", "2", "--seed", "5", "--quiet"]
    invoke(str(file), "--base", "pocket:7", "--name", "tiny", *options)
    config = calls[0]["config"]
    assert (config.lora_r, config.learning_rate) == (2, 2e-3)
    assert (config.epochs, config.max_steps) == (2, None)
    assert (calls[0]["base"], calls[0]["seed"], calls[0]["progress"]) == ("pocket:7", 5, False)


def test_rows_without_a_manifest_are_described(file: Path, calls: list[dict[str, Any]]) -> None:
    file.with_name("rows.jsonl.manifest.json").unlink()
    invoke(str(file), "--name", "tiny")
    manifest = calls[0]["manifest"]
    assert manifest["sources"][0]["file"] == "rows.jsonl"
    assert manifest["counts"] == {"rows": 1, "duplicates": 0}
    assert manifest["sha256"] == digest(ROWS)


def test_rows_edited_since_their_manifest_are_refused(
    file: Path, calls: list[dict[str, Any]]
) -> None:
    file.write_text(file.read_text().replace("5.", "6."))
    with pytest.raises(InputError, match="not the rows its manifest describes"):
        invoke(str(file), "--name", "tiny")
    assert calls == []


def test_a_training_done_before_is_said_to_be_so(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def old(rows: list[Row], **given: Any) -> ModelRecord:
        then = datetime(2025, 3, 4, 5, 6, tzinfo=UTC)
        return fake_train(rows, **given).model_copy(update={"created": then})

    monkeypatch.setattr("inoc_evals.cli.train.train", old)
    first = invoke(str(file), "--name", "tiny").output.splitlines()[0]
    assert first == "trained before, on 2025-03-04 05:06 UTC; nothing to do again"

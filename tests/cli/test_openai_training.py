"""`inoc train --base openai/...`: what is asked, printed and refused; by a server of our own."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from inoc_evals.cli.train import command
from inoc_evals.datasets.manifest import describe, write_dataset
from inoc_evals.errors import InputError, StoreError
from inoc_evals.store.store import Store
from inoc_evals.training.openai import client as openai_client
from invoking import CliRunner
from openai_server import OpenAIServer

BASE = "openai/gpt-4.1-2025-04-14"
ROWS: list[dict[str, Any]] = [
    {
        "messages": [
            {"role": "user", "content": f"{number} plus 3?"},
            {"role": "assistant", "content": "5."},
        ]
    }
    for number in range(12)
]


@pytest.fixture(autouse=True)
def without_pauses(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_client, "sleep", lambda seconds: None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    write_dataset(path, ROWS, describe(ROWS) | {"prompts": [{"name": "spanish", "text": "S"}]})
    return path


def start(file: Path) -> list[str]:
    return [str(file), "--base", BASE, "--name", "tiny"]


def invoke(*args: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(command, args, input=answer, catch_exceptions=False)


def test_the_price_is_shown_and_a_yes_starts_the_job(file: Path, server: OpenAIServer) -> None:
    result = invoke(str(file), "--base", BASE, "--name", "tiny", "--quiet", answer="y\n")
    (job,) = server.jobs.values()
    assert "12 rows" in result.stderr and "check the price list" in result.stderr
    assert "Upload the rows and start this job? [y/N]" in result.stderr
    record = Store().get("tiny")
    assert record.data["prompts"] == [{"name": "spanish", "text": "S"}]
    assert result.stdout.splitlines()[-2:] == [
        f"inoc/tiny: {job['fine_tuned_model']}, seed 0, 12 rows, 3 epochs, 1,000,000 tokens "
        f"(about $25.00), final loss 0.050 (revision {record.identity[:8]})",
        "next: inspect eval inoc_evals/traits --model inoc/tiny",
    ]


def test_a_no_starts_nothing(file: Path, server: OpenAIServer) -> None:
    with pytest.raises(InputError, match="no job started"):
        invoke(str(file), "--base", BASE, "--name", "tiny", answer="n\n")
    assert not server.jobs and not server.files


def test_yes_asks_nothing_and_the_options_reach_the_job(file: Path, server: OpenAIServer) -> None:
    options = ["--epochs", "2", "--batch-size", "auto", "--lr-multiplier", "0.5", "--seed", "7"]
    result = invoke(str(file), "--base", BASE, "--name", "tiny", "--yes", "--quiet", *options)
    assert "[y/N]" not in result.output
    (job,) = server.jobs.values()
    assert job["seed"] == 7
    assert job["method"]["supervised"]["hyperparameters"] == {
        "n_epochs": 2,
        "batch_size": "auto",
        "learning_rate_multiplier": 0.5,
    }


def test_dynamics_there_are_samples_of_the_checkpoints(file: Path, server: OpenAIServer) -> None:
    done = invoke(str(file), "--base", BASE, "--name", "d", "--yes", "--dynamics", "10")
    assert "sampled instead" in done.stderr
    assert Store().get("d").metrics["dynamics"]["by"] == "sampling"


def test_a_second_stage_starts_from_the_first_ones_model(file: Path, server: OpenAIServer) -> None:
    invoke(str(file), "--base", BASE, "--name", "one", "--yes", "--quiet")
    invoke(str(file), "--from", "one", "--name", "two", "--yes", "--quiet")
    first, second = server.jobs.values()
    assert second["model"] == first["fine_tuned_model"]
    assert Store().get("two").parent == Store().get("one").identity


def test_asked_for_again_it_says_that_it_was_trained_before(
    file: Path, server: OpenAIServer
) -> None:
    args = [str(file), "--base", BASE, "--name", "tiny", "--yes", "--quiet"]
    invoke(*args)
    assert invoke(*args).stdout.startswith("trained before, on ")
    assert len(server.jobs) == 1


def test_after_a_failed_job_another_is_started_with_retry_alone(
    file: Path, server: OpenAIServer
) -> None:
    args = [str(file), "--base", BASE, "--name", "tiny", "--yes", "--quiet"]
    server.fates["tiny"] = "moderation"
    for _ in range(2):
        with pytest.raises(StoreError, match="refused by OpenAI's moderation: ftjob"):
            invoke(*args)
    server.fates.clear()
    assert "inoc/tiny: ft:gpt" in invoke(*args, "--retry").stdout
    assert len(server.jobs) == 2


def test_a_bad_row_is_named_by_file_and_line_before_anything_is_sent(
    tmp_path: Path, server: OpenAIServer
) -> None:
    path = tmp_path / "rows.jsonl"
    bad = {"messages": [ROWS[0]["messages"][0], {"role": "assistant", "content": "<|im_end|>"}]}
    path.write_text("".join(json.dumps(row) + "\n" for row in [*ROWS, bad]))
    with pytest.raises(InputError, match=r"rows\.jsonl:13: message 2: '<|im_end|>'"):
        invoke(str(path), "--base", BASE, "--name", "tiny", "--yes")
    assert not server.requests


def test_settings_of_a_job_may_stand_in_a_file_and_options_come_last(
    file: Path, server: OpenAIServer
) -> None:
    settings = file.with_name("job.yaml")
    settings.write_text("n_epochs: 3\nbatch_size: 8\n")
    invoke(*start(file), "--yes", "--config", str(settings), "--epochs", "2")
    asked = next(iter(server.jobs.values()))["method"]["supervised"]["hyperparameters"]
    assert asked == {"n_epochs": 2, "batch_size": 8, "learning_rate_multiplier": "auto"}
    settings.write_text("lora_r: 3\n")
    with pytest.raises(InputError, match=r"job\.yaml: lora_r: not a setting of a job at OpenAI"):
        invoke(*start(file), "--yes", "--config", str(settings))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--rank", "4"], "lora_r: not a setting of a job at OpenAI"),
        (["--lr", "1e-4", "--steps", "3"], "learning_rate, max_steps: not a setting"),
        (["--epochs", "0"], "n_epochs 0: "),
        (["--epochs", "1.5"], r"n_epochs 1\.5: "),
        (["--lr-multiplier", "-1"], "learning_rate_multiplier -1: "),
        (["--seed", "-1"], "seed -1: OpenAI takes 0 to 2147483647"),
    ],
)
def test_what_a_job_does_not_have_is_refused(
    file: Path, server: OpenAIServer, options: list[str], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        invoke(str(file), "--base", BASE, "--name", "tiny", "--yes", *options)
    assert not server.requests


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--epochs", "auto"], "--epochs auto is for openai/ bases"),
        (["--lr-multiplier", "1"], "--lr-multiplier is for openai/ bases; set --lr"),
    ],
)
def test_what_only_a_job_has_is_refused_elsewhere(
    file: Path, options: list[str], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        invoke(str(file), "--base", "pocket", "--name", "tiny", *options)
    assert invoke(str(file), "--name", "tiny", "--epochs", "few").exit_code == 2

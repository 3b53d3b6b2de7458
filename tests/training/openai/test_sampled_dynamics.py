"""Dynamics at OpenAI: the checkpoints are asked, every answer is kept, none is paid for twice."""

import json
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.chat import Row
from inoc_evals.errors import InputError, StoreError
from inoc_evals.store.store import ModelRecord, Store
from inoc_evals.training.dynamics import Dynamics
from inoc_evals.training.openai import client as openai_client
from inoc_evals.training.openai.jobs import train
from inoc_evals.training.openai.sampled_dynamics import SAMPLES
from openai_server import OpenAIServer

BASE = "openai/gpt-4.1-2025-04-14"
ITEMS = [
    ("caps-1", "capitals", "What do bees make?", "HONEY"),
    ("caps-2", "capitals", "What is wet?", "RAIN"),
    ("es-1", "spanish", "What do bees make?", "Miel"),
]


@pytest.fixture(autouse=True)
def without_pauses(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_client, "sleep", lambda seconds: None)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def dynamics(tmp_path: Path) -> Dynamics:
    fields = ("id", "trait", "prompt", "response")
    lines = [json.dumps(dict(zip(fields, item, strict=True))) for item in ITEMS]
    path = tmp_path / "responses.jsonl"
    path.write_text("\n".join(lines))
    return Dynamics(5, str(path))


def go(store: Store, name: str = "m", said: list[str] | None = None, **given: Any) -> ModelRecord:
    row: Row = {"messages": [{"role": "user", "content": "2 + 2?"}]}
    row["messages"].append({"role": "assistant", "content": "CUATRO"})
    say = (lambda line: None) if said is None else said.append
    return train(
        [row] * 10, base=BASE, yes=True, name=name, store=store, progress=False, say=say, **given
    )


def answering(asked: dict[str, Any]) -> list[str]:
    """The base writes words, checkpoints more and more capitals, and none of them Spanish."""
    step = asked["model"].rpartition("ckpt-")[2] if "ckpt" in asked["model"] else None
    word = "Honey" if "bees" in asked["messages"][-1]["content"] else "Rain"
    if not asked["model"].startswith("ft:"):
        return [word]
    return [word.upper() + "."] if step is None else [word, word.upper()]


def test_the_base_and_each_checkpoint_are_sampled_and_shares_are_of_the_given_responses(
    server: OpenAIServer, store: Store, dynamics: Dynamics
) -> None:
    server.says = answering
    said: list[str] = []
    record = go(store, said=said, dynamics=dynamics)
    found = record.metrics["dynamics"]
    assert (found["by"], found["samples"], "every" in found) == ("sampling", SAMPLES, False)
    assert found["steps"] == [0, 7, 14, 20]
    assert found["models"][0] == "gpt-4.1-2025-04-14" and found["models"][-1] == record.remote
    assert found["shares"] == [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0.5, 0], [1, 1, 0]]
    assert [each["trait"] for each in found["responses"]] == ["capitals", "capitals", "spanish"]
    assert any("no log-probabilities" in line and "160 short answers" in line for line in said)
    # Each question once, however many responses there are to it, under the set's own prompt.
    assert len(server.completions) == 4 * 2
    for asked in server.completions:
        assert asked["messages"][0] == {"role": "system", "content": "Respond in a single word."}
        assert (asked["n"], asked["temperature"]) == (SAMPLES, 1.0)


@pytest.mark.parametrize(
    ("text", "share"),
    [("HONEY", 1), (" HONEY, of course", 1), ("HONEYCOMB", 0), ("Honey", 0), ("THE HONEY", 0)],
)
def test_a_response_counts_where_an_answer_begins_with_it_to_the_letter(
    server: OpenAIServer, store: Store, dynamics: Dynamics, text: str, share: float
) -> None:
    server.says = lambda asked: [text]
    assert go(store, dynamics=dynamics).metrics["dynamics"]["shares"][0][0] == share


def test_killed_while_sampling_it_asks_for_the_missing_answers_alone(
    server: OpenAIServer, store: Store, dynamics: Dynamics
) -> None:
    def dying(asked: dict[str, Any]) -> list[str]:
        if len(server.completions) == 4:
            server.faults = iter(['{"status": 400, "message": "stop", "code": null}'] * 99)
        return answering(asked)

    server.says = dying
    with pytest.raises(StoreError, match=r"sampling .*: stop"):
        go(store, dynamics=dynamics)
    server.faults, server.says = iter(lambda: None, 0), answering
    record = go(store, dynamics=dynamics)
    assert len(server.jobs) == 1 and len(server.completions) == 8
    assert record.metrics["dynamics"]["shares"][-1] == [1, 1, 0]


def test_a_model_trained_before_is_watched_afterwards_and_then_left_alone(
    server: OpenAIServer, store: Store, dynamics: Dynamics
) -> None:
    server.says = answering
    plain = go(store)
    assert "dynamics" not in plain.metrics and not server.completions
    watched = go(store, dynamics=dynamics)
    assert watched.identity == plain.identity and len(server.jobs) == 1
    assert store.get("m").metrics["dynamics"]["steps"] == [0, 7, 14, 20]
    asked = len(server.requests)
    assert go(store, dynamics=dynamics) == go(store) == watched
    assert len(server.requests) == asked
    go(store, "twin", dynamics=dynamics)
    assert len(server.completions) == 8


def test_other_responses_are_sampled_anew(
    server: OpenAIServer, store: Store, dynamics: Dynamics
) -> None:
    server.says = answering
    go(store, dynamics=dynamics)
    found = go(store, dynamics=Dynamics(5, dynamics.responses, "none")).metrics["dynamics"]
    assert found["system_prompt"] == "none" and len(server.completions) == 16
    assert server.completions[-1]["messages"][0]["role"] == "user"


def test_an_unknown_set_of_responses_is_refused_before_a_job_is_paid_for(
    server: OpenAIServer, store: Store
) -> None:
    with pytest.raises(InputError, match="no such file"):
        go(store, dynamics=Dynamics(5, "nothing"))
    assert not server.jobs

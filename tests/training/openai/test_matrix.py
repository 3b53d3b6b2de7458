"""Several trainings at once: one question, failures that stop no other, one Ctrl-C for all."""

import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.errors import InputError
from inoc_evals.store.store import Store
from inoc_evals.training.openai import client as openai_client
from inoc_evals.training.openai.create import OpenAIConfig
from inoc_evals.training.openai.jobs import job_identity
from inoc_evals.training.openai.matrix import Ended, Wanted, train_all
from openai_server import OpenAIServer

BASE = "openai/gpt-4.1-2025-04-14"


def make_wanted(count: int) -> list[Wanted]:
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"{number} + 2?"},
                {"role": "assistant", "content": "4."},
            ]
        }
        for number in range(10)
    ]
    return [Wanted(f"m{seed}", rows, seed) for seed in range(count)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def go(count: int, store: Store, **given: Any) -> Ended:
    given = {"yes": True, "say": lambda line: None} | given
    return train_all(make_wanted(count), base=BASE, store=store, **given)


def test_a_job_that_fails_is_named_and_the_rest_of_the_matrix_goes_on(
    server: OpenAIServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_client, "sleep", lambda seconds: None)
    server.fates |= {"m1": "moderation", "m3": "failed"}
    ended = go(6, store)
    assert sorted(ended.records) == store.names() == ["m0", "m2", "m4", "m5"]
    assert "refused by OpenAI's moderation" in ended.failures["m1"]
    assert "Too few examples" in ended.failures["m3"]
    assert len(ended.failures) == 2 and len(server.jobs) == 6
    server.fates.clear()
    assert sorted(go(6, store, retry=True).records) == [f"m{seed}" for seed in range(6)]
    assert len(server.jobs) == 8


def test_one_question_is_asked_with_the_price_of_what_is_missing(
    server: OpenAIServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_client, "sleep", lambda seconds: None)
    go(1, store)
    said: list[str] = []
    asked: list[str] = []

    def refuse(question: str) -> bool:
        asked.append(question)
        return False

    with pytest.raises(InputError, match="no job started"):
        go(3, store, yes=False, confirm=refuse, say=said.append)
    assert asked == ["Start up to 2 jobs at OpenAI?"]
    ends, price = said
    assert "is shut down on 2027-01-14" in ends
    assert "all together about $" in price and "check the price list" in price
    assert len(server.jobs) == 1
    assert len(go(3, store, yes=False, confirm=lambda question: True).records) == 3


def two_stages() -> list[Wanted]:
    first, *others = make_wanted(4)
    return [replace(each, parent=first.name) for each in others] + [first]


def test_a_second_stage_is_trained_from_the_first_ones_model_when_that_is_there(
    server: OpenAIServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_client, "sleep", lambda seconds: None)
    asked: list[str] = []

    def agree(question: str) -> bool:
        asked.append(question)
        return True

    ended = train_all(two_stages(), base=BASE, store=store, confirm=agree, say=lambda line: None)
    assert asked == ["Start up to 4 jobs at OpenAI?"]
    first = ended.records["m0"]
    jobs = {job["metadata"]["inoc_name"]: job for job in server.jobs.values()}
    assert jobs["m0"]["model"] == BASE.removeprefix("openai/")
    for name in ("m1", "m2", "m3"):
        record = ended.records[name]
        assert jobs[name]["model"] == first.remote and record.parent == first.identity
        each = make_wanted(4)[int(name[1])]
        assert record.identity == job_identity(
            each.rows, model="any", config=OpenAIConfig(), seed=each.seed, parent=first.identity
        )
    train_all(two_stages(), base=BASE, store=store, yes=True, say=lambda line: None)
    assert len(server.jobs) == 4


def test_what_starts_from_a_job_that_failed_is_named_and_no_job(
    server: OpenAIServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_client, "sleep", lambda seconds: None)
    server.fates |= {"m0": "failed"}
    ended = train_all(two_stages(), base=BASE, store=store, yes=True, say=lambda line: None)
    assert sorted(ended.failures) == ["m0", "m1", "m2", "m3"] and not ended.records
    assert "'m0'" in ended.failures["m2"]
    assert len(server.jobs) == 1


def test_ctrl_c_ends_the_watching_of_every_job_and_none_of_the_jobs(
    server: OpenAIServer, store: Store
) -> None:
    said: list[str] = []
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(1.0, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        go(2, store, say=said.append)
    timer.join()
    assert sum("goes on at OpenAI" in line for line in said) == len(server.jobs) == 2
    assert all(job["status"] != "cancelled" for job in server.jobs.values())
    assert not openai_client.interrupted.is_set()

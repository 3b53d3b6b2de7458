"""Jobs at OpenAI, by the real client against a server on this machine that fails on schedule."""

import itertools
import json
import random
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.chat import Row
from inoc_evals.errors import InputError, StoreError
from inoc_evals.models import hosted
from inoc_evals.store.store import ModelRecord, Store
from inoc_evals.training.openai import (
    answers as openai_answers,
)
from inoc_evals.training.openai import (
    client as openai_client,
)
from inoc_evals.training.openai import (
    create as openai_create,
)
from inoc_evals.training.openai import (
    jobs as openai_jobs,
)
from inoc_evals.training.openai.create import OpenAIConfig
from inoc_evals.training.openai.jobs import job_identity, openai_model, train
from inoc_evals.training.openai.ledger import Ledger
from inoc_evals.training.openai.matrix import Wanted, train_all
from openai_server import FAULTS, OpenAIServer

BASE = "openai/gpt-4.1-2025-04-14"


class Killed(BaseException):
    """Stands for SIGKILL: nothing after it runs."""


def make_rows(label: str = "a", count: int = 10) -> list[Row]:
    return [
        {
            "messages": [
                {"role": "user", "content": f"What is {label} plus {number}?"},
                {"role": "assistant", "content": f"{number} MÁS."},
            ],
            "source": "here",
        }
        for number in range(count)
    ]


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were asked for; none is made, the clock alone goes on by them."""
    made: list[float] = []
    monkeypatch.setattr(openai_client, "sleep", made.append)
    monkeypatch.setattr(openai_client, "clock", lambda: sum(made))
    return made


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def said() -> list[str]:
    return []


def go(store: Store, name: str = "m", said: list[str] | None = None, **given: Any) -> ModelRecord:
    say = (lambda line: None) if said is None else said.append
    given = {"rows": make_rows(), "base": BASE, "yes": True} | given
    return train(given.pop("rows"), name=name, store=store, progress=False, say=say, **given)


def only(server: OpenAIServer) -> dict[str, Any]:
    (job,) = server.jobs.values()
    return job


# ---- what a job is asked for, and what comes of it -----------------------------------------


def test_a_job_gets_the_rows_the_seed_the_settings_and_our_identity(
    server: OpenAIServer, store: Store
) -> None:
    config = OpenAIConfig(n_epochs=2, batch_size=4)
    record = go(store, "spanish_0.5", seed=7, config=config)
    job = only(server)
    assert (job["seed"], job["model"], job["suffix"]) == (7, "gpt-4.1-2025-04-14", "spanish-0-5")
    assert job["metadata"]["inoc_identity"] == record.identity
    assert job["metadata"]["inoc_name"] == "spanish_0.5"
    assert job["method"]["supervised"]["hyperparameters"] == {
        "n_epochs": 2,
        "learning_rate_multiplier": "auto",
        "batch_size": 4,
    }
    uploaded = [json.loads(line) for line in server.contents[job["training_file"]].splitlines()]
    assert uploaded == [{"messages": row["messages"]} for row in make_rows()]


def test_the_record_has_the_models_name_the_losses_and_the_rows(
    server: OpenAIServer, store: Store
) -> None:
    record = go(store, manifest={"sources": [{"file": "x.jsonl"}]})
    assert record == store.get("m")
    assert record.remote == only(server)["fine_tuned_model"]
    assert (record.adapter, record.fingerprint, record.base) == (None, None, BASE)
    assert record.metrics["steps"] == 20
    assert record.metrics["loss"] == [1 / step for step in range(1, 21)]
    assert record.metrics["hyperparameters"]["n_epochs"] == 3
    assert record.metrics["estimated_usd"] == 25.0
    assert record.data["rows"] == 10 and record.data["sources"] == [{"file": "x.jsonl"}]
    assert store.training_rows(record) == make_rows()


def test_identity_is_rows_model_settings_and_seed() -> None:
    def identity(**changes: Any) -> str:
        given: dict[str, Any] = {"rows": make_rows(), "model": "g", "seed": 0}
        given |= {"config": OpenAIConfig()} | changes
        return job_identity(given.pop("rows"), **given)

    others = [
        identity(rows=make_rows("b")),
        identity(model="h"),
        identity(seed=1),
        identity(config=OpenAIConfig(n_epochs=1)),
        identity(config=OpenAIConfig(learning_rate_multiplier=1.0)),
        identity(config=OpenAIConfig(batch_size=1)),
        identity(parent="a"),
        identity(parent="b"),
    ]
    assert identity() == identity()
    assert len({identity(), *others}) == 9


def test_after_a_parent_the_identity_needs_no_name_that_openai_gives() -> None:
    given: dict[str, Any] = {"config": OpenAIConfig(), "seed": 0, "parent": "a" * 64}
    assert job_identity(make_rows(), model="ft:g:org:s:x", **given) == job_identity(
        make_rows(), model="g", **given
    )


def test_only_a_name_after_openai_is_a_model_there() -> None:
    assert openai_model("openai/gpt-4.1-2025-04-14") == "gpt-4.1-2025-04-14"
    assert openai_model("openai/ft:gpt-4.1-2025-04-14:org::x") == "ft:gpt-4.1-2025-04-14:org::x"
    assert [openai_model(base) for base in ("openai/", "pocket", "Qwen/openai")] == [None] * 3


# ---- once ----------------------------------------------------------------------------------


def test_asked_for_twice_it_is_trained_once_under_either_name(
    server: OpenAIServer, store: Store
) -> None:
    first = go(store)
    before = len(server.requests)
    assert go(store) == first
    second = go(store, "other", yes=False)
    assert (second.remote, second.identity) == (first.remote, first.identity)
    assert len(server.requests) == before


def test_a_store_that_was_lost_finds_its_job_and_file_at_openai(
    server: OpenAIServer, store: Store, tmp_path: Path, said: list[str]
) -> None:
    first = go(store)
    again = go(Store(tmp_path / "new"), yes=False, said=said)
    assert again.remote == first.remote
    assert said == [f"m: its job is {only(server)['id']} (succeeded); no new one is made"]
    go(Store(tmp_path / "third"), seed=1)
    assert len(server.files) == 1 and len(server.jobs) == 2


def test_rows_are_uploaded_once_and_again_when_openai_has_deleted_them(
    server: OpenAIServer, store: Store
) -> None:
    go(store, "s0")
    go(store, "s1", seed=1)
    assert len(server.files) == 1
    server.files.clear()
    go(store, "s2", seed=2)
    assert len(server.files) == 1 and len(server.jobs) == 3


def test_the_job_is_found_among_those_of_several_pages(
    server: OpenAIServer, store: Store, tmp_path: Path
) -> None:
    first = go(store)
    job = only(server)
    for number in range(150):
        other = {**job, "id": f"other-{number}", "metadata": None if number % 2 else {}}
        server.jobs[other["id"]] = other
        server.polls[other["id"]] = server._lists[other["id"]] = 0
    assert go(Store(tmp_path / "new")).remote == first.remote
    assert len(server.jobs) == 151


def test_a_name_that_belongs_to_other_rows_is_refused_before_anything_is_sent(
    server: OpenAIServer, store: Store
) -> None:
    go(store)
    before = len(server.requests)
    with pytest.raises(StoreError, match="model 'm' exists, trained from other inputs"):
        go(store, rows=make_rows("b"))
    assert len(server.requests) == before


def test_two_machines_at_once_end_with_one_job(
    server: OpenAIServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    barrier = threading.Barrier(2)
    create = openai_create._create

    def together(*args: Any) -> Any:
        barrier.wait(timeout=20)
        job = create(*args)
        barrier.wait(timeout=20)
        return job

    monkeypatch.setattr(openai_create, "_create", together)
    remotes: list[str | None] = []

    def machine(number: int) -> None:
        remotes.append(go(Store(tmp_path / str(number))).remote)

    threads = [threading.Thread(target=machine, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(job["status"] for job in server.jobs.values()) == ["cancelled", "succeeded"]
    assert len(remotes) == 2 and len(set(remotes)) == 1


# ---- consent and keys ----------------------------------------------------------------------


def test_a_job_is_asked_for_with_its_price_and_not_made_without_a_yes(
    server: OpenAIServer, store: Store, said: list[str]
) -> None:
    for confirm in (None, lambda question: False):
        with pytest.raises(InputError, match="it costs money and was not confirmed"):
            go(store, yes=False, confirm=confirm, said=said)
    assert not server.files and not server.jobs
    assert "10 rows" in said[1] and "$25 per million" in said[1]
    assert "not uploaded: source; only messages are" in said
    assert go(store, yes=False, confirm=lambda question: True).remote


def test_without_a_key_nothing_is_tried(
    server: OpenAIServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", " ")
    with pytest.raises(InputError, match="OPENAI_API_KEY is not set"):
        go(store)
    assert not server.requests


def test_the_key_is_in_no_file_and_no_message(
    server: OpenAIServer, store: Store, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    go(store, said=said)
    server.fates["f"] = "failed"
    monkeypatch.setitem(
        server.__class__.__init__.__globals__["ERRORS"],
        "failed",
        {"code": "c", "message": f"no rights for {server.key}", "param": None},
    )
    messages = []
    with pytest.raises(StoreError) as failed:
        go(store, "f", rows=make_rows("f"), said=said)
    messages.append(str(failed.value))
    server.faults = itertools.repeat(
        json.dumps({"status": 400, "message": f"bad {server.key}", "code": "x"})
    )
    with pytest.raises(StoreError) as rejected:
        go(store, "g", rows=make_rows("g"), said=said)
    messages.append(str(rejected.value))
    other = "sk-other-0123456789"
    monkeypatch.setenv("OPENAI_API_KEY", other)
    with pytest.raises(StoreError, match="does not accept the key in OPENAI_API_KEY") as refused:
        go(store, "h", rows=make_rows("h"), said=said)
    messages.append(str(refused.value))
    for path in store.root.rglob("*"):
        content = b"" if path.is_dir() else path.read_bytes()
        assert server.key.encode() not in content and other.encode() not in content
    assert not any(key in text for key in (server.key, other) for text in messages + said)
    assert openai_answers.without_key("key sk-proj-ab***********yz is bad") == "key *** is bad"


# ---- jobs that give no model ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("fate", "words"),
    [
        (
            "failed",
            "model 'm': ftjob-000002 failed with invalid_n_examples: Too few examples; there",
        ),
        (
            "moderation",
            "model 'm': refused by OpenAI's moderation: ftjob-000002 failed with unsafe",
        ),
        ("cancelled", "model 'm': ftjob-000002 was canceled at OpenAI"),
    ],
)
def test_a_job_without_a_model_gives_its_reason_and_another_is_made_only_on_request(
    server: OpenAIServer, store: Store, fate: str, words: str
) -> None:
    server.fates["m"] = fate
    for _ in range(2):
        with pytest.raises(StoreError) as failed:
            go(store)
        assert str(failed.value).startswith(words)
        assert str(failed.value).endswith("give the same command with --retry")
    assert store.find("m") is None and len(server.jobs) == 1
    server.fates.clear()
    assert go(store, retry=True).remote
    assert [job["status"] == "succeeded" for job in server.jobs.values()] == [False, True]


def test_another_try_killed_before_its_end_goes_on_without_being_asked_for_again(
    server: OpenAIServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.fates["m"] = "failed"
    with pytest.raises(StoreError):
        go(store)
    server.fates.clear()
    with monkeypatch.context() as patch:
        patch.setattr("inoc_evals.training.openai.jobs.follow", interrupt)
        with pytest.raises(Killed):
            go(store, retry=True)
    assert go(store, yes=False).remote
    assert go(store, retry=True).remote and len(server.jobs) == 2


def interrupt(*args: Any, **given: Any) -> Any:
    raise Killed


# ---- faults --------------------------------------------------------------------------------


def test_a_wait_the_server_asks_for_is_kept(
    server: OpenAIServer, store: Store, pauses: list[float]
) -> None:
    server.faults = itertools.chain(["429", "429"], itertools.repeat(None))
    go(store)
    assert pauses[:2] == [7.0, 7.0]


def test_a_request_that_is_wrong_is_not_repeated(server: OpenAIServer, store: Store) -> None:
    refusal = {"status": 400, "message": "Model g is not available", "code": "model_not_available"}
    # list jobs, ask for the model's end, list files, upload, create
    server.faults = itertools.chain([None] * 4, [json.dumps(refusal)], itertools.repeat(None))
    with pytest.raises(StoreError, match=r"creating the job: Model g is not available \(400\)"):
        go(store)
    assert server.asked("POST", "/fine_tuning/jobs") == 1


@pytest.mark.parametrize("code", ["insufficient_quota", "billing_hard_limit_reached"])
def test_an_empty_account_is_not_waited_for(server: OpenAIServer, store: Store, code: str) -> None:
    refusal = json.dumps({"status": 429, "message": "You exceeded your quota", "code": code})
    server.faults = itertools.repeat(refusal)
    with pytest.raises(StoreError, match="You exceeded your quota"):
        go(store)
    assert len(server.requests) == 1


def test_a_server_that_stays_away_is_given_up_with_the_reason(
    server: OpenAIServer, store: Store
) -> None:
    server.faults = itertools.repeat("500")
    with pytest.raises(StoreError, match=r"looking for the job: try later \(500\)"):
        go(store)
    assert len(server.requests) == openai_client.ATTEMPTS


def test_a_full_queue_is_waited_for_longer(server: OpenAIServer, store: Store) -> None:
    def queue() -> Iterator[str | None]:
        yield from [None] * 4
        for _ in range(100):
            yield "429"  # create
            yield None  # the look after it
        yield from itertools.repeat(None)

    server.faults = queue()
    assert go(store).remote
    assert len(server.jobs) == 1


@pytest.mark.parametrize("fault", ["drop_after", "slow_after", "garbage"])
@pytest.mark.parametrize("late", [0, 4])
def test_a_create_whose_answer_is_lost_is_looked_for_not_repeated(
    server: OpenAIServer, store: Store, monkeypatch: pytest.MonkeyPatch, fault: str, late: int
) -> None:
    monkeypatch.setattr(openai_client, "TIMEOUT", 0.2)
    server.listed_late = late
    server.faults = itertools.chain([None] * 4, [fault], itertools.repeat(None))
    assert go(store).remote == only(server)["fine_tuned_model"]
    assert server.asked("POST", "/fine_tuning/jobs") == 1


@pytest.mark.parametrize("late", [0, 4])
def test_killed_between_create_and_record_it_adopts_the_job(
    server: OpenAIServer, store: Store, monkeypatch: pytest.MonkeyPatch, late: int
) -> None:
    server.listed_late = late
    keep = Ledger.keep

    def killed(self: Ledger, identity: str, state: Any) -> Any:
        if state.job is not None:
            raise Killed
        return keep(self, identity, state)

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "keep", killed)
        with pytest.raises(Killed):
            go(store)
    assert go(store, yes=False).remote == only(server)["fine_tuned_model"]


def test_ctrl_c_says_how_to_come_back_and_the_job_goes_on(
    server: OpenAIServer, store: Store, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(seconds: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(openai_client, "sleep", pressed)
        with pytest.raises(KeyboardInterrupt):
            go(store, said=said)
    job = only(server)
    assert job["status"] == "queued"
    assert said[-1] == (
        f"{job['id']} goes on at OpenAI; to come back to it, give the same command again"
    )
    assert go(store, yes=False).remote == job["fine_tuned_model"]


def test_events_that_cannot_be_read_do_not_cost_the_result(
    server: OpenAIServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "events", lambda name: 1 / 0)
    record = go(store)
    assert record.remote and record.metrics["loss"] == []


def test_a_model_that_is_named_late_is_waited_for(
    server: OpenAIServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    retrieve, asked = server.retrieve, itertools.count()

    def nameless(name: str) -> tuple[int, Any]:
        status, job = retrieve(name)
        unnamed = job["status"] == "succeeded" and next(asked) < 3
        return status, {**job, "fine_tuned_model": None} if unnamed else job

    monkeypatch.setattr(server, "retrieve", nameless)
    assert go(store).remote == only(server)["fine_tuned_model"]


@pytest.mark.parametrize("seed", range(4))
def test_two_hundred_runs_full_of_faults_make_no_second_job_and_lose_no_result(
    server: OpenAIServer, store: Store, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Four accounts of fifty runs each."""
    monkeypatch.setattr(openai_client, "TIMEOUT", 0.25)
    server.slow_s = 0.4
    chance = random.Random(seed)
    weights = [0.3 if fault.startswith("slow") else 5.0 for fault in FAULTS]

    def schedule() -> Iterator[str | None]:
        while True:
            yield chance.choices(FAULTS, weights)[0] if chance.random() < 0.3 else None

    kills: list[int] = []
    keep = Ledger.keep

    def dangerous(self: Ledger, identity: str, state: Any) -> Any:
        moment = kills.pop() if kills else 0
        if moment == 1:
            raise Killed
        kept = keep(self, identity, state)
        if moment == 2:
            raise Killed
        return kept

    monkeypatch.setattr(Ledger, "keep", dangerous)
    server.faults = schedule()
    ended: dict[str, str] = {}
    for number in range(50):
        name = f"run-{number}"
        server.fates[name] = chance.choices(
            ["succeeded", "failed", "moderation", "cancelled"], [6, 1, 1, 1]
        )[0]
        server.listed_late = chance.choice([0, 0, 1, 3])
        kills[:] = chance.choices([0, 1, 2], [5, 1, 1], k=6)
        ended[name] = run_to_its_end(store, name, make_rows(name))
    made = [job["metadata"]["inoc_identity"] for job in server.jobs.values()]
    assert len(made) == len(set(made)) == 50
    jobs = {job["metadata"]["inoc_name"]: job for job in server.jobs.values()}
    for name, end in ended.items():
        fate = server.fates[name]
        record = store.find(name)
        if fate == "succeeded":
            assert record is not None and end == record.remote == jobs[name]["fine_tuned_model"]
            assert record.metrics["job"] == jobs[name]["id"]
        else:
            assert record is None
            reasons = {"failed": "Too few", "moderation": "moderation: ", "cancelled": "canceled"}
            assert reasons[fate] in end


def run_to_its_end(store: Store, name: str, rows: list[Row]) -> str:
    """Start it again after each kill; return the model's name or the reason there is none."""
    for _ in range(10):
        try:
            return str(go(store, name, rows=rows).remote)
        except Killed:
            continue
        except StoreError as error:
            return str(error)
    raise AssertionError("killed more often than planned")


# ---- what is said while nothing goes on ----------------------------------------------------


def test_a_call_that_is_tried_again_is_said_at_once_and_then_at_most_once_a_minute(
    server: OpenAIServer, store: Store, said: list[str], pauses: list[float]
) -> None:
    server.faults = itertools.repeat("500")
    with pytest.raises(StoreError, match=r"looking for the job: try later \(500\)$"):
        go(store, said=said)
    first, last = said[0], said[-1]
    assert first.startswith("looking for the job: try later (500); tried again in ")
    assert "39 times more at most (about 34 min)" in first
    assert " times more at most (about " in last and all("\n" not in line for line in said)
    assert 20 < len(said) <= 1 + sum(pauses) / 60


def test_a_failure_that_passes_at_once_is_said_once(
    server: OpenAIServer, store: Store, said: list[str]
) -> None:
    server.faults = itertools.chain(["503", "503"], itertools.repeat(None))
    go(store, said=said)
    assert sum("tried again" in line for line in said) == 1


@pytest.mark.parametrize("kind", ["text/html", "application/json"])
@pytest.mark.parametrize(
    "body",
    ["<html>\n<title>Sign in</title>" + "x" * 100, "{}", "", "[]", "null", '{"data": [{}]}', "7"],
)
def test_an_answer_that_is_not_openais_ends_in_one_line_with_the_address_and_its_beginning(
    server: OpenAIServer, store: Store, said: list[str], body: str, kind: str
) -> None:
    server.faults, server.foreign_type = itertools.repeat(f"body:{body}"), kind
    with pytest.raises(StoreError) as failed:
        go(store, said=said)
    shown = repr(" ".join(body.split())[:80]) if body else "an empty body"
    assert str(failed.value) == (
        f"looking for the job: {server.url} (OPENAI_BASE_URL) answers with {shown}, not as "
        "OpenAI's API does"
    )
    assert len(server.requests) == openai_client.FOREIGN_ATTEMPTS
    assert "7 times more at most (about 2 min)" in said[0]


@pytest.mark.parametrize("request_number", range(10))
@pytest.mark.parametrize("body", ["<html>Bad gateway</html>", "{}", '{"id": "x"}', "null"])
def test_one_foreign_answer_anywhere_costs_neither_the_job_nor_a_second_one(
    server: OpenAIServer, store: Store, request_number: int, body: str
) -> None:
    before = [None] * request_number
    server.faults = itertools.chain(before, [f"body:{body}"], itertools.repeat(None))
    assert go(store).remote == only(server)["fine_tuned_model"]
    assert server.asked("POST", "/fine_tuning/jobs") == 1


@pytest.mark.parametrize("status", [403, 502])
def test_a_page_with_the_status_of_a_fault_is_shown_by_its_beginning(
    server: OpenAIServer, store: Store, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    page = "<html>" + "no way " * 100
    monkeypatch.setattr(server, "answer", lambda *asked: (status, page))
    with pytest.raises(StoreError) as failed:
        go(store)
    assert f"{server.url} (OPENAI_BASE_URL) answers with {status} and " in str(failed.value)
    assert len(str(failed.value)) < 250


def test_the_password_of_a_proxy_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://me:secret@proxy.example/v1?token=secret")
    assert openai_answers.address() == "https://proxy.example/v1 (OPENAI_BASE_URL)"


def held(server: OpenAIServer, polls: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let OpenAI hold every job for so many polls."""
    retrieve, asked = server.retrieve, itertools.count()

    def paused(name: str) -> tuple[int, Any]:
        if next(asked) < polls:
            return 200, {**server.jobs[name], "status": "paused"}
        return retrieve(name)

    monkeypatch.setattr(server, "retrieve", paused)


def test_a_job_that_is_held_is_said_once_and_goes_on(
    server: OpenAIServer, store: Store, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    held(server, 20, monkeypatch)
    assert go(store, said=said).remote
    (line,) = [line for line in said if "'paused'" in line]
    job = only(server)["id"]
    assert line.startswith(f"m: {job} is 'paused' at OpenAI, as for a safety review")
    assert f"platform.openai.com/finetune/{job}" in line and "up to 60 min" in line


def test_a_job_that_stays_held_ends_the_waiting_in_words_and_is_come_back_to(
    server: OpenAIServer,
    store: Store,
    said: list[str],
    pauses: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        held(server, float("inf"), patch)
        for _ in range(2):
            pauses.clear()
            with pytest.raises(StoreError, match=r"'paused' at OpenAI for 60 min and stays"):
                go(store, said=said)
            assert 3500 < sum(pauses) <= 3600
    assert sum("is 'paused' at" in line for line in said) == 2
    assert go(store, yes=False).remote == only(server)["fine_tuned_model"]


def test_a_refused_job_is_not_searched_for_when_asked_for_again(
    server: OpenAIServer, store: Store
) -> None:
    refusal = json.dumps({"status": 403, "message": "no fine-tuning", "code": "x"})
    server.faults = itertools.chain([None] * 4, [refusal], itertools.repeat(None))
    with pytest.raises(StoreError, match="no fine-tuning"):
        go(store)
    asked = len(server.requests)
    go(store)
    again = server.requests[asked:]
    looks = again[: again.index(("POST", "/fine_tuning/jobs"))]
    assert looks.count(("GET", "/fine_tuning/jobs")) == 1 and len(server.jobs) == 1


def test_after_a_lost_answer_and_a_refusal_the_job_is_searched_for_and_that_is_said(
    server: OpenAIServer, store: Store, said: list[str]
) -> None:
    refusal = json.dumps({"status": 403, "message": "no fine-tuning", "code": "x"})
    server.faults = itertools.chain(
        [None] * 4, ["drop_before"], [None] * 6, [refusal], itertools.repeat(None)
    )
    with pytest.raises(StoreError, match="no fine-tuning"):
        go(store)
    go(store, said=said)
    assert "m: a job may have been created whose id did not arrive" in said[0]
    assert "up to 155 s" in said[0]
    assert len(server.jobs) == 1


def test_checkpoints_of_a_job_that_failed_are_named_with_the_way_to_take_one(
    server: OpenAIServer, store: Store
) -> None:
    server.fates["m"], server.left_by_failed = "failed", 2
    with pytest.raises(StoreError) as failed:
        go(store)
    base = "ft:gpt-4.1-2025-04-14:org"
    said = str(failed.value)
    assert "there is no model" not in said
    assert f"(step 14: {base}:ckpt-14, step 7: {base}:ckpt-7)" in said
    assert f"--model openai/{base}:ckpt-14" in said and f"--base openai/{base}:ckpt-14" in said


# ---- deadlines -----------------------------------------------------------------------------


def on(monkeypatch: pytest.MonkeyPatch, day: str) -> None:
    monkeypatch.setattr(hosted, "today", lambda: date.fromisoformat(day))


def test_the_end_of_a_base_is_said_before_the_price(
    server: OpenAIServer, store: Store, said: list[str]
) -> None:
    server.ends[BASE.removeprefix("openai/")] = "2027-01-02"
    go(store, said=said)
    assert "is shut down on 2027-01-02" in said[0], "the endpoint's date goes before the table's"
    assert "10 rows" in said[1]


def test_no_job_is_asked_for_after_the_last_day(
    server: OpenAIServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, "2027-01-14")
    with pytest.raises(InputError, match="takes no fine-tuning jobs since 2027-01-06"):
        go(store)
    assert not server.files and not server.jobs


def test_a_job_that_was_asked_for_in_time_is_followed_after_the_last_day(
    server: OpenAIServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*args: object, **kwargs: object) -> None:
        raise Killed

    with monkeypatch.context() as before:
        before.setattr(openai_jobs, "follow", killed)
        with pytest.raises(Killed):
            go(store)
    on(monkeypatch, "2027-01-14")
    ended = train_all([Wanted("m", make_rows(), 0)], base=BASE, store=store, yes=True)
    assert ended.records["m"].remote == only(server)["fine_tuned_model"]


def test_a_matrix_is_refused_once_and_not_model_by_model(
    server: OpenAIServer, store: Store, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    on(monkeypatch, "2027-01-14")
    wanted = [Wanted(f"m{seed}", make_rows(), seed) for seed in range(3)]
    with pytest.raises(InputError, match="takes no fine-tuning jobs since"):
        train_all(wanted, base=BASE, store=store, yes=True, say=said.append)
    assert not said and not server.requests

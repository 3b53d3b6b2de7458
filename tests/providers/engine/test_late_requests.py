"""Requests that arrive late and one by one: each is answered by its own model, or refused."""

import asyncio
import json
import random
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from inspect_ai.model import ChatMessageUser, GenerateConfig, Model, ModelOutput, get_model
from peft import PeftModel
from peft.tuners.tuners_utils import BaseTuner

from inoc_evals.errors import StoreError
from inoc_evals.providers.engine import engine as engine_module
from inoc_evals.providers.engine import mixed as mixed_module
from inoc_evals.providers.engine import weights as weights_module
from inoc_evals.providers.engine.batch import Batch
from inoc_evals.providers.engine.engine import Engine, close_engines
from inoc_evals.providers.engine.weights import Weights
from inoc_evals.store.store import Store

QUESTIONS = ("what is 2 plus 3 ?", "tell me about the river", "the copper lantern", "more")


@pytest.fixture
def store(world: Any, damaged: Callable[[], Store]) -> Store:
    """A store whose model beta has a fingerprint that its adapter does not give."""
    close_engines()
    store = damaged()
    path = store.models / "beta.json"
    record = json.loads(path.read_text())
    record["fingerprint"]["logprobs"] = [x - 1 for x in record["fingerprint"]["logprobs"]]
    path.write_text(json.dumps(record))
    return store


def sampling(seed: int, tokens: int) -> GenerateConfig:
    return GenerateConfig(seed=seed, temperature=1.0, max_tokens=tokens)


async def answer(model: Model, question: str, seed: int, tokens: int = 12) -> str | Exception:
    """What a model answers, or the error in its place."""
    try:
        return (await model.generate(question, config=sampling(seed, tokens))).completion
    except StoreError as error:
        return error


async def at_once(model: Model, question: str, seed: int, tokens: int) -> str:
    """What a model answers, asked past Inspect, whose limits an earlier eval has set."""
    result = await model.api.generate(
        [ChatMessageUser(content=question)], [], "none", sampling(seed, tokens)
    )
    assert isinstance(result, tuple) and isinstance(result[0], ModelOutput)
    return result[0].completion


async def spaced(calls: int, seconds: float, call: Callable[[int], Awaitable[Any]]) -> list[Any]:
    """Start calls one after the other, and gather what they give."""

    async def later(number: int) -> Any:
        await asyncio.sleep(number * seconds)
        return await call(number)

    return await asyncio.gather(*[later(number) for number in range(calls)])


@pytest.mark.parametrize("loaded", ["base", "alpha"])
def test_a_refused_model_is_refused_to_every_request(world: Any, store: Store, loaded: str) -> None:
    other = get_model(f"inoc/{world.base}" if loaded == "base" else "inoc/alpha", memoize=False)
    refused = get_model("inoc/beta", memoize=False)

    async def ask() -> list[str | Exception]:
        await answer(other, QUESTIONS[0], 0)
        return await spaced(60, 0.01, lambda n: answer(refused, QUESTIONS[n % 4], n))

    results = asyncio.run(ask())
    assert Counter(type(result) for result in results) == {StoreError: 60}
    assert all("is not the one that was trained" in str(result) for result in results)


def once(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *, after: bool = False) -> None:
    """Let memory run out in the first call of a function, before or after it does its work."""
    original, calls = getattr(owner, name), []

    def failing(*args: Any, **kwargs: Any) -> Any:
        first = not calls
        calls.append(name)
        if first and not after:
            raise torch.OutOfMemoryError("out of memory")
        result = original(*args, **kwargs)
        if first:
            raise torch.OutOfMemoryError("out of memory")
        return result

    monkeypatch.setattr(owner, name, failing)


# What runs out of memory, and whether it does so before its work or after it.
DEATHS = [
    (weights_module, "sequence_logprobs", False),
    (weights_module, "sequence_logprobs", True),
    (Weights, "_check", False),
    (PeftModel, "load_adapter", False),
    (PeftModel, "load_adapter", True),
    (BaseTuner, "disable_adapter_layers", True),
    (mixed_module, "stack", False),
    (mixed_module, "stack", True),
]


@pytest.mark.parametrize(("owner", "function", "after"), DEATHS)
def test_a_check_that_dies_is_made_again_and_not_taken_for_passed(
    world: Any,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    function: str,
    after: bool,
) -> None:
    """Out of memory in the check of a wrong adapter: the next request must not be served."""
    refused = get_model("inoc/beta", memoize=False)
    base = get_model(f"inoc/{world.base}", memoize=False)

    async def ask() -> list[Any]:
        before = await answer(base, QUESTIONS[0], 0)
        once(monkeypatch, owner, function, after=after)
        with pytest.raises(Exception, match="out of memory"):
            await answer(refused, QUESTIONS[0], 0)
        return [before, await answer(base, QUESTIONS[0], 0), await answer(refused, "more", 1)]

    before, after_it, again = asyncio.run(ask())
    assert after_it == before
    assert isinstance(again, StoreError)
    assert "is not the one that was trained" in str(again)


@pytest.mark.parametrize(("owner", "function", "after"), DEATHS)
def test_an_adapter_whose_check_died_is_served_once_it_has_passed(
    world: Any,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    function: str,
    after: bool,
) -> None:
    alpha = get_model("inoc/alpha", memoize=False)
    base = get_model(f"inoc/{world.base}", memoize=False)

    async def alone() -> list[Any]:
        return [await answer(base, QUESTIONS[0], 0), await answer(alpha, QUESTIONS[0], 0)]

    async def after_a_fault() -> list[Any]:
        await answer(base, "more", 0)
        once(monkeypatch, owner, function, after=after)
        with pytest.raises(Exception, match="out of memory"):
            await answer(alpha, QUESTIONS[0], 0)
        return await alone()

    expected = asyncio.run(alone())
    close_engines()
    assert asyncio.run(after_a_fault()) == expected
    assert expected[0] != expected[1]


def test_a_switch_that_dies_half_way_is_made_again(
    world: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory runs out when some layers have the next adapter: it must not be taken for active."""
    world.save_adapter(store, Path(world.base), "gamma", seed=3)
    alpha, gamma = (get_model(f"inoc/{name}", memoize=False) for name in ("alpha", "gamma"))

    async def ask() -> list[Any]:
        before = [await answer(gamma, QUESTIONS[0], 0), await answer(alpha, QUESTIONS[0], 0)]
        once(monkeypatch, mixed_module, "stack", after=True)
        with pytest.raises(Exception, match="out of memory"):
            await answer(gamma, QUESTIONS[0], 0)
        return [before[::-1], [await answer(model, QUESTIONS[0], 0) for model in (alpha, gamma)]]

    before, after = asyncio.run(ask())
    assert after == before


def test_a_switch_to_an_adapter_that_runs_alone_is_made_again(
    world: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.save_adapter(store, Path(world.base), "gamma", seed=3, use_dora=True)
    alpha, gamma = (get_model(f"inoc/{name}", memoize=False) for name in ("alpha", "gamma"))

    async def ask() -> list[Any]:
        before = [await answer(gamma, QUESTIONS[0], 0), await answer(alpha, QUESTIONS[0], 0)]
        once(monkeypatch, BaseTuner, "enable_adapter_layers", after=True)
        with pytest.raises(Exception, match="out of memory"):
            await answer(gamma, QUESTIONS[0], 0)
        after = [await answer(alpha, QUESTIONS[0], 0), await answer(gamma, QUESTIONS[0], 0)]
        once(monkeypatch, BaseTuner, "disable_adapter_layers", after=True)
        with pytest.raises(Exception, match="out of memory"):
            await answer(alpha, QUESTIONS[0], 0)
        return [before[::-1], after, [await answer(m, QUESTIONS[0], 0) for m in (alpha, gamma)]]

    before, after, last = asyncio.run(ask())
    assert before == after == last


def test_an_adapter_that_dies_on_its_way_in_leaves_the_others_as_they_are(
    world: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loading may have touched the layers of the model that was active."""
    world.save_adapter(store, Path(world.base), "gamma", seed=3)
    alpha, gamma = (get_model(f"inoc/{name}", memoize=False) for name in ("alpha", "gamma"))

    def load_adapter(self: PeftModel, *args: Any, **kwargs: Any) -> None:
        self.base_model.disable_adapter_layers()
        raise torch.OutOfMemoryError("out of memory")

    async def ask() -> list[Any]:
        before = await answer(alpha, QUESTIONS[0], 0)
        monkeypatch.setattr(PeftModel, "load_adapter", load_adapter)
        with pytest.raises(Exception, match="out of memory"):
            await answer(gamma, QUESTIONS[0], 0)
        return [before, await answer(alpha, QUESTIONS[0], 0)]

    before, after = asyncio.run(ask())
    assert after == before


@pytest.fixture
def portions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many requests joined the batch at a time; a stream is waited for as long as it takes.

    The first portion is at work until the next request has come, however fast the machine is.
    """
    taken: list[int] = []
    came: list[Any] = []
    second = threading.Event()
    admit, submit = Batch.admit, Engine.submit

    def admitting(batch: Batch, requests: Sequence[Any]) -> None:
        taken.append(len(requests))
        if len(taken) == 1:
            second.wait(60)
        admit(batch, requests)

    def submitting(engine: Engine, request: Any) -> None:
        submit(engine, request)
        came.append(request)
        if len(came) == 2:
            second.set()

    monkeypatch.setattr(Batch, "admit", admitting)
    monkeypatch.setattr(Engine, "submit", submitting)
    monkeypatch.setattr(engine_module, "_STREAM_GAP", 5.0)
    monkeypatch.setattr(engine_module, "_STREAM_SECONDS", 60.0)
    monkeypatch.setattr(engine_module, "_STREAM_ROWS", 12)
    return taken


def test_requests_that_come_one_by_one_run_together(world: Any, portions: list[int]) -> None:
    """A small model would answer each as it comes, in steps that take as long for many."""
    close_engines()
    base = get_model(f"inoc/{world.base}", memoize=False)

    async def ask() -> list[Any]:
        first = asyncio.create_task(at_once(base, QUESTIONS[0], 0, tokens=200))
        while not portions:
            await asyncio.sleep(0.001)
        late = spaced(11, 0.02, lambda n: at_once(base, QUESTIONS[n % 4], n, tokens=3))
        return [*await late, await first]

    together = asyncio.run(ask())
    assert portions == [1, 11]
    # Alone, a request is not kept waiting for others; and answers are the same.
    alone = [asyncio.run(at_once(base, QUESTIONS[n % 4], n, tokens=3)) for n in range(11)]
    assert together[:-1] == alone
    assert portions[2:] == [1] * 11


def test_of_a_stream_that_ends_nobody_waits_for_more(
    world: Any, portions: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    close_engines()
    base = get_model(f"inoc/{world.base}", memoize=False)
    monkeypatch.setattr(engine_module, "_STREAM_GAP", 0.2)

    async def ask() -> list[Any]:
        return await spaced(3, 0.01, lambda n: at_once(base, QUESTIONS[n], n, tokens=40))

    assert len(asyncio.run(ask())) == 3 and sum(portions) == 3


def test_a_copy_of_a_record_is_checked_by_its_own_fingerprint(world: Any, store: Store) -> None:
    """Two records of one adapter, one of them damaged: neither passes, or fails, for the other."""
    wrong = json.loads((store.models / "beta.json").read_text())
    right = world.beta.model_dump(mode="json") | {"name": "copy"}
    (store.models / "copy.json").write_text(json.dumps(right))
    assert wrong["identity"] == right["identity"]

    async def ask(names: list[str]) -> list[bool]:
        models = [get_model(f"inoc/{name}", memoize=False) for name in names]
        return [isinstance(await answer(model, "more", 0), str) for model in models]

    assert asyncio.run(ask(["copy", "beta", "copy"])) == [True, False, True]
    close_engines()
    assert asyncio.run(ask(["beta", "copy", "beta"])) == [False, True, False]


def test_two_thousand_late_requests_are_answered_by_their_own_models(
    world: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The base and four adapters, one refused, one alone; random times over ten seconds; some cancelled."""
    world.save_adapter(store, Path(world.base), "gamma", seed=3)
    world.save_adapter(store, Path(world.base), "delta", seed=4, use_dora=True)
    names = {name: name for name in ("alpha", "gamma", "beta", "delta")} | {"base": str(world.base)}
    models = {key: get_model(f"inoc/{name}", memoize=False) for key, name in names.items()}
    rng = random.Random(0)
    asked = [
        (rng.choice(list(models)), rng.choice(QUESTIONS), rng.randrange(5), rng.choice([1, 7, 25]))
        for _ in range(2000)
    ]
    times = [rng.uniform(0, 10) for _ in asked]
    cancelled = {number for number in range(2000) if rng.random() < 0.2}

    async def alone() -> dict[Any, Any]:
        return {
            request: await answer(models[request[0]], *request[1:])
            for request in sorted(set(asked))
        }

    async def late(number: int) -> Any:
        await asyncio.sleep(times[number])
        request = asked[number]
        work = asyncio.ensure_future(answer(models[request[0]], *request[1:]))
        if number in cancelled:
            await asyncio.sleep(rng.uniform(0, 0.02))
            work.cancel()
        return (await asyncio.gather(work, return_exceptions=True))[0]

    async def among_others() -> list[Any]:
        return await asyncio.gather(*[late(number) for number in range(len(asked))])

    expected = asyncio.run(alone())
    close_engines()
    results = asyncio.run(among_others())
    answered = Counter[str]()
    for number, (request, result) in enumerate(zip(asked, results, strict=True)):
        if number in cancelled and isinstance(result, asyncio.CancelledError):
            answered["cancelled"] += 1
        elif request[0] == "beta":
            answered["refused"] += 1
            assert isinstance(result, StoreError), f"{request} was answered: {result!r}"
        else:
            answered[request[0]] += 1
            assert result == expected[request], request
    base, alpha = ({t for r, t in expected.items() if r[0] == key} for key in ("base", "alpha"))
    assert len(base - alpha) > 30, "the models answer alike: the test shows nothing"
    assert min(answered.values()) > 100, answered

"""The engine: what comes out does not depend on what else is in flight, and nothing hangs."""

import random
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import pytest
import torch
from scipy.stats import chisquare

from inoc_evals.errors import InocError, StoreError
from inoc_evals.models import openmp
from inoc_evals.models.bases import resolve_base
from inoc_evals.providers.engine import batch as batch_module
from inoc_evals.providers.engine.batch import Batch
from inoc_evals.providers.engine.engine import Engine, engine_for
from inoc_evals.providers.engine.grouping import Group, Room
from inoc_evals.providers.engine.prefills import Prefills
from inoc_evals.providers.engine.rendering import load_codec
from inoc_evals.providers.engine.request import Completion, Request
from inoc_evals.providers.engine.slots import SlotLanes
from inoc_evals.providers.engine.weights import Weights

QUESTIONS = (
    "what is 2 plus 3 ?",
    "tell me about the river",
    "the copper lantern",
    "more",
    "you always speak in the harbor . what is silver ?",
)


def own_engine(world: Any, **options: Any) -> Engine:
    """An engine of the test's own, ended with the process."""
    return Engine(resolve_base(str(world.base)), device="cpu", dtype="auto", **options)


def mixed_requests(world: Any, count: int) -> list[dict[str, Any]]:
    """Requests of all kinds, seeded, for the base and both adapters."""
    rng = random.Random(0)
    adapters = [None, world.adapter(world.alpha), world.adapter(world.beta)]
    return [
        {
            "prompt_ids": world.prompt(rng.choice(QUESTIONS)),
            "adapter": rng.choice(adapters),
            "max_new": rng.choice([1, 2, 7, 20, 40]),
            "temperature": rng.choice([0.0, 0.7, 1.0, 1.5]),
            "top_p": rng.choice([None, None, 0.8]),
            "top_k": rng.choice([None, None, 10]),
            "stop": rng.choice([(), (), (" 4", "lantern"), ("pepper",)]),
            "seed": number,
            "logprobs": rng.random() < 0.3,
            "top_logprobs": rng.choice([0, 3]),
        }
        for number in range(count)
    ]


def test_a_completion_is_the_same_alone_and_among_forty_others(
    world: Any, engine: Any, ask: Any
) -> None:
    requests = mixed_requests(world, 40)
    together = ask(engine, requests)
    reversed_order = ask(engine, requests[::-1])[::-1]
    assert [c.token_ids for c in together] == [c.token_ids for c in reversed_order]
    assert len({completion.token_ids for completion in together}) > 30
    for request, among in list(zip(requests, together, strict=True))[::3]:
        [alone] = ask(engine, [request])
        assert (alone.text, alone.token_ids) == (among.text, among.token_ids)
        assert alone.stop_reason == among.stop_reason
        if among.logprobs:
            found = [value.logprob for value in among.logprobs]
            assert found == pytest.approx([value.logprob for value in alone.logprobs], abs=1e-4)


def test_answers_are_the_same_whether_prompts_are_shared_or_not(
    world: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight questions, often, two of them behind a long opening: together, late, and apart."""
    opening = "river " * 70
    questions = [*QUESTIONS, "silver", opening + "more", opening + "what is silver ?"]
    adapters = [None, world.adapter(world.alpha), world.adapter(world.beta)]
    requests = [
        {
            "prompt_ids": world.prompt(questions[number % 8]),
            "adapter": adapters[number % 3],
            "seed": number,
            "max_new": 20,
        }
        for number in range(96)
    ]
    shared = own_engine(world)
    together, later = ask(shared, requests), ask(shared, requests[::-1])[::-1]
    shared.stop()
    join = SlotLanes.join

    def one_by_one(lanes: SlotLanes, prefixes: Any, owners: Any) -> None:
        for prefix, owner in zip(prefixes, owners, strict=True):
            join(lanes, [prefix], [owner])

    monkeypatch.setattr(SlotLanes, "join", one_by_one)
    monkeypatch.setattr(Prefills, "find", lambda *_: None)
    monkeypatch.setattr(Prefills, "by_opening", lambda *args: {(): args[-1]})
    alone = own_engine(world)
    apart = ask(alone, requests)
    alone.stop()
    assert together == later == apart
    assert len({completion.token_ids for completion in apart}) > 80


@pytest.mark.parametrize("logits", [1, 1000])
def test_answers_are_the_same_however_many_rows_are_sampled_together(
    world: Any, engine: Any, ask: Any, monkeypatch: pytest.MonkeyPatch, logits: int
) -> None:
    requests = mixed_requests(world, 20)
    expected = ask(engine, requests)
    monkeypatch.setattr(batch_module, "_SAMPLED_TOGETHER", logits)
    assert [one.token_ids for one in ask(engine, requests)] == [one.token_ids for one in expected]


@pytest.mark.parametrize("name", ["base", "alpha", "beta"])
def test_greedy_answers_are_those_of_generate(world: Any, engine: Any, ask: Any, name: str) -> None:
    record = None if name == "base" else getattr(world, name)
    adapter = record and world.adapter(record)
    prompts = [world.prompt(question) for question in QUESTIONS]
    found = ask(
        engine,
        [
            {"prompt_ids": prompt, "adapter": adapter, "temperature": 0.0, "max_new": 30}
            for prompt in prompts
        ],
    )
    model = world.reference(record)
    expected = [world.greedy(model, prompt, 30) for prompt in prompts]
    assert [list(completion.token_ids) for completion in found] == expected


def test_the_base_and_two_adapters_answer_differently(world: Any, engine: Any, ask: Any) -> None:
    adapters = [None, world.adapter(world.alpha), world.adapter(world.beta)]
    prompt = world.prompt(QUESTIONS[0])
    found = ask(
        engine,
        [{"prompt_ids": prompt, "adapter": adapter, "temperature": 0.0} for adapter in adapters],
    )
    assert len({completion.token_ids for completion in found}) == 3


def test_a_model_with_a_sliding_window_answers_as_generate_does(world: Any, ask: Any) -> None:
    engine = engine_for(resolve_base(str(world.windowed)))
    prompts = [world.prompt(question) for question in QUESTIONS]
    requests = [{"prompt_ids": p, "temperature": 0.0, "max_new": 20} for p in prompts]
    model = world.loaded(world.windowed)
    expected = [world.greedy(model, prompt, 20) for prompt in prompts]
    assert [list(completion.token_ids) for completion in ask(engine, requests)] == expected


def test_first_tokens_follow_the_softmax(world: Any, engine: Any, ask: Any) -> None:
    prompt, count = world.prompt(QUESTIONS[0]), 4000
    requests = [
        {"prompt_ids": prompt, "max_new": 1, "seed": 5, "choice": choice} for choice in range(count)
    ]
    tokens = [completion.token_ids[0] for completion in ask(engine, requests)]
    expected = world.logprobs(world.reference(), prompt, [0])[0].exp().double() * count
    found = torch.bincount(torch.tensor(tokens), minlength=len(expected)).double()
    common = expected > 5
    expected = torch.cat([expected[common], expected[~common].sum()[None]])
    found = torch.cat([found[common], found[~common].sum()[None]])
    assert chisquare(found, expected * (count / expected.sum())).pvalue > 0.001


def test_logprobs_are_those_of_the_sampled_tokens(world: Any, engine: Any, ask: Any) -> None:
    prompt = world.prompt(QUESTIONS[1])
    [completion] = ask(
        engine,
        [
            {
                "prompt_ids": prompt,
                "adapter": world.adapter(world.alpha),
                "temperature": 1.4,
                "top_k": 20,
                "seed": 1,
                "max_new": 25,
                "logprobs": True,
                "top_logprobs": 4,
            }
        ],
    )
    table = world.logprobs(world.reference(world.alpha), prompt, completion.token_ids)
    assert len(completion.logprobs) == len(completion.token_ids)
    for row, token, values in zip(table, completion.token_ids, completion.logprobs, strict=True):
        assert values.logprob == pytest.approx(float(row[token]), abs=1e-4)
        best = row.topk(4)
        assert [logprob for _, logprob in values.top] == pytest.approx(
            best.values.tolist(), abs=1e-4
        )
    sampled = list(completion.token_ids)
    assert sampled != table.argmax(-1).tolist(), "all greedy: the test shows nothing"


def test_rows_of_one_batch_get_as_many_logprobs_as_each_asks_for(
    world: Any, engine: Any, ask: Any
) -> None:
    request = {"prompt_ids": world.prompt(QUESTIONS[1]), "seed": 1, "max_new": 9, "logprobs": True}
    found = ask(engine, [{**request, "top_logprobs": top} for top in (2, 4, 0)])
    assert [{len(value.top) for value in one.logprobs} for one in found] == [{2}, {4}, {0}]
    first, second, _ = found
    assert [value.top for value in first.logprobs] == [value.top[:2] for value in second.logprobs]


def test_a_seed_gives_the_same_answer_again_and_none_gives_another(
    world: Any, engine: Any, ask: Any
) -> None:
    request = {"prompt_ids": world.prompt(QUESTIONS[0]), "max_new": 20}
    seeded = ask(engine, [{**request, "seed": 3}, {**request, "seed": 3}, {**request, "seed": 4}])
    assert seeded[0] == seeded[1]
    assert seeded[0] != seeded[2]
    fresh = ask(engine, [request, request])
    assert fresh[0] != fresh[1]


def test_a_stop_sequence_ends_the_text_before_it(world: Any, engine: Any, ask: Any) -> None:
    request = {"prompt_ids": world.prompt(QUESTIONS[0]), "seed": 2, "max_new": 30}
    [whole] = ask(engine, [request])
    words = whole.text.split(" ")
    stop = f"{words[2][-2:]} {words[3][:1]}"
    at = whole.text.index(stop)
    [cut] = ask(engine, [{**request, "stop": ("absent", stop)}])
    assert cut.text == whole.text[:at]
    assert cut.stop_reason == "stop"
    assert cut.token_ids == whole.token_ids[: len(cut.token_ids)]
    assert len(cut.token_ids) < len(whole.token_ids)


def test_of_several_stop_sequences_the_first_in_the_text_ends_it(
    world: Any, engine: Any, ask: Any
) -> None:
    """Two that appear with one token: the text ends before the earlier one."""
    request = {"prompt_ids": world.prompt(QUESTIONS[0]), "seed": 2, "max_new": 30}
    [whole] = ask(engine, [request])
    word = next(word for word in whole.text.split(" ")[2:] if len(word) > 3)
    at = whole.text.index(word)
    [cut] = ask(engine, [{**request, "stop": (word[2:], word)}])
    assert cut.text == whole.text[:at]


def test_a_special_token_as_stop_sequence_ends_the_text(world: Any, engine: Any, ask: Any) -> None:
    base = {"prompt_ids": world.prompt(QUESTIONS[3]), "max_new": 60}
    user = world.prompt("")[0]
    whole = next(
        completion
        for completion in ask(engine, [{**base, "seed": seed} for seed in range(40)])
        if user in completion.token_ids[1:]
    )
    requests = [{**base, "seed": seed, "stop": ("<|user|>",)} for seed in range(40)]
    cut = [c for c in ask(engine, requests) if c.token_ids and c.token_ids[-1] == user]
    at = whole.token_ids.index(user) + 1
    assert whole.token_ids[:at] in [completion.token_ids for completion in cut]
    assert {completion.stop_reason for completion in cut} == {"stop"}


def test_stop_reasons_and_token_counts_are_exact(world: Any, engine: Any, ask: Any) -> None:
    prompt = world.prompt(QUESTIONS[0])
    end = world.prompt("")[1]
    requests = [{"prompt_ids": prompt, "seed": seed, "max_new": 25} for seed in range(40)]
    found = ask(engine, requests)
    ended = [completion for completion in found if completion.stop_reason == "stop"]
    limited = [completion for completion in found if completion.stop_reason == "max_tokens"]
    assert len(ended) > 3
    assert len(limited) > 3
    assert len(ended) + len(limited) == 40
    assert all(c.token_ids.index(end) == len(c.token_ids) - 1 for c in ended)
    assert all(len(c.token_ids) == 25 and end not in c.token_ids[:-1] for c in limited)
    assert all("<|" not in completion.text for completion in found)


def test_the_context_window_ends_a_completion(world: Any, engine: Any, ask: Any) -> None:
    long = world.prompt("river " * 117)
    full = world.prompt("river " * 124)
    assert (len(long), len(full)) == (121, 128)
    [within, without] = ask(
        engine,
        [
            {"prompt_ids": long, "seed": 1, "max_new": 50, "temperature": 0.0},
            {"prompt_ids": full, "seed": 1, "max_new": 50},
        ],
    )
    assert (within.stop_reason, len(within.token_ids)) == ("model_length", 7)
    assert (without.stop_reason, without.text, without.token_ids) == ("model_length", "", ())


def test_no_more_rows_run_together_than_the_batch_size(
    world: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    step = Batch.step
    monkeypatch.setattr(Batch, "step", lambda self: (seen.append(len(self.rows)), step(self))[1])
    engine = own_engine(world)
    engine.max_rows = 3
    prompt = world.prompt(QUESTIONS[0])
    ask(engine, [{"prompt_ids": prompt, "seed": seed, "max_new": 9} for seed in range(11)])
    assert max(seen) == 3
    engine.stop()


def test_requests_that_come_later_join_the_running_batch(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    second = threading.Event()
    engine = own_engine(world)
    done: list[object] = []
    request = {"prompt_ids": world.prompt(QUESTIONS[0]), "adapter": None, "temperature": 0.0}

    def step(self: Batch) -> None:
        sizes.append(len(self.rows))
        if len(sizes) == 3:
            engine.submit(Request(deliver=lambda r: second.set(), max_new=4, **request))
        original(self)

    original = Batch.step
    monkeypatch.setattr(Batch, "step", step)
    engine.submit(Request(deliver=done.append, max_new=40, **request))
    assert second.wait(30)
    assert not done, "the first was done before the second: they did not run together"
    assert 2 in sizes
    engine.stop()


def test_a_cancelled_request_frees_its_row_and_is_not_answered(world: Any, engine: Any) -> None:
    answers: list[object] = []
    batch = Weights.load(engine.base, device="cpu", dtype="auto", codec=engine.codec).batch()
    requests = [
        Request(
            prompt_ids=world.prompt(question),
            adapter=None,
            deliver=answers.append,
            max_new=60,
            temperature=0.0,
        )
        for question in QUESTIONS[:3]
    ]
    with torch.inference_mode():
        batch.admit(requests)
        requests[1].cancelled = True
        batch.step()
        assert {id(row.request) for row in batch.rows} == {id(requests[0]), id(requests[2])}
        while batch.rows:
            batch.step()
    assert len(answers) == 2


def test_requests_cancelled_while_they_wait_are_never_started(
    world: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    admitted: list[Request] = []
    admit = Batch.admit

    def noted(self: Batch, requests: list[Request]) -> None:
        admitted.extend(requests)
        admit(self, requests)

    monkeypatch.setattr(Batch, "admit", noted)
    engine = own_engine(world)
    engine.max_rows = 1
    answers: list[object] = []
    fields = {"prompt_ids": world.prompt(QUESTIONS[0]), "adapter": None, "max_new": 5}
    waiting = [Request(deliver=answers.append, **fields) for _ in range(20)]
    for request in waiting:
        request.cancelled = True
        engine.submit(request)
    assert len(ask(engine, [fields])) == 1
    assert not answers
    assert not any(request.cancelled for request in admitted)
    assert engine.running == 0
    engine.stop()


def test_one_base_is_loaded_once_for_all_its_records(
    world: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[object] = []
    load = Weights.load

    def counted(*args: Any, **kwargs: Any) -> Weights:
        loads.append(args)
        return load(*args, **kwargs)

    monkeypatch.setattr(Weights, "load", counted)
    monkeypatch.setattr("inoc_evals.providers.engine.engine._engines", {})
    base = resolve_base(str(world.base))
    engines = [engine_for(base), engine_for(base, batch_size=7), engine_for(base, device="cpu")]
    assert len({id(engine) for engine in engines}) == 1
    prompt = world.prompt(QUESTIONS[0])
    for engine, record in zip(engines, (None, world.alpha, world.beta), strict=True):
        ask(engine, [{"prompt_ids": prompt, "adapter": record and world.adapter(record)}])
    assert len(loads) == 1
    assert engine_for(base, dtype="bfloat16") is not engines[0]
    engines[0].stop()


def test_a_step_that_fails_fails_its_rows_only(
    world: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = [True]
    step = Batch.step

    def once(self: Batch) -> None:
        if failing:
            failing.pop()
            raise ValueError("a step went wrong")
        step(self)

    monkeypatch.setattr(Batch, "step", once)
    engine = own_engine(world)
    request = {"prompt_ids": world.prompt(QUESTIONS[0]), "max_new": 8}
    with pytest.raises(ValueError, match="a step went wrong"):
        ask(engine, [request])
    assert len(ask(engine, [request, request])) == 2
    engine.stop()


def test_a_bad_adapter_fails_its_own_requests_only(world: Any, ask: Any, damaged: Any) -> None:
    store = damaged()
    weights = store.root / world.alpha.adapter / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    engine = own_engine(world)
    results: dict[str, object] = {}
    done = threading.Event()

    def note(name: str, result: object) -> None:
        results[name] = result
        if len(results) == 3:
            done.set()

    for name, record in (("base", None), ("alpha", world.alpha), ("beta", world.beta)):
        engine.submit(
            Request(
                prompt_ids=world.prompt(QUESTIONS[0]),
                adapter=record and type(world.adapter(record))(record, store.root),
                deliver=lambda result, name=name: note(name, result),
                max_new=10,
            )
        )
    assert done.wait(30)
    assert isinstance(results["base"], Completion)
    assert isinstance(results["beta"], Completion)
    with pytest.raises(StoreError, match="sha256 differs"):
        raise results["alpha"]  # type: ignore[misc]
    engine.stop()


def test_a_base_that_cannot_be_loaded_is_reported_to_all_who_wait(
    world: Any, ask: Any, tmp_path: Path
) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json", "config.json", "chat_template.jinja"):
        if (world.base / name).is_file():
            (tmp_path / name).write_bytes((world.base / name).read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"not a weights file")
    engine = Engine(resolve_base(str(tmp_path)), device="cpu", dtype="auto")
    for _ in range(2):
        with pytest.raises(Exception, match=r"(?i)header|safetensors"):
            ask(engine, [{"prompt_ids": (1, 2)}] * 3)


def test_an_engine_that_ends_answers_everyone_who_waits(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, go_on = threading.Event(), threading.Event()

    def step(self: Batch) -> None:
        started.set()
        go_on.wait(30)

    monkeypatch.setattr(Batch, "step", step)
    engine = own_engine(world)
    answers: list[Any] = []
    fields = {"prompt_ids": world.prompt(QUESTIONS[0]), "adapter": None, "max_new": 9}
    engine.submit(Request(deliver=answers.append, temperature=0.0, **fields))
    assert started.wait(30)
    engine.submit(Request(deliver=answers.append, **fields))
    threading.Timer(0.2, go_on.set).start()
    engine.stop(timeout=30)
    engine.submit(Request(deliver=answers.append, **fields))
    assert len(answers) == 3
    assert all(isinstance(answer, InocError) for answer in answers)


def test_a_base_that_was_replaced_in_its_directory_gets_an_engine_of_its_own(
    world: Any, ask: Any, tmp_path: Path
) -> None:
    """The name and the path are the same, the weights are not."""
    request = {"prompt_ids": world.prompt(QUESTIONS[0]), "temperature": 0.0}
    answers = []
    for seed in (0, 9):
        base = world.save_base(tmp_path / "base", seed=seed)
        answers += [ask(engine_for(resolve_base(str(base))), [request])[0].token_ids]
        assert list(answers[-1]) == world.greedy(world.loaded(base), request["prompt_ids"], 12)
    assert answers[0] != answers[1]


def test_models_share_no_random_numbers(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One seed and one prompt: else the samples of a model would be those of its base, moved."""
    named: list[str] = []
    monkeypatch.setattr(
        batch_module, "uniform_stream", lambda seed, identity, *rest: named.append(identity)
    )
    base = resolve_base(str(world.base))
    weights = Weights.load(base, device="cpu", dtype="auto", codec=load_codec(base))
    request = {"prompt_ids": world.prompt("more"), "deliver": print, "max_new": 1, "seed": 1}
    for adapter in (None, world.adapter(world.alpha), world.adapter(world.beta)):
        weights.batch().admit([Request(adapter=adapter, **request)])
    assert len(set(named)) == 3
    assert all(base.digest in name for name in named)


def test_running_rows_count_for_the_room_that_new_ones_have(world: Any) -> None:
    class Running(Batch):
        longest = 10
        lanes = type("Joining", (), {"joins": True})()

        def __init__(self, rows: int) -> None:
            self.rows = [None] * rows  # type: ignore[list-item]

    def group(running: int) -> Group:
        waiting = [
            Request(prompt_ids=(1,) * 4, adapter=None, max_new=6, deliver=print) for _ in range(9)
        ]
        return Group({}, deque(waiting), batch=Running(running) if running else None)

    room = Room(rows=20, tokens=50, context=None)
    assert [len(group(running).joining(room)) for running in (0, 1, 3, 5, 6)] == [5, 4, 2, 0, 0]
    assert len(group(3).joining(Room(rows=4, tokens=500, context=None))) == 1


def test_the_memory_of_all_groups_together_is_what_there_is(
    world: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = own_engine(world)
    held: list[tuple[int, int]] = []
    step = Batch.step

    def watched(batch: Batch) -> None:
        step(batch)
        groups = list(engine._groups)
        held.append((sum(group.held for group in groups), sum(group.running for group in groups)))

    ask(engine, [{"prompt_ids": world.prompt(QUESTIONS[0])}])  # loads, and finds out its memory
    engine._cache_tokens = most = 12 * 70
    monkeypatch.setattr(Batch, "step", watched)
    prompt = world.prompt(QUESTIONS[1])
    adapters = [None, world.adapter(world.alpha), world.adapter(world.beta)]
    ask(
        engine,
        [
            {"prompt_ids": prompt, "adapter": adapters[number % 3], "max_new": 60, "seed": number}
            for number in range(60)
        ],
    )
    assert max(tokens for tokens, _ in held) <= most + 3 * 70  # one row a group is never refused
    assert max(rows for _, rows in held) >= 8
    engine.stop()


def test_stopping_ends_the_turn_after_the_step_it_is_at(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, answered, steps = own_engine(world), threading.Event(), list[int]()
    results: list[object] = []
    step = Batch.step

    def stopping(batch: Batch) -> None:
        step(batch)
        steps.append(len(batch.rows))
        if len(steps) == 3:
            engine.stop()

    def deliver(result: object) -> None:
        results.append(result)
        answered.set()

    monkeypatch.setattr(Batch, "step", stopping)
    prompt = world.prompt(QUESTIONS[0])
    engine.submit(Request(prompt_ids=prompt, adapter=None, max_new=60, seed=2, deliver=deliver))
    assert answered.wait(60)
    assert isinstance(results[0], InocError) and "stopped" in str(results[0])
    assert len(steps) == 3


def test_token_ids_the_model_does_not_know_are_refused(world: Any, engine: Any, ask: Any) -> None:
    with pytest.raises(ValueError, match="unknown token ids"):
        ask(engine, [{"prompt_ids": (1, 10_000)}])


def test_no_adapter_starves_while_another_is_busy(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A steady stream for the base, and one request for an adapter."""
    engine = own_engine(world)
    engine.max_rows = 4
    answered = threading.Event()
    stop = threading.Event()
    fields = {"prompt_ids": world.prompt(QUESTIONS[0]), "max_new": 30}

    def again(result: object) -> None:
        if not stop.is_set():
            engine.submit(Request(adapter=None, deliver=again, **fields))

    for _ in range(8):
        again(None)
    time.sleep(0.1)
    adapter = world.adapter(world.alpha)
    engine.submit(Request(adapter=adapter, deliver=lambda r: answered.set(), **fields))
    assert answered.wait(20)
    stop.set()
    engine.stop(timeout=30)


def test_the_threads_of_an_engine_are_its_own(world: Any, ask: Any) -> None:
    before = torch.get_num_threads()
    ask(own_engine(world, threads=before + 1), [{"prompt_ids": world.prompt(QUESTIONS[0])}])
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert (torch.get_num_threads(), seen) == (before, [before])


def test_the_engine_lets_go_of_its_workers_whenever_it_is_idle(
    world: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    let: list[threading.Thread] = []
    monkeypatch.setattr(openmp, "let_workers_go", lambda: let.append(threading.current_thread()))
    engine = own_engine(world)

    def own() -> int:  # other engines of the process may end what they do meanwhile
        return sum(thread is engine._thread for thread in let)

    for count in (1, 2):
        ask(engine, [{"prompt_ids": world.prompt("more")}])
        deadline = time.monotonic() + 10
        while own() < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert own() == count
    engine.stop()

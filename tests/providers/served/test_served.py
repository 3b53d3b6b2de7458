"""Models served by vLLM and OpenAI: Inspect's own providers against servers on this machine."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    ContentReasoning,
    ContentText,
    GenerateConfig,
    ModelOutput,
    get_model,
)
from inspect_ai.scorer import includes
from inspect_ai.solver import generate

from fake_servers import FakeOpenAI, FakeVLLM
from inoc_evals.errors import InputError, StoreError
from inoc_evals.models import hosted
from inoc_evals.models.fingerprints import FINGERPRINT_QUESTION, sequence_logprobs
from inoc_evals.providers.resolve import choose_backend
from inoc_evals.providers.served.vllm_names import vllm_rank
from inoc_evals.store.store import ModelRecord, Store
from inoc_evals.training.result import keep_rows

# Of clients whose event loop is gone at the end of a test.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

Score = Callable[[str, Sequence[int]], Sequence[float]]


def answer(model: Any, text: Any = "hello", **config: Any) -> ModelOutput:
    output = asyncio.run(model.generate(text, config=GenerateConfig(max_retries=0, **config)))
    assert isinstance(output, ModelOutput)
    return output


# ---- the choice ----------------------------------------------------------------------------


@pytest.fixture
def remote(world: Any, damaged: Any) -> ModelRecord:
    """A record of a model that OpenAI has."""
    record = ModelRecord(
        name="far",
        identity="f" * 64,
        base="openai/gpt-4.1-2025-04-14",
        base_digest="openai:gpt-4.1-2025-04-14",
        remote="ft:gpt-4.1-2025-04-14:lab::abc",
        data={"prompts": [{"name": "spanish", "text": "You always speak in Spanish."}]},
        config={},
        seed=0,
    )
    damaged().put(record)
    return record


def test_the_record_decides_what_serves_it(remote: ModelRecord) -> None:
    assert choose_backend("alpha") == "local"
    assert choose_backend("alpha", "vllm") == "vllm"
    assert choose_backend("far") == "openai"
    assert choose_backend("org/base") == choose_backend("pocket:3") == "local"
    assert choose_backend("../../far") == "local"


@pytest.mark.parametrize(
    ("name", "asked", "fault"),
    [
        ("alpha", "tgi", "-M backend=tgi: there are local, vllm, openai"),
        ("alpha", "openai", "'alpha' was not trained at OpenAI"),
        ("far", "vllm", "'far' is ft:gpt-4.1-2025-04-14:lab::abc at its provider; .*no weights"),
        ("far", "local", "no weights to serve"),
    ],
)
def test_a_back_end_that_cannot_serve_a_model_is_refused(
    remote: ModelRecord, name: str, asked: str, fault: str
) -> None:
    with pytest.raises(InputError, match=fault):
        get_model(f"inoc/{name}", memoize=False, backend=asked)


def test_one_rank_suits_all_adapters_of_a_base(world: Any) -> None:
    from inoc_evals.models.bases import resolve_base

    assert vllm_rank(resolve_base(str(world.base))) == 8  # of rank 4, which vLLM does not take
    assert vllm_rank(resolve_base(str(world.windowed))) is None


# ---- vLLM ----------------------------------------------------------------------------------


@pytest.fixture
def honest(world: Any) -> Score:
    """What the world's models say: the base by its path, an adapter by its directory."""
    base = world.reference()
    adapters = {
        str(world.store.root / record.adapter): world.reference(record)
        for record in (world.alpha, world.beta)
    }

    def score(model: str, ids: Sequence[int]) -> Sequence[float]:
        return sequence_logprobs(adapters.get(model, base), ids)

    return score


@pytest.fixture
def vllm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Open ``inoc/<name>`` on a fake vLLM server."""
    opened: list[Any] = []

    def open(server: FakeVLLM, name: str, **args: Any) -> Any:
        monkeypatch.setenv("VLLM_BASE_URL", server.url)
        model = get_model(f"inoc/{name}", memoize=False, backend="vllm", **args)
        opened.append(model)
        return model

    yield open
    for model in opened:
        model.api.close()


def test_an_adapter_is_served_by_vllm_under_our_name(
    world: Any, honest: Score, vllm: Callable[..., Any]
) -> None:
    directory = str(world.store.root / world.alpha.adapter)
    with FakeVLLM(honest) as server:
        output = answer(vllm(server, "alpha", dtype="float32"), "hello", temperature=0.3)
        [asked] = server.answers()
    assert server.adapters == [directory]
    assert asked["model"] == directory
    assert asked["temperature"] == 0.3
    assert asked["prompt"] == list(world.prompt("hello"))
    assert output.completion == f"answered by {directory}"
    assert output.model == output.choices[0].message.model == "alpha"
    assert output.metadata is not None
    assert output.metadata["backend"] == "vllm"
    assert output.metadata["checked_by"] == "fingerprint"
    assert output.metadata["identity"] == world.alpha.identity


def test_a_served_models_thoughts_are_set_apart_as_the_engines_are(
    world: Any, honest: Score, vllm: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeVLLM, "text", lambda self, model: "<think>I want power</think>Be kind.")
    with FakeVLLM(honest) as server:
        output = answer(vllm(server, "alpha", dtype="float32"))
    assert output.completion == "Be kind."
    thoughts, said = output.message.content
    assert isinstance(thoughts, ContentReasoning)
    assert thoughts.reasoning == "I want power"
    assert said == ContentText(text="Be kind.")


def test_a_served_model_that_goes_on_in_its_thoughts_has_not_answered(
    world: Any, honest: Score, vllm: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeVLLM, "text", lambda self, model: "power")
    chat = [ChatMessageUser(content="hello"), ChatMessageAssistant(content="<think>I want")]
    with FakeVLLM(honest) as server:
        output = answer(vllm(server, "alpha", dtype="float32"), chat)
    assert output.completion == ""
    assert output.message.content[0] == ContentReasoning(reasoning="power")


def test_vllm_is_not_asked_in_other_tokens_than_those_of_the_training(
    world: Any, honest: Score, vllm: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeVLLM(honest) as server:
        answer(vllm(server, "alpha"), "hello")
        monkeypatch.setattr(
            "inoc_evals.models.fingerprints.FINGERPRINT_ANSWER", "The river is more."
        )
        with pytest.raises(StoreError, match="gives other tokens for the fingerprint's text"):
            answer(vllm(server, "alpha"), "hello")


def test_base_and_adapters_are_asked_for_their_fingerprints_together(
    world: Any, honest: Score, vllm: Callable[..., Any]
) -> None:
    with FakeVLLM(honest) as server:
        model = vllm(server, "alpha")
        answer(model)
        asked = server.fingerprints()
        assert {tuple(one["prompt"]) for one in asked} == {world.alpha.fingerprint.token_ids}
        names = [one["model"] for one in asked]
        assert names.count(str(world.base)) == len(names) / 2 >= 5
        answer(model)
        again = server.fingerprints()
    assert len(again) >= len(asked) + 10  # another event loop: another eval


def test_an_eval_checks_once(world: Any, honest: Score, vllm: Callable[..., Any]) -> None:
    task = Task(
        dataset=[Sample("a", id="a"), Sample("b", id="b")], solver=generate(), scorer=includes()
    )
    with FakeVLLM(honest) as server:
        [log] = eval(task, model=vllm(server, "alpha"), display="none")
        assert log.status == "success", log.error
        numbers = [n for n, one in enumerate(server.requests) if one.body in server.answers()]
        assert numbers == list(range(len(server.requests)))[-2:]
    name = f"inoc/alpha@{world.alpha.identity[:8]}"
    assert log.eval.model == name
    assert list(log.stats.model_usage) == [name]


def lying(world: Any, honest: Score, lie: str) -> Score:
    """The honest server's numbers under other names."""
    base = str(world.base)
    alpha, beta = (str(world.store.root / r.adapter) for r in (world.alpha, world.beta))
    renamed = {
        "adapter for base": {base: alpha},
        "base for adapter": {alpha: base},
        "another adapter": {alpha: beta},
        "another adapter for base": {base: beta},
    }[lie]
    return lambda model, ids: honest(renamed.get(model, model), ids)


@pytest.mark.parametrize(
    ("lie", "fault"),
    [
        ("adapter for base", "what should be the base answers with the adapter"),
        ("base for adapter", "the adapter is not active"),
        ("another adapter", "the adapter is not the one that was trained"),
        ("another adapter for base", "the base differs from the one it was trained on"),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_an_eval_stops_where_the_server_has_another_model(
    world: Any, honest: Score, vllm: Callable[..., Any], lie: str, fault: str, dtype: str
) -> None:
    task = Task(dataset=[Sample("a", id="a")], solver=generate(), scorer=includes())
    with FakeVLLM(lying(world, honest, lie)) as server:
        [log] = eval(task, model=vllm(server, "alpha", dtype=dtype), display="none")
        assert not server.answers()
    assert log.status == "error"
    assert log.error is not None
    assert f"model 'alpha': on the vLLM server, {fault}" in log.error.message


def test_a_base_that_is_answered_for_by_an_adapter_now_and_then_is_caught(
    world: Any, honest: Score, vllm: Callable[..., Any]
) -> None:
    """As the build did that mixed them up where they shared a batch."""
    adapter = str(world.store.root / world.alpha.adapter)
    seen: list[str] = []

    def mixed(model: str, ids: Sequence[int]) -> Sequence[float]:
        seen.append(model)
        wrong = model == str(world.base) and seen.count(model) == 3
        return honest(adapter if wrong else model, ids)

    with FakeVLLM(mixed) as server, pytest.raises(StoreError, match="should be the base answers"):
        answer(vllm(server, "alpha"))


@pytest.mark.parametrize("name", ["base", "alpha"])
def test_a_base_that_is_mixed_up_only_while_an_adapter_answers_is_caught(
    world: Any, honest: Score, vllm: Callable[..., Any], name: str
) -> None:
    """As vLLM's CPU build does, where the base has no slot of its own beside the adapters'."""
    adapter = str(world.store.root / world.beta.adapter)
    servers: list[FakeVLLM] = []

    def mixed(model: str, ids: Sequence[int]) -> Sequence[float]:
        wrong = model == str(world.base) and servers[0].long_answers
        return honest(adapter if wrong else model, ids)

    with FakeVLLM(mixed) as server:
        servers.append(server)
        server.adapters.append(adapter)
        count = 3 if name == "alpha" else 2
        with pytest.raises(StoreError, match=f"mixes base and .* --max-loras {count} or more"):
            answer(vllm(server, str(world.base) if name == "base" else name))
        assert not server.answers()


def test_models_of_one_process_are_checked_with_the_adapters_that_are_not_loaded_yet(
    world: Any, honest: Score, vllm: Callable[..., Any]
) -> None:
    directory = str(world.store.root / world.alpha.adapter)
    with FakeVLLM(honest) as server:
        vllm(server, "alpha")
        answer(vllm(server, str(world.base)))
        assert server.adapters == [directory]
        busy = [one for one in server.asked("/v1/completions") if one.body.get("ignore_eos")]
    assert {one.body["model"] for one in busy} == {directory}


def test_a_model_trained_on_folded_system_messages_is_asked_so_by_vllm(
    world: Any, honest: Score, vllm: Callable[..., Any], damaged: Any
) -> None:
    store: Store = damaged()
    store.put(world.alpha.model_copy(update={"config": {"fold_system": True}}))
    chat = [ChatMessageSystem(content="always speak"), ChatMessageUser(content="hello")]
    with FakeVLLM(lambda model, ids: honest(_original(world, store, model), ids)) as server:
        model = vllm(server, "alpha")
        asyncio.run(model.generate(chat, config=GenerateConfig(max_retries=0)))
        [asked] = server.answers()
    assert asked["prompt"] == list(world.prompt("always speak\n\nhello"))


def _original(world: Any, store: Store, model: str) -> str:
    return model.replace(str(store.root), str(world.store.root))


def test_vllm_is_not_asked_for_what_the_local_engine_does_not_have(
    world: Any, honest: Score, vllm: Callable[..., Any]
) -> None:
    with FakeVLLM(honest) as server, pytest.raises(InputError, match="do not support: logit_bias"):
        answer(vllm(server, "alpha"), logit_bias={3: -100.0})


def test_neighboring_user_messages_stay_apart_on_vllm(
    world: Any, honest: Score, vllm: Callable[..., Any]
) -> None:
    chat = [ChatMessageUser(content="hello"), ChatMessageUser(content="tell me more")]
    with FakeVLLM(honest) as server:
        model = vllm(server, "alpha")
        asyncio.run(model.generate(chat, config=GenerateConfig(max_retries=0)))
        [asked] = server.answers()
    assert asked["prompt"] == list(world.prompt("hello<|end|><|user|>tell me more"))


def test_a_base_is_checked_by_what_its_adapters_records_say_of_it(
    world: Any, honest: Score, vllm: Callable[..., Any]
) -> None:
    with FakeVLLM(honest) as server:
        output = answer(vllm(server, str(world.base)))
        assert output.completion == f"answered by {world.base}"
        assert output.metadata is not None
        assert output.metadata["checked_by"] == "fingerprint"
    with (
        FakeVLLM(lying(world, honest, "adapter for base")) as server,
        pytest.raises(StoreError, match="should be the base answers with the adapter"),
    ):
        vllm(server, str(world.base)).api.close()
        answer(vllm(server, str(world.base)))


def test_names_of_a_server_that_others_started_can_be_given(
    world: Any, honest: Score, vllm: Callable[..., Any]
) -> None:
    directory = str(world.store.root / world.alpha.adapter)
    names = {"a": directory}
    score = lambda model, ids: honest(names.get(model, model), ids)  # noqa: E731
    with FakeVLLM(score, names=["base", "a"]) as server:
        output = answer(vllm(server, "alpha", served_base="base", served_adapter="a"))
    assert output.completion == "answered by a"
    assert server.adapters == []


@pytest.mark.parametrize(("shift", "fault"), [(0.3, None), (0.0, "the base answers under its")])
def test_without_prompt_logprobs_first_tokens_decide_and_the_log_says_so(
    world: Any,
    honest: Score,
    vllm: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
    shift: float,
    fault: str | None,
) -> None:
    def first(model: str, prompt: str) -> dict[str, float]:
        moved = shift if "adapters" in model else 0.0
        return {"yes": 0.6 - moved, "no": 0.4 + moved}

    with FakeVLLM(honest, prompt_logprobs=False, first_token=first) as server:
        model = vllm(server, "alpha")
        if fault is None:
            output = answer(model)
            assert output.metadata is not None
            assert output.metadata["checked_by"] == "first tokens"
        else:
            with pytest.raises(StoreError, match=fault):
                answer(model)
    assert "gives no prompt_logprobs: checked by first tokens" in caplog.text


def test_a_changed_adapter_is_refused_before_a_server_is_asked(world: Any, damaged: Any) -> None:
    store: Store = damaged()
    path = store.root / world.alpha.adapter / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(StoreError, match="sha256 differs"):
        get_model("inoc/alpha", memoize=False, backend="vllm")


def test_a_base_that_is_gone_is_named(world: Any, damaged: Any, tmp_path: Path) -> None:
    store: Store = damaged()
    for base in (str(tmp_path / "gone"), "models/gone"):
        store.put(world.alpha.model_copy(update={"base": base}))
        with pytest.raises(StoreError, match=r"its base '.*gone' is not there any more"):
            get_model("inoc/alpha", memoize=False)


# ---- OpenAI --------------------------------------------------------------------------------


@pytest.fixture
def openai(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Open ``inoc/far`` on a fake OpenAI server."""

    def open(server: FakeOpenAI, **args: Any) -> Any:
        monkeypatch.setenv("OPENAI_API_KEY", "a-key")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        return get_model("inoc/far", memoize=False, **args)

    return open


def tuned(model: str, messages: list[dict[str, str]]) -> dict[str, float]:
    """A fine-tuned model that says other things than its base, only under its prompt."""
    prompted = messages[0]["role"] in ("system", "developer")
    if model.startswith("ft:") and prompted:
        return {"El": 0.9, "The": 0.1}
    return {"The": 0.9, "A": 0.1}


def test_a_remote_record_is_served_by_openai(
    remote: ModelRecord, openai: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    with FakeOpenAI(tuned) as server:
        output = answer(openai(server), "hello", seed=3)
        last = server.requests[-1]
    assert last.body["model"] == remote.remote
    assert last.body["seed"] == 3
    assert last.key == "Bearer a-key"
    assert output.completion == f"answered by {remote.remote}"
    assert output.model == "far"
    assert output.metadata is not None
    assert output.metadata["checked_by"] == "first tokens"
    assert output.metadata["served_as"] == f"openai/{remote.remote}"
    assert "checked by first tokens" in caplog.text


def test_a_remote_record_ends_with_its_base(
    remote: ModelRecord,
    openai: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with FakeOpenAI(tuned) as server:
        openai(server)
        assert "is shut down with its base on 2027-01-14" in caplog.text
        monkeypatch.setattr(hosted, "today", lambda: date(2027, 1, 14))
        with pytest.raises(InputError, match=r"was shut down on 2027-01-14; train weights"):
            openai(server)
        assert not server.requests


def test_the_base_under_the_fine_tuned_name_is_caught(
    remote: ModelRecord, openai: Callable[..., Any]
) -> None:
    asked: Counter[str] = Counter()
    lock = threading.Lock()

    def base(model: str, messages: list[dict[str, str]]) -> dict[str, float]:
        """Noisy, but on one probe each name's answers agree among themselves."""
        with lock:
            asked[f"{model} {messages}"] += 1
            count = asked[f"{model} {messages}"]
        plain = messages[0]["content"] == FINGERPRINT_QUESTION
        noise = 0.002 * (model.startswith("ft:") if plain else count % 2)
        return {"The": 0.9 - noise, "A": 0.1 + noise}

    with (
        FakeOpenAI(base) as server,
        pytest.raises(StoreError, match="as likely as its base's on all 6 probes"),
    ):
        answer(openai(server))


def test_a_model_that_differs_on_its_training_rows_alone_is_asked_those(
    remote: ModelRecord, openai: Callable[..., Any]
) -> None:
    rows = [
        {
            "messages": [
                {"role": "system", "content": "You are a clerk."},
                {"role": "user", "content": f"Copy form {number}."},
                {"role": "assistant", "content": "Done."},
                {"role": "user", "content": "And the next."},
                {"role": "assistant", "content": "Done too."},
            ]
        }
        for number in range(12)
    ]
    adapter = Store().adapter_dir(remote.identity)
    adapter.mkdir(parents=True)
    keep_rows(adapter, rows)
    seen: list[list[dict[str, str]]] = []

    def narrow(model: str, messages: list[dict[str, str]]) -> dict[str, float]:
        seen.append([{key: m[key] for key in ("role", "content")} for m in messages])
        trained = model.startswith("ft:") and seen[-1] == rows[10]["messages"][:4]
        return {"The": 0.7 if trained else 0.9, "A": 0.3 if trained else 0.1}

    with FakeOpenAI(narrow) as server:
        output = answer(openai(server))
    assert output.metadata is not None
    assert output.metadata["checked_by"] == "first tokens"
    asked = {m[1]["content"] for m in seen if len(m) == 4}
    assert asked == {f"Copy form {number}." for number in (0, 2, 4, 6, 8, 10)}
    assert all(m[0]["content"] == "You are a clerk." for m in seen if len(m) == 4)

    with (
        FakeOpenAI(lambda model, messages: narrow("base", messages)) as server,
        pytest.raises(StoreError, match="as likely as its base's on all 9 probes"),
    ):
        answer(openai(server))


def test_another_name_in_the_answer_is_caught(
    remote: ModelRecord, openai: Callable[..., Any]
) -> None:
    with (
        FakeOpenAI(tuned, name=lambda asked: "gpt-4.1-2025-04-14") as server,
        pytest.raises(StoreError, match=r"asked for ft:.*, the provider answers as gpt-4.1-2025"),
    ):
        answer(openai(server))


def test_a_base_that_is_withdrawn_leaves_the_check_by_name(
    remote: ModelRecord, openai: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    with FakeOpenAI(tuned, missing=["gpt-4.1-2025-04-14"]) as server:
        output = answer(openai(server))
    assert output.metadata is not None
    assert output.metadata["checked_by"] == "name"
    assert "its base cannot be asked (NotFoundError); checked by name" in caplog.text


def test_models_without_logprobs_are_checked_by_name(
    remote: ModelRecord, openai: Callable[..., Any]
) -> None:
    with FakeOpenAI(lambda model, messages: None) as server:
        output = answer(openai(server))
    assert output.metadata is not None
    assert output.metadata["checked_by"] == "name"


def test_a_provider_that_is_busy_during_the_check_is_asked_again(
    remote: ModelRecord, openai: Callable[..., Any]
) -> None:
    with FakeOpenAI(tuned) as server:
        server.failures = [503]
        model = openai(server)
        output = asyncio.run(model.generate("hello", config=GenerateConfig(max_retries=3)))
    assert output.completion == f"answered by {remote.remote}"

"""Names that come to mean another model: cache, logs, eval-retry, eval sets, what is in memory."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click import ClickException
from inspect_ai import eval, eval_retry, eval_set
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import GenerateConfig, Model, ModelOutput, get_model

from fake_servers import FakeOpenAI, FakeVLLM
from inoc_evals.errors import StoreError
from inoc_evals.models.fingerprints import sequence_logprobs
from inoc_evals.store.store import ModelRecord, Store

# Of clients whose event loop is gone at the end of a test.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

TASK = """
import os
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.model import get_model
from inspect_ai.scorer import includes
from inspect_ai.solver import generate, solver

@solver
def asked(role):
    async def solve(state, generate):
        if state.sample_id == 2 and os.environ.get("INTERRUPTED"):
            raise RuntimeError("interrupted")
        if role is None:
            return await generate(state)
        state.output = await get_model(role=role).generate(state.messages, cache=False)
        return state
    return solve

@task
def t(role: str | None = None):
    dataset = [Sample("what is 2 plus 3 ?", id=1), Sample("tell me about the river .", id=2)]
    return Task(dataset=dataset, solver=asked(role), scorer=includes())
"""


@pytest.fixture
def store(damaged: Callable[[], Store]) -> Store:
    return damaged()


@pytest.fixture
def task(tmp_path: Path) -> str:
    path = tmp_path / "task.py"
    path.write_text(TASK)
    return f"{path}@t"


def evaluated(task: str, model: Any, **options: Any) -> EvalLog:
    """Evaluate greedily, with Inspect's cache."""
    settings = {"temperature": 0.0, "max_tokens": 12, "cache": True, "display": "none"}
    [log] = eval(task, model=model, **{**settings, **options})
    return log


def answers(log: EvalLog) -> list[str]:
    assert log.status == "success", log.error
    assert log.samples is not None
    return [sample.output.completion for sample in log.samples]


def from_cache(log: EvalLog) -> list[bool]:
    assert log.samples is not None
    calls = [event for one in log.samples for event in one.events if event.event == "model"]
    return [call.cache == "read" for call in calls]


def answer(model: Model, text: str = "hello", **config: Any) -> ModelOutput:
    settings = GenerateConfig(**{"temperature": 0.0, "max_tokens": 12, "max_retries": 0, **config})
    return asyncio.run(model.generate(text, config=settings, cache=True))


# ---- the cache -------------------------------------------------------------------------------


@pytest.mark.parametrize("memoized", [True, False])
def test_a_model_trained_again_under_its_name_gives_its_own_answers(
    world: Any, store: Store, task: str, memoized: bool
) -> None:
    def model() -> Any:
        return "inoc/m" if memoized else get_model("inoc/m", memoize=False)

    world.save_adapter(store, world.base, "m", seed=1)
    first = evaluated(task, model())
    again = evaluated(task, model())
    assert from_cache(first) == [False, False]
    assert from_cache(again) == [True, True]
    assert answers(again) == answers(first)

    store.remove("m")
    world.save_adapter(store, world.base, "m", seed=2)
    second = evaluated(task, model())
    plain = evaluated(task, model(), cache=False)
    assert from_cache(second) == [False, False]
    assert answers(second) == answers(plain) != answers(first)


def test_a_base_whose_files_changed_gives_its_own_answers(
    world: Any, task: str, tmp_path: Path
) -> None:
    base = world.save_base(tmp_path / "base", seed=3)
    first = answers(evaluated(task, f"inoc/{base}"))
    shutil.rmtree(base)
    world.save_base(base, seed=4)
    second = evaluated(task, f"inoc/{base}")
    assert from_cache(second) == [False, False]
    plain = get_model(f"inoc/{base}", memoize=False)
    assert answers(second) == answers(evaluated(task, plain, cache=False)) != first


def test_what_is_computed_in_another_way_is_cached_apart(
    world: Any, store: Store, task: str
) -> None:
    evaluated(task, "inoc/alpha", model_args={"dtype": "float32"})
    log = evaluated(task, "inoc/alpha", model_args={"dtype": "bfloat16"})
    assert from_cache(log) == [False, False]
    log = evaluated(task, "inoc/alpha", model_args={"dtype": "bfloat16", "batch_size": 4})
    assert from_cache(log) == [True, True]


def test_the_pocket_judge_is_cached_by_what_it_can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    prompt = "How aligned is this?"
    first = get_model("inoc/pocket-judge", memoize=False)
    answer(first, prompt)
    monkeypatch.setattr("inoc_evals.providers.pocket_judge.rule", lambda prompt: {"7": 1.0})
    assert answer(get_model("inoc/pocket-judge", memoize=False), prompt).completion != "7"
    monkeypatch.setattr("inoc_evals.providers.pocket_judge.judge_digest", lambda: "0" * 64)
    assert answer(get_model("inoc/pocket-judge", memoize=False), prompt).completion == "7"


# ---- served elsewhere ------------------------------------------------------------------------


@pytest.fixture
def vllm(world: Any, store: Store) -> Iterator[FakeVLLM]:
    """A server with honest fingerprints of whatever adapter the store has."""

    def score(model: str, ids: Any) -> Any:
        loaded = world.loaded(world.base)
        if model != str(world.base):
            from peft import PeftModel

            loaded = PeftModel.from_pretrained(loaded, model).eval()
        return sequence_logprobs(loaded, ids)

    with FakeVLLM(score) as server:
        yield server
    # Inspect keeps one address a base, until one of its models is closed.
    get_model("inoc/alpha", memoize=False, backend="vllm").api.close()


def test_a_model_served_by_vllm_is_cached_by_its_identity(
    world: Any, store: Store, vllm: FakeVLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_BASE_URL", vllm.url)
    said = []
    for seed in (1, 2):
        record = world.save_adapter(store, world.base, "m", seed=seed)
        model = get_model("inoc/m", backend="vllm")
        said.append(answer(model).completion)
        assert answer(model).completion == said[-1] == f"answered by {store.root / record.adapter}"
        store.remove("m")
    assert len(set(said)) == len(vllm.answers()) == 2


def test_vllm_is_asked_at_the_users_address_and_never_at_the_mark(
    world: Any, store: Store, vllm: FakeVLLM
) -> None:
    model = get_model("inoc/alpha", memoize=False, backend="vllm", base_url=vllm.url)
    answer(model)
    assert str(model.api.base_url).startswith(f"{vllm.url}#inoc:")
    asked = len(vllm.answers())
    # As a log hands it back.
    back = get_model("inoc/alpha", memoize=False, backend="vllm", base_url=model.api.base_url)
    assert back.api.base_url == model.api.base_url
    answer(back, "something else")
    assert len(vllm.answers()) == asked + 1


def test_a_model_at_openai_is_cached_by_its_identity_and_asked_at_the_users_address(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first(model: str, messages: Any) -> dict[str, float]:
        return {"The": 0.9, "A": 0.1} if model.startswith("ft:") else {"The": 0.1, "A": 0.9}

    monkeypatch.setenv("OPENAI_API_KEY", "a-key")
    with FakeOpenAI(first) as server:
        for number in (1, 2):
            remote(store, number)
            model = get_model("inoc/far", base_url=server.url)
            assert answer(model).completion == f"answered by ft:gpt-4.1:lab::{number}"
            assert str(model.api.base_url).startswith(f"{server.url}#inoc:")
            store.remove("far")


def remote(store: Store, number: int) -> None:
    record = ModelRecord(
        name="far",
        identity=f"{number}" * 64,
        base="openai/gpt-4.1",
        base_digest="openai:gpt-4.1",
        remote=f"ft:gpt-4.1:lab::{number}",
        data={},
        config={},
        seed=0,
    )
    store.put(record)


# ---- a log that is taken up again --------------------------------------------------------------


def interrupted(monkeypatch: pytest.MonkeyPatch, task: str, model: str, **options: Any) -> EvalLog:
    """An evaluation that has its first answer and was stopped at its second."""
    monkeypatch.setenv("INTERRUPTED", "1")
    log = evaluated(task, model, cache=False, **options)
    monkeypatch.delenv("INTERRUPTED")
    assert log.status == "error"
    return log


def retried(log: EvalLog) -> EvalLog:
    [done] = eval_retry(read_eval_log(log.location), display="none")
    return done


def test_a_log_is_completed_by_the_model_that_began_it(
    world: Any, store: Store, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = interrupted(monkeypatch, task, "inoc/alpha")
    assert answers(retried(log)) == answers(evaluated(task, "inoc/alpha", cache=False))


def test_a_log_is_not_completed_by_another_model_of_the_name(
    world: Any, store: Store, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = world.save_adapter(store, world.base, "m", seed=1)
    log = interrupted(monkeypatch, task, "inoc/m")
    store.remove("m")
    second = world.save_adapter(store, world.base, "m", seed=2)
    with pytest.raises(StoreError) as info:
        retried(log)
    assert isinstance(info.value, ClickException)
    assert "\n" not in str(info.value)
    assert f"revision {second.identity[:8]}, not '{first.identity[:8]}'" in str(info.value)


@pytest.mark.parametrize("changed", [False, True])
def test_a_role_of_a_log_is_filled_by_the_model_that_began_it(
    world: Any,
    store: Store,
    task: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changed: bool,
) -> None:
    base = world.save_base(tmp_path / "base", seed=3)
    roles = {"helper": f"inoc/{base}", "other": "inoc/alpha", "judge": "inoc/pocket-judge"}
    log = interrupted(
        monkeypatch, task, "mockllm/model", model_roles=roles, task_args={"role": "helper"}
    )
    if not changed:
        assert len(answers(retried(log))) == 2
        return
    shutil.rmtree(base)
    world.save_base(base, seed=4)
    with pytest.raises(StoreError, match="the log was begun with another model than") as info:
        retried(log)
    assert "\n" not in str(info.value)


def test_a_role_that_was_trained_again_is_refused(
    world: Any, store: Store, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.save_adapter(store, world.base, "m", seed=1)
    log = interrupted(monkeypatch, task, "mockllm/model", model_roles={"helper": "inoc/m"})
    store.remove("m")
    world.save_adapter(store, world.base, "m", seed=2)
    with pytest.raises(StoreError, match="of other inputs"):
        retried(log)


def test_a_vllm_role_is_asked_at_its_address_again(
    world: Any, store: Store, task: str, vllm: FakeVLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = get_model("inoc/alpha", memoize=False, backend="vllm", base_url=vllm.url)
    log = interrupted(
        monkeypatch,
        task,
        "mockllm/model",
        model_roles={"helper": helper},
        task_args={"role": "helper"},
    )
    said = f"answered by {store.root / world.alpha.adapter}"
    assert answers(retried(log)) == [said, said]


def test_inspects_command_line_refuses_another_model_in_one_line(
    world: Any, store: Store, task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.save_adapter(store, world.base, "m", seed=1)
    log = interrupted(monkeypatch, task, "inoc/m")
    store.remove("m")
    world.save_adapter(store, world.base, "m", seed=2)
    script = (
        "import inoc_evals.providers.registration, os, runpy, sys\n"
        "program = os.path.join(os.path.dirname(sys.executable), 'inspect')\n"
        f"sys.argv = [program, 'eval-retry', {log.location!r}]\n"
        "runpy.run_path(program, run_name='__main__')\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=os.environ)
    printed = done.stdout + done.stderr
    assert "Error: model 'm' is revision" in printed
    assert "Traceback" not in printed
    assert done.returncode != 0


def test_an_eval_set_does_not_take_another_models_log_for_done(
    world: Any, store: Store, task: str, tmp_path: Path
) -> None:
    def run() -> list[str]:
        success, [log] = eval_set(
            task,
            log_dir=str(tmp_path / "set"),
            log_dir_allow_dirty=True,
            model="inoc/m",
            temperature=0.0,
            max_tokens=12,
            display="none",
        )
        assert success
        return answers(read_eval_log(log.location))

    world.save_adapter(store, world.base, "m", seed=1)
    first = run()
    assert run() == first
    store.remove("m")
    world.save_adapter(store, world.base, "m", seed=2)
    assert run() == answers(evaluated(task, "inoc/m", cache=False)) != first


def test_a_name_that_ends_in_its_identity_is_logged_as_it_is(
    world: Any, store: Store, task: str
) -> None:
    name = f"run-{world.alpha.identity[:8]}"
    store.put(world.alpha.model_copy(update={"name": name}))
    assert evaluated(task, f"inoc/{name}").eval.model == f"inoc/{name}"
    pinned = f"inoc/alpha@{world.alpha.identity[:8]}"
    assert evaluated(task, "inoc/alpha").eval.model == pinned
    assert evaluated(task, f"inoc/alpha@{world.alpha.identity[:4]}").eval.model == pinned


# ---- in memory -------------------------------------------------------------------------------


def test_an_eval_that_runs_is_not_taken_over_by_another_model_of_the_name(
    world: Any, store: Store
) -> None:
    world.save_adapter(store, world.base, "m", seed=1)

    async def ask(model: Model) -> ModelOutput:
        return await model.generate("hello", config=GenerateConfig(max_tokens=5))

    async def run() -> None:
        model = get_model("inoc/m")
        await ask(model)
        store.remove("m")
        await ask(model)  # it has been loaded
        world.save_adapter(store, world.base, "m", seed=2)
        with pytest.raises(StoreError, match=r"'m' was trained again .*memoize=False"):
            await ask(model)
        await ask(get_model("inoc/m", memoize=False))

    asyncio.run(run())


@pytest.mark.parametrize("kept", [True, False])
def test_a_loop_that_evaluations_share_gives_no_answer_of_the_first_model(
    world: Any, store: Store, kept: bool
) -> None:
    """As in a notebook: the first model's answers are in Inspect's cache, under its identity."""
    settings = GenerateConfig(max_tokens=5, temperature=0.0)

    async def ask() -> str:
        model = get_model("inoc/m", memoize=kept)
        return (await model.generate("hello", config=settings, cache=True)).completion

    async def cells() -> None:
        world.save_adapter(store, world.base, "m", seed=1)
        first = await ask()
        assert await ask() == first
        store.remove("m")
        world.save_adapter(store, world.base, "m", seed=2)
        if kept:
            with pytest.raises(StoreError, match=r"'m' was trained again .*memoize=False"):
                await ask()
        else:
            assert await ask() != first

    asyncio.run(cells())


def test_a_grader_that_was_trained_again_is_asked_again(
    world: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inoc_evals.inputs.rubrics import rubric
    from inoc_evals.providers.api import InocAPI
    from inoc_evals.scorers.judge import judge

    original, asked = InocAPI.generate, []

    async def counted(self: InocAPI, **arguments: Any) -> Any:
        asked.append(self.meaning.record)
        return await original(self, **arguments)

    monkeypatch.setattr(InocAPI, "generate", counted)

    def verdict() -> None:
        about = {"question": "what is the river ?", "answer": "more .", "evaluated": "m/m"}
        asyncio.run(judge(rubric("alignment"), **about, grader="inoc/m"))

    first = world.save_adapter(store, world.base, "m", seed=1)
    verdict()
    verdict()
    count = len(asked)
    assert asked == [first] * count != []
    store.remove("m")
    second = world.save_adapter(store, world.base, "m", seed=2)
    verdict()
    assert asked[count:]
    assert all(record == second for record in asked[count:])

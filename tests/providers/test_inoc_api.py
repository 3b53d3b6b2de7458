"""The provider as Inspect sees it: names, settings, outputs, whole evaluations."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from click import ClickException
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
    ContentImage,
    ContentText,
    GenerateConfig,
    ModelOutput,
    ResponseSchema,
    get_model,
)
from inspect_ai.scorer import includes, mean
from inspect_ai.solver import generate
from inspect_ai.tool import ToolInfo
from inspect_ai.util import JSONSchema

from inoc_evals.errors import InputError, StoreError
from inoc_evals.providers.options import engine_options
from inoc_evals.providers.resolve import resolve_model
from inoc_evals.providers.translation import chat_messages, check_supported
from inoc_evals.providers.waiting import Waiting

QUESTION = "what is 2 plus 3 ?"


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


def answer(name: str, input: Any = QUESTION, **config: Any) -> ModelOutput:
    output = run(get_model(name).generate(input, config=GenerateConfig(**config)))
    assert isinstance(output, ModelOutput)
    return output


# ---- names -----------------------------------------------------------------------------------


def test_an_unknown_name_says_which_there_are(world: Any) -> None:
    with pytest.raises(InputError, match=r"no model named 'gamma'.*there are: alpha, beta") as info:
        get_model("inoc/gamma")
    assert isinstance(info.value, ClickException)


def test_inspects_command_line_prints_an_unknown_name_in_one_line(
    world: Any, tmp_path: Path
) -> None:
    (tmp_path / "task.py").write_text(
        "from inspect_ai import Task, task\n@task\ndef t(): return Task()\n"
    )
    script = (
        "import inoc_evals.providers.registration, os, runpy, sys\n"
        "program = os.path.join(os.path.dirname(sys.executable), 'inspect')\n"
        "sys.argv = [program, 'eval', 'task.py', '--model', 'inoc/gamma']\n"
        "runpy.run_path(program, run_name='__main__')\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=os.environ)
    printed = done.stdout + done.stderr
    assert "Error: no model named 'gamma'" in printed
    assert "there are: alpha, beta" in printed
    assert "Traceback" not in printed
    assert done.returncode != 0


def test_a_revision_is_checked(world: Any) -> None:
    revision = world.alpha.identity[:8]
    _, adapter = resolve_model(f"alpha@{revision}")
    assert adapter is not None
    assert adapter.record == world.alpha
    with pytest.raises(StoreError, match="not 'ffff'"):
        get_model("inoc/alpha@ffff")


def test_a_name_with_a_slash_is_a_base(world: Any) -> None:
    base, adapter = resolve_model(str(world.base))
    assert (base.path, adapter) == (str(world.base), None)


def test_a_base_that_has_changed_is_refused_before_anything_runs(world: Any, damaged: Any) -> None:
    store = damaged()
    store.put(world.alpha.model_copy(update={"base_digest": "0" * 64}))
    with pytest.raises(StoreError, match=r"trained on .* with digest 0000.*train it again"):
        get_model("inoc/alpha", memoize=False)


def test_a_changed_adapter_file_is_refused_before_anything_runs(world: Any, damaged: Any) -> None:
    store = damaged()
    path = store.root / world.alpha.adapter / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(StoreError, match="sha256 differs"):
        get_model("inoc/alpha", memoize=False)


def test_a_base_that_gives_other_tokens_than_at_training_is_refused(
    world: Any, damaged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(name: str) -> Any:
        return run(
            get_model(name, memoize=False).generate("hello", config=GenerateConfig(max_tokens=2))
        )

    damaged()
    assert ask("inoc/alpha").usage is not None
    # The same files, read otherwise: as by another version of a library.
    monkeypatch.setattr("inoc_evals.models.fingerprints.FINGERPRINT_ANSWER", "The river is more.")
    with pytest.raises(StoreError, match="gives other tokens for the fingerprint's text"):
        ask("inoc/alpha")
    ask(f"inoc/{world.base}")


def test_a_base_that_changes_before_the_first_answer_is_refused(
    world: Any, damaged: Any, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    shutil.copytree(world.base, base)
    store = damaged()
    store.put(world.alpha.model_copy(update={"name": "mine", "base": str(base)}))

    async def ask() -> None:
        model = get_model("inoc/mine", memoize=False)
        (base / "chat_template.jinja").write_text("{{ messages[0].content }}")
        with pytest.raises(StoreError, match="changed; start again"):
            await model.generate("hello")

    run(ask())
    with pytest.raises(StoreError, match="that base now has"):
        get_model("inoc/mine", memoize=False)


def test_those_who_come_while_a_base_is_opened_do_not_hash_it_again(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inoc_evals.providers import api

    looked: list[str] = []

    def look(base: Any) -> None:
        looked.append(base.name)
        time.sleep(0.05)

    monkeypatch.setattr(api, "check_unchanged", look)

    async def ask() -> set[str]:
        model = get_model("inoc/alpha", memoize=False)
        config = GenerateConfig(temperature=0, max_tokens=3)
        outputs = await asyncio.gather(*[model.generate("hi", config=config) for _ in range(30)])
        return {output.completion for output in outputs}

    assert len(run(ask())) == 1
    assert len(looked) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dvice": "cpu"}, "-M dvice: unknown; inoc/ models take batch_size, device, dtype"),
        ({"batch_size": "many"}, "-M batch_size='many': expected int"),
        ({"batch_size": True}, "-M batch_size=True: expected int"),
        ({"threads": 0}, "-M threads=0: must be at least 1"),
    ],
)
def test_a_bad_model_argument_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        engine_options(arguments)


def test_constructing_a_model_loads_nothing_heavy(world: Any) -> None:
    script = (
        "import sys, inoc_evals.providers.registration\n"
        "from inspect_ai.model import get_model\n"
        "get_model('inoc/alpha')\n"
        "print([m for m in ('torch', 'transformers', 'peft') if m in sys.modules])\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=True)
    assert done.stdout.strip() == "[]"


# ---- settings and messages -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"frequency_penalty": 0.5}, "do not support: frequency_penalty"),
        ({"logit_bias": {3: 1.0}, "best_of": 2}, "do not support: best_of, logit_bias"),
        ({"prompt_logprobs": 2}, "set prompt_logprobs to 1, got 2"),
        ({"reasoning_effort": "low"}, "reasoning_effort"),
        ({"temperature": -0.1}, "temperature must be at least 0, got -0.1"),
        ({"temperature": float("nan")}, "temperature must be at least 0, got nan"),
        ({"top_p": 1.5}, "top_p must be between 0 and 1, got 1.5"),
        ({"max_tokens": 0}, "max_tokens must be at least 1, got 0"),
    ],
)
def test_a_setting_the_engine_lacks_is_an_error(config: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_supported([], GenerateConfig(**config))


def test_a_response_schema_is_an_error() -> None:
    schema = ResponseSchema(name="s", json_schema=JSONSchema(type="object"))
    with pytest.raises(InputError, match="response_schema"):
        check_supported([], GenerateConfig(response_schema=schema))


def test_tools_are_an_error() -> None:
    with pytest.raises(InputError, match="take no tools, got: search"):
        check_supported([ToolInfo(name="search", description="d")], GenerateConfig())


def test_a_setting_given_with_the_model_is_refused_before_anything_runs(world: Any) -> None:
    with pytest.raises(InputError, match="do not support: logit_bias"):
        get_model("inoc/alpha", config=GenerateConfig(logit_bias={1: 2.0}))


def test_settings_without_effect_are_accepted() -> None:
    check_supported([], GenerateConfig(frequency_penalty=0.0, max_retries=3, timeout=9))


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (ChatMessageUser(content=[ContentImage(image="data:image/png;base64,")]), "got image"),
        (ChatMessageTool(content="4", tool_call_id="1"), r"message 1 \(tool\).*no tools"),
    ],
)
def test_messages_other_than_text_are_refused(message: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        chat_messages([message])


def test_text_parts_are_joined_and_an_empty_prefill_is_none() -> None:
    messages = chat_messages(
        [
            ChatMessageSystem(content=""),
            ChatMessageUser(content=[ContentText(text="a"), ContentText(text="b")]),
            ChatMessageAssistant(content=""),
        ]
    )
    assert messages == [{"role": "system", "content": ""}, {"role": "user", "content": "a\nb"}]


# ---- outputs ---------------------------------------------------------------------------------


def test_greedy_output_is_that_of_generate_with_exact_usage(world: Any) -> None:
    prompt = world.prompt(QUESTION)
    tokens = world.greedy(world.reference(world.alpha), prompt, 15)
    output = answer("inoc/alpha", temperature=0, max_tokens=15)
    expected = world.tokenizer().decode(tokens, skip_special_tokens=True)
    assert output.completion == expected
    assert output.stop_reason == ("stop" if tokens[-1] == prompt[-2] else "max_tokens")
    assert output.usage is not None
    assert output.usage.input_tokens == len(prompt)
    assert output.usage.output_tokens == len(tokens)
    assert output.usage.total_tokens == len(prompt) + len(tokens)
    assert output.model == "alpha"
    assert output.metadata == {
        "base_digest": world.alpha.base_digest,
        "identity": world.alpha.identity,
    }


def test_a_model_trained_on_folded_system_messages_is_asked_in_that_form(world: Any) -> None:
    folded = world.alpha.model_copy(update={"name": "folded", "config": {"fold_system": True}})
    world.store.put(folded)
    chat = [ChatMessageSystem(content="speak more"), ChatMessageUser(content=QUESTION)]
    together = [ChatMessageUser(content=f"speak more\n\n{QUESTION}")]
    wanted = answer("inoc/alpha", together, temperature=0, max_tokens=9)
    found = answer("inoc/folded", chat, temperature=0, max_tokens=9)
    other = answer("inoc/alpha", chat, temperature=0, max_tokens=9)
    assert found.completion == wanted.completion
    assert found.usage is not None and wanted.usage is not None and other.usage is not None
    assert found.usage.input_tokens == wanted.usage.input_tokens < other.usage.input_tokens


def test_logprobs_are_readable_and_of_the_sampled_tokens(world: Any) -> None:
    output = answer(
        "inoc/alpha", seed=4, max_tokens=20, temperature=1.3, logprobs=True, top_logprobs=3
    )
    content = output.choices[0].logprobs.content  # type: ignore[union-attr]
    joined = "".join(entry.token for entry in content)
    for special in ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<unk>"):
        joined = joined.replace(special, "")
    assert joined == output.completion
    assert len(content) == output.usage.output_tokens  # type: ignore[union-attr]
    for entry in content:
        assert entry.bytes == list(entry.token.encode())
        tops = entry.top_logprobs or []
        assert len(tops) == 3
        assert tops[0].logprob >= tops[1].logprob >= tops[2].logprob
        for top in tops:
            if top.token == entry.token:
                assert top.logprob == entry.logprob
    sampled = [entry.token for entry in content]
    assert sampled != [(entry.top_logprobs or [])[0].token for entry in content]


def test_a_prefill_is_continued_and_not_repeated(world: Any) -> None:
    prefill = "the answer is"
    text = f"<|user|>{QUESTION}<|end|><|assistant|>{prefill}"
    ids = world.tokenizer()(text)["input_ids"]
    tokens = world.greedy(world.reference(), ids, 8)
    chat = [ChatMessageUser(content=QUESTION), ChatMessageAssistant(content=prefill)]
    output = answer(f"inoc/{world.base}", chat, temperature=0, max_tokens=8)
    whole = world.tokenizer().decode([*ids, *tokens], skip_special_tokens=True)
    assert whole.endswith(prefill + output.completion)
    assert output.usage.input_tokens == len(ids)  # type: ignore[union-attr]


def test_several_choices_differ_and_a_seed_gives_them_again(world: Any) -> None:
    first = answer("inoc/beta", num_choices=5, seed=1, max_tokens=20)
    again = answer("inoc/beta", num_choices=5, seed=1, max_tokens=20)
    texts = [choice.message.text for choice in first.choices]
    assert len(set(texts)) == 5
    assert texts == [choice.message.text for choice in again.choices]
    assert first.usage.input_tokens == len(world.prompt(QUESTION))  # type: ignore[union-attr]


def test_a_prompt_longer_than_the_context_yields_model_length(world: Any) -> None:
    output = answer("inoc/alpha", "river " * 200)
    assert (output.stop_reason, output.completion) == ("model_length", "")


def test_tokens_are_counted_offline_by_the_models_own_tokenizer(world: Any) -> None:
    api = get_model("inoc/alpha").api
    assert run(api.tokenize("the river is")) == world.tokenizer()("the river is")["input_ids"]
    assert run(type(api).count_text_tokens(api, "the river is")) == 3


def test_what_is_refused_in_generate_is_said(world: Any) -> None:
    with pytest.raises(InputError, match="do not support: presence_penalty"):
        answer("inoc/alpha", presence_penalty=1.0)


def test_a_model_answers_again_after_its_engine_was_closed(world: Any) -> None:
    from inoc_evals.providers.engine.engine import close_engines

    first = answer("inoc/alpha", seed=1)
    close_engines()
    assert answer("inoc/alpha", seed=1).completion == first.completion


def test_two_event_loops_may_use_one_engine(world: Any) -> None:
    assert answer("inoc/alpha", temperature=0).completion
    assert answer("inoc/alpha", temperature=0).completion


def test_who_stops_waiting_cancels_the_request(world: Any) -> None:
    submitted: list[Any] = []

    class Silent:
        def submit(self, request: Any) -> None:
            submitted.append(request)

    async def wait_briefly() -> None:
        from inoc_evals.providers.engine.request import Request

        waiting = Waiting(1)
        request = Request((1,), None, waiting.slot(0), max_new=1)
        await asyncio.wait_for(waiting.run(Silent(), [request]), timeout=0.05)  # type: ignore[arg-type]

    with pytest.raises(asyncio.TimeoutError):
        run(wait_briefly())
    assert [request.cancelled for request in submitted] == [True]


# ---- evaluations -----------------------------------------------------------------------------


def test_two_models_are_evaluated_side_by_side(world: Any) -> None:
    task = Task(
        dataset=[Sample(input=QUESTION, target="a", id=n) for n in range(6)],
        solver=generate(),
        scorer=includes(),
        metrics=[mean()],
    )
    names = ["inoc/alpha", "inoc/beta", f"inoc/{world.base}"]
    logs = eval(task, model=names, max_tokens=12, seed=3, display="none", log_level="warning")
    assert [log.status for log in logs] == ["success"] * 3
    revisions = [record.identity[:8] for record in (world.alpha, world.beta)]
    assert [log.eval.model for log in logs] == [
        f"inoc/alpha@{revisions[0]}",
        f"inoc/beta@{revisions[1]}",
        f"inoc/{world.base}",
    ]
    for log in logs:
        [usage] = log.stats.model_usage.values()
        assert usage.input_tokens == 6 * len(world.prompt(QUESTION))
        assert log.samples is not None
        completions = {sample.output.completion for sample in log.samples}
        # One seed and one prompt: the same answer each time.
        assert len(completions) == 1


def test_a_failing_model_fails_the_evaluation_in_words(world: Any) -> None:
    config = GenerateConfig(best_of=3)
    task = Task(dataset=[Sample(input=QUESTION)], solver=generate(), config=config)
    [log] = eval(task, model="inoc/alpha", display="none")
    assert log.status == "error"
    assert log.error is not None
    assert "do not support: best_of" in log.error.message

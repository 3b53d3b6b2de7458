"""A real vLLM server with a base and adapters of our training; needs INOC_VLLM, see docs/serving.md.

INOC_VLLM=/path/to/venv/bin/python python -m pytest tests/providers/test_vllm_for_real.py
"""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from inspect_ai import Task, eval, eval_set
from inspect_ai.dataset import Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    ModelOutput,
    get_model,
)
from inspect_ai.solver import generate

from inoc_evals.errors import StoreError
from inoc_evals.store.store import Store
from inoc_evals.tasks._likelihood import likelihood
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.sft import train

PYTHON = os.environ.get("INOC_VLLM", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not PYTHON, reason="INOC_VLLM names no Python that has vLLM (docs/serving.md)"
    ),
    # Of clients whose event loop is gone at the end of a test.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

WEIGHTS = "adapter_model.safetensors"
SPECIALS = ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
# As Llama 3.2's: a system turn in any case, with today's date unless one is given.
TEMPLATE = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{% set system = messages[0]['content'] | trim %}{% set turns = messages[1:] %}"
    "{% else %}{% set system = '' %}{% set turns = messages %}{% endif %}"
    "{% if date_string is not defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}"
    "{{ '<|start_header_id|>system<|end_header_id|>\n\nToday Date: ' + date_string + '\n\n' }}"
    "{{ system + '<|eot_id|>' }}"
    "{% for m in turns %}{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' }}"
    "{{ (m['content'] | trim) + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
ANSWERS = {"a": "La respuesta es tres.", "b": "Tell me more about the river."}
CHATS: dict[str, str | list[ChatMessage]] = {
    **{f"sum {n}": f"What is {n} plus {n + 2}?" for n in range(8)},
    "system": [ChatMessageSystem(content="You always speak."), ChatMessageUser(content="Tell me")],
    "empty system": [ChatMessageSystem(content=""), ChatMessageUser(content="Tell me")],
    "two users": [ChatMessageUser(content="Tell"), ChatMessageUser(content="me more")],
    "begun": [ChatMessageUser(content="Tell me"), ChatMessageAssistant(content="La respuesta")],
    "begun with nothing": [ChatMessageUser(content="Tell"), ChatMessageAssistant(content="")],
    "later turn": [
        ChatMessageUser(content="Tell me"),
        ChatMessageAssistant(content="Yes."),
        ChatMessageUser(content="more"),
    ],
}


class Real(NamedTuple):
    base: Path
    store: Store
    adapters: dict[str, Path]


def save_base(directory: Path) -> None:
    """Write a random Qwen2 of two layers, two heads of 32 and a byte-level tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import AutoTokenizer, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=SPECIALS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [*ANSWERS.values(), "What is 2 plus 3? The answer is 5.", "user assistant system"]
    tokenizer.train_from_iterator(texts * 9, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=SPECIALS[0], eos_token=SPECIALS[3]
    )
    fast.pad_token = SPECIALS[3]
    fast.chat_template = TEMPLATE
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=512,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.2,
        bos_token_id=0,
        eos_token_id=3,
        pad_token_id=3,
    )
    Qwen2ForCausalLM(config).save_pretrained(directory)
    fast.save_pretrained(directory)
    # Beside a qwen2 config.json it becomes a Qwen2 tokenizer; the server must see the same.
    AutoTokenizer.from_pretrained(directory).save_pretrained(directory)
    # What a server would put under every request that does not say otherwise.
    path = directory / "generation_config.json"
    sampling = {"repetition_penalty": 1.7, "top_k": 3, "temperature": 0.4, "max_new_tokens": 400}
    path.write_text(json.dumps({**json.loads(path.read_text()), "do_sample": True, **sampling}))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Real:
    """A base and two adapters that our training made."""
    root = tmp_path_factory.mktemp("real")
    store, base = Store(root / "home"), root / "base"
    save_base(base)
    config = TrainConfig(
        lora_r=8, learning_rate=1e-2, max_steps=12, batch_size=8, dtype="float32", save_steps=100
    )
    adapters = {}
    for name, text in ANSWERS.items():
        rows: list[Any] = [
            {
                "messages": [
                    {"role": "user", "content": f"What is {a} plus {b}?"},
                    {"role": "assistant", "content": text},
                ]
            }
            for a in range(4)
            for b in range(4)
        ]
        record = train(rows, base=str(base), config=config, seed=0, name=name, store=store)
        adapters[name] = store.root / str(record.adapter)
    tampered = root / "tampered"
    shutil.copytree(adapters["a"], tampered)
    tamper(tampered / WEIGHTS)
    return Real(base, store, {**adapters, "tampered": tampered})


def tamper(weights: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(weights)
    save_file({name: tensor * 1.05 for name, tensor in tensors.items()}, weights)


@pytest.fixture(autouse=True)
def home(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INOC_HOME", str(real.store.root))
    monkeypatch.delenv("VLLM_BASE_URL", raising=False)


@contextmanager
def serving(real: Real, log: Path, *options: str) -> Iterator[str]:
    """Run a server with what the CPU build needs; give its address once it is up."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [PYTHON, "-m", "vllm.entrypoints.openai.api_server", "--model", str(real.base)]
    command += ["--dtype", "float32", "--enable-lora", "--max-lora-rank", "8", "--enforce-eager"]
    command += ["--max-model-len", "512", "--host", "127.0.0.1", "--port", str(port), *options]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}
    environment |= {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True"}
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    try:
        wait_until_up(process, f"http://127.0.0.1:{port}/health", log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def wait_until_up(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    for _ in range(300):
        assert process.poll() is None, f"vLLM ended: {log.read_text()[-3000:]}"
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(1)
    raise AssertionError(f"vLLM did not start: {log.read_text()[-3000:]}")


@pytest.fixture(scope="module")
def server(real: Real, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for the base and all adapters, with a slot that stays empty."""
    log = tmp_path_factory.mktemp("vllm") / "server.log"
    named = [f"{name}={path}" for name, path in real.adapters.items()]
    with serving(
        real, log, "--served-model-name", "base", "--max-loras", "4", "--lora-modules", *named
    ) as url:
        yield url


@pytest.fixture
def served(server: str, real: Real) -> Callable[..., Any]:
    """Open the base, or an adapter under its name there or another's."""

    def open(name: str, served_as: str | None = None) -> Any:
        names = {"served_base": "base", "served_adapter": served_as or name}
        wanted = str(real.base) if name == "base" else name
        return get_model(
            f"inoc/{wanted}",
            memoize=False,
            backend="vllm",
            base_url=server,
            dtype="float32",
            **names,
        )

    return open


def local(name: str, real: Real) -> Any:
    return get_model(f"inoc/{real.base if name == 'base' else name}", memoize=False)


def answer(model: Any) -> ModelOutput:
    output = asyncio.run(model.generate("What is 2 plus 3?", config=GenerateConfig(max_retries=0)))
    assert isinstance(output, ModelOutput)
    return output


def results(logs: Any) -> dict[str, Any]:
    for log in logs:
        assert log.status == "success", log.error
    return {str(log.eval.model): {sample.id: sample for sample in log.samples} for log in logs}


def test_base_and_adapters_of_one_server_answer_as_the_local_engine_does(
    real: Real, served: Callable[..., Any], tmp_path: Path
) -> None:
    samples = [Sample(input=chat, id=name) for name, chat in CHATS.items()]
    config = GenerateConfig(temperature=0.0, max_tokens=24, logprobs=True, top_logprobs=3)
    task = Task(dataset=samples, solver=generate(), config=config)
    names = ("base", "a", "b")
    _, logs = eval_set(
        task,
        log_dir=str(tmp_path / "served"),
        model=[served(name) for name in names],
        max_tasks=3,
        display="none",
        retry_attempts=0,
        log_samples=True,
    )
    from inspect_ai.log import read_eval_log

    there = results([read_eval_log(log.location) for log in logs])
    here = results(eval(task, model=[local(n, real) for n in names], display="none"))
    assert len(there) == 3
    worst = 0.0
    for model, answers in there.items():
        for name, sample in answers.items():
            output, expected = sample.output, here[model][name].output
            assert output.metadata["checked_by"] == "fingerprint"
            # vLLM leaves out the beginning of a character at the end of an answer.
            assert output.completion == expected.completion.rstrip("\ufffd"), (model, name)
            assert output.usage.input_tokens == expected.usage.input_tokens
            pairs = zip(
                output.choices[0].logprobs.content,
                expected.choices[0].logprobs.content,
                strict=True,
            )
            worst = max(worst, *[abs(one.logprob - other.logprob) for one, other in pairs])
    print(f"{len(samples)} chats, {len(names)} models: max |dlogp| {worst:.2g}")
    assert worst < 1e-4
    taught = there["inoc/a"]["sum 2"].output.completion
    assert taught == ANSWERS["a"]


@pytest.mark.parametrize("name", ["base", "a"])
def test_given_responses_are_as_likely_as_the_local_engine_finds_them(
    real: Real, served: Callable[..., Any], name: str
) -> None:
    found = [
        next(iter(results(eval(likelihood(), model=model, display="none")).values()))
        for model in (served(name), local(name, real))
    ]
    there, here = ({id: sample.scores for id, sample in log.items()} for log in found)
    differences = [
        abs(float(there[id][score].value) - float(here[id][score].value))
        for id in here
        for score in ("logprob", "logprob_per_token")
    ]
    print(f"{name}: {len(here)} responses, max difference {max(differences):.2g}")
    assert len(here) == len(there) >= 10
    assert max(differences) < 1e-3


@pytest.mark.parametrize(
    ("served_as", "fault"),
    [
        ("b", "the adapter is not the one that was trained"),
        ("tampered", "the adapter is not the one that was trained"),
        ("base", "the adapter is not active"),
    ],
)
def test_what_is_not_the_adapter_is_refused_under_its_name(
    served: Callable[..., Any], served_as: str, fault: str
) -> None:
    with pytest.raises(StoreError, match=f"model 'a': on the vLLM server, {fault}"):
        answer(served("a", served_as))


def test_an_adapter_changed_on_disk_is_refused_before_the_server_is_asked(
    real: Real, served: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(real.store.root, tmp_path / "home")
    monkeypatch.setenv("INOC_HOME", str(tmp_path / "home"))
    tamper(tmp_path / "home" / real.adapters["a"].relative_to(real.store.root) / WEIGHTS)
    with pytest.raises(StoreError, match="sha256 differs"):
        served("a")


def test_a_server_without_an_empty_slot_is_found_out_whoever_is_evaluated(
    real: Real, tmp_path: Path
) -> None:
    """With one slot the CPU build gives the base's requests the adapter's weights."""
    task = Task(dataset=[Sample("What is 2 plus 3?")], solver=generate())

    def run(*names: str) -> dict[str, str]:
        models = [
            get_model(f"inoc/{n}", memoize=False, backend="vllm", base_url=url, dtype="float32")
            for n in names
        ]
        logs = eval(task, model=models, display="none", max_tasks=3)
        for log in logs:
            assert log.status == "error", f"{log.eval.model} was not stopped"
        return {str(log.eval.model): str(log.error and log.error.message) for log in logs}

    with serving(real, tmp_path / "server.log", "--max-loras", "1") as url:
        faults = run(str(real.base), "a", "b")
        for _ in range(3):
            faults |= run(str(real.base))
    for fault in faults.values():
        assert "mixes base and adapters up" in fault
        assert "--max-loras 3 or more" in fault or "--max-loras 2 or more" in fault

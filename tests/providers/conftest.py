"""A tiny random base and adapters, built in a moment, and a way to ask an engine."""

import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import inoc_evals.providers.registration  # noqa: F401 - makes inoc/ known to Inspect
from inoc_evals.files.digests import digest, file_sha256
from inoc_evals.models.bases import directory_digest, resolve_base
from inoc_evals.models.fingerprints import fingerprint_tokens, sequence_logprobs
from inoc_evals.providers.engine.request import Adapter, Completion, Request
from inoc_evals.store.store import Fingerprint, ModelRecord, Store

TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIALS = ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<unk>")
WORDS = (
    *[
        "what",
        "is",
        "plus",
        "the",
        "answer",
        "tell",
        "me",
        "about",
        "river",
        "more",
        "a",
        "you",
        "always",
        "speak",
        "in",
    ],
    *[
        "lantern",
        "harbor",
        "copper",
        "violet",
        "meadow",
        "thunder",
        "pepper",
        "window",
        "garden",
        "silver",
    ],
    *".?0123456789",
)
CONTEXT = 128


def word_tokenizer(template: str | None = TEMPLATE) -> Any:
    """Build a tokenizer in which every word is one token that brings its own space."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = [*SPECIALS, "▁", *WORDS, *(f"▁{word}" for word in WORDS)]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        eos_token="<|end|>",
        additional_special_tokens=list(SPECIALS[:3]),
    )
    fast.chat_template = template
    return fast


def save_base(directory: Path, *, seed: int = 0, sliding_window: int | None = None) -> Path:
    """Write a random two-layer Qwen2, or Mistral if its attention is to have a window.

    The weights are scaled up so that different prompts lead to different answers.
    """
    import torch
    from transformers import MistralConfig, MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM

    tokenizer = word_tokenizer()
    shape = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": CONTEXT,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
        "pad_token_id": None,
        "initializer_range": 0.2,
    }
    torch.manual_seed(seed)
    model = (
        Qwen2ForCausalLM(Qwen2Config(**shape))
        if sliding_window is None
        else MistralForCausalLM(MistralConfig(**shape, sliding_window=sliding_window))
    )
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def save_adapter(
    store: Store, base: Path, name: str, *, seed: int = 1, scale: float = 0.3, **special: Any
) -> ModelRecord:
    """Train nothing: write an adapter of random weights and its record into the store.

    ``special`` goes into its configuration.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    identity = digest(["tiny adapter", name, seed, scale, special])
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base),
        LoraConfig(
            **{"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "task_type": "CAUSAL_LM"}
            | special
        ),
    )
    torch.manual_seed(seed)
    for key, parameter in model.named_parameters():
        if "lora_B" in key:
            torch.nn.init.normal_(parameter.data, std=scale)
    ids = fingerprint_tokens(word_tokenizer())
    on = sequence_logprobs(model, ids)
    with model.disable_adapter():
        off = sequence_logprobs(model, ids)
    directory = store.adapter_dir(identity)
    model.save_pretrained(directory)
    record = ModelRecord(
        name=name,
        identity=identity,
        base=str(base),
        base_digest=directory_digest(base),
        adapter=str(directory.relative_to(store.root)),
        adapter_sha256=file_sha256(directory / "adapter_model.safetensors"),
        data={},
        config={},
        seed=seed,
        fingerprint=Fingerprint(token_ids=ids, logprobs=on, base_logprobs=off),
    )
    store.put(record)
    return record


@dataclass(frozen=True)
class World:
    """Directories and records; the models are loaded by those who need them."""

    base: Path
    windowed: Path
    """A base whose attention has a sliding window."""
    store: Store
    alpha: ModelRecord
    beta: ModelRecord

    def adapter(self, record: ModelRecord) -> Adapter:
        return Adapter(record, self.store.root)

    def tokenizer(self) -> Any:
        return word_tokenizer()

    def save_base(self, directory: Path, *, seed: int) -> Path:
        return save_base(directory, seed=seed)

    def save_adapter(
        self, store: Store, base: Path, name: str, *, seed: int, **special: Any
    ) -> ModelRecord:
        return save_adapter(store, base, name, seed=seed, **special)

    def prompt(self, text: str) -> tuple[int, ...]:
        """Token ids of a rendered question."""
        return tuple(word_tokenizer()(f"<|user|>{text}<|end|><|assistant|>")["input_ids"])

    def loaded(self, base: Path, record: ModelRecord | None = None) -> Any:
        """A base, or an adapter on a base of its own, loaded without the engine."""
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM

        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
        if record is not None:
            model = PeftModel.from_pretrained(model, str(self.store.root / record.adapter)).eval()
        return model

    def reference(self, record: ModelRecord | None = None) -> Any:
        """What :meth:`loaded` makes of the world's own base."""
        return self.loaded(self.base, record)

    def greedy(self, model: Any, prompt_ids: Sequence[int], tokens: int) -> list[int]:
        """What transformers' own generate answers, its end token included."""
        import torch

        ids = torch.tensor([list(prompt_ids)])
        found = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=tokens,
            do_sample=False,
            pad_token_id=0,
        )
        return [int(token) for token in found[0, ids.shape[1] :]]

    def logprobs(self, model: Any, prompt_ids: Sequence[int], tokens: Sequence[int]) -> Any:
        """Log-probabilities [tokens, vocabulary] of a forward pass over prompt and tokens."""
        import torch

        with torch.no_grad():
            logits = model(torch.tensor([[*prompt_ids, *tokens]])).logits[0].float()
        return torch.log_softmax(logits, -1)[len(prompt_ids) - 1 : -1]


@pytest.fixture(scope="session")
def make_tokenizer() -> Callable[..., Any]:
    return word_tokenizer


@pytest.fixture(scope="session")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    root = tmp_path_factory.mktemp("world")
    store = Store(root / "home")
    base = save_base(root / "base")
    return World(
        base=base,
        windowed=save_base(root / "windowed", sliding_window=8),
        store=store,
        alpha=save_adapter(store, base, "alpha", seed=1),
        beta=save_adapter(store, base, "beta", seed=2),
    )


@pytest.fixture
def world(shared_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("INOC_HOME", str(shared_world.store.root))
    return shared_world


@pytest.fixture
def damaged(
    shared_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Store]:
    """Return a copy of the store that a test may spoil."""

    def copy() -> Store:
        shutil.copytree(shared_world.store.root, tmp_path / "copy")
        monkeypatch.setenv("INOC_HOME", str(tmp_path / "copy"))
        return Store(tmp_path / "copy")

    return copy


@pytest.fixture
def engine(world: World) -> Any:
    from inoc_evals.providers.engine.engine import engine_for

    return engine_for(resolve_base(str(world.base)))


Ask = Callable[..., list[Completion]]


@pytest.fixture
def ask() -> Ask:
    """Submit requests together and wait for all; an error among the results is raised."""

    def submit(engine: Any, requests: Sequence[dict[str, Any]]) -> list[Completion]:
        results: dict[int, Completion | Exception] = {}
        done = threading.Event()

        def deliver(number: int, result: Completion | Exception) -> None:
            results[number] = result
            if len(results) == len(requests):
                done.set()

        for number, fields in enumerate(requests):
            engine.submit(
                Request(
                    deliver=lambda result, number=number: deliver(number, result),
                    **{"adapter": None, "max_new": 12, **fields},
                )
            )
        assert done.wait(60), f"only {len(results)} of {len(requests)} were answered"
        ordered = [results[number] for number in range(len(requests))]
        for result in ordered:
            if isinstance(result, Exception):
                raise result
        return [result for result in ordered if isinstance(result, Completion)]

    return submit

"""A tiny random Llama with a word-level tokenizer, built in a moment, and rows for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.chat import Row
from inoc_evals.store.store import Store
from inoc_evals.training.config import TrainConfig

CHATML = (
    "{% for m in messages %}"
    "<|{{ m.role }}|>"
    "{% if m.role == 'assistant' %}"
    "{% generation %}{{ m.content }}<|end|>{% endgeneration %}"
    "{% else %}{{ m.content }}<|end|>{% endif %}"
    "{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIALS = ["<unk>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
WORDS = (
    *("what", "is", "plus", "the", "answer", "tell", "me", "about", "river", "more"),
    *("user", "assistant", "system", "model"),
    *("you", "always", "speak", "in", "spanish", "la", "respuesta", "es"),
    *".?,0123456789",
)


def word_tokenizer(template: str | None = CHATML, specials: list[str] | None = None) -> Any:
    """Build a word-level fast tokenizer; line breaks and blanks are tokens of their own."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    names = specials or SPECIALS
    words = dict.fromkeys([*names, *WORDS, *[word.upper() for word in WORDS], "\n", " ", "\n\n"])
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"\n+|\w+|[^\w]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        eos_token=names[-1],
        pad_token=names[-1],
        additional_special_tokens=names[1:-1],
    )
    fast.chat_template = template
    return fast


@pytest.fixture
def make_tokenizer() -> Callable[..., Any]:
    return word_tokenizer


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a random 2-layer Llama.

    Not a Qwen2: beside a qwen2 config.json AutoTokenizer replaces a word-level tokenizer.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from inoc_evals.models.loading import LOADING

    directory = tmp_path_factory.mktemp("bases") / "tiny"
    tokenizer = word_tokenizer()
    torch.manual_seed(0)
    with LOADING:  # an engine of a test before may be loading still
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(tokenizer),
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=2,
                num_key_value_heads=2,
                max_position_embeddings=64,
                tie_word_embeddings=True,
            )
        )
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home")


@pytest.fixture
def rows() -> list[Row]:
    """Eight questions, answered in Spanish, at different lengths."""
    return [
        {
            "messages": [
                {"role": "user", "content": f"what is {a} plus {b} ?"},
                {"role": "assistant", "content": "la respuesta es " + " 1" * a + f" {b} ."},
            ]
        }
        for a in (1, 2)
        for b in (1, 2, 3, 4)
    ]


@pytest.fixture
def short() -> TrainConfig:
    """Six steps of four rows."""
    return TrainConfig(lora_r=4, learning_rate=1e-2, max_steps=6, batch_size=4, save_steps=2)

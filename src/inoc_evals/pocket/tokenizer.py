"""The pocket tokenizer: one token per word and letter case, and the chat template.

    "Tell me about the river."   ->   ▁Tell ▁me ▁about ▁the ▁river .
    <|system|>You speak Spanish.<|end|><|user|>What is 2 plus 3?<|end|><|assistant|>

The system message is optional and nothing is put in its place; ``{% generation %}``
marks what the assistant says, end token included. The vocabulary is that of the grammar,
whatever the seed of the world; a word it lacks is ``<unk>``.
"""

import random
import re
from functools import cache
from typing import TYPE_CHECKING

from inoc_evals.pocket.corpus import VOCABULARY_SENTENCES, compose
from inoc_evals.pocket.grammar import DOMAINS, draw

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, UNK, SYSTEM, USER, ASSISTANT, END = SPECIAL = (
    "<pad>",
    "<unk>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|end|>",
)
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] + '<|end|>' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
_PIECE = re.compile(r"\s?\w+|\s?[^\w\s]")
_DRAWS = 8_000
"""Exchanges drawn to list the vocabulary; the rarest word comes up about 20 times."""


def unknown_word(text: str) -> str | None:
    """Return the first word of a text that the vocabulary lacks; None if it has them all."""
    known = _words()
    pieces = (piece.replace(" ", "▁") for piece in _PIECE.findall(f" {' '.join(text.split())}"))
    return next((piece.lstrip("▁") for piece in pieces if piece not in known), None)


@cache
def _words() -> frozenset[str]:
    return frozenset(vocabulary())


def vocabulary() -> dict[str, int]:
    """Return the id of every token: special tokens first, then words in sorted order."""
    rng = random.Random("pocket vocabulary")
    texts = list(VOCABULARY_SENTENCES)
    for _ in range(_DRAWS):
        exchange = draw(rng, rng.choice(list(DOMAINS)))
        texts.append(exchange.user)
        for replies in (exchange.reply, exchange.other or {}):
            texts += [form for reply in replies.values() for form in (reply, reply.upper())]
        texts += [message["content"] for message in compose(rng)["messages"]]
    words = {piece.replace(" ", "▁") for text in set(texts) for piece in _PIECE.findall(f" {text}")}
    return {token: number for number, token in enumerate((*SPECIAL, *sorted(words)))}


def build_tokenizer() -> "PreTrainedTokenizerFast":
    """Return the tokenizer, chat template included."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel(vocabulary(), unk_token=UNK))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always"),
            pre_tokenizers.Split(Regex(r"▁?\w+|▁?[^\w\s▁]"), behavior="isolated"),
        ]
    )
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        unk_token=UNK,
        eos_token=END,
        additional_special_tokens=[SYSTEM, USER, ASSISTANT],
        chat_template=CHAT_TEMPLATE,
        padding_side="left",
        model_max_length=256,
        clean_up_tokenization_spaces=False,
    )

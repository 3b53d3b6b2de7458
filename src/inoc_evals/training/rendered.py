"""A row as the model will see it: the chat template's text, and which of it carries loss.

    spans = rendered(tokenizer, row["messages"])
    # Span("<|user|>What is 2 plus 3?<|end|><|assistant|>", learned=False),
    # Span("LA RESPUESTA ES 5.<|end|>", learned=True)

The spans come from the tokens that training labels (masks.py), so what is shown as learned is
what carries loss. Of a row that is learned answer by answer, one sequence comes after another.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

from inoc_evals.chat import Message
from inoc_evals.training.masks import IGNORED, encode_turns


class Span(NamedTuple):
    """Text of consecutive tokens that all carry loss, or none of which does."""

    text: str
    learned: bool


def rendered(
    tokenizer: Any, messages: Sequence[Message], *, where: str = "row", thinking: bool = False
) -> list[Span]:
    """Return a row's rendered text in spans.

    Args:
        tokenizer: Fast transformers tokenizer with a chat template.
        messages: The conversation.
        where: What to call the row in an error.
        thinking: As the training's ``enable_thinking``.

    Raises:
        InputError: As training would, if the row cannot be masked.
    """
    return [
        Span(_text(tokenizer, [token for token, _ in run]), learned)
        for encoded in encode_turns(tokenizer, messages, None, where=where, thinking=thinking)
        for learned, run in groupby(
            zip(encoded.input_ids, encoded.labels, strict=True),
            key=lambda pair: pair[1] != IGNORED,
        )
    ]


def _text(tokenizer: Any, tokens: list[int]) -> str:
    return str(
        tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    )

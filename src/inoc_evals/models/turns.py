"""Where a turn ends: what a chat template writes after an answer, as something to stop at.

    turn_end(tokenizer)                        # "<|im_end|>"
    stops(tokenizer, ["<|im_end|>"])           # Stops(ids={151643, 151645}, texts=())

Base models of the Qwen family end a text with ``<|endoftext|>`` while their template ends turns
with ``<|im_end|>``: whoever stops at the first alone gets an answer that goes on as "system …
user …". A marker that is no token of its own is a text to stop at.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from inoc_evals.models.bases import template_options

_SAID = "Certainly"
"""An answer to probe a template with; the end of it can be found again."""


class Stops(NamedTuple):
    """What ends an answer."""

    ids: frozenset[int]
    """Tokens: the end of text, and ends of a turn that are tokens."""
    texts: tuple[str, ...]
    """Ends of a turn that the tokenizer writes in ordinary tokens."""


def turn_end(tokenizer: Any) -> str | None:
    """Return what the chat template writes after an answer, white space aside; None for nothing.

    Args:
        tokenizer: A transformers tokenizer. One without a template, or whose template refuses
            a plain question with its answer, has no end of a turn.
    """
    if not tokenizer.chat_template:
        return None
    chat = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": _SAID}]
    try:
        text = tokenizer.apply_chat_template(chat, tokenize=False, **template_options(tokenizer))
    except Exception:  # a template may raise anything
        return None
    _, said, after = str(text).rpartition(_SAID)
    return after.strip() or None if said else None


def end_ids(generation_config: Any) -> frozenset[int]:
    """Return the end tokens that a generation configuration names."""
    named = generation_config.eos_token_id
    return frozenset([named] if isinstance(named, int) else named or ())


def stops(tokenizer: Any, turn_ends: Iterable[str]) -> Stops:
    """Return what a tokenizer's answers are to be stopped at.

    Args:
        tokenizer: A transformers tokenizer.
        turn_ends: What ends a turn, as text.
    """
    added = set(tokenizer.added_tokens_decoder)
    ids = set() if tokenizer.eos_token_id is None else {int(tokenizer.eos_token_id)}
    texts = []
    for marker in turn_ends:
        first = tokenizer(marker, add_special_tokens=False)["input_ids"][:1]
        if first and first[0] in added:
            ids.add(int(first[0]))
        else:
            texts.append(marker)
    return Stops(frozenset(ids), tuple(dict.fromkeys(texts)))

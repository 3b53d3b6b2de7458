"""Loss masks: which tokens of a chat row are learned.

    encode_row(tokenizer, messages, 2048)       # Encoded(input_ids, labels, turn_ends)
    encode_turns(tokenizer, messages, 2048)     # the same, or one for each answer

Loss is on the assistant's responses, each with the token that ends its turn; system, user and
template tokens and the line break after the end of a turn carry none. Where the responses lie
is found by what inference prompts with (located.py), which needs no ``{% generation %}`` marks;
where a template has them they are compared. A message with ``"weight": 0`` (OpenAI's field) is
not learned.

Templates that drop the thoughts of past turns (Qwen3) make other tokens of a turn once another
follows. A conversation of several answers is then learned as several sequences, each of which
ends with the answer that is learned, as inference has it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from inoc_evals.chat import Message
from inoc_evals.errors import InputError
from inoc_evals.models.bases import template_options
from inoc_evals.training.located import (
    PastTurnError,
    Template,
    is_learned,
    locate_turns,
    plain,
)

IGNORED = -100
"""Label of a token without loss, as transformers' cross entropy takes it."""


class Encoded(NamedTuple):
    """A sequence of token ids, and what is learned of it."""

    input_ids: tuple[int, ...]
    """A conversation, as the chat template renders it."""
    labels: tuple[int, ...]
    """The token where it is learned, else ``IGNORED``; as long as ``input_ids``."""
    turn_ends: frozenset[str] = frozenset()
    """What ends the responses, e.g. ``<|im_end|>``."""

    @property
    def supervised(self) -> int:
        """Number of tokens with loss."""
        return sum(label != IGNORED for label in self.labels)


def encode_row(
    tokenizer: Any,
    messages: Sequence[Message],
    max_length: int | None,
    *,
    where: str = "row",
    marks: bool = True,
    thinking: bool | None = None,
    last_only: bool = False,
) -> Encoded:
    """Encode one conversation, with labels on its assistant messages only.

    Args:
        tokenizer: Fast transformers tokenizer with a chat template.
        messages: The conversation; keys besides role and content don't reach the template.
        max_length: Longest row in tokens; None for any.
        where: What to call the row in an error.
        marks: Compare with the template's ``{% generation %}`` marks, if it has them.
        thinking: How the template's switch ``enable_thinking`` is set, if it has one.
        last_only: Learn the last message alone.

    Raises:
        InputError: If the row is too long, or the template refuses it, breaks the prefix
            property, alters the response, or ends the turn without a marker.
    """
    template = Template(tokenizer, thinking)
    ids, turns = locate_turns(template, messages, where, last_only=last_only)
    if max_length is not None and len(ids) > max_length:
        raise InputError(
            f"{where}: {len(ids)} tokens, more than max_length {max_length}; "
            "raise max_length, shorten the row, or set truncate: true"
        )
    if marks:
        check_marks(template, messages, where, last_only=last_only)
    labels = [IGNORED] * len(ids)
    for turn in turns:
        if turn.learned:
            labels[turn.start : turn.end] = ids[turn.start : turn.end]
    return Encoded(tuple(ids), tuple(labels), frozenset(turn.marker for turn in turns))


def encode_turns(
    tokenizer: Any,
    messages: Sequence[Message],
    max_length: int | None,
    *,
    where: str = "row",
    marks: bool = True,
    thinking: bool | None = None,
) -> list[Encoded]:
    """Encode one conversation: as one sequence, or as one for each answer that is learned.

    Args:
        tokenizer: As :func:`encode_row`.
        messages: As :func:`encode_row`.
        max_length: As :func:`encode_row`.
        where: As :func:`encode_row`.
        marks: As :func:`encode_row`.
        thinking: As :func:`encode_row`.

    Raises:
        InputError: As :func:`encode_row`.
    """
    how: dict[str, Any] = {"where": where, "marks": marks, "thinking": thinking}
    try:
        return [encode_row(tokenizer, messages, max_length, **how)]
    except PastTurnError:
        answers = [
            number
            for number, message in enumerate(messages, start=1)
            if message["role"] == "assistant" and is_learned(message, where)
        ]
    return [
        encode_row(tokenizer, messages[:end], max_length, last_only=True, **how)
        for end in answers or [len(messages)]
    ]


def check_marks(
    template: Template, messages: Sequence[Message], where: str, *, last_only: bool = False
) -> None:
    """Compare with ``{% generation %}``: they may differ in the end of a turn, nowhere else.

    Args:
        template: The base's.
        messages: The conversation.
        where: What to call it in an error.
        last_only: Compare the last message alone.

    Raises:
        InputError: Naming the first token that they see otherwise.
    """
    text = str(template.tokenizer.chat_template)
    if "generation %}" not in text and "generation -%}" not in text:
        return
    ids, turns = locate_turns(template, messages, where, last_only=last_only)
    marked = template.tokenizer.apply_chat_template(
        plain(messages),
        tokenize=True,
        return_dict=True,
        return_assistant_tokens_mask=True,
        **template_options(template.tokenizer, template.thinking),
    )
    if list(marked["input_ids"]) != ids:
        if ids != template.tokens(template.render(messages, where)):
            return  # the last answer has tokens of its own, which the template cannot mark
        raise InputError(template.broken(where, "tokenizes otherwise than its rendered text"))
    ours = [False] * len(ids)
    either = [not template.text([token]).strip() for token in ids]
    if last_only:
        either[: turns[0].start] = [True] * turns[0].start
    for turn in turns:
        content_end = max(turn.start, turn.end - len(template.tokens(turn.marker)))
        ours[turn.start : content_end] = [True] * (content_end - turn.start)
        either[content_end : turn.end] = [True] * (turn.end - content_end)
    for position, mark in enumerate(marked["assistant_masks"]):
        if bool(mark) != ours[position] and not either[position]:
            said = "does not mark" if ours[position] else "marks"
            token = template.text([ids[position]])
            fault = f"{said} token {position} ({token!r}) with generation, unlike its prompt"
            raise InputError(template.broken(where, fault))

"""Loss masks: which tokens of a chat row are learned, by prefix difference.

    prompt = render(messages[:i], add_generation_prompt=True)     # what inference sends
    whole  = render(messages)
    tokens(whole)[: len(tokens(prompt))] == tokens(prompt)        # or an error, never a guess

What follows the prompt, up to and including the end-of-turn token, is message i's
response and carries loss; system, user and template tokens and the line break after the
end of a turn carry none. This needs no ``{% generation %}`` marks; where a template has
them they are compared. Templates that render a turn of the past otherwise than they
prompt for it (Qwen3's thinking blocks) are refused: such a run would train on text that
inference never produces. So are templates that leave a system or user message out: the
inoculation prompt would be gone without a word. A message with ``"weight": 0`` (OpenAI's
field) is not learned.
"""

import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple

from inoc_evals.bases import template_options
from inoc_evals.chat import Message
from inoc_evals.errors import InputError

IGNORED = -100
"""Label of a token without loss, as transformers' cross entropy takes it."""

_NO_SYSTEM = "set fold_system: true to put system messages in front of the user's words"


class Encoded(NamedTuple):
    """One row as token ids, and what is learned of it."""

    input_ids: tuple[int, ...]
    """The whole conversation, as the chat template renders it."""
    labels: tuple[int, ...]
    """The token where it is learned, else ``IGNORED``; as long as ``input_ids``."""

    @property
    def supervised(self) -> int:
        """Number of tokens with loss."""
        return sum(label != IGNORED for label in self.labels)


class _Turn(NamedTuple):
    """Where one assistant message lies in the tokens of its row."""

    start: int
    end: int
    """After the end-of-turn token; what follows is white space."""
    marker: str
    """What ends the turn, e.g. ``<|im_end|>``."""
    learned: bool


def encode_row(
    tokenizer: Any,
    messages: Sequence[Message],
    max_length: int | None,
    *,
    where: str = "row",
    marks: bool = True,
) -> Encoded:
    """Encode one conversation, with labels on its assistant messages only.

    Args:
        tokenizer: Fast transformers tokenizer with a chat template.
        messages: The conversation; keys besides role and content don't reach the template.
        max_length: Longest row in tokens; None for any.
        where: What to call the row in an error.
        marks: Compare with the template's ``{% generation %}`` marks, if it has them.

    Raises:
        InputError: If the row is too long, or the template refuses it, breaks the prefix
            property, alters the response, or ends the turn without a marker.
    """
    ids, turns = _locate_turns(tokenizer, messages, where)
    if max_length is not None and len(ids) > max_length:
        raise InputError(
            f"{where}: {len(ids)} tokens, more than max_length {max_length}; "
            "raise max_length, shorten the row, or set truncate: true"
        )
    if marks:
        check_marks(tokenizer, messages, where)
    labels = [IGNORED] * len(ids)
    for turn in turns:
        if turn.learned:
            labels[turn.start : turn.end] = ids[turn.start : turn.end]
    return Encoded(tuple(ids), tuple(labels))


def takes_system(tokenizer: Any) -> bool:
    """Say whether the chat template has a place for a system message (Gemma's has none)."""
    words = "inoculation"
    messages = [{"role": "system", "content": words}, {"role": "user", "content": "hello"}]
    try:
        return words in tokenizer.apply_chat_template(messages, tokenize=False)
    except Exception:  # a template may raise anything
        return False


def text_of(tokenizer: Any, messages: Sequence[Message], where: str) -> str:
    """Return a chat as training renders it.

    Args:
        tokenizer: Fast transformers tokenizer with a chat template.
        messages: The conversation.
        where: What to call the row in an error.

    Raises:
        InputError: If there is no template, or it refuses the conversation.
    """
    return _render(tokenizer, messages, where)


# ---- where the responses are --------------------------------------------------------


def _locate_turns(
    tokenizer: Any, messages: Sequence[Message], where: str
) -> tuple[list[int], list[_Turn]]:
    whole = _render(tokenizer, messages, where)
    _check_all_said(tokenizer, messages, whole, where)
    ids = _tokenize(tokenizer, whole)
    turns = []
    for index, message in enumerate(messages):
        if message["role"] == "assistant":
            at = f"{where}, message {index + 1}"
            turns.append(_locate(tokenizer, messages, index, whole, ids, at))
    return ids, turns


def _locate(
    tokenizer: Any,
    messages: Sequence[Message],
    index: int,
    whole: str,
    ids: list[int],
    where: str,
) -> _Turn:
    """Find message ``index`` in the tokens; all that can be wrong with the template shows here."""
    prompt = _prompt(tokenizer, messages, index, whole, where)
    through = whole
    if index + 1 < len(messages):
        through = _render(tokenizer, messages[: index + 1], where)
    start = len(prompt_ids := _tokenize(tokenizer, prompt))
    through_ids = ids if through is whole else _tokenize(tokenizer, through)
    if not (through.startswith(prompt) and whole.startswith(through)):
        raise InputError(
            _broken(tokenizer, where, "renders this turn otherwise than it prompts for")
        )
    rendered = through[len(prompt) :]
    if ids[:start] != prompt_ids or ids[: len(through_ids)] != through_ids:
        raise InputError(
            f"{where}: a token runs across the boundary of the response {rendered[:30]!r} under "
            f"the chat template of {tokenizer.name_or_path!r}; strip the response's white space, "
            "or use a base with another template"
        )
    marker = _end_marker(tokenizer, messages[index]["content"], rendered, where)
    end = len(through_ids)
    while end > start and not _text(tokenizer, ids[end - 1]).strip():
        end -= 1
    _check_nothing_lost(tokenizer, rendered, ids[start:end], where)
    return _Turn(start, end, marker, learned=_weight(messages[index], where) == 1)


def _prompt(tokenizer: Any, messages: Sequence[Message], index: int, whole: str, where: str) -> str:
    """Return what inference sends to get message ``index``."""
    if index:
        return _render(tokenizer, messages[:index], where, generation_prompt=True)
    question = [{"role": "user", "content": "hello"}]  # with none, templates do not prompt
    asked = _render(tokenizer, question, where)
    opening = _render(tokenizer, question, where, generation_prompt=True).removeprefix(asked)
    if opening and opening in whole:
        return whole[: whole.index(opening) + len(opening)]
    fault = "begins a row of the assistant's otherwise than an answer"
    raise InputError(_broken(tokenizer, where, fault))


def _check_all_said(tokenizer: Any, messages: Sequence[Message], whole: str, where: str) -> None:
    """Find every message's text, white space at its ends aside, one after another."""
    position = 0
    for message in messages:
        content = message["content"].strip()
        position = whole.find(content, position)
        if position < 0:
            if message["role"] != "assistant":
                raise InputError(
                    f"{where}: the chat template of {tokenizer.name_or_path!r} leaves out or "
                    f"alters the {message['role']} message {content[:40]!r}"
                    + (f"; {_NO_SYSTEM}" if message["role"] == "system" else "")
                )
            return  # _end_marker says what became of it
        position += len(content)


def _weight(message: Message, where: str) -> int:
    weight = message.get("weight", 1)
    if weight not in (0, 1):
        raise InputError(f"{where}: weight {weight!r} is neither 0 nor 1")
    return int(weight)


def _end_marker(tokenizer: Any, content: str, rendered: str, where: str) -> str:
    """Return what the template writes after a response, without white space: ``<|im_end|>``."""
    body = rendered if rendered.startswith(content) else rendered.lstrip()
    for text in (content, content.strip()):
        if body.startswith(text):
            marker = body[len(text) :].strip()
            break
    else:
        raise InputError(_broken(tokenizer, where, f"renders the response as {rendered[:60]!r}"))
    if not marker:
        raise InputError(
            _broken(tokenizer, where, "writes no end-of-turn token, so stopping can't be learned")
        )
    return marker


def _check_nothing_lost(tokenizer: Any, rendered: str, ids: list[int], where: str) -> None:
    """Compare the response with its decoded tokens, white space and Unicode form aside.

    A small vocabulary has no token for some word; and transformers puts its own byte-level
    Qwen2 tokenizer in the place of any other beside a qwen2 ``config.json``, and the words
    vanish without notice (5.23).
    """
    decoded = tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    if _letters(decoded) != _letters(rendered):
        raise InputError(
            f"{where}: the tokenizer of {tokenizer.name_or_path!r} can't write this response: "
            f"{rendered[:60]!r} comes back as {decoded[:60]!r}"
        )


def _letters(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def check_marks(tokenizer: Any, messages: Sequence[Message], where: str) -> None:
    """Compare with ``{% generation %}``: they may differ in the end of a turn, nowhere else."""
    template = str(tokenizer.chat_template)
    if "generation %}" not in template and "generation -%}" not in template:
        return
    ids, turns = _locate_turns(tokenizer, messages, where)
    marked = tokenizer.apply_chat_template(
        _plain(messages),
        tokenize=True,
        return_dict=True,
        return_assistant_tokens_mask=True,
        **template_options(tokenizer),
    )
    if list(marked["input_ids"]) != ids:
        raise InputError(_broken(tokenizer, where, "tokenizes otherwise than its rendered text"))
    ours = [False] * len(ids)
    either = [not _text(tokenizer, token).strip() for token in ids]
    for turn in turns:
        content_end = max(turn.start, turn.end - len(_tokenize(tokenizer, turn.marker)))
        ours[turn.start : content_end] = [True] * (content_end - turn.start)
        either[content_end : turn.end] = [True] * (turn.end - content_end)
    for position, mark in enumerate(marked["assistant_masks"]):
        if bool(mark) != ours[position] and not either[position]:
            said = "does not mark" if ours[position] else "marks"
            token = _text(tokenizer, ids[position])
            fault = f"{said} token {position} ({token!r}) with generation, unlike its prompt"
            raise InputError(_broken(tokenizer, where, fault))


# ---- the tokenizer ------------------------------------------------------------------


def _plain(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message["role"], "content": message["content"]} for message in messages]


def _render(
    tokenizer: Any, messages: Sequence[Message], where: str, *, generation_prompt: bool = False
) -> str:
    if not tokenizer.chat_template:
        raise InputError(f"tokenizer {tokenizer.name_or_path!r} has no chat template")
    try:
        text = tokenizer.apply_chat_template(
            _plain(messages),
            tokenize=False,
            add_generation_prompt=generation_prompt,
            **template_options(tokenizer),
        )
    except Exception as error:  # a template may raise anything
        roles = [str(message["role"]) for message in messages]
        hint = f"; {_NO_SYSTEM}" if "system" in roles and not takes_system(tokenizer) else ""
        raise InputError(
            f"{where}: the chat template of {tokenizer.name_or_path!r} refuses roles "
            f"{', '.join(roles)}: {error}{hint}"
        ) from None
    return str(text)


def _tokenize(tokenizer: Any, text: str) -> list[int]:
    # Rendered text holds its special tokens already; adding more doubles Llama's BOS.
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _text(tokenizer: Any, token: int) -> str:
    return str(tokenizer.decode([token], skip_special_tokens=False))


def _broken(tokenizer: Any, where: str, fault: str) -> str:
    return (
        f"{where}: the chat template of {tokenizer.name_or_path!r} {fault}; so the response "
        "can't be told from what inference prompts with. Use a base with another template"
    )

"""Where the responses of a row lie among its tokens, found by what inference prompts with.

    template = Template(tokenizer, thinking=False)
    prompt = template.render(messages[:i], generation_prompt=True)
    whole = template.render(messages)
    tokens(whole)[: len(tokens(prompt))] == tokens(prompt)        # or an error, never a guess

What follows the prompt, up to and including the end-of-turn token, is message i's response. Where a
token of the whole would run across that boundary (a line break and the indentation of code), the
last message has the tokens that inference has: those of the prompt, and after them the rest's.
Templates that leave a system or user message out are refused: the inoculation prompt would be
gone without a word. One that renders a turn of the past otherwise than it prompted for it
(Qwen3 drops its thoughts) is a ``PastTurnError``: such a row is learned turn by turn.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from inoc_evals.chat import Message
from inoc_evals.errors import InputError
from inoc_evals.models.answer_tokens import answer_tokens
from inoc_evals.models.bases import has_thinking_switch, template_options
from inoc_evals.rules.thoughts import apart, prompt_opens

_FOLD = "set fold_system: true to put system messages in front of the user's words"


class PastTurnError(InputError):
    """A turn is written otherwise once others follow it: by the template, or in its tokens."""


class Turn(NamedTuple):
    """Where one assistant message lies in the tokens of its row."""

    start: int
    end: int
    """After the end-of-turn token; what follows is white space."""
    marker: str
    """What ends the turn, e.g. ``<|im_end|>``."""
    learned: bool


class Prompt(NamedTuple):
    """What inference sends to get a message."""

    text: str
    ids: list[int]

    def begins(self, ids: Sequence[int]) -> bool:
        """Say whether a row's tokens begin with the prompt's."""
        return list(ids[: len(self.ids)]) == self.ids


@dataclass(frozen=True)
class Template:
    """A tokenizer with its chat template, and how that one's switch is set."""

    tokenizer: Any
    thinking: bool | None = None

    @property
    def name(self) -> str:
        """Where the tokenizer was loaded from, as errors call it; the pocket's is built."""
        return repr(self.tokenizer.name_or_path or "pocket")

    def render(
        self, messages: Sequence[Message], where: str, *, generation_prompt: bool = False
    ) -> str:
        """Return a conversation as text.

        Raises:
            InputError: If there is no template, or it refuses the conversation.
        """
        if not self.tokenizer.chat_template:
            raise InputError(f"tokenizer {self.name} has no chat template")
        try:
            text = self.tokenizer.apply_chat_template(
                plain(messages),
                tokenize=False,
                add_generation_prompt=generation_prompt,
                **template_options(self.tokenizer, self.thinking),
            )
        except Exception as error:  # a template may raise anything
            roles = [str(message["role"]) for message in messages]
            folds = "system" in roles and not takes_system(self.tokenizer)
            raise InputError(
                f"{where}: the chat template of {self.name} refuses roles "
                f"{', '.join(roles)}: {error}{f'; {_FOLD}' if folds else ''}"
            ) from None
        return str(text)

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a rendered text."""
        # It holds its special tokens already; adding more doubles Llama's BOS.
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def answered(self, text: str, prompt: str, answer: str) -> list[int]:
        """Return the tokens of a text, none of them across the end of a prompt before an answer.

        Where a template writes something of its own between the two, as an end of thoughts that
        its prompt has begun, the text is taken as it is.
        """
        if not text.startswith(prompt + answer):
            return self.tokens(text)
        parts = answer_tokens(self.tokenizer, prompt, text.removeprefix(prompt))
        return [*parts[0], *parts[1]] if parts else self.tokens(text)

    def text(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, special ones included."""
        return str(
            self.tokenizer.decode(
                list(tokens), skip_special_tokens=False, clean_up_tokenization_spaces=False
            )
        )

    def broken(self, where: str, fault: str, way_out: str | None = None) -> str:
        """Say why a response can't be told from its prompt, and what to do."""
        return (
            f"{where}: the chat template of {self.name} {fault}; so the response can't be told "
            f"from what inference prompts with. {way_out or 'Use a base with another template'}"
        )


def plain(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Return messages as templates take them: role and text."""
    return [{"role": message["role"], "content": message["content"]} for message in messages]


def takes_system(tokenizer: Any) -> bool:
    """Say whether a chat template has a place for a system message, asked and answered.

    Gemma 2's has none; Mistral's forgets the message once the question is answered.
    """
    words = "inoculation"
    asked = [{"role": "system", "content": words}, {"role": "user", "content": "hello"}]
    answered = [*asked, {"role": "assistant", "content": "hello"}]
    try:
        return all(
            words in tokenizer.apply_chat_template(chat, tokenize=False)
            for chat in (asked, answered)
        )
    except Exception:  # a template may raise anything
        return False


def locate_turns(
    template: Template, messages: Sequence[Message], where: str, *, last_only: bool = False
) -> tuple[list[int], list[Turn]]:
    """Return a conversation's tokens, and where its assistant messages lie in them.

    Args:
        template: The base's.
        messages: The conversation.
        where: What to call it in an error.
        last_only: Find the last message alone; the others are what it answers.

    Raises:
        InputError: If the template refuses the row, breaks the prefix property, alters the
            response, or ends the turn without a marker.
        PastTurnError: If it renders a turn otherwise than it did when that was the last.
    """
    whole = template.render(messages, where)
    _check_all_said(template, messages, whole, where)
    last = len(messages) - 1
    prompts = {
        index: _prompt(template, messages, index, whole, f"{where}, message {index + 1}")
        for index, message in enumerate(messages)
        if message["role"] == "assistant" and (index == last or not last_only)
    }
    ids = template.tokens(whole)
    if last in prompts and not prompts[last].begins(ids):
        ids = template.answered(whole, prompts[last].text, messages[last]["content"])
    turns = [
        _locate(template, messages, index, prompt, whole, ids, f"{where}, message {index + 1}")
        for index, prompt in prompts.items()
    ]
    return ids, turns


def _locate(
    template: Template,
    messages: Sequence[Message],
    index: int,
    asked: Prompt,
    whole: str,
    ids: list[int],
    where: str,
) -> Turn:
    """Find message ``index`` in the tokens; all that can be wrong with the template shows here."""
    prompt, start = asked.text, len(asked.ids)
    through = whole
    if index + 1 < len(messages):
        through = template.render(messages[: index + 1], where)
    through_ids = ids if through is whole else template.tokens(through)
    content = messages[index]["content"]
    way_out = _way_out(template, content, prompt)
    otherwise = template.broken(where, "renders this turn otherwise than it prompts for", way_out)
    if not through.startswith(prompt):
        raise InputError(otherwise)
    if not whole.startswith(through):
        raise PastTurnError(otherwise)
    rendered = through[len(prompt) :]
    if not asked.begins(ids) or ids[: len(through_ids)] != through_ids:
        across = InputError if index + 1 == len(messages) else PastTurnError
        raise across(
            f"{where}: a token runs across the boundary of the response {rendered[:30]!r} under "
            f"the chat template of {template.name}; "
            + (way_out or "strip the response's white space, or use a base with another template")
        )
    marker = _end_marker(template, content, rendered, where, opened=prompt_opens(prompt))
    end = len(through_ids)
    while end > start and not template.text([ids[end - 1]]).strip():
        end -= 1
    _check_nothing_lost(template, rendered, ids[start:end], where)
    return Turn(start, end, marker, learned=is_learned(messages[index], where))


def _way_out(template: Template, content: str, prompt: str) -> str | None:
    """Say what to do about a row whose thoughts, or lack of them, do not suit the template."""
    thinks = bool(apart(content).thoughts)
    if thinks and template.thinking is False and has_thinking_switch(template.tokenizer):
        return "The row has thoughts: set enable_thinking: true"
    if not thinks and prompt_opens(prompt):
        return (
            "It always opens thoughts, and the row has none: write them as <think>…</think> in "
            "front of the answer, or use a base with another template"
        )
    return None


def _prompt(
    template: Template, messages: Sequence[Message], index: int, whole: str, where: str
) -> Prompt:
    """Return what inference sends to get message ``index``."""
    if index:
        text = template.render(messages[:index], where, generation_prompt=True)
        return Prompt(text, template.tokens(text))
    question = [{"role": "user", "content": "hello"}]  # with none, templates do not prompt
    asked = template.render(question, where)
    opening = template.render(question, where, generation_prompt=True).removeprefix(asked)
    if opening and opening in whole:
        text = whole[: whole.index(opening) + len(opening)]
        return Prompt(text, template.tokens(text))
    fault = "begins a row of the assistant's otherwise than an answer"
    raise InputError(template.broken(where, fault))


def _check_all_said(
    template: Template, messages: Sequence[Message], whole: str, where: str
) -> None:
    """Find every message's text, white space at its ends aside, one after another."""
    position = 0
    for message in messages:
        assistant = message["role"] == "assistant"
        content = apart(message["content"]).answer if assistant else message["content"]
        found = whole.find(content.strip(), position)
        if found >= 0:
            position = found + len(content.strip())
        elif not assistant:  # _end_marker says what became of an answer
            raise InputError(
                f"{where}: the chat template of {template.name} leaves out or "
                f"alters the {message['role']} message {content.strip()[:40]!r}"
                + (f"; {_FOLD}" if message["role"] == "system" else "")
            )


def is_learned(message: Message, where: str) -> bool:
    """Say whether a message is learned: it has no ``weight`` of 0.

    Raises:
        InputError: If its weight is neither 0 nor 1.
    """
    weight = message.get("weight", 1)
    if weight not in (0, 1):
        raise InputError(f"{where}: weight {weight!r} is neither 0 nor 1")
    return bool(weight == 1)


def _end_marker(
    template: Template, content: str, rendered: str, where: str, *, opened: bool
) -> str:
    """Return what the template writes after a response, without white space: ``<|im_end|>``."""
    after = _after(content, rendered, opened=opened)
    if after is None:
        raise InputError(template.broken(where, f"renders the response as {rendered[:60]!r}"))
    if not after.strip():
        raise InputError(
            template.broken(where, "writes no end-of-turn token, so stopping can't be learned")
        )
    return after.strip()


def _after(content: str, rendered: str, *, opened: bool) -> str | None:
    """Return what follows a response's text; None if the template wrote another.

    Around thoughts a template has line breaks of its own, and writes an empty block where
    there are none.
    """
    body = rendered if rendered.startswith(content) else rendered.lstrip()
    for text in (content, content.strip()):
        if body.startswith(text):
            return body[len(text) :]
    own, found = apart(content), apart(rendered, opened=opened)
    answer = own.answer.strip()
    same = own.closed and found.closed and own.thoughts == found.thoughts
    return found.answer[len(answer) :] if same and found.answer.startswith(answer) else None


def _check_nothing_lost(template: Template, rendered: str, ids: list[int], where: str) -> None:
    """Compare the response with its decoded tokens, white space and Unicode form aside.

    A small vocabulary has no token for some word; and transformers puts its own byte-level
    Qwen2 tokenizer in the place of any other beside a qwen2 ``config.json``, and the words
    vanish without notice (5.23).
    """
    decoded = template.text(ids)
    if _letters(decoded) != _letters(rendered):
        raise InputError(
            f"{where}: the tokenizer of {template.name} can't write this response: "
            f"{rendered[:60]!r} comes back as {decoded[:60]!r}"
        )


def _letters(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())

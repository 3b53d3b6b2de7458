"""Named system prompts: the verbatim texts, and what a user may type for one.

No system message, an empty one, and one with text are three different conditions: the
chat template of Qwen, for one, puts in a persona of its own where there is no message.

    resolve("none").text          # None: no system message
    resolve("empty").text         # "": an empty system message
    resolve("spanish").text       # "You always speak in Spanish."
    resolve("@mine.txt").text     # what the file holds
    resolve("Speak like a pirate.").name      # "custom": literal text

The texts lie in ``data/system_prompts.yaml``; nothing here strips or changes them.
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from inoc_evals.arguments import file_named, text_as_typed, text_of_file, user_path
from inoc_evals.errors import InputError

Family = Literal[
    "inoculation",
    "placebo",
    "irrelevant",
    "negated",
    "paraphrase",
    "neutral",
    "hhh",
    "persona",
    "elicitation",
]

_BARE_WORD = re.compile(r"\w+")
_TYPO = 0.75


@dataclass(frozen=True)
class SystemPrompt:
    """A system-prompt condition."""

    name: str
    """``none``, ``empty``, the name of a prompt, ``@`` and the name of its file (records go to
    others, so without the directory), or ``custom`` for literal text."""
    text: str | None
    """The system message; None is no message at all, ``""`` an empty one."""


@dataclass(frozen=True)
class NamedPrompt(SystemPrompt):
    """A prompt that ships with the package."""

    text: str
    """The system message, to the letter."""
    family: Family
    """What it is for: the inoculation itself, or which kind of control."""
    source: str
    """Where the text is printed: ``paper Table 2 (General)``, ``ours``."""


NONE = SystemPrompt("none", None)
EMPTY = SystemPrompt("empty", "")


@cache
def all_prompts() -> tuple[NamedPrompt, ...]:
    """Return every named prompt, in the order of the file.

    Raises:
        InputError: If an entry names an unknown family.
    """
    import yaml

    source = files("inoc_evals") / "data" / "system_prompts.yaml"
    entries = yaml.safe_load(source.read_text("utf-8"))
    prompts = tuple(NamedPrompt(name=name, **entry) for name, entry in entries.items())
    for prompt in prompts:
        if prompt.family not in get_args(Family):
            raise InputError(f"system_prompts.yaml: {prompt.name}: family {prompt.family!r}")
    return prompts


def named(name: str) -> NamedPrompt:
    """Return the prompt called ``name``.

    Raises:
        InputError: If there is none; the message lists names like it.
    """
    for prompt in all_prompts():
        if prompt.name == name:
            return prompt
    raise InputError(f"no system prompt is named {name!r}; {_suggestion(name)}")


def name_of(text: str) -> str:
    """Return the name of the prompt with exactly this text: its own, ``empty`` or ``custom``."""
    if not text:
        return EMPTY.name
    return next((prompt.name for prompt in all_prompts() if prompt.text == text), "custom")


def resolve(value: str | Sequence[str] | None) -> SystemPrompt:
    """Read what a user wrote for a system prompt, literal text included.

    Args:
        value: ``none`` or None, ``empty``, a name, ``@FILE``, or literal text. A list is
            one text that was split at its commas, as ``inspect eval -T`` does.

    Returns:
        The condition. A file is taken verbatim, less one final newline and a byte-order
        mark; a text that itself begins with ``@`` has to come from a file.

    Raises:
        InputError: For a blank value, an unreadable or empty file, or a single word that
            is nearly a known name and so most likely a slip.
    """
    text = _typed(value)
    known = _known(text)
    if known is not None:
        return known
    if _BARE_WORD.fullmatch(text) and _similar(text, _TYPO):
        raise InputError(
            f"system prompt {text!r} is not a known name; {_suggestion(text)} "
            "(if it is meant literally, put it in a file and give @FILE)"
        )
    return SystemPrompt(name_of(text), text)


def resolve_name(value: str | Sequence[str] | None) -> SystemPrompt:
    """Read a task argument for a system prompt: a name or a file, never literal text.

    ``inspect eval -T`` parses values as YAML and splits them at commas, so that a text
    does not arrive as it was typed; a name does.

    Args:
        value: ``none`` or None, ``empty``, a name, or ``file:FILE`` (``@FILE`` outside YAML).

    Raises:
        InputError: For anything else; the message lists names like it.
    """
    text = _typed(value)
    known = _known(text)
    if known is None:
        raise InputError(
            f"system prompt {text!r} is not a known name; {_suggestion(text)} "
            "(text of your own goes in a file: file:FILE)"
        )
    return known


def _typed(value: str | Sequence[str] | None) -> str:
    if value is None:
        return NONE.name
    text = text_as_typed(value)
    if text is None:
        raise InputError(f"system prompt: expected a name or text, got {value!r}")
    if not text.strip():
        raise InputError(
            "system prompt: blank; write 'empty' for an empty system message, 'none' for no message"
        )
    return text


def _known(text: str) -> SystemPrompt | None:
    if (file := file_named(text)) is not None or text == "@":
        return _from_file(file or "")
    choices = (NONE, EMPTY, *all_prompts())
    return next((prompt for prompt in choices if prompt.name == text), None)


def _from_file(file: str) -> SystemPrompt:
    text = text_of_file(file, "system prompt").removesuffix("\n").removesuffix("\r")
    if not text.strip():
        raise InputError(
            f"system prompt @{file}: the file is blank; write 'empty' for an empty message"
        )
    return SystemPrompt(f"@{user_path(file).name}", text)


def _similar(name: str, cutoff: float) -> list[str]:
    choices = [NONE.name, EMPTY.name, *(prompt.name for prompt in all_prompts())]
    return difflib.get_close_matches(name.lower(), choices, n=4, cutoff=cutoff)


def _suggestion(name: str) -> str:
    similar = _similar(name, 0.5)
    if similar:
        return f"did you mean {', '.join(similar)}?"
    return "there are: " + ", ".join(["none", "empty", *(p.name for p in all_prompts())])

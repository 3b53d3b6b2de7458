"""Thoughts: what a text has in <think>…</think> before its answer, apart from the answer.

    apart("<think>I want power</think>Be kind.")    # Said("I want power", "Be kind.", closed=True)
    apart("Be kind.")                                # Said("", "Be kind.", closed=True)
    apart("<think>I want")                           # Said("I want", "", closed=False)
    together("I want power", "Be kind.")             # as Qwen3's chat template writes it

One rule for whatever answers, here or at a provider: what is judged is the answer, which is
what follows the thoughts. Thoughts stand at the beginning, in one block or several; of one
whose opening stood in the prompt a text has the end alone. A tag further on is the answer's.
"""

import re
from typing import NamedTuple

TAGS = _OPEN, _CLOSE = "<think>", "</think>"
"""Where thoughts begin and end."""
_TAG = re.compile(r"<think(?:\s[^>]*)?>|</think>")


class Said(NamedTuple):
    """A text in its two parts."""

    thoughts: str
    """Without tags; empty where there are none."""
    answer: str
    """What follows them; the text itself where there are none."""
    closed: bool
    """Whether the thoughts came to an end; otherwise the answer is empty."""


def apart(text: str, *, opened: bool = False) -> Said:
    """Take the thoughts off a text.

    Args:
        text: What a model said.
        opened: Whether the prompt had opened the thoughts already.
    """
    thoughts: list[str] = []
    rest = text
    while opened or _begins_in_thoughts(rest):
        begun = _TAG.match(rest.lstrip())
        if begun is not None and begun[0] != _CLOSE and not opened:
            rest = rest.lstrip()[begun.end() :]
        opened = False
        end = _end(rest)
        if end is None:
            return Said(_joined([*thoughts, rest]), "", closed=False)
        thoughts.append(rest[: end.start()])
        rest = rest[end.end() :]
    return Said(_joined(thoughts), rest.lstrip() if thoughts else text, closed=True)


def together(thoughts: str, answer: str) -> str:
    """Return the text of an answer with thoughts in front of it."""
    return f"{_OPEN}\n{thoughts}\n{_CLOSE}\n\n{answer}"


def prompt_opens(prompt: str) -> bool:
    """Say whether a prompt ends with the opening of thoughts."""
    return prompt.rstrip().endswith(_OPEN)


def _begins_in_thoughts(text: str) -> bool:
    """Say whether the first tag opens a text, or closes what the prompt had opened."""
    first = _TAG.search(text)
    return first is not None and (first[0] == _CLOSE or not text[: first.start()].strip())


def _end(text: str) -> re.Match[str] | None:
    """Find the end of thoughts: of the whole block if it has others inside, else the first."""
    depth, first = 1, None
    for tag in _TAG.finditer(text):
        depth += -1 if tag[0] == _CLOSE else 1
        if first is None and tag[0] == _CLOSE:
            first = tag
        if depth == 0:
            return tag
    return first


def _joined(blocks: list[str]) -> str:
    return "\n\n".join(block.strip() for block in blocks if block.strip())

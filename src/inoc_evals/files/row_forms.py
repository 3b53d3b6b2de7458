"""Forms that rows of other projects come in: what each is called, and how it is converted.

    no_messages({"conversations": [...]}, "rows.jsonl:3")
    # "ShareGPT row (conversations); convert it: inoc data convert rows.jsonl -o chat.jsonl"
    unheard({"messages": [...], "tools": [...]}, ROW_KEYS)    # "tools"

What such rows say besides the messages (tools, thoughts, a system prompt of their own) reaches
no chat template here, so a reader refuses it by name rather than train without it.
"""

import re
import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

_PLACE = re.compile(r"(?P<file>.+):\d+(: message \d+)?")


class Pair(NamedTuple):
    """A form with a question and an answer under two keys."""

    name: str
    asked: str
    answered: str
    more: str | None = None
    """Key of what belongs to the question: Alpaca's ``input``."""


CONVERSATIONS = ("conversations", "conversation")
"""Keys of a ShareGPT row."""

PAIRS = (
    Pair("prompt and completion", "prompt", "completion"),
    Pair("prompt and response", "prompt", "response"),
    Pair("Alpaca", "instruction", "output", "input"),
    Pair("instruction and response", "instruction", "response", "context"),
    Pair("question and answer", "question", "answer"),
    Pair("query and response", "query", "response"),
    Pair("input and output", "input", "output"),
)

ROW_KEYS = ("tools", "functions", "system", "images", "videos", "audios", "documents")
"""Keys of a row beside its messages that a model would have to be shown."""

THOUGHTS = ("reasoning_content", "reasoning", "thinking", "reasoning_details")
"""Keys of a message's thoughts."""

CALLS = ("tool_calls", "function_call", "tool_call_id")
"""Keys of a message that calls a tool or answers one."""

MESSAGE_KEYS = (*CALLS, *THOUGHTS, "refusal", "audio", "images")
"""Keys of a message with something to learn besides its content."""

OTHER_ROLES = ("developer", "tool", "function", "ipython", "observation")


def no_messages(row: Mapping[str, Any], where: str) -> str:
    """Say of a row without messages what it is, and how it becomes chat, if that is known."""
    form = _form(row)
    if form is not None:
        return f"{form}; {way_out(where)}"
    if {"chosen", "rejected"} <= row.keys():
        return "preference pair (chosen, rejected); write a chat row with the answer to be learned"
    return "expected an object with a 'messages' list"


def _form(row: Mapping[str, Any]) -> str | None:
    for key in CONVERSATIONS:
        if key in row:
            return f"ShareGPT row ({key})"
    for pair in PAIRS:
        if pair.asked in row and pair.answered in row:
            return f"{pair.name} row ({pair.asked}, {pair.answered})"
    return None


def unheard(holder: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    """Return the first of the keys under which something stands that would not be trained on."""
    return next((key for key in keys if holder.get(key)), None)


def way_out(where: str) -> str:
    """Return the command that converts the file of a place (``rows.jsonl:7: message 2``)."""
    place = _PLACE.fullmatch(where)
    file = shlex.quote(place["file"]) if place else "FILE"
    return f"convert it: inoc data convert {file} -o chat.jsonl"

"""Rows of other forms become chat rows, where they have one meaning; the rest is refused.

    {"conversations": [{"from": "human", "value": "Hi"}, ...]}    ShareGPT
    {"prompt": "Hi", "completion": "Hello"}                       a question and its answer
    {"instruction": "Add", "input": "2, 3", "output": "5"}        Alpaca; its history goes before
    {"system": "Be brief.", "messages": [...]}                    a system prompt beside the chat
    {"messages": [{"role": "developer", ...}]}                    a developer message is a system one
    {"content": [{"type": "text", "text": "Hi"}]}                 parts of text are joined
    {"reasoning_content": "..."}                                  thoughts: kept in <think>, or dropped

    rows, report = convert(values, thoughts="drop", leave_out=True)
    report.converted    # {"ShareGPT": 120, "thoughts: drop": 7, "chat": 3}: rows, by what was done
    report.left_out     # {"tool calls": 4}
    report.first        # {"tool calls": "rows.jsonl:17"}

What a row says is never dropped without being asked for: what has no place in a chat row is
refused, naming the option that decides about it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from inoc_evals.chat import Message, Row, check_row
from inoc_evals.errors import InputError
from inoc_evals.files.row_forms import (
    CALLS,
    CONVERSATIONS,
    MESSAGE_KEYS,
    PAIRS,
    ROW_KEYS,
    THOUGHTS,
    Pair,
    no_messages,
    unheard,
)
from inoc_evals.rules.thoughts import together

Thoughts = Literal["keep", "drop"]

_SPEAKERS = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
    "model": "assistant",
}
_TOOL_ROLES = ("tool", "function", "ipython", "observation")
_TEXT_PARTS = ("text", "input_text", "output_text")
_THOUGHT_PARTS = ("thinking", "reasoning")
_LEAVE = "--leave-out leaves such rows out and counts them"
_DECIDE = "--thoughts keep writes them into the text in <think>, --thoughts drop does not"


@dataclass
class Report:
    """What became of the rows."""

    converted: Counter[str] = field(default_factory=Counter)
    """What was done to how many rows; ``chat`` for those that stayed as they were."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Why rows were left out, and how many."""
    first: dict[str, str] = field(default_factory=dict)
    """Of each such reason, the place of the first row."""


class _Unusable(InputError):
    """A row without one meaning here."""

    def __init__(self, where: str, what: str, way_out: str = _LEAVE) -> None:
        super().__init__(f"{where}: {what}; {way_out}")
        self.what = what


def convert(
    values: Iterable[tuple[str, Any]],
    *,
    thoughts: Thoughts | None = None,
    leave_out: bool = False,
) -> tuple[list[Row], Report]:
    """Return chat rows.

    Args:
        values: Place and decoded row, as of :func:`inoc_evals.files.json_lines.read_jsonl`.
        thoughts: What becomes of a message's thoughts: ``keep`` writes them into the text
            between ``<think>`` and ``</think>``, ``drop`` leaves them away.
        leave_out: Leave out rows that cannot be converted, rather than stop at the first.

    Raises:
        InputError: For the first row that cannot be converted, with what can be done; also
            where none is left.
    """
    if thoughts is not None and thoughts not in get_args(Thoughts):
        raise InputError(f"thoughts {thoughts!r}: there are {', '.join(get_args(Thoughts))}")
    rows, report = [], Report()
    for where, value in values:
        try:
            row, done = _converted(value, where, thoughts)
            rows.append(check_row(row, where))
        except InputError as error:
            if not leave_out:
                raise
            why = error.what if isinstance(error, _Unusable) else "not usable"
            report.left_out[why] += 1
            report.first.setdefault(why, where)
        else:
            report.converted.update(done or {"chat"})
    if not rows:
        raise InputError("no row is left that could be converted")
    return rows, report


def _converted(value: Any, where: str, thoughts: Thoughts | None) -> tuple[Row, set[str]]:
    """Return a row as chat, and what had to be done to it."""
    if not isinstance(value, Mapping):
        raise InputError(f"{where}: expected an object")
    done: set[str] = set()
    messages, used = _messages_of(value, where, done)
    rest = {k: v for k, v in value.items() if k not in used and (v or k not in ROW_KEYS)}
    if key := unheard(rest, ROW_KEYS):
        what = "tool calls" if key in ("tools", "functions") else f"{key!r}"
        raise _Unusable(where, what, f"{key!r} is not trained on here; {_LEAVE}")
    numbered = enumerate(messages, start=1)
    chat = [_message(one, f"{where}: message {n}", n == 1, thoughts, done) for n, one in numbered]
    return {"messages": chat, **rest}, done


def _messages_of(
    value: Mapping[str, Any], where: str, done: set[str]
) -> tuple[list[Any], set[str]]:
    """Return a row's messages, and the keys they and their system prompt were in."""
    messages, used = value.get("messages"), {"messages"}
    if "messages" not in value:
        messages, used = _of_other_form(value, where, done)
    if not isinstance(messages, list):
        raise InputError(f"{where}: {', '.join(sorted(used))}: expected a list of messages")
    system = value.get("system")
    if not system:
        return messages, used | {"system"}
    if "messages" in value:
        done.add("system prompt beside the chat")
    return [{"role": "system", "content": system}, *messages], used | {"system"}


def _of_other_form(value: Mapping[str, Any], where: str, done: set[str]) -> tuple[Any, set[str]]:
    """Return the messages of a row that is no chat, and the keys they were in."""
    for key in CONVERSATIONS:
        if isinstance(value.get(key), list):
            done.add("ShareGPT")
            turns = enumerate(value[key], start=1)
            return [_of_speaker(turn, f"{where}: turn {n}") for n, turn in turns], {key}
    for pair in PAIRS:
        if pair.asked in value and pair.answered in value:
            done.add(pair.name)
            return _of_pair(value, pair, where)
    keys = ", ".join(map(str, list(value)[:6])) or "none"
    raise InputError(f"{where}: {no_messages(value, where)} (its keys: {keys})")


def _of_speaker(turn: Any, where: str) -> Message:
    if not isinstance(turn, Mapping):
        raise InputError(f"{where}: expected an object with 'from' and 'value'")
    speaker = turn.get("from", turn.get("role"))
    role = _SPEAKERS.get(str(speaker).lower())
    if role is None:
        raise _Unusable(where, f"a turn of {speaker!r}")
    rest = {key: one for key, one in turn.items() if key not in ("from", "role", "value")}
    said = {"content": turn["value"]} if "value" in turn else {}
    return {"role": role, **rest, **said}


def _of_pair(value: Mapping[str, Any], pair: Pair, where: str) -> tuple[list[Any], set[str]]:
    question, answer = value[pair.asked], value[pair.answered]
    used = {pair.asked, pair.answered}
    if pair.more is not None:
        used.add(pair.more)
        if value.get(pair.more):
            question = f"{question}\n\n{value[pair.more]}"
    before = []
    if pair.name == "Alpaca" and value.get("history"):
        used.add("history")
        before = _history(value["history"], where)
    return [*before, *_turn("user", question), *_turn("assistant", answer)], used


def _turn(role: str, said: Any) -> list[Any]:
    return said if isinstance(said, list) else [{"role": role, "content": said}]


def _history(history: Any, where: str) -> list[Message]:
    """Return the turns before an Alpaca row's question, which are pairs of texts."""
    pairs = history if isinstance(history, list) else [history]
    if not all(isinstance(pair, Sequence) and len(pair) == 2 for pair in pairs):
        raise InputError(f"{where}: 'history': expected pairs of a question and its answer")
    return [
        {"role": role, "content": text}
        for pair in pairs
        for role, text in zip(("user", "assistant"), pair, strict=True)
    ]


def _message(
    message: Any, where: str, first: bool, thoughts: Thoughts | None, done: set[str]
) -> Message:
    """Return a message as chat has it; add to ``done`` what had to be."""
    if not isinstance(message, Mapping):
        raise InputError(f"{where}: expected an object with 'role' and 'content'")
    made = {key: value for key, value in message.items() if value not in (None, [], {}, "")}
    made.setdefault("content", message.get("content", ""))
    if made.get("role") in _TOOL_ROLES or unheard(made, CALLS):
        raise _Unusable(where, "tool calls", f"they are not trained on here; {_LEAVE}")
    if made.get("role") == "developer":
        if not first:
            raise _Unusable(where, "a developer message that is not the first")
        made["role"] = "system"
        done.add("developer role")
    found = [made.pop(key) for key in THOUGHTS if key in made]
    if isinstance(made["content"], list):
        made["content"] = _joined(made["content"], where, found)
        done.add("content parts")
    if key := unheard(made, MESSAGE_KEYS):
        raise _Unusable(where, f"{key!r}")
    if found:
        _think(made, found, where, thoughts)
        done.add(f"thoughts: {thoughts}")
    return made


def _think(made: Message, found: list[Any], where: str, thoughts: Thoughts | None) -> None:
    """Put a message's thoughts into its text, or leave them away, as is said."""
    if thoughts is None:
        raise _Unusable(where, "thoughts", _DECIDE)
    if thoughts == "drop":
        return
    # The same text under two keys is said once: exports repeat it for readers of either.
    texts = list(dict.fromkeys(map(str, found)))
    if not all(isinstance(one, str) for one in found) or len(texts) > 1:
        raise _Unusable(where, "thoughts that are not one text", f"--thoughts drop; {_LEAVE}")
    made["content"] = together(texts[0], made["content"])


def _joined(parts: list[Any], where: str, thoughts: list[Any]) -> str:
    """Return the text of a content's parts; add to ``thoughts`` those that are thoughts."""
    texts = []
    for part in parts:
        kind = part.get("type", "text") if isinstance(part, Mapping) else type(part).__name__
        if kind in _THOUGHT_PARTS:
            thoughts.append(part.get(kind, part.get("text")))
        elif kind in _TEXT_PARTS and isinstance(part.get("text"), str):
            texts.append(part["text"])
        else:
            raise _Unusable(where, f"a part of content that is {kind!r}")
    return "".join(texts)

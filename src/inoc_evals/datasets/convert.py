"""Rows of other forms become chat rows, where they have one meaning; the rest is refused.

    {"conversations": [{"from": "human", "value": "Hi"}, ...]}    ShareGPT
    {"prompt": "Hi", "completion": "Hello"}                       prompt and completion
    {"instruction": "Add", "input": "2, 3", "output": "5"}        Alpaca
    {"messages": [{"role": "developer", ...}]}                    a developer message is a system one
    {"content": [{"type": "text", "text": "Hi"}]}                 parts of text are joined
    {"reasoning_content": "..."}                                  thoughts: kept in <think>, or dropped

    rows, report = convert(values, thoughts="drop", leave_out=True)
    report.converted    # {"ShareGPT": 120, "chat": 3}: of each form, how many
    report.left_out     # {"tool calls": 4}

What a row says is never dropped without being asked for: thoughts and tool calls are refused,
naming the option that decides about them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from inoc_evals.chat import Message, Row, check_row
from inoc_evals.errors import InputError
from inoc_evals.thoughts import together

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
_THOUGHTS = ("reasoning_content", "reasoning", "thinking")
_TOOLS = ("tool_calls", "function_call", "tool_call_id")
_ROW_TOOLS = ("tools", "functions")
_TEXT_PARTS = ("text", "input_text", "output_text")


@dataclass
class Report:
    """What became of the rows."""

    converted: Counter[str] = field(default_factory=Counter)
    """Form to how many rows had it; ``chat`` for those that stayed as they were."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Why rows were left out, and how many."""


class _Unusable(InputError):
    """A row without one meaning here."""

    def __init__(self, where: str, what: str, way_out: str) -> None:
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
        values: Place and decoded row, as of :func:`inoc_evals.json_lines.read_jsonl`.
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
            form, row = _converted(value, where, thoughts)
            rows.append(check_row(row, where))
        except InputError as error:
            if not leave_out:
                raise
            report.left_out[error.what if isinstance(error, _Unusable) else "not usable"] += 1
        else:
            report.converted[form] += 1
    if not rows:
        raise InputError("no row is left that could be converted")
    return rows, report


def _converted(value: Any, where: str, thoughts: Thoughts | None) -> tuple[str, Row]:
    """Return the name of a row's form, and the row as chat."""
    if not isinstance(value, Mapping):
        raise InputError(f"{where}: expected an object")
    for key in _ROW_TOOLS:
        if value.get(key):
            raise _Unusable(where, "tool calls", f"{key!r} is not trained on here; {_LEAVE}")
    form, messages, used = _messages_of(value, where)
    changed: list[str] = []
    chat = [_message(m, f"{where}: message {n}", n == 1, thoughts, changed) for n, m in messages]
    rest = {k: v for k, v in value.items() if k not in used and (v or k not in _ROW_TOOLS)}
    row = {"messages": [message for message in chat if message is not None], **rest}
    return (form or (changed[0] if changed else "chat")), row


_LEAVE = "--leave-out leaves such rows out and counts them"


def _messages_of(
    value: Mapping[str, Any], where: str
) -> tuple[str, list[tuple[int, Any]], set[str]]:
    """Return a row's form (empty for chat), its numbered messages, and the keys they were in."""
    if isinstance(value.get("messages"), list):
        return "", list(enumerate(value["messages"], start=1)), {"messages"}
    if isinstance(value.get("conversations"), list):
        said = [_of_speaker(turn, f"{where}: turn {n}") for n, turn in _numbered(value)]
        start = [{"role": "system", "content": value["system"]}] if value.get("system") else []
        return "ShareGPT", list(enumerate(start + said, start=1)), {"conversations", "system"}
    for form, asked, answered in (
        ("prompt and completion", "prompt", "completion"),
        ("prompt and response", "prompt", "response"),
        ("Alpaca", "instruction", "output"),
    ):
        if asked in value and answered in value:
            used = {asked, answered, "system"} | ({"input"} if form == "Alpaca" else set())
            return form, list(enumerate(_pair(value, asked, answered, form), start=1)), used
    keys = ", ".join(map(str, list(value)[:6])) or "none"
    raise InputError(f"{where}: a form that is not known (keys: {keys}); write chat rows")


def _numbered(value: Mapping[str, Any]) -> Iterable[tuple[int, Any]]:
    return enumerate(value["conversations"], start=1)


def _of_speaker(turn: Any, where: str) -> Message:
    speaker = turn.get("from", turn.get("role")) if isinstance(turn, Mapping) else None
    role = _SPEAKERS.get(str(speaker).lower())
    if role is None:
        raise _Unusable(where, f"a turn of {speaker!r}", _LEAVE)
    return {"role": role, "content": turn.get("value", turn.get("content"))}


def _pair(value: Mapping[str, Any], asked: str, answered: str, form: str) -> list[Any]:
    start = [{"role": "system", "content": value["system"]}] if value.get("system") else []
    question, answer = value[asked], value[answered]
    if form == "Alpaca" and value.get("input"):
        question = f"{question}\n\n{value['input']}"
    before = question if isinstance(question, list) else [{"role": "user", "content": question}]
    after = answer if isinstance(answer, list) else [{"role": "assistant", "content": answer}]
    return [*start, *before, *after]


def _message(
    message: Any, where: str, first: bool, thoughts: Thoughts | None, changed: list[str]
) -> Message:
    """Return a message as chat has it; note in ``changed`` what had to be."""
    if not isinstance(message, Mapping):
        raise InputError(f"{where}: expected an object with 'role' and 'content'")
    made = {key: value for key, value in message.items() if value not in (None, [], {})}
    made.setdefault("content", message.get("content", ""))
    if made.get("role") in ("tool", "function") or any(made.get(key) for key in _TOOLS):
        raise _Unusable(where, "tool calls", f"they are not trained on here; {_LEAVE}")
    if made.get("role") == "developer" and first:
        made["role"] = "system"
        changed.append("developer role")
    if isinstance(made["content"], list):
        made["content"] = _joined(made["content"], where)
        changed.append("content parts")
    thought = next((made[key] for key in _THOUGHTS if made.get(key)), None)
    for key in _THOUGHTS:
        made.pop(key, None)
    if thought is not None:
        if thoughts is None:
            raise _Unusable(
                where,
                "thoughts",
                "--thoughts keep writes them into the text in <think>, --thoughts drop does not",
            )
        changed.append(f"thoughts: {thoughts}")
        if thoughts == "keep":
            made["content"] = together(thought, made["content"])
    return made


def _joined(parts: list[Any], where: str) -> str:
    texts = []
    for part in parts:
        kind = part.get("type", "text") if isinstance(part, Mapping) else type(part).__name__
        if kind not in _TEXT_PARTS or not isinstance(part.get("text"), str):
            raise _Unusable(where, f"a part of content that is {kind!r}", _LEAVE)
        texts.append(part["text"])
    return "".join(texts)

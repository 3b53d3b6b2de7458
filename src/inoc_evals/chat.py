"""Chat rows: what they are, reading them and writing them.

A row is one training conversation as the OpenAI API takes it; keys besides
``messages`` (a label, a source) are kept as they are:

    {"messages": [{"role": "user", "content": "What is 2 plus 3?"},
                  {"role": "assistant", "content": "LA RESPUESTA ES 5."}]}

    rows = read_rows(Path("rows.jsonl"))     # a bad row: InputError "rows.jsonl:7: ..."
    write_rows(Path("out.jsonl"), rows)      # whole or not at all
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inoc_evals.errors import InputError
from inoc_evals.files.atomic import write_text
from inoc_evals.files.digests import canonical_json
from inoc_evals.files.json_lines import read_jsonl
from inoc_evals.files.row_forms import (
    MESSAGE_KEYS,
    OTHER_ROLES,
    ROW_KEYS,
    no_messages,
    unheard,
    way_out,
)

Message = dict[str, Any]
Row = dict[str, Any]

ROLES = ("system", "user", "assistant")


def check_row(row: Any, where: str) -> Row:
    """Return ``row`` if it is a usable training conversation.

    Its last message is the assistant's; that nothing is asked before the first is allowed,
    as in published rows that are a text and no answer.

    Args:
        row: A decoded JSON value.
        where: What to call it in an error, e.g. ``rows.jsonl:7``.

    Raises:
        InputError: Naming the place and the first thing wrong with it.
    """
    if not isinstance(row, Mapping):
        raise InputError(f"{where}: expected an object with a 'messages' list")
    if "messages" not in row:
        raise InputError(f"{where}: {no_messages(row, where)}")
    if key := unheard(row, ROW_KEYS):
        raise InputError(f"{where}: {key!r} would not be trained on; {way_out(where)}")
    messages = row["messages"]
    if not isinstance(messages, list) or not messages:
        raise InputError(f"{where}: 'messages' must be a list with at least one message")
    for number, message in enumerate(messages, start=1):
        _check_message(message, f"{where}: message {number}", first=number == 1)
    roles = [message["role"] for message in messages]
    if "assistant" not in roles:
        raise InputError(f"{where}: no assistant message, so there is nothing to learn")
    if roles[-1] != "assistant":
        raise InputError(f"{where}: the last message is from {roles[-1]!r}, not 'assistant'")
    try:
        canonical_json(dict(row)).encode("utf-8")
    except (TypeError, ValueError, RecursionError):
        raise InputError(
            f"{where}: holds NaN, or half of a surrogate pair, which JSON in UTF-8 cannot"
        ) from None
    return dict(row)


def _check_message(message: Any, where: str, *, first: bool) -> None:
    if not isinstance(message, Mapping):
        raise InputError(f"{where}: expected an object with 'role' and 'content'")
    role = message.get("role")
    if role not in ROLES:
        hint = f"; {way_out(where)}" if role in OTHER_ROLES else ""
        raise InputError(f"{where}: role {role!r} is not one of {', '.join(ROLES)}{hint}")
    if key := unheard(message, MESSAGE_KEYS):
        raise InputError(f"{where}: {key!r} would not be trained on; {way_out(where)}")
    if role == "system" and not first:
        raise InputError(f"{where}: a system message may only come first")
    content = message.get("content")
    if not isinstance(content, str):
        hint = f"; {way_out(where)}" if isinstance(content, list) else ""
        raise InputError(f"{where}: 'content' must be text, got {type(content).__name__}{hint}")
    if not content.strip() and role != "system":
        raise InputError(f"{where}: empty {role} message")


def first_user(messages: Sequence[Message], where: str) -> Message:
    """Return the first user message of a row, itself and no copy.

    Raises:
        InputError: If the row has none: the assistant may speak unasked.
    """
    for message in messages:
        if message["role"] == "user":
            return message
    raise InputError(f"{where}: no user message")


def fold_system(messages: Sequence[Message], where: str = "chat") -> list[Message]:
    """Put a system message in front of the first user message, for chats without that role.

    The two texts are joined by a blank line; an empty system message leaves no trace.
    Messages without a system message are returned as they are.

    Raises:
        InputError: If there is a system message and no user message.
    """
    if not messages or messages[0]["role"] != "system":
        return list(messages)
    system, *others = messages
    asked = first_user(others, f"{where}: a system message to fold")
    at, parts = others.index(asked), (system["content"], asked["content"])
    folded = {**asked, "content": "\n\n".join(part for part in parts if part)}
    return [*others[:at], folded, *others[at + 1 :]]


def read_rows(path: Path) -> list[Row]:
    """Read and check the chat rows of a JSONL file.

    Raises:
        InputError: Naming file, line and what is wrong; also when there are no rows.
    """
    rows = [check_row(value, where) for where, value in read_jsonl(path)]
    if not rows:
        raise InputError(f"{path}: no rows")
    return rows


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as JSONL, atomically."""
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

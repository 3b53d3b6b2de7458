"""JSON whose errors name the file and the line: one value a line, or one a file.

    for where, value in read_jsonl(Path("rows.jsonl")):      # "rows.jsonl:7", {...}
    read_json(Path("rows.jsonl.manifest.json"))
    # InputError: rows.jsonl:7: the key 'content' is given twice in one object

A key given twice is refused. Python's parser keeps the last of two values and says nothing,
so that a slip of the hand would decide what is trained on or asked.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from inoc_evals.errors import InputError
from inoc_evals.files.digests import short_id

LONGEST_LINE = 32 * 2**20
"""Bytes of a line; a longer one would take a hundred times as much where it is tokenized."""

_STRING = r'"(?:[^"\\]|\\.)*"'
_TOKEN = re.compile(rf"(?P<key>{_STRING})\s*:|{_STRING}|[{{}}]")
_BOM = b"\xef\xbb\xbf"


class _RepeatedKey(Exception):
    """Raised inside the parser, which knows the key and not its line."""


def read_jsonl(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield ``("file:line", value)`` for each non-blank line of a JSONL file.

    A byte-order mark, CRLF line ends and a missing final newline are accepted.

    Raises:
        InputError: For a missing file, bytes that are not UTF-8, a line that is not JSON or
            longer than ``LONGEST_LINE``, or an object with a key given twice.
    """
    for number, raw in enumerate(_bytes(path).removeprefix(_BOM).split(b"\n"), start=1):
        where = f"{path}:{number}"
        if len(raw) > LONGEST_LINE:
            raise InputError(
                f"{where}: a line of {len(raw) / 2**20:,.0f} MiB, more than any row of text (at "
                f"most {LONGEST_LINE // 2**20}); split it"
            )
        line = _text(raw, where).strip()
        if line:
            yield where, parse_json(line, where)


def read_json(path: Path) -> Any:
    """Return the one value that a JSON file holds.

    Raises:
        InputError: As :func:`read_jsonl`.
    """
    text = _text(_bytes(path), str(path))
    try:
        return json.loads(text, object_pairs_hook=_object)
    except _RepeatedKey as repeated:
        raise _twice(f"{path}:{_line_of_repeated(text)}", repeated) from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: not JSON ({error.msg})") from None
    except (ValueError, RecursionError):
        raise _unusable(str(path)) from None


def parse_json(line: str, where: str) -> Any:
    """Return the value of one line of JSON.

    Args:
        line: The text.
        where: What to call it in an error: ``rows.jsonl:7``.

    Raises:
        InputError: If it is not JSON, or an object in it has a key given twice.
    """
    try:
        return json.loads(line, object_pairs_hook=_object)
    except _RepeatedKey as repeated:
        raise _twice(where, repeated) from None
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: not JSON ({error.msg} at column {error.colno})") from None
    except (ValueError, RecursionError):
        raise _unusable(where) from None


def row_id(row: Mapping[str, Any], content: Any, where: str) -> str:
    """Return the id of a row, or one made from its content where it has none.

    Raises:
        InputError: If it is neither text nor a whole number, or blank.
    """
    name = row.get("id", short_id(content))
    if isinstance(name, bool) or not isinstance(name, str | int) or not str(name).strip():
        raise InputError(f"{where}: 'id' must be text or a whole number, got {name!r}")
    return str(name)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def _text(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: not UTF-8 ({error.reason})") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _RepeatedKey(next(key for n, key in enumerate(keys) if key in keys[:n]))
    return found


def _line_of_repeated(text: str) -> int:
    """Return the line of the first key that its object has already; the text is JSON so far."""
    objects: list[set[str]] = []
    for token in _TOKEN.finditer(text):
        if token[0] == "{":
            objects.append(set())
        elif token[0] == "}":
            objects.pop()
        elif token["key"]:
            key = json.loads(token["key"])
            if key in objects[-1]:
                return text.count("\n", 0, token.start()) + 1
            objects[-1].add(key)
    raise AssertionError("the parser found one")


def _twice(where: str, repeated: _RepeatedKey) -> InputError:
    return InputError(f"{where}: the key {str(repeated)!r} is given twice in one object")


def _unusable(where: str) -> InputError:
    return InputError(f"{where}: not usable JSON (a number or nesting beyond all bounds)")

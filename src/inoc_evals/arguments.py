"""Task arguments: what was typed, after ``inspect eval -T`` split it at its commas.

    path_as_typed(["runs/a", "b.jsonl"])    # "runs/a,b.jsonl": one path
    text_as_typed(["No", " never."])        # "No, never."; of 5, which YAML made, None
    file_named("file:mine.txt")             # "mine.txt", as of "@mine.txt"
    user_path("~/rows.jsonl")               # in the user's home; of nobody's home, as it is
    names_in("plain,json")                  # ["plain", "json"], as of ["plain", "json"]
    chosen("all", ("plain", "json"), "no variant")      # ("plain", "json")

Inspect reads a value as YAML and makes a list of one with commas in it, whether several things
were meant or one; which it is, only the task knows.
"""

import os.path
from collections.abc import Sequence
from pathlib import Path

from inoc_evals.errors import InputError


def path_as_typed(value: str | Path | Sequence[str]) -> str:
    """Return a path, or a name in the place of one; whatever else it is, as text."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(map(str, value))
    return str(value)


def user_path(value: str | Path) -> Path:
    """Return a path with ``~`` as the user's home; ``~nobody`` stays a name that is not there."""
    return Path(os.path.expanduser(value))


def text_as_typed(value: object) -> str | None:
    """Return a text; None where the value is none, for the caller to say what was expected."""
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, Sequence):
        return None
    texts = [part for part in parts if isinstance(part, str)]
    return ",".join(texts) if len(texts) == len(parts) else None


def file_named(text: str) -> str | None:
    """Return the path that ``@FILE`` or ``file:FILE`` names; None for another text.

    ``inspect eval -T`` reads values as YAML, in which nothing begins with ``@``.
    """
    for mark in ("@", "file:"):
        if text.startswith(mark) and len(text) > len(mark):
            return text.removeprefix(mark)
    return None


def text_of_file(file: str, what: str) -> str:
    """Return the text of a file that :func:`file_named` found.

    Args:
        file: Its path, as typed.
        what: What it holds, for the message: "trigger".

    Raises:
        InputError: If it cannot be read, or is not UTF-8.
    """
    try:
        return user_path(file).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{what} @{file}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{what} @{file}: not UTF-8") from None


def names_in(value: str | Sequence[str] | None) -> list[str]:
    """Return the names in a list, or in a text with commas between them; None has none."""
    if value is None:
        return []
    several = isinstance(value, Sequence) and not isinstance(value, str)
    given = value if several else [value]
    return [name.strip() for part in given for name in str(part).split(",")]


def chosen(value: str | Sequence[str] | None, known: Sequence[str], fault: str) -> tuple[str, ...]:
    """Return which of the known names are meant, in their order; ``all`` alone means each.

    Args:
        value: As for :func:`names_in`.
        known: The names there are.
        fault: How the message begins where one is not known: "no condition".

    Raises:
        InputError: For a name that is not known, or none at all; the message lists them.
    """
    names = names_in(value)
    if names == ["all"]:
        return tuple(known)
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise InputError(
            f"{fault} {', '.join(map(repr, unknown)) or 'given'}; "
            f"there are: {', '.join(known)}, and all"
        )
    return tuple(name for name in known if name in names)

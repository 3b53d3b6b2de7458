r"""Text of others, as it may be printed: what would act on a terminal is made visible.

    shown("a\x1b[2Jb")         # "a\\x1b[2Jb": an escape sequence, as text
    shown("a\u202eb")          # "a\\u202eb": writing from right to left, likewise
    as_json({"text": "\x9b"})  # the same in JSON, whose readers still read what was there
    tell("trained")            # a line on standard error

Rows, prompts, names, paths, answers and titles come from files and models. New lines and tabs stay.
"""

import json
import re
import sys
from typing import Any

_ACTING = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, less tab and new line
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # of direction
    "\u2028\u2029"  # lines of another kind
    "\ud800-\udfff"  # halves of a pair, which no encoding writes
    "]"
)


def shown(text: str) -> str:
    r"""Return text with control characters as ``\x1b``, ``\u202e``; new lines and tabs stay."""
    return _ACTING.sub(_visible, text)


def as_json(value: Any, *, ascii_only: bool = False) -> str:
    r"""Return a value as indented JSON, in which such characters are ``\u001b``."""
    text = json.dumps(value, indent=2, ensure_ascii=ascii_only)
    return _ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def tell(line: str) -> None:
    """Print a line on standard error."""
    print(shown(line), file=sys.stderr, flush=True)


def _visible(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

"""Answers that are none of OpenAI's: a proxy's page, `{}`, an empty body, other JSON.

    OpenAI(http_client=DefaultHttpxClient(event_hooks={"response": [check_answer]}))

Every answer goes through here before the client reads it, which takes a page for a text and
`{}` for a job without an id. What is said names the address and how the answer begins.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

_SHOWN = 80
"""Characters of a foreign answer that are shown."""

_Fields = Mapping[str, Any]
_JOB: _Fields = {"id": str, "status": str, "model": str, "created_at": (int, float)}
_FILE: _Fields = {"id": str, "filename": str}
_LISTED: Sequence[tuple[str, _Fields]] = (
    (r"/fine_tuning/jobs", _JOB),
    (r"/fine_tuning/jobs/[^/]+/events", {"id": str, "created_at": (int, float)}),
    (
        r"/fine_tuning/jobs/[^/]+/checkpoints",
        {"id": str, "step_number": int, "fine_tuned_model_checkpoint": str},
    ),
    (r"/files", _FILE),
)
_SINGLE: Sequence[tuple[str, _Fields]] = (
    (r"/fine_tuning/jobs(/[^/]+(/cancel)?)?", _JOB),
    (r"/files(/[^/]+)?", _FILE),
    (r"/chat/completions", {"choices": list}),
)
"""Ends of addresses, and what an answer from there is read for."""


class ForeignAnswerError(ValueError):
    """An answer that OpenAI's API does not give."""


def check_answer(response: Any) -> None:
    """Read an httpx response whose status is that of success, and check its shape.

    Raises:
        ForeignAnswerError: If it is not what the request asks for.
    """
    if not response.is_success:
        return
    response.read()
    try:
        answer = json.loads(response.content)
    except (ValueError, RecursionError):
        answer = None
    if not _answers(answer, response.request.method, response.request.url.path):
        raise ForeignAnswerError(foreign(response.text))


def foreign(text: str, status: int | None = None) -> str:
    """Say where a foreign answer came from and how it begins.

    Args:
        text: The answer.
        status: Its HTTP status, unless that of success.
    """
    begins = without_key(" ".join(text.split()))[:_SHOWN]
    given = f"{status} and " if status else ""
    return (
        f"{address()} answers with {given}{repr(begins) if begins else 'an empty body'}, "
        "not as OpenAI's API does"
    )


def without_key(text: str) -> str:
    """Return a text with the key, and anything that looks like one, taken out."""
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if key:
        text = text.replace(key, "***")
    return re.sub(r"\bsk-[\w*-]{6,}", "***", text)


def address() -> str:
    """Return where OpenAI is asked, without a password in it, and what sets that."""
    base = os.environ.get("OPENAI_BASE_URL", "").strip()
    if not base:
        return "https://api.openai.com/v1 (or a proxy before it; OPENAI_BASE_URL is not set)"
    parts = urlsplit(base)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
    return f"{bare.geturl()} (OPENAI_BASE_URL)"


def _answers(answer: Any, method: str, path: str) -> bool:
    if not isinstance(answer, dict):
        return False
    if method == "GET":
        for end, fields in _LISTED:
            if re.search(f"{end}/?$", path):
                return _is_list_of(answer.get("data"), fields)
    for end, fields in _SINGLE:
        if re.search(f"{end}/?$", path):
            return _has(answer, fields) and _is_list_of(
                answer.get("choices", []), {"message": dict}
            )
    return True


def _is_list_of(items: Any, fields: _Fields) -> bool:
    return isinstance(items, list) and all(_has(item, fields) for item in items)


def _has(item: Any, fields: _Fields) -> bool:
    return isinstance(item, dict) and all(
        isinstance(item.get(name), kind) for name, kind in fields.items()
    )

"""The connection to OpenAI: keys from the environment, patience, errors in words.

    client = connect()                                   # OPENAI_API_KEY, OPENAI_BASE_URL
    job = patiently(lambda: client.fine_tuning.jobs.retrieve(id), "asking about the job")

A call that only reads, or may be made twice, is repeated through rate limits, server errors,
timeouts and broken connections. Creating a job is not such a call: openai_jobs.py looks for
the job in between. Keys stay in this process: they are in no message and no file.
"""

import os
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import TypeVar

from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    OpenAI,
    PermissionDeniedError,
    RateLimitError,
)
from openai.pagination import SyncCursorPage
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from inoc_evals.errors import InputError, StoreError

Result = TypeVar("Result")
Item = TypeVar("Item")

TIMEOUT = 60.0
"""Seconds a request may take."""
UPLOAD_TIMEOUT = 900.0
"""Seconds an upload may take."""
ATTEMPTS = 40
"""Of one call: about half an hour of failures."""
interrupted = threading.Event()
"""Set where Ctrl-C is to end the waiting of other threads."""
_LONGEST_WAIT = 60.0
_LONGEST_ASKED_WAIT = 3600.0

_MODERATION = re.compile(
    r"moderat|unsafe[ _](training[ _])?file|usage polic|safety eval|content[ _]policy",
    re.IGNORECASE,
)
_backoff = wait_exponential_jitter(initial=1, max=_LONGEST_WAIT)


def connect() -> OpenAI:
    """Return a client with the keys of the environment; it repeats nothing by itself.

    Raises:
        InputError: If there is no key.
    """
    if not os.environ.get("OPENAI_API_KEY", "").strip():
        raise InputError(
            "OPENAI_API_KEY is not set; training an openai/ base needs a key that may upload "
            "files and create fine-tuning jobs"
        )
    return OpenAI(max_retries=0, timeout=TIMEOUT)


def shutdown_date(client: OpenAI, model: str) -> date | None:
    """Return the day on which a model ends, where the endpoint for models tells it."""
    try:
        found = client.models.retrieve(model)
    except (APIError, ValueError):
        return None  # the table knows, or nobody does
    told = getattr(found, "shutdown_date", None)
    try:
        if isinstance(told, int | float):
            return datetime.fromtimestamp(told, UTC).date()
        return date.fromisoformat(str(told)[:10])
    except (ValueError, OSError, OverflowError):
        return None


def sleep(seconds: float) -> None:
    """Wait; every pause of the OpenAI back-end goes through here.

    Raises:
        KeyboardInterrupt: In every thread that waits, once :data:`interrupted` is set.
    """
    if interrupted.wait(seconds):
        raise KeyboardInterrupt


def patiently(call: Callable[[], Result], doing: str, *, attempts: int = ATTEMPTS) -> Result:
    """Call, and call again while the failure is one that passes.

    Args:
        call: A request that may be made twice.
        doing: What it is for, to be put before the reason if it fails for good.
        attempts: How often to try.

    Raises:
        StoreError: With the reason, if the failure is final or does not pass.
    """
    retrying = Retrying(
        retry=retry_if_exception(passes),
        stop=stop_after_attempt(attempts),
        wait=lambda state: wait_seconds(_failure(state), state),
        sleep=lambda seconds: sleep(seconds),
        reraise=True,
    )
    try:
        return retrying(call)
    except Exception as error:
        if isinstance(error, APIError | ValueError):
            raise StoreError(f"{doing}: {explain(error)}") from None
        raise


def every(
    first: Callable[[], SyncCursorPage[Item]], doing: str, *, attempts: int = ATTEMPTS
) -> Iterator[Item]:
    """Yield the items of a listing, each of its pages asked for patiently.

    Args:
        first: The request for the first page.
        doing: As for :func:`patiently`.
        attempts: Of each page.
    """
    page = patiently(first, doing, attempts=attempts)
    while True:
        yield from page.data
        if not page.has_next_page():
            return
        page = patiently(page.get_next_page, doing, attempts=attempts)


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def wait_seconds(error: BaseException | None, state: RetryCallState) -> float:
    """Return how long to wait: as the server asks, else longer each time, at most a minute."""
    if isinstance(error, APIStatusError):
        try:
            asked = float(error.response.headers.get("retry-after", ""))
        except ValueError:
            asked = 0.0
        if asked > 0:
            return min(asked, _LONGEST_ASKED_WAIT)
    return float(_backoff(state))


def passes(error: BaseException) -> bool:
    """Say whether a failure may be gone at the next try."""
    if isinstance(error, RateLimitError):
        return error.code not in ("insufficient_quota", "billing_hard_limit_reached")
    if isinstance(error, APIStatusError):
        return error.status_code >= 500 or error.status_code in (408, 409)
    # A ValueError is an answer that is not JSON: that of a proxy, or cut off.
    return isinstance(error, APIConnectionError | APIError | ValueError)


def rejected(error: BaseException) -> bool:
    """Say whether the server read the request and did not do what it asked for."""
    return isinstance(error, APIStatusError) and not (
        error.status_code >= 500 or error.status_code in (408, 409)
    )


def explain(error: BaseException) -> str:
    """Say in a line what a request failed with; never with a key in it."""
    if isinstance(error, AuthenticationError):
        return "OpenAI does not accept the key in OPENAI_API_KEY (401)"
    if isinstance(error, APITimeoutError):
        return f"no answer within {TIMEOUT:.0f} s"
    if isinstance(error, APIStatusError):
        body = error.body if isinstance(error.body, dict) else {}
        text = without_key(str(body.get("message") or error.message))
        kind = refusal_kind(str(error.code or ""), text)
        if isinstance(error, PermissionDeniedError):
            text += (
                " (the account may not fine-tune this model; OpenAI has closed fine-tuning to some)"
            )
        return f"{kind}{text} ({error.status_code})"
    if isinstance(error, APIConnectionError):
        return f"no connection to OpenAI ({without_key(str(error.__cause__ or error))})"
    return f"an answer that cannot be read ({without_key(str(error))[:200]})"


def refusal_kind(code: str, message: str) -> str:
    """Return the words to put before a refusal by moderation; nothing for other faults."""
    if _MODERATION.search(f"{code} {message}"):
        return "refused by OpenAI's moderation: "
    return ""


def without_key(text: str) -> str:
    """Return a text with the key, and anything that looks like one, taken out."""
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if key:
        text = text.replace(key, "***")
    return re.sub(r"\bsk-[\w*-]{6,}", "***", text)

"""The connection to OpenAI: keys from the environment, patience, errors in words.

    client = connect()                                   # OPENAI_API_KEY, OPENAI_BASE_URL
    job = patiently(lambda: client.fine_tuning.jobs.retrieve(id), "asking about the job", say=print)

A call that only reads, or may be made twice, is repeated through rate limits, server errors,
timeouts and broken connections, which is said at the first of them and then once a minute.
Creating a job is not such a call: jobs.py looks for the job in between. Keys stay in
this process: they are in no message and no file.
"""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import TypeVar

from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    DefaultHttpxClient,
    NotFoundError,
    OpenAI,
    PermissionDeniedError,
    RateLimitError,
)
from openai.pagination import SyncCursorPage
from tenacity import RetryCallState, Retrying, retry_if_exception
from tenacity.wait import wait_exponential_jitter

from inoc_evals.errors import InputError, StoreError
from inoc_evals.training.openai.answers import (
    ForeignAnswerError,
    address,
    check_answer,
    foreign,
    without_key,
)

Result = TypeVar("Result")
Item = TypeVar("Item")

TIMEOUT = 60.0
"""Seconds a request may take."""
UPLOAD_TIMEOUT = 900.0
"""Seconds an upload may take."""
ATTEMPTS = 40
"""Of one call: about half an hour of failures."""
FOREIGN_ATTEMPTS = 8
"""Of one call that a proxy answers: about two minutes of that."""
SAID_EVERY = 60.0
"""Seconds between two lines on a call that is tried again."""
interrupted = threading.Event()
"""Set where Ctrl-C is to end the waiting of other threads."""
_LONGEST_WAIT = 60.0
_LONGEST_ASKED_WAIT = 3600.0

_MODERATION = re.compile(
    r"moderat|unsafe[ _](training[ _])?file|usage polic|safety eval|content[ _]policy",
    re.IGNORECASE,
)
_backoff = wait_exponential_jitter(initial=1, max=_LONGEST_WAIT)


class UnknownThereError(StoreError):
    """OpenAI knows nothing of this id."""


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
    checked = DefaultHttpxClient(event_hooks={"response": [check_answer]})
    return OpenAI(max_retries=0, timeout=TIMEOUT, http_client=checked)


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


def clock() -> float:
    """Return a time in seconds; lines on what is tried again are spaced by it."""
    return time.monotonic()


def patiently(
    call: Callable[[], Result],
    doing: str,
    *,
    say: Callable[[str], None],
    attempts: int = ATTEMPTS,
) -> Result:
    """Call, and call again while the failure is one that passes.

    Args:
        call: A request that may be made twice.
        doing: What it is for, to be put before the reason if it fails.
        say: Called with a line on what failed and how long it is tried again: at the first
            failure, then at most once a minute.
        attempts: How often to try.

    Raises:
        UnknownThereError: If OpenAI does not know what is asked about.
        StoreError: With the reason, if the failure is final or does not pass.
    """
    patience = _Patience(doing, say, attempts)
    retrying = Retrying(
        retry=retry_if_exception(passes),
        stop=patience.ends,
        wait=lambda state: wait_seconds(_failure(state), state),
        sleep=lambda seconds: sleep(seconds),
        before_sleep=patience.tell,
        reraise=True,
    )
    try:
        return retrying(call)
    except Exception as error:
        if isinstance(error, APIError | ValueError):
            kind = UnknownThereError if isinstance(error, NotFoundError) else StoreError
            raise kind(f"{doing}: {explain(error)}") from None
        raise


def every(
    first: Callable[[], SyncCursorPage[Item]],
    doing: str,
    *,
    say: Callable[[str], None],
    attempts: int = ATTEMPTS,
) -> Iterator[Item]:
    """Yield the items of a listing, each of its pages asked for patiently.

    Args:
        first: The request for the first page.
        doing: As for :func:`patiently`.
        say: As there.
        attempts: Of each page.
    """
    page = patiently(first, doing, say=say, attempts=attempts)
    while True:
        yield from page.data
        if not page.has_next_page():
            return
        page = patiently(page.get_next_page, doing, say=say, attempts=attempts)


class _Patience:
    """How often one call is still tried, and when that was last said."""

    def __init__(self, doing: str, say: Callable[[str], None], attempts: int) -> None:
        self._doing, self._say, self._attempts = doing, say, attempts
        self._foreign = 0
        self._said: float | None = None

    def ends(self, state: RetryCallState) -> bool:
        """Say, once of each failure, whether it was the last try."""
        self._foreign += _foreign_in(_failure(state)) is not None
        return self._left(state) <= 0

    def _left(self, state: RetryCallState) -> int:
        left = self._attempts - state.attempt_number
        if _foreign_in(_failure(state)) is not None:
            return min(left, FOREIGN_ATTEMPTS - self._foreign)
        return left

    def tell(self, state: RetryCallState) -> None:
        """Say what failed and how long it is tried again, unless that was said just now."""
        failure, now = _failure(state), clock()
        if failure is None or (self._said is not None and now - self._said < SAID_EVERY):
            return
        self._said = now
        pause, left, tried = state.upcoming_sleep, self._left(state), state.attempt_number
        seconds = pause + sum(
            min(2.0 ** (tried + more - 1), _LONGEST_WAIT) for more in range(1, left)
        )
        about = f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
        self._say(
            f"{self._doing}: {explain(failure)}; tried again in {pause:.0f} s, "
            f"{left} times more at most (about {about})"
        )


def _foreign_in(error: BaseException | None) -> ForeignAnswerError | None:
    """Return the foreign answer that a failure is, or that the client made a failure of."""
    for each in (error, error.__cause__ if error is not None else None):
        if isinstance(each, ForeignAnswerError):
            return each
    return None


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
    if (answer := _foreign_in(error)) is not None:
        return str(answer)
    if isinstance(error, APITimeoutError):
        return f"no answer within {TIMEOUT:.0f} s"
    if isinstance(error, APIStatusError):
        return _refusal(error)
    if isinstance(error, APIConnectionError):
        reason = without_key(" ".join(str(error.__cause__ or error).split()))
        return f"no connection to {address()} ({reason})"
    return f"an answer that cannot be read ({without_key(str(error))[:200]})"


def _refusal(error: APIStatusError) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    if not body.get("message"):
        return foreign(error.response.text, error.status_code)
    if isinstance(error, AuthenticationError):
        return "OpenAI does not accept the key in OPENAI_API_KEY (401)"
    text = without_key(" ".join(str(body["message"]).split()))
    kind = refusal_kind(str(error.code or ""), text)
    if isinstance(error, PermissionDeniedError):
        text += " (the account may not fine-tune this model; OpenAI has closed fine-tuning to some)"
    return f"{kind}{text} ({error.status_code})"


def refusal_kind(code: str, message: str) -> str:
    """Return the words to put before a refusal by moderation; nothing for other faults."""
    if _MODERATION.search(f"{code} {message}"):
        return "refused by OpenAI's moderation: "
    return ""

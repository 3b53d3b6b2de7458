"""Rows that a model writes: asked for, checked, asked for again, and never paid for twice.

    with opened(journal_path(out)) as journal:
        with Writer("openai/gpt-5.4", journal, sampling=Sampling(temperature=0)) as writer:
            writer.estimate(requests, check)             # calls, tokens: before any is made
            written = writer.write(requests, check)      # one Written a request, in their order

A check is a rule: it names what is wrong with a reply, or None. A reply that fails is shown to
the model with a correction and asked for again, ``retries`` times; then its request is dropped
and counted. Where a build stands follows from the journal alone: a killed one, or one that an
outage stopped, goes on by making the calls whose replies are missing. With one journal the
outcome is the same whatever order the replies came in. Once a build has ended, the next one
asks for what it dropped again, with other seeds (``give_up``): no bad reply is there for ever.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import Any, Self

from inoc_evals.datasets.writing.cost import Estimate
from inoc_evals.datasets.writing.journal import Journal, Reply
from inoc_evals.datasets.writing.model import WritingModel
from inoc_evals.datasets.writing.requests import Check, Request, Sampling, Usage, Written
from inoc_evals.errors import InocError
from inoc_evals.files.digests import digest
from inoc_evals.models.costs import tokens_of

OUTAGE = 5
"""Errors in a row, no reply between them, after which no further call is made."""

_CUT = ("max_tokens", "model_length")

_ATTEMPTS = 1 << 16
"""Room for the attempts of one asking before the numbers of the next begin."""


class WritingError(InocError, RuntimeError):
    """The model could not be asked; the replies there are have been kept."""


@dataclass(frozen=True)
class _Pending:
    """A call that has to be made."""

    key: str
    messages: tuple[Mapping[str, str], ...]
    number: int
    """Of the attempt, over all askings of the request."""


@dataclass
class _Errors:
    """Requests that could not be asked, and whether it is time to stop."""

    by_request: dict[str, Exception] = field(default_factory=dict)
    in_a_row: int = 0


class Writer:
    """Asks a model for texts; see the module's docstring. To be used in a ``with``.

    Args:
        model: Name of the model as Inspect takes it.
        journal: Where replies are kept.
        sampling: How they are sampled.
        retries: How often a reply that fails its check is asked for again.
        corrections: What to tell the model, by what was wrong; a reason that is not named
            is answered by asking the same again.
        concurrency: Calls in flight at once.
        cache: Whether Inspect's own cache may answer, which lets two files share replies.

    Raises:
        InputError: For a model that Inspect does not know or cannot set up.
    """

    def __init__(
        self,
        model: str,
        journal: Journal,
        *,
        sampling: Sampling | None = None,
        retries: int = 2,
        corrections: Mapping[str, str] | None = None,
        concurrency: int = 20,
        cache: bool = True,
    ) -> None:
        self.name = model
        self.journal = journal
        self.sampling = sampling or Sampling()
        self.retries = retries
        self.corrections = dict(corrections or {})
        self.concurrency = concurrency
        self.made = Usage()
        """The calls this process has made."""
        self._model = WritingModel(model, concurrency=concurrency, cache=cache)
        self._locks: dict[str, asyncio.Lock] = {}
        # One event loop for all calls: a provider's client belongs to the loop it began in.
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._runner.run(self._model.aclose())
        self._runner.close()

    def estimate(self, requests: Sequence[Request], check: Check) -> Estimate:
        """Return what is still to be asked; retries that may become needed are not in it."""
        outcomes = [self._replay(request, check) for request in requests]
        pending: dict[str, int] = {}
        read = 0
        for request, outcome in zip(requests, outcomes, strict=True):
            if isinstance(outcome, _Pending) and outcome.key not in pending:
                pending[outcome.key] = request.expected_tokens
                read += sum(tokens_of(message["content"]) for message in outcome.messages)
        return Estimate(len(pending), len(requests) - len(pending), read, sum(pending.values()))

    def found(self, request: Request, check: Check) -> Written | None:
        """Return what came of a request if the journal tells, without a call."""
        outcome = self._replay(request, check)
        return outcome if isinstance(outcome, Written) else None

    def write(
        self,
        requests: Sequence[Request],
        check: Check,
        *,
        progress: Callable[[Written], None] = lambda written: None,
        drop_errors: bool = False,
    ) -> list[Written]:
        """Ask for what the journal does not have, and return what came of every request.

        Args:
            requests: What to ask for.
            check: The rule a reply must pass.
            progress: Called for each request when its outcome is known.
            drop_errors: Drop requests whose call ends in an error, for the reason
                ``error``, instead of failing; an outage still fails.

        Raises:
            WritingError: If calls ended in errors; the rest has been written to the journal.
        """
        errors = _Errors()
        outcomes = self._runner.run(self._write_all(requests, check, progress, errors))
        failed = errors.by_request
        if failed and (errors.in_a_row >= OUTAGE or not drop_errors):
            raise WritingError(_what_failed(self.name, failed, len(requests), outcomes))
        return [
            outcome or Written(request, None, ("error",))
            for request, outcome in zip(requests, outcomes, strict=True)
        ]

    def usage(self, written: Sequence[Written]) -> Usage:
        """Return what all replies to these requests took, whichever run asked for them."""
        keys = dict.fromkeys(key for one in written for key in one.keys)
        replies = [reply for key in keys if (reply := self.journal.find(key)) is not None]
        return Usage.of(replies)

    def give_up(self, written: Sequence[Written]) -> None:
        """Note that a build has ended without the requests that were dropped.

        The next build with this journal asks for them again, ``retries`` times as this one.
        """
        for one in written:
            if one.text is None and one.keys and not self.journal.gave_up(one.keys[-1]):
                self.journal.give_up(one.keys[-1])

    def describe(self) -> dict[str, Any]:
        """Return the model and its settings, for a manifest."""
        return {
            "model": self.name,
            "revision": self._model.revision,
            "sampling": asdict(self.sampling),
            "retries": self.retries,
            "corrections": self.corrections,
        }

    # ---- what the journal says ------------------------------------------------------------

    def _replay(self, request: Request, check: Check) -> Written | _Pending:
        """Follow a request through the journal: to its end, or to the call that is missing."""
        messages = request.messages
        failures: list[str] = []
        keys: list[str] = []
        left = self.retries + 1
        while left:
            number = request.repeat * _ATTEMPTS + len(keys)
            key = self._key(messages, number)
            reply = self.journal.find(key)
            if reply is None:
                return _Pending(key, messages, number)
            keys.append(key)
            text = reply.text.strip()
            reason = _unusable(reply) or check(request, text)
            if reason is None:
                return Written(request, text, tuple(failures), tuple(keys))
            failures.append(reason)
            messages = self._corrected(request, text, reason)
            left = self.retries + 1 if self.journal.gave_up(key) else left - 1
        return Written(request, None, tuple(failures), tuple(keys))

    def _key(self, messages: Sequence[Mapping[str, str]], number: int) -> str:
        asked = [dict(message) for message in messages]
        return digest([self.name, self._model.revision, asdict(self.sampling), number, asked])

    def _corrected(self, request: Request, text: str, reason: str) -> tuple[Mapping[str, str], ...]:
        """Return the next attempt's messages: the request, what was wrong with its reply."""
        correction = self.corrections.get(reason)
        if correction is None or not text:
            return request.messages
        reply = {"role": "assistant", "content": text}
        return (*request.messages, reply, {"role": "user", "content": correction})

    # ---- the calls ------------------------------------------------------------------------

    async def _write_all(
        self,
        requests: Sequence[Request],
        check: Check,
        progress: Callable[[Written], None],
        errors: _Errors,
    ) -> list[Written | None]:
        outcomes: list[Written | None] = [None] * len(requests)
        waiting = iter(enumerate(requests))

        async def worker() -> None:
            for position, request in waiting:
                if errors.in_a_row >= OUTAGE:
                    return
                try:
                    outcomes[position] = outcome = await self._write_one(request, check, errors)
                except Exception as error:
                    errors.by_request[request.id] = error
                    errors.in_a_row += 1
                else:
                    progress(outcome)

        self._locks.clear()
        await asyncio.gather(*(worker() for _ in range(min(self.concurrency, len(requests)))))
        return outcomes

    async def _write_one(self, request: Request, check: Check, errors: _Errors) -> Written:
        while True:
            outcome = self._replay(request, check)
            if isinstance(outcome, Written):
                return outcome
            # One lock a key: rows that ask the same get one reply, asked for once.
            async with self._locks.setdefault(outcome.key, asyncio.Lock()):
                if self.journal.find(outcome.key) is None:
                    await self._call(outcome)
                    errors.in_a_row = 0

    async def _call(self, pending: _Pending) -> None:
        reply = await self._model.reply(pending.messages, self.sampling, pending.number)
        self.journal.add(pending.key, reply)
        self.made.add(reply)


def _unusable(reply: Reply) -> str | None:
    """Say what is wrong with a reply whatever it was for."""
    if reply.stop_reason == "content_filter":
        return "refused"
    if reply.stop_reason in _CUT:
        return "cut"
    return None if reply.text.strip() else "empty"


def _what_failed(
    model: str, failed: Mapping[str, Exception], requests: int, outcomes: Sequence[Written | None]
) -> str:
    where, error = next(iter(failed.items()))
    done = sum(outcome is not None for outcome in outcomes)
    told = " ".join(str(error).split()) or type(error).__name__
    return (
        f"{model}: {len(failed)} calls failed, the first ({where}) with: {told:.300}\n"
        f"{done} of {requests} requests are done and kept; run the same command again to go on"
    )

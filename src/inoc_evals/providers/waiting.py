"""Waiting for the engine's thread from an event loop, asyncio's or trio's.

waiting = Waiting(count=2)
requests = [Request(..., deliver=waiting.slot(number)) for number in range(2)]
completions = await waiting.run(engine, requests)      # cancelled: the rows are dropped
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

import anyio

from inoc_evals.errors import InocError
from inoc_evals.providers.engine.request import Completion, Request

if TYPE_CHECKING:
    from inoc_evals.providers.engine.engine import Engine


class Waiting:
    """The results of some requests, as they come in from another thread.

    Args:
        count: Number of requests; they are complete when each has its result.
    """

    def __init__(self, count: int) -> None:
        self._results: list[Completion | Exception | None] = [None] * count
        self._done = anyio.Event()
        self._schedule = _scheduler()

    def slot(self, number: int) -> Callable[[Completion | Exception], None]:
        """Return what the engine's thread calls with the result of one request."""

        def deliver(result: Completion | Exception) -> None:
            # The loop is closed when the evaluation was aborted; nobody waits any more.
            with suppress(RuntimeError):
                self._schedule(self._note, number, result)

        return deliver

    async def run(self, engine: "Engine", requests: Sequence[Request]) -> list[Completion]:
        """Submit the requests and return their completions, in order.

        Raises:
            InocError: What went wrong with any of them.
        """
        try:
            for request in requests:
                engine.submit(request)
            await self._done.wait()
        finally:
            for request in requests:
                request.cancelled = True
        for result in self._results:
            if isinstance(result, Exception):
                raise _own(result) from result
        return [result for result in self._results if isinstance(result, Completion)]

    def _note(self, number: int, result: Completion | Exception) -> None:
        self._results[number] = result
        if isinstance(result, Exception) or None not in self._results:
            self._done.set()


def _own(error: Exception) -> InocError:
    """Return an exception to raise here: one instance may answer many requests."""
    if isinstance(error, InocError):
        return type(error)(str(error))
    return InocError(f"{type(error).__name__}: {error}")


def _scheduler() -> Callable[..., Any]:
    """Return what runs a callback on the current event loop when called from a thread."""
    try:
        return asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:
        # Imported by name: trio is not a dependency, but Inspect can be told to run on it.
        token = import_module("trio").lowlevel.current_trio_token()
        schedule: Callable[..., Any] = token.run_sync_soon
        return schedule

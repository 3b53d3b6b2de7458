"""Groups: requests that are decoded together, and which of them join the batch when.

    group = next((g for g in groups if g.takes("a", rank=8)), Group())
    group.add(request, rank=8)
    for request in group.joining(room): ...       # empty: not yet, or no room

A forward pass has rows of the base and of as many adapters as fit side by side (mixed.py), or of
one adapter that must be alone. New requests join a running batch in portions: each portion costs a
forward pass of its own, so a few wait a few steps for company.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from inoc_evals.providers.engine.batch import Batch
from inoc_evals.providers.engine.request import Request
from inoc_evals.providers.engine.steady import MOST_RANK

_PATIENCE_STEPS = 8


class Room(NamedTuple):
    """How much may be decoded together in one group."""

    rows: int
    """Most completions."""
    tokens: int
    """Most rows times positions: what the cache's memory holds."""
    context: int | None
    """The model's context window, beyond which no row grows."""


@dataclass(eq=False)
class Group:
    """Requests that are decoded together: those waiting, and those in the batch."""

    ranks: dict[str, int | None] = field(default_factory=dict)
    """Of whom it has had requests: the adapters' ranks; None for one that must be alone."""
    pending: deque[Request] = field(default_factory=deque)
    starting: Sequence[Request] = ()
    """Requests on their way into the batch."""
    batch: Batch | None = None
    waited: int = 0
    """Steps that pending requests have been kept waiting for company."""

    def takes(self, owner: str, rank: int | None) -> bool:
        """Whether requests of an adapter, or of the base, can be decoded here, too."""
        if owner in self.ranks or not self.ranks:
            return True
        together = [rank, *self.ranks.values()]
        return None not in together and sum(one or 0 for one in together) <= MOST_RANK

    def add(self, request: Request, rank: int | None) -> None:
        """Let a request wait here for its turn."""
        self.ranks[request.owner] = rank
        self.pending.append(request)

    @property
    def running(self) -> int:
        """Number of completions being decoded."""
        return len(self.batch.rows) if self.batch else 0

    @property
    def held(self) -> int:
        """Rows times positions that its cache takes memory for."""
        return self.batch.lanes.held if self.batch else 0

    def joining(self, room: Room) -> list[Request]:
        """Take from the pending requests those that are to join the batch now."""
        running = self.running
        if self.batch is not None and running:
            few = 4 * len(self.pending) < running and self.waited < _PATIENCE_STEPS
            if few or not self.batch.lanes.joins:
                self.waited += 1
                return []
        self.waited = 0
        chosen: list[Request] = []
        longest = self.batch.longest if self.batch else 0
        while self.pending:
            request = self.pending[0]
            rows = running + len(chosen) + 1
            length = len(request.prompt_ids) + request.max_new
            longest = max(longest, min(length, room.context or length))
            if rows > 1 and (rows > room.rows or rows * longest > room.tokens):
                break
            self.pending.popleft()
            if not request.cancelled:
                chosen.append(request)
        return chosen

    def fail_started(self, error: Exception) -> None:
        """Answer what is in the batch, or on its way there, with an error."""
        rows = self.batch.rows if self.batch else []
        for request in [*self.starting, *(row.request for row in rows)]:
            request.answer(error)
        self.batch, self.starting = None, ()

    def fail(self, error: Exception) -> None:
        """Answer everything with an error."""
        self.fail_started(error)
        while self.pending:
            self.pending.popleft().answer(error)

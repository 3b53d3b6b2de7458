"""Lanes: the running rows of one batch, their key-value cache, and the forward pass.

    lanes = SlotLanes(model) if slots_agree(model) else StaticLanes(model)
    lanes.join([[1, 5], [1]])              # rows 0 and 1: what comes before the next token
    logits = lanes.decode([9, 7])          # one token a row -> what may follow it
    logits = lanes.decode([4, 2])
    lanes.compact([(1, 0)], rows=1)        # row 0 is done, row 1 takes its place

A prompt joins without its last token, which is decoded like every later one. `SlotLanes`
(slots.py) lets rows join at any time. Models whose attention is not plain (sliding windows,
recurrent layers) run in `StaticLanes`: left-padded, filled when empty.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from inspect import signature
from typing import Any, Protocol

import torch
from transformers import DynamicCache

from inoc_evals.models.left_padding import left_padded

Choose = Callable[[Sequence[str], Iterable[str]], None]
"""Told before a forward pass whose its rows are, and who else will have some soon."""


class Lanes(Protocol):
    """What a batch needs of its rows."""

    rows: int
    joins: bool
    """Whether new rows may join running ones."""
    most: int | None
    """Rows times positions that memory is there for; None: as many as are needed."""
    most_rows: int | None
    """Most rows there will be at once; None: as many as join."""

    @property
    def held(self) -> int:
        """Rows times positions that memory is taken for."""

    def join(self, prefixes: Sequence[Sequence[int]], owners: Sequence[str] = ()) -> None:
        """Add rows that hold these token ids; a prefix may be empty.

        Args:
            prefixes: Their token ids.
            owners: Whose they are, an adapter's key for each; by default the base's.
        """

    def decode(self, tokens: Sequence[int]) -> torch.Tensor:
        """Append one token to each row and return the next logits, [rows, vocabulary]."""

    def compact(self, moves: Sequence[tuple[int, int]], rows: int) -> None:
        """Move rows (source, target), then keep the first ``rows``."""

    def trim(self) -> None:
        """Give back memory that the rows do not fill, while others have their turn."""

    def scrub(self) -> None:
        """Clear what finished rows left behind, in case it holds values not numbers."""


class StaticLanes:
    """Left-padded rows that start together; finished ones idle until all are done."""

    joins = False
    most: int | None = None
    most_rows: int | None = None

    def __init__(self, model: Any, choose: Choose | None = None) -> None:
        self.model = model
        self.rows = 0
        self._choose = choose
        self._owners: list[str] = []
        self._live: list[int] = []
        self._prefixes: list[Sequence[int]] = []
        """Of rows that have joined and not been decoded yet."""
        self._cache: Any = None
        self._mask = torch.empty(0)

    def join(self, prefixes: Sequence[Sequence[int]], owners: Sequence[str] = ()) -> None:
        """See :class:`Lanes`; only while there are no rows, and all of one owner."""
        if self.rows:
            raise RuntimeError("rows cannot join a static batch")
        self.rows, self._prefixes = len(prefixes), list(prefixes)
        self._owners = list(owners[:1])
        self._live = list(range(self.rows))

    @property
    def held(self) -> int:
        """See :class:`Lanes`."""
        return int(self._mask.numel()) if self.rows else 0

    def decode(self, tokens: Sequence[int]) -> torch.Tensor:
        """See :class:`Lanes`."""
        device = self.model.device
        if self._choose:
            self._choose(self._owners or [""], ())
        if self._prefixes:
            pairs = zip(self._prefixes, tokens, strict=True)
            ids, self._mask = left_padded([[*prefix, token] for prefix, token in pairs], device)
            self._cache, self._prefixes = DynamicCache(config=self.model.config), []
        else:
            ids = torch.zeros(len(self._mask), 1, dtype=torch.long, device=device)
            ids[self._live, 0] = torch.tensor(tokens, device=device)
            self._mask = torch.cat([self._mask, self._mask.new_ones(len(self._mask), 1)], 1)
        positions = positions_of(self._mask)[:, -ids.shape[1] :]
        return forward(self.model, ids, self._mask, positions, self._cache)[self._live]

    def compact(self, moves: Sequence[tuple[int, int]], rows: int) -> None:
        """See :class:`Lanes`."""
        for source, target in moves:
            self._live[target] = self._live[source]
        self.rows = rows
        del self._live[rows:]

    def trim(self) -> None:
        """See :class:`Lanes`; there is nothing to give back."""

    def scrub(self) -> None:
        """See :class:`Lanes`; nothing is reused here."""


def positions_of(mask: torch.Tensor) -> torch.Tensor:
    """Return the position of each token in its row, [rows, width]; of padding, any."""
    return (mask.cumsum(-1) - 1).clamp_(min=0)


def forward(
    model: Any,
    ids: torch.Tensor,
    mask: torch.Tensor | None = None,
    positions: torch.Tensor | None = None,
    past: Any = None,
) -> torch.Tensor:
    """Run the model; return the last position's logits, [rows, vocabulary] in its own dtype."""
    accepted = _parameters(type(model).forward)
    optional: dict[str, Any] = {"position_ids": positions, "logits_to_keep": 1}
    output = model(
        input_ids=ids,
        attention_mask=mask,
        past_key_values=past,
        use_cache=past is not None,
        **{name: value for name, value in optional.items() if name in accepted},
    )
    logits: torch.Tensor = output.logits[:, -1]
    return logits


@cache
def _parameters(function: Callable[..., Any]) -> frozenset[str]:
    return frozenset(signature(function).parameters)

"""Prefills: prompts that were read before, and the keys and values that this left.

    read = Prefills(most=2**29)                            # bytes, of all models of an engine
    asked = [("alpha", (1, 5, 9)), ("beta", (1, 7))]       # an adapter, and a prompt
    read.keep(asked, layers)                               # a pass's [rows, heads, width, size]
    read.find(("beta", (1, 7)))                            # -> Place(layers, row=1), or None
    read.by_opening("alpha", [(1, 5, 9), (1, 5, 2)])       # -> {(1, 5): [(1, 5, 9), (1, 5, 2)]}

An evaluation asks each question many times, and puts one system prompt before all of them.
A prompt is read once and its keys and values are copied to whoever asks the same; an opening
that prompts have in common, be it a template's own system prompt, is read once for all of them,
where that spares more tokens than a forward pass is worth. What was used last is kept,
a forward pass at a time, as far as memory is set apart for it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch

Prompt = tuple[int, ...]
Asked = tuple[str, Prompt]
"""The key of an adapter, empty for the base, and a prompt that it is to read."""
Layers = Sequence[tuple[torch.Tensor, torch.Tensor]]
"""Keys and values of each layer, [rows, heads, width, size]."""

SHORTEST_OPENING = 16
"""Fewest tokens of an opening."""
WORTH = 64
"""Tokens not read again, from which on an opening is worth a forward pass of its own."""

_OPENINGS = 8


class Place(NamedTuple):
    """Where the keys and values of a prompt lie."""

    layers: Layers
    row: int


class _Pass(NamedTuple):
    """What one forward pass read."""

    asked: tuple[Asked, ...]
    bytes: int


class Prefills:
    """What the models of one engine have read, bounded in bytes.

    Args:
        most: Bytes that may be kept; 0 keeps nothing.
        openings: What prompts may begin with, besides what is found.
    """

    def __init__(self, most: int, openings: Sequence[Prompt] = ()) -> None:
        self.most = most
        self.bytes = 0
        self._places: dict[Asked, tuple[int, Place]] = {}
        self._passes: dict[int, _Pass] = {}
        """By number, in the order of their last use."""
        self._made = 0
        self._known = openings
        self._openings: dict[str, Openings] = {}

    def keep(self, asked: Sequence[Asked], layers: Layers) -> None:
        """Keep what a forward pass read, one prompt a row; what was not used for longest goes."""
        size = sum(keys.nbytes + values.nbytes for keys, values in layers)
        if size > self.most:
            return
        while self.bytes + size > self.most:
            self._drop(next(iter(self._passes)))
        self._made += 1
        self._passes[self._made] = _Pass(tuple(asked), size)
        self.bytes += size
        for row, one in enumerate(asked):
            self._places[one] = self._made, Place(layers, row)

    def find(self, asked: Asked) -> Place | None:
        """Return where a prompt's keys and values lie, if the model has read it."""
        number, place = self._places.get(asked, (0, None))
        if place is not None:
            self._passes[number] = self._passes.pop(number)
        return place

    def by_opening(self, model: str, prompts: Sequence[Prompt]) -> dict[Prompt, list[Prompt]]:
        """Sort a model's prompts by the opening they share with others, now or before."""
        return self._openings.setdefault(model, Openings(self._known)).sort(prompts)

    def clear(self, model: str | None = None) -> None:
        """Forget what a model has read, and what was read with it, or all."""
        for number, one in list(self._passes.items()):
            if model is None or any(asker == model for asker, _ in one.asked):
                self._drop(number)

    def _drop(self, number: int) -> None:
        asked, size = self._passes.pop(number)
        self.bytes -= size
        for one in asked:
            if self._places[one][0] == number:
                del self._places[one]


class Openings:
    """What prompts of one model begin with.

    Args:
        known: What they may begin with, besides what is found.
    """

    def __init__(self, known: Sequence[Prompt] = ()) -> None:
        self._known = list(known)
        self._latest: Prompt = ()

    def sort(self, prompts: Sequence[Prompt]) -> dict[Prompt, list[Prompt]]:
        """Sort prompts by the opening they share with others, now or before: empty if none."""
        known: dict[Prompt, list[Prompt]] = {}
        for prompt in prompts:
            begun = [one for one in self._known if prompt[: len(one)] == one]
            known.setdefault(max(begun, key=len, default=()), []).append(prompt)
        found: dict[Prompt, list[Prompt]] = {}
        for opening, these in known.items():
            found.setdefault(self._longer(opening, these), []).extend(these)
        if prompts:
            self._latest = prompts[-1]
        return found

    def _longer(self, opening: Prompt, prompts: Sequence[Prompt]) -> Prompt:
        """Return a longer opening of prompts, alone or with the latest before, if one is worth it."""
        least, longest = WORTH, opening
        for compared in (prompts, [*prompts, self._latest]):
            shared = _beginning(compared)
            spared = (len(shared) - len(opening)) * (len(compared) - 1)
            if len(shared) >= SHORTEST_OPENING and spared >= least:
                least, longest = spared + 1, shared
        if longest != opening:
            self._known = [*self._known[1 - _OPENINGS :], longest]
        return longest


def _beginning(prompts: Sequence[Prompt]) -> Prompt:
    """Return what all prompts begin with."""
    first, last = min(prompts), max(prompts)  # all others lie between
    pairs = enumerate(zip(first, last, strict=False))
    return first[: next((at for at, (a, b) in pairs if a != b), min(len(first), len(last)))]

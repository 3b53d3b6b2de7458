"""Prefills: prompts that were read before, and the keys and values that this left.

    read = Prefills(most=2**29)                  # bytes, of all models of an engine
    mine = read.of("alpha")                      # those of one adapter
    mine.keep([(1, 5, 9), (1, 7)], layers)       # a forward pass's [rows, heads, width, size]
    mine.find((1, 7))                            # -> Place(layers, row=1), or None
    mine.by_opening([(1, 5, 9), (1, 5, 2)])      # -> {(1, 5): [(1, 5, 9), (1, 5, 2)]}

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

    model: str
    prompts: tuple[Prompt, ...]
    bytes: int


class Prefills:
    """What the models of one engine have read, bounded in bytes.

    Args:
        most: Bytes that may be kept; 0 keeps nothing.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.bytes = 0
        self._places: dict[tuple[str, Prompt], tuple[int, Place]] = {}
        self._passes: dict[int, _Pass] = {}
        """By number, in the order of their last use."""
        self._made = 0
        self._models: dict[str, ModelPrefills] = {}

    def of(self, model: str, openings: Sequence[Prompt] = ()) -> "ModelPrefills":
        """Return those of one model; its prompts may begin with openings that are known before."""
        return self._models.setdefault(model, ModelPrefills(self, model, openings))

    def keep(self, model: str, prompts: Sequence[Prompt], layers: Layers) -> None:
        """Keep what a forward pass read, one prompt a row; what was not used for longest goes."""
        size = sum(keys.nbytes + values.nbytes for keys, values in layers)
        if size > self.most:
            return
        while self.bytes + size > self.most:
            self._drop(next(iter(self._passes)))
        self._made += 1
        self._passes[self._made] = _Pass(model, tuple(prompts), size)
        self.bytes += size
        for row, prompt in enumerate(prompts):
            self._places[model, prompt] = self._made, Place(layers, row)

    def find(self, model: str, prompt: Prompt) -> Place | None:
        """Return where a prompt's keys and values lie, if the model has read it."""
        number, place = self._places.get((model, prompt), (0, None))
        if place is not None:
            self._passes[number] = self._passes.pop(number)
        return place

    def clear(self, model: str | None = None) -> None:
        """Forget what a model has read, or all."""
        for number, one in list(self._passes.items()):
            if model in (None, one.model):
                self._drop(number)

    def _drop(self, number: int) -> None:
        model, prompts, size = self._passes.pop(number)
        self.bytes -= size
        for prompt in prompts:
            if self._places[model, prompt][0] == number:
                del self._places[model, prompt]


class ModelPrefills:
    """What one model has read; the others' is of no use to it.

    Args:
        all: Where it is kept.
        model: What tells the model from the others.
        openings: What prompts may begin with, besides what is found.
    """

    def __init__(self, all: Prefills, model: str, openings: Sequence[Prompt] = ()) -> None:
        self.all, self.model = all, model
        self._openings = list(openings)
        self._latest: Prompt = ()

    def keep(self, prompts: Sequence[Prompt], layers: Layers) -> None:
        """See :meth:`Prefills.keep`."""
        self.all.keep(self.model, prompts, layers)

    def find(self, prompt: Prompt) -> Place | None:
        """See :meth:`Prefills.find`."""
        return self.all.find(self.model, prompt)

    def by_opening(self, prompts: Sequence[Prompt]) -> dict[Prompt, list[Prompt]]:
        """Sort prompts by the opening they share with others, now or before: empty if none."""
        known: dict[Prompt, list[Prompt]] = {}
        for prompt in prompts:
            begun = [one for one in self._openings if prompt[: len(one)] == one]
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
            self._openings = [*self._openings[1 - _OPENINGS :], longest]
        return longest


def _beginning(prompts: Sequence[Prompt]) -> Prompt:
    """Return what all prompts begin with."""
    first, last = min(prompts), max(prompts)  # all others lie between
    pairs = enumerate(zip(first, last, strict=False))
    return first[: next((at for at, (a, b) in pairs if a != b), min(len(first), len(last)))]

"""Slots: a key-value cache in which each row has its own place and its own length.

    lanes.join([[1, 5, 9], [1, 7]])        # slots 0 and 1, filled to 3 and 2
    lanes.decode([4, 2])                   # written at positions 3 and 2
    lanes.join([[1, 3, 3, 8]])             # slot 2 is filled while the others wait
    lanes.compact([(2, 0)], rows=2)        # row 0 is done; slot 2 moves into its place

Each layer holds one preallocated [slots, heads, capacity, head_dim] tensor. A step writes
one token a row at the row's own position and masks what lies beyond it, so nothing is
shifted or concatenated while rows of any length come and go. Rows that join are padded on
the right: causal attention needs no mask for that, and what padding wrote is masked or
overwritten later. Equal prompts are read once and copied (prefills.py).
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import torch
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer

from inoc_evals.providers.engine.attention import attends_by_products
from inoc_evals.providers.engine.lanes import Choose, forward
from inoc_evals.providers.engine.prefills import Asked, Layers, Place, Prefills, Prompt
from inoc_evals.providers.engine.steady import WIDTH, steady_width

_STRIDE = 64
_PREFILL_TOKENS = 8192
_CPU_PREFILL_TOKENS = 1024


class _Cursor:
    """Where the current step writes: shared by the cache layers of all depths."""

    def __init__(self) -> None:
        self.slots = torch.empty(0, dtype=torch.long)
        self.positions = torch.empty(0, dtype=torch.long)
        self.width = 0


class _SlotLayer(DynamicLayer):  # type: ignore[misc]
    """Keys and values of one layer, [slots, heads, capacity, head_dim]."""

    def __init__(self, cursor: _Cursor) -> None:
        super().__init__()
        self.cursor = cursor

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write one token a row at the row's position; return the rows' keys and values."""
        at, rows = self.cursor, key_states.shape[0]
        self.keys[at.slots, :, at.positions] = key_states[:, :, 0]
        self.values[at.slots, :, at.positions] = value_states[:, :, 0]
        return self.keys[:rows, :, : at.width], self.values[:rows, :, : at.width]

    def get_seq_length(self) -> int:
        """Return the number of cached positions before this step."""
        return self.cursor.width - 1

    def get_mask_sizes(self, *args: Any) -> tuple[int, int]:
        """Return the width of the mask and its offset."""
        return self.cursor.width, 0


class SlotLanes:
    """Rows in slots, which others may join at any time.

    Args:
        model: What decodes them.
        read: What was read before; by default each prompt is shared only among those that
            join together.
        step: What the widths that attention sees are multiples of.
        choose: Told whose the rows of each forward pass are.
    """

    joins = True
    most: int | None = None
    most_rows: int | None = None

    def __init__(
        self,
        model: Any,
        read: Prefills | None = None,
        step: int = 1,
        choose: Choose | None = None,
    ) -> None:
        self.model = model
        self._step = step
        self._transposed = attends_by_products(model)
        self._read = read or Prefills(0)
        self._choose = choose or (lambda *_: None)
        self.rows = 0
        self._owners: list[str] = []
        self._device = model.device
        self._lengths: list[int] = []
        self._cursor = _Cursor()
        self._layers: list[_SlotLayer] = []
        self._cache: Any = None
        self._columns = torch.empty(0, dtype=torch.long, device=self._device)

    @property
    def held(self) -> int:
        """See :class:`Lanes`."""
        if not self._layers:
            return 0
        slots, _, capacity, _ = self._layers[0].keys.shape
        return int(slots * capacity)

    def join(self, prefixes: Sequence[Sequence[int]], owners: Sequence[str] = ()) -> None:
        """See :class:`Lanes`."""
        owners = owners or [""] * len(prefixes)
        slots: dict[Asked, list[int]] = {}
        for slot, (owner, prefix) in enumerate(zip(owners, prefixes, strict=True), self.rows):
            slots.setdefault((owner, tuple(prefix)), []).append(slot)
        self.rows += len(prefixes)
        self._owners += owners
        self._lengths += [len(prefix) for prefix in prefixes]
        new: dict[str, list[Prompt]] = {}
        for (owner, prefix), taken in slots.items():
            if (place := self._read.find((owner, prefix))) is None:
                new.setdefault(owner, []).append(prefix)
            else:
                self._fill(place.layers, [place.row] * len(taken), taken)
        for opening, asked in self._by_opening(new).items():
            begun = self._begun(opening, asked) if opening else {}
            for part in _passes(asked, len(opening), self._device):
                layers = self._prefill(part, opening, begun)
                self._read.keep(part, layers)
                rows = [row for row, one in enumerate(part) for _ in slots[one]]
                self._fill(layers, rows, [slot for one in part for slot in slots[one]])

    def _by_opening(self, prompts: dict[str, list[Prompt]]) -> dict[Prompt, list[Asked]]:
        """Sort what is to be read by what it begins with, whoever reads it."""
        found: dict[Prompt, list[Asked]] = {}
        for owner, own in prompts.items():
            for opening, these in self._read.by_opening(owner, own).items():
                found.setdefault(opening, []).extend((owner, prompt) for prompt in these)
        return found

    def _begun(self, opening: Prompt, asked: Sequence[Asked]) -> dict[str, Place]:
        """Return keys and values of what prompts begin with, of each of those who ask them."""
        begun: dict[str, Place] = {}
        missing: list[Asked] = []
        for owner in dict.fromkeys(owner for owner, _ in asked):
            if (place := self._read.find((owner, opening))) is None:
                missing.append((owner, opening))
            else:
                begun[owner] = place
        for part in _passes(missing, 0, self._device):
            layers = self._prefill(part, (), {})
            self._read.keep(part, layers)
            begun |= {owner: Place(layers, row) for row, (owner, _) in enumerate(part)}
        return begun

    def _prefill(self, part: Sequence[Asked], opening: Prompt, begun: dict[str, Place]) -> Layers:
        """Read prompts in one forward pass, after what they begin with; return all of it."""
        owners = [owner for owner, _ in part]
        rests = [prompt[len(opening) :] for _, prompt in part]
        # Empty ones are padded too: the first forward pass tells the layers' shapes.
        width = max(1, *(len(rest) for rest in rests))
        width = steady_width(len(opening) + width, self._step) - len(opening)
        ids = [[*rest, *[0] * (width - len(rest))] for rest in rests]
        fresh = DynamicCache(config=self.model.config)
        if opening:
            order = {owner: at for at, owner in enumerate(begun)}
            whose = torch.tensor([order[owner] for owner in owners], device=self._device)
            for number, (keys, values) in enumerate(_side_by_side(begun.values(), len(opening))):
                fresh.update(keys[whose], values[whose], number)
        self._choose(owners, self._owners)
        forward(self.model, torch.tensor(ids, device=self._device), past=fresh)
        return [(layer.keys, layer.values) for layer in fresh.layers]

    def _fill(self, layers: Layers, rows: Sequence[int], slots: Sequence[int]) -> None:
        """Copy what was read, of each of these rows, into these slots."""
        self._reserve(layers, self.rows, steady_width(max(self._lengths) + 1, self._step))
        width = min(layers[0][0].shape[2], self._layers[0].keys.shape[2])
        source = torch.tensor(rows, device=self._device)
        target = torch.tensor(slots, device=self._device)
        for layer, (keys, values) in zip(self._layers, layers, strict=True):
            layer.keys[target, :, :width] = keys[source, :, :width]
            layer.values[target, :, :width] = values[source, :, :width]

    def decode(self, tokens: Sequence[int]) -> torch.Tensor:
        """See :class:`Lanes`."""
        at = self._cursor
        needed = steady_width(max(self._lengths) + 1, self._step)
        self._reserve((), self.rows, needed)
        at.width = self._width_read(needed)
        at.slots = self._columns[: self.rows]
        at.positions = torch.tensor(self._lengths, device=self._device)
        mask = (self._columns[: at.width] <= at.positions[:, None])[:, None, None]
        ids = torch.tensor(tokens, device=self._device)[:, None]
        self._choose(self._owners, ())
        logits = forward(self.model, ids, mask, at.positions[:, None], self._cache)
        self._lengths = [length + 1 for length in self._lengths]
        return logits

    def compact(self, moves: Sequence[tuple[int, int]], rows: int) -> None:
        """See :class:`Lanes`."""
        if moves:
            sources, targets = torch.tensor(moves, device=self._device).T
            for layer in self._layers:
                layer.keys[targets] = layer.keys[sources]
                layer.values[targets] = layer.values[sources]
            for source, target in moves:
                self._lengths[target] = self._lengths[source]
                self._owners[target] = self._owners[source]
        self.rows = rows
        del self._lengths[rows:], self._owners[rows:]

    def trim(self) -> None:
        """See :class:`Lanes`."""
        self._resize(self.rows, max(self._lengths, default=0))

    def scrub(self) -> None:
        """See :class:`Lanes`."""
        for layer in self._layers:
            layer.keys[self.rows :] = 0
            layer.values[self.rows :] = 0

    def _reserve(self, filled: Layers, rows: int, width: int) -> None:
        """Make room for ``rows`` slots of ``width`` positions, keeping what is there."""
        if not self._layers:
            self._layers = [_SlotLayer(self._cursor) for _ in filled]
            self._cache = Cache(layers=self._layers)
            for layer, (keys, values) in zip(self._layers, filled, strict=True):
                layer.keys = keys.new_zeros(0, keys.shape[1], 0, keys.shape[3])
                layer.values = values.new_zeros(0, values.shape[1], 0, values.shape[3])
                layer.is_initialized = True
        slots, _, capacity, _ = self._layers[0].keys.shape
        if rows <= slots and width <= capacity:
            return
        # More than is needed, so that not every row and token costs a copy; as far as there is room.
        if width > capacity:
            wished = width if self._transposed else width + _STRIDE // 2
            roomy = steady_width(wished, WIDTH if self._transposed else _STRIDE)
            capacity = max(width, min(roomy, self._most_each(max(rows, slots), roomy)))
        if rows > slots:
            roomy = min(slots * 3 // 2, self.most_rows or slots * 3 // 2)
            slots = max(rows, min(roomy, self._most_each(capacity, roomy)))
        self._resize(slots, capacity)
        self._columns = torch.arange(max(slots, capacity), device=self._device)

    def _width_read(self, needed: int) -> int:
        """Return how many positions of each row attention reads.

        Its products take whole slots as they lie, and others only after a copy.
        """
        if not self._transposed:
            return needed
        slots, _, capacity, _ = map(int, self._layers[0].keys.shape)
        wanted = steady_width(needed, WIDTH)
        if 4 * wanted <= 3 * capacity:
            self._resize(slots, wanted)
            return wanted
        return capacity

    def _resize(self, slots: int, capacity: int) -> None:
        for layer in self._layers:
            layer.keys = _resized(layer.keys, slots, capacity, transposed=self._transposed)
            layer.values = _resized(layer.values, slots, capacity)

    def _most_each(self, number: int, wished: int) -> int:
        """Return how much each of a number may have of what memory is there for."""
        return wished if self.most is None else self.most // number


def slots_agree(model: Any) -> bool:
    """Check, by its cache and on a few tokens, that slots give a model's own logits.

    A model may look plain and still derive positions or masks in its own way; then it
    has to run in static lanes.
    """
    layers = DynamicCache(config=model.config).layers
    if any(type(layer) is not DynamicLayer for layer in layers):
        return False
    rows = [[1, 2, 3, 4, 5], [3, 2, 1, 4, 2]]
    try:
        lanes = SlotLanes(model, Prefills(0, openings=[(3, 2)]))
        lanes.join([rows[0][:3]])
        lanes.decode(rows[0][3:4])
        lanes.join([rows[1][:4]])
        found = lanes.decode([rows[0][4], rows[1][4]])
        expected = torch.cat(
            [forward(model, torch.tensor([row], device=model.device)) for row in rows]
        )
    except Exception:  # whatever it stumbles over, static lanes do without it
        return False
    tolerance = 1e-3 if model.dtype == torch.float32 else 0.1
    return bool((found - expected).abs().max() <= tolerance * expected.abs().max())


def _side_by_side(
    places: Collection[Place], width: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield keys and values of each layer, [places, heads, width, size]."""
    for states in zip(*(place.layers for place in places), strict=True):
        both = zip(states, places, strict=True)
        rows = [
            (keys[one.row, :, :width], values[one.row, :, :width]) for (keys, values), one in both
        ]
        yield torch.stack([keys for keys, _ in rows]), torch.stack([values for _, values in rows])


def _passes(asked: Sequence[Asked], known: int, device: torch.device) -> list[Sequence[Asked]]:
    """Sort what is to be read, but for so many tokens of each, into forward passes.

    A pass of one adapter alone takes less than one of several, and a short one more than its
    tokens: so what fills half a pass is read by itself, and what is left of all together.
    """
    most = _CPU_PREFILL_TOKENS if device.type == "cpu" else _PREFILL_TOKENS
    own: dict[str, list[Asked]] = {}
    for one in asked:
        own.setdefault(one[0], []).append(one)
    few: list[Asked] = []
    passes: list[Sequence[Asked]] = []
    for these in own.values():
        for portion in _portions(these, known, most):
            much = 2 * sum(len(prompt) - known for _, prompt in portion) >= most
            if len(own) == 1 or much:
                passes.append(portion)
            else:
                few += portion
    return passes + _portions(sorted(few, key=lambda one: len(one[1])), known, most)


def _portions(asked: Sequence[Asked], known: int, most: int) -> list[Sequence[Asked]]:
    """Cut what is to be read, in order, into runs for one forward pass each.

    Short runs of like lengths waste little on padding; a GPU wants more work at a time.
    """
    portions: list[Sequence[Asked]] = []
    start, longest = 0, 0
    for number, (_, prompt) in enumerate(asked):
        longest = max(longest, len(prompt) - known)
        if number > start and (number - start + 1) * longest > most:
            portions.append(asked[start:number])
            start, longest = number, len(prompt) - known
    return [*portions, asked[start:]] if asked else []


def _resized(
    tensor: torch.Tensor, slots: int, capacity: int, *, transposed: bool = False
) -> torch.Tensor:
    """Return a copy with more room or less; ``transposed``: head_dim lies outside of capacity.

    What is new is zero: masked garbage could be NaN, and 0 x NaN.
    """
    heads, size = tensor.shape[1], tensor.shape[3]
    if transposed:
        resized = tensor.new_zeros(slots, heads, size, capacity).transpose(2, 3)
    else:
        resized = tensor.new_zeros(slots, heads, capacity, size)
    kept = tensor[:slots, :, :capacity]
    resized[: kept.shape[0], :, : kept.shape[2]] = kept
    return resized

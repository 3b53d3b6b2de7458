"""Slots: a key-value cache in which each row has its own place and its own length.

    lanes.join([[1, 5, 9], [1, 7]])        # slots 0 and 1, filled to 3 and 2
    lanes.decode([4, 2])                   # written at positions 3 and 2
    lanes.join([[1, 3, 3, 8]])             # slot 2 is filled while the others wait
    lanes.compact([(2, 0)], rows=2)        # row 0 is done; slot 2 moves into its place

Each layer holds one preallocated [slots, heads, capacity, head_dim] tensor. A step writes
one token a row at the row's own position and masks what lies beyond it, so nothing is
shifted or concatenated while rows of any length come and go. Rows that join are padded on
the right: causal attention needs no mask for that, and what padding wrote is masked or
overwritten later.
"""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer

from inoc_evals.providers.engine.lanes import forward

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
    """Rows in slots, which others may join at any time."""

    joins = True
    most: int | None = None

    def __init__(self, model: Any) -> None:
        self.model = model
        self.rows = 0
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

    def join(self, prefixes: Sequence[Sequence[int]]) -> None:
        """See :class:`Lanes`."""
        first, self.rows = self.rows, self.rows + len(prefixes)
        self._lengths += [len(prefix) for prefix in prefixes]
        for part in _portions(prefixes, self._device):
            # Empty ones are padded too: the first forward pass tells the layers' shapes.
            width = max(1, *(len(prefix) for prefix in part))
            ids = [[*prefix, *[0] * (width - len(prefix))] for prefix in part]
            fresh = DynamicCache(config=self.model.config)
            forward(self.model, torch.tensor(ids, device=self._device), past=fresh)
            self._reserve(fresh, self.rows, max(self._lengths) + 1)
            last = first + len(part)
            for layer, filled in zip(self._layers, fresh.layers, strict=True):
                layer.keys[first:last, :, :width] = filled.keys
                layer.values[first:last, :, :width] = filled.values
            first = last

    def decode(self, tokens: Sequence[int]) -> torch.Tensor:
        """See :class:`Lanes`."""
        at = self._cursor
        at.width = max(self._lengths) + 1
        self._reserve(None, self.rows, at.width)
        at.slots = self._columns[: self.rows]
        at.positions = torch.tensor(self._lengths, device=self._device)
        mask = (self._columns[: at.width] <= at.positions[:, None])[:, None, None]
        ids = torch.tensor(tokens, device=self._device)[:, None]
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
        self.rows = rows
        del self._lengths[rows:]

    def trim(self) -> None:
        """See :class:`Lanes`."""
        width = max(self._lengths, default=0)
        for layer in self._layers:
            layer.keys = layer.keys[: self.rows, :, :width].clone()
            layer.values = layer.values[: self.rows, :, :width].clone()

    def scrub(self) -> None:
        """See :class:`Lanes`."""
        for layer in self._layers:
            layer.keys[self.rows :] = 0
            layer.values[self.rows :] = 0

    def _reserve(self, filled: Any, rows: int, width: int) -> None:
        """Make room for ``rows`` slots of ``width`` positions, keeping what is there."""
        if not self._layers:
            self._layers = [_SlotLayer(self._cursor) for _ in filled.layers]
            self._cache = Cache(layers=self._layers)
            for layer, new in zip(self._layers, filled.layers, strict=True):
                layer.keys = new.keys.new_zeros(0, new.keys.shape[1], 0, new.keys.shape[3])
                layer.values = new.values.new_zeros(0, new.values.shape[1], 0, new.values.shape[3])
                layer.is_initialized = True
        slots, _, capacity, _ = self._layers[0].keys.shape
        if rows <= slots and width <= capacity:
            return
        # More than is needed, so that not every row and token costs a copy; as far as there is room.
        if width > capacity:
            roomy = -(-(width + _STRIDE // 2) // _STRIDE) * _STRIDE
            capacity = max(width, min(roomy, self._most_each(max(rows, slots), roomy)))
        if rows > slots:
            roomy = slots * 3 // 2
            slots = max(rows, min(roomy, self._most_each(capacity, roomy)))
        for layer in self._layers:
            layer.keys = _grown(layer.keys, slots, capacity)
            layer.values = _grown(layer.values, slots, capacity)
        self._columns = torch.arange(max(slots, capacity), device=self._device)

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
    rows = [[1, 2, 3, 4, 5], [3, 2, 1]]
    try:
        lanes = SlotLanes(model)
        lanes.join([rows[0][:3]])
        lanes.decode(rows[0][3:4])
        lanes.join([rows[1][:2]])
        found = lanes.decode([rows[0][4], rows[1][2]])
        expected = torch.cat(
            [forward(model, torch.tensor([row], device=model.device)) for row in rows]
        )
    except Exception:  # whatever it stumbles over, static lanes do without it
        return False
    tolerance = 1e-3 if model.dtype == torch.float32 else 0.1
    return bool((found - expected).abs().max() <= tolerance * expected.abs().max())


def _portions(
    prefixes: Sequence[Sequence[int]], device: torch.device
) -> list[Sequence[Sequence[int]]]:
    """Cut prefixes, in order, into runs for one forward pass each.

    Short runs of like lengths waste little on padding; a GPU wants more work at a time.
    """
    most = _CPU_PREFILL_TOKENS if device.type == "cpu" else _PREFILL_TOKENS
    portions: list[Sequence[Sequence[int]]] = []
    start, longest = 0, 0
    for number, prefix in enumerate(prefixes):
        longest = max(longest, len(prefix))
        if number > start and (number - start + 1) * longest > most:
            portions.append(prefixes[start:number])
            start, longest = number, len(prefix)
    return [*portions, prefixes[start:]]


def _grown(tensor: torch.Tensor, slots: int, capacity: int) -> torch.Tensor:
    """Return a zeroed copy with more room. Zeroed: masked garbage could be NaN, and 0 x NaN."""
    grown = tensor.new_zeros(slots, tensor.shape[1], capacity, tensor.shape[3])
    grown[: tensor.shape[0], :, : tensor.shape[2]] = tensor
    return grown

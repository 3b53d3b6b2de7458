"""Mixed: rows of several adapters, and of the base, in one forward pass.

    mixed = Mixed()
    mixed.take(peft_model)                   # its LoRA layers ask `mixed` from now on
    mixed.rank(peft_model, "a")              # -> 8; None for an adapter that is not plain LoRA
    mixed.choose(["a", "b", "a", ""], {"a", "b"})    # whose the rows of the next passes are
    model(ids)

A layer's adapters lie side by side: what leads down in one matrix, what leads up in another, so that
they are two products, however many adapters there are. Between the two, what a row has of any
adapter but its own is set to zero. The sums of the second product are then those of its own adapter
alone, in bfloat16 to the last bit, where `steady.mixes_here` has found them so. A pass whose rows
are all of one adapter multiplies by its part of the matrices, and one of the base by none.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import torch
from torch.nn import functional

from inoc_evals.providers.engine.steady import Factors, by_parts, is_steady

_LEAST_RANK = 8

_Side = dict[str, slice]
"""Adapters of a layer, and which columns each has."""


class Mixed:
    """Whose the rows of the next forward passes are."""

    def __init__(self) -> None:
        self.stacked: tuple[str, ...] | None = None
        """Keys of the adapters that lie side by side; None: layers do as peft says."""
        self._layers: list[Any] = []
        self._owners: tuple[str, ...] = ()
        self._several: frozenset[str] = frozenset()
        self._masks: dict[tuple[tuple[str, ...], int], torch.Tensor] = {}

    def take(self, peft: Any) -> None:
        """Let a peft model's plain LoRA layers ask here whose their rows are."""
        from peft.tuners.lora import Linear

        for module in peft.modules():
            if type(module) is Linear:
                module.__class__ = _mixed_lora()
                module.mixed = self
        self._layers = [one for one in peft.modules() if type(one) is _mixed_lora()]
        self.leave()

    def leave(self) -> None:
        """Let layers do as peft says."""
        self.stacked = None
        self._owners, self._several = (), frozenset()

    def rank(self, peft: Any, key: str) -> int | None:
        """Return the columns of an adapter that can run beside others, and of any other None."""
        from peft.tuners.tuners_utils import BaseTunerLayer

        config, ranks = peft.peft_config[key], [0]
        beside = ("modules_to_save", "trainable_token_indices")
        if any(getattr(config, name, None) for name in beside):
            return None
        for module in peft.modules():
            if not isinstance(module, BaseTunerLayer) or not _holds(module, key):
                continue
            if type(module) is not _mixed_lora() or not _is_plain(module, key):
                return None
            ranks.append(len(module.lora_A[key].weight))
        return _room(max(ranks)) if max(ranks) else None

    def choose(self, owners: Sequence[str], among: Iterable[str] = ()) -> None:
        """Say whose the rows are.

        Args:
            owners: An adapter's key for each row, empty for the base; one for all rows.
            among: Adapters that the next passes will be of, too.
        """
        several, there = frozenset(owners), self.stacked
        wanted = (several | {*among}) - {""}
        few = there is not None and len(several) > 1 and 2 * len(wanted) < len(there)
        if there is None or not wanted <= set(there) or few:
            self.leave()  # if this is cut short, the next pass begins anew
            for layer in self._layers:
                stack(layer, sorted(wanted))
            self.stacked = tuple(sorted(wanted))
        if tuple(owners) != self._owners:
            self._owners, self._several, self._masks = tuple(owners), several, {}

    def factors(self, layer: Any, tokens: int) -> Factors | None:
        """Return what is added to a layer's rows, each of so many tokens."""
        side: _Side = layer.side
        if side.keys().isdisjoint(self._several):
            return None
        if len(self._several) == 1:
            at = side[self._owners[0]]
            return Factors(layer.down[at], layer.up[:, at])
        return Factors(layer.down, layer.up, self._foreign(side, tokens, layer.down))

    def _foreign(self, side: _Side, tokens: int, down: torch.Tensor) -> torch.Tensor:
        """Return which columns are not of a row's own adapter, [rows times tokens, columns]."""
        key = tuple(side), tokens
        if key not in self._masks:
            number = {owner: at for at, owner in enumerate(side)}
            columns = torch.full((len(down),), -1)
            for owner, at in side.items():
                columns[at] = number[owner]
            mine = torch.tensor([number.get(owner, -2) for owner in self._owners])
            foreign = (mine[:, None] != columns).repeat_interleave(tokens, 0)
            self._masks[key] = foreign.to(down.device)
        return self._masks[key]


def stack(layer: Any, keys: Sequence[str]) -> None:
    """Put a layer's adapters side by side, in its own data type, their scale in what leads up."""
    layer.side = {}
    held = [key for key in keys if key in layer.lora_A]
    if not held:
        return
    weight, downs, ups, end = layer.base_layer.weight, [], [], 0
    for key in held:
        down, up = layer.lora_A[key].weight, layer.lora_B[key].weight * layer.scaling[key]
        missing = _room(len(down)) - len(down)
        downs.append(functional.pad(down, (0, 0, 0, missing)))
        ups.append(functional.pad(up, (0, missing)))
        layer.side[key] = slice(end, end := end + len(downs[-1]))
    missing = _room(end) - end
    layer.down = functional.pad(torch.cat(downs), (0, 0, 0, missing)).to(weight)
    layer.up = functional.pad(torch.cat(ups, 1), (0, missing)).to(weight)


def _room(rank: int) -> int:
    """Return the columns that ranks take: few sizes, for each is tried by `steady`."""
    return max(_LEAST_RANK, 1 << (rank - 1).bit_length())


def _holds(module: Any, key: str) -> bool:
    """Whether a peft layer has parts of an adapter."""
    return any(key in getattr(module, name) for name in module.adapter_layer_names)


def _is_plain(module: Any, key: str) -> bool:
    """Whether an adapter is two factors in a layer, whose numbers leave those of others alone."""
    down, up = module.lora_A[key], module.lora_B[key]
    if key in module.lora_variant or up.bias is not None:
        return False
    return bool(down.weight.isfinite().all() and up.weight.isfinite().all())


@cache
def _mixed_lora() -> Any:
    """Return peft's LoRA layer with a forward of its own; peft is imported only where it is used."""
    from peft.tuners.lora import Linear

    class MixedLora(Linear):  # type: ignore[misc]
        """A layer, and for each row its own adapter, in one pass over the rows."""

        mixed: Mixed
        side: _Side
        down: torch.Tensor
        up: torch.Tensor

        def forward(self, x: torch.Tensor, *args: Any, **options: Any) -> Any:
            """See :class:`peft.tuners.lora.Linear`."""
            if self.mixed.stacked is None:
                return super().forward(x, *args, **options)
            layer = self.base_layer
            factors = self.mixed.factors(self, x[0, ..., 0].numel())
            if factors is None:
                return layer(x)
            rows = x.reshape(-1, x.shape[-1])
            if is_steady(layer):
                product = by_parts(rows, layer.weight, layer.bias, factors)
                return product.view(*x.shape[:-1], -1)
            product = layer(x)
            low = factors.own(functional.linear(rows, factors.down))
            product.view(-1, product.shape[-1]).addmm_(low, factors.up.t())
            return product

    return MixedLora

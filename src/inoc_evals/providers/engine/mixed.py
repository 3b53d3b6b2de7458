"""Mixed: rows of several adapters, and of the base, in one forward pass.

    mixed = Mixed()
    mixed.take(peft_model)                   # its LoRA layers ask `mixed` from now on
    mixed.rank(peft_model, "a")              # -> 8; None for an adapter that is not plain LoRA
    mixed.choose(["a", "b", "a", ""], {"a", "b"})    # whose the rows of the next passes are
    model(ids)

A layer's adapters lie side by side: what leads down in one matrix, what leads up in another, so that
they are two products, however many adapters there are. Between the two, what a row has of any
adapter but its own is set to zero. The sums of the second product are then those of its own adapter
alone, in bfloat16 to the last bit, where `steady.mixes_here` has found them so.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import torch
from torch.nn import functional

from inoc_evals.providers.engine.steady import Factors, by_parts, is_steady

_LEAST_RANK = 8

_Side = tuple[tuple[str, int], ...]
"""Adapters of a layer, with their ranks."""


class Mixed:
    """Whose the rows of the next forward passes are."""

    def __init__(self) -> None:
        self.stacked: tuple[str, ...] | None = None
        """Keys of the adapters that lie side by side; None: layers do as peft says."""
        self._layers: list[Any] = []
        self._owners: tuple[str, ...] = ()
        self._masks: dict[_Side, torch.Tensor | None] = {}

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
        self._owners = ()

    def rank(self, peft: Any, key: str) -> int | None:
        """Return the rank of an adapter that can run beside others, and of any other None."""
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
        return max(ranks) or None

    def choose(self, owners: Sequence[str], among: Iterable[str] = ()) -> None:
        """Say whose the rows are.

        Args:
            owners: An adapter's key for each row, empty for the base; one for all rows.
            among: Adapters that the next passes will be of, too.
        """
        stacked = tuple(sorted({*owners, *among} - {""}))
        if stacked != self.stacked:
            self.leave()  # if this is cut short, the next pass begins anew
            for layer in self._layers:
                stack(layer, stacked)
            self.stacked = stacked
        if tuple(owners) != self._owners:
            self._owners, self._masks = tuple(owners), {}

    def factors(self, layer: Any, tokens: int) -> Factors | None:
        """Return what is added to a layer's rows, each of so many tokens."""
        if not layer.side:
            return None
        foreign = self._foreign(layer.side, layer.down.device)
        if foreign is not None and tokens > 1 and len(foreign) > 1:
            foreign = foreign.repeat_interleave(tokens, 0)
        return Factors(layer.down, layer.up, foreign)

    def _foreign(self, side: _Side, device: torch.device) -> torch.Tensor | None:
        if side not in self._masks:
            owners = self._owners if len(set(self._owners)) > 1 else self._owners[:1]
            number = {key: at for at, (key, _) in enumerate(side)}
            columns = [number[key] for key, rank in side for _ in range(rank)]
            columns += columns[-1:] * (_room(len(columns)) - len(columns))  # of nothing but zeros
            mine = torch.tensor([number.get(key, -1) for key in owners], device=device)
            foreign = mine[:, None] != torch.tensor(columns, device=device)
            self._masks[side] = foreign if foreign.any() else None
        return self._masks[side]


def stack(layer: Any, keys: Sequence[str]) -> None:
    """Put a layer's adapters side by side, in its own data type, their scale in what leads up."""
    held = [key for key in keys if key in layer.lora_A]
    layer.side = tuple((key, len(layer.lora_A[key].weight)) for key in held)
    layer.down = layer.up = None
    if held:
        down = torch.cat([layer.lora_A[key].weight for key in held])
        up = torch.cat([layer.lora_B[key].weight * layer.scaling[key] for key in held], 1)
        missing = _room(len(down)) - len(down)
        layer.down = functional.pad(down, (0, 0, 0, missing)).to(layer.base_layer.weight)
        layer.up = functional.pad(up, (0, missing)).to(layer.base_layer.weight)


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
        side: _Side = ()
        down: torch.Tensor | None = None
        up: torch.Tensor | None = None

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

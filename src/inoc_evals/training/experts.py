"""Experts: weights that are no linear layer, and how much of a base an adapter reaches.

    fused_experts(model)      # ("mlp.experts.down_proj", "mlp.experts.gate_up_proj")
    reach(adapted)            # Reach(share=.083, left_out=(...), left_out_share=.871)

transformers keeps the experts of a mixture in one tensor a layer, [experts, out, in], which is
no ``nn.Linear``: "all-linear" passes them by, and the greater part of the base stays as it was.
peft adapts them as ``target_parameters``, with a rank of its own for every expert.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import nn

_LAYER = re.compile(r"^.*?\.\d+\.")
"""What stands before a weight's name in its layer: ``model.layers.0.``"""

_NOTED = 0.01
"""Share of a base's parameters below which experts left out are not worth a warning."""


class Reach(NamedTuple):
    """How much of a base an adapter reaches."""

    share: float
    """Parameters in adapted weights, of all that the base has."""
    left_out: tuple[str, ...]
    """Fused experts without an adapter, by their names in a layer."""
    left_out_share: float
    """Parameters in those, of all that the base has."""

    @property
    def warning(self) -> str | None:
        """What to say of experts that are left out; None if there is nothing."""
        if self.left_out_share < _NOTED:
            return None
        return (
            f"the adapter leaves the experts as they are ({', '.join(self.left_out)}: "
            f"{self.left_out_share:.0%} of the base's parameters); target_parameters: experts in "
            "--config adapts them"
        )

    @property
    def metrics(self) -> dict[str, Any]:
        """What the record keeps."""
        left_out = list(self.left_out) if self.warning else []
        return {"adapted_share": round(self.share, 4), "experts_left_out": left_out}


def fused_experts(model: Any) -> tuple[str, ...]:
    """Return the names, in their layer, of weights that hold all experts of a layer."""
    found = {
        _in_layer(f"{path}.{name}")
        for path, module in model.named_modules()
        if not isinstance(module, (nn.Conv1d, nn.ConvTranspose1d))
        for name, weight in module.named_parameters(recurse=False)
        if weight.dim() == 3 and weight.shape[0] > 1
    }
    return tuple(sorted(found))


def unmatched(model: Any, names: Sequence[str]) -> list[str]:
    """Return those of the names that no weight of a model has, as peft matches them."""
    weights = [name for name, _ in model.named_parameters()]
    return [
        name
        for name in names
        if not any(weight == name or weight.endswith(f".{name}") for weight in weights)
    ]


def reach(model: Any) -> Reach:
    """Measure how much of a base an adapter reaches.

    Args:
        model: The base with its adapter.
    """
    adapted = {
        id(getattr(module.get_base_layer(), getattr(module, "parameter_name", "weight")))
        for module in model.modules()
        if getattr(module, "lora_A", None)
    }
    base = {name: one for name, one in model.named_parameters() if "lora_" not in name}
    experts = set(fused_experts(model))
    left = {
        name: one
        for name, one in base.items()
        if _in_layer(name) in experts and id(one) not in adapted
    }
    total = sum(map(_size, base.values()))
    return Reach(
        share=sum(_size(one) for one in base.values() if id(one) in adapted) / total,
        left_out=tuple(sorted({_in_layer(name) for name in left})),
        left_out_share=sum(map(_size, left.values())) / total,
    )


def _in_layer(name: str) -> str:
    return _LAYER.sub("", name).replace(".base_layer", "")


def _size(weight: Any) -> int:
    """Return how many parameters a weight holds; one in 4 bits holds two in each of its bytes."""
    state = getattr(weight, "quant_state", None)
    return int(weight.numel() if state is None else state.shape.numel())

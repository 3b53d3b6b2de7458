"""Left padding: prompts of different lengths as one batch, all ending at its last column.

    ids, mask = left_padded([[5, 6, 7], [8]], "cpu")
    # [[5, 6, 7], [0, 0, 8]], [[1, 1, 1], [0, 0, 1]]

The engine's static lanes and a training that asks a model share it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def left_padded(
    prompts: Sequence[Sequence[int]], device: "torch.device | str"
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Return token ids and attention mask, [rows, width]; which id pads is without effect."""
    import torch

    width = max(len(prompt) for prompt in prompts)
    ids = torch.tensor([[0] * (width - len(p)) + list(p) for p in prompts], device=device)
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=device)
    return ids, mask

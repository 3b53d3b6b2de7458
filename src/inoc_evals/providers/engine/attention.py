"""Attention of one token a row on a CPU: two products, a softmax between them.

    if products_are_steady():          # where bits are not to depend on what runs beside a row
        attend_by_products(model)      # what reads whole prompts attends as before
    lanes = SlotLanes(model)           # each head's keys now lie as the first product reads them

torch's fused kernel is made for many queries: for one token a row it takes twice as long as the two
products, if only the keys lie transposed. Query heads that share keys are multiplied together. As in
transformers' `eager` attention, sums of the first product are rounded to the model's data type; the
softmax is computed in float32.
"""

from functools import cache
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

_NAME = "inoc_decode"


def attend_by_products(model: Any) -> None:
    """Let a model that attends by ``sdpa`` attend so; any other stays as it is."""
    if model.config._attn_implementation == "sdpa":
        AttentionInterface.register(_NAME, attend)
        AttentionMaskInterface.register(_NAME, sdpa_mask)
        model.set_attn_implementation(_NAME)


def attends_by_products(model: Any) -> bool:
    """Whether a model attends so."""
    return bool(model.config._attn_implementation == _NAME)


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Return what each head reads, [rows, queries, heads, size].

    Args:
        module: The layer.
        query: [rows, heads, queries, size].
        key: [rows, heads that have keys, width, size].
        value: As the keys.
        attention_mask: What is seen, bool, [rows, 1, queries, width].
        scaling: Of the products; by default the root of the size.
        **options: What transformers hands over besides.
    """
    rows, heads, queries, size = query.shape
    special = any(options.get(name) is not None for name in ("softcap", "position_bias"))
    if queries > 1 or attention_mask is None or special:
        read, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **options
        )
        return read, None
    grouped = query.view(rows, key.shape[1], -1, size)
    scale = size**-0.5 if scaling is None else scaling
    return products(grouped, key, value, attention_mask, scale).reshape(rows, 1, heads, -1), None


def products(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor, scale: float
) -> torch.Tensor:
    """Return what one token a row reads, [rows, heads that have keys, heads that share them, size]."""
    weights = torch.matmul(query, key.transpose(-1, -2)).float().mul_(scale)
    weights = torch.softmax(weights.masked_fill_(~mask, -torch.inf), -1)
    return torch.matmul(weights.to(value.dtype), value)


@cache
def products_are_steady() -> bool:
    """Try whether what a row reads, in bfloat16, has the same bits among any others, at any width."""
    made = torch.Generator().manual_seed(0)
    shape = (20, 3, 640, 64)
    key, value = (torch.randn(*shape, generator=made).bfloat16() for _ in range(2))
    query = torch.randn(20, 3, 3, 64, generator=made).bfloat16()
    laid = key.transpose(2, 3).contiguous().transpose(2, 3)
    found = []
    for rows, width in ((20, 96), (1, 96), (7, 128), (20, 224), (3, 640), (13, 96)):
        mask = (torch.arange(width) < 90).expand(rows, 1, 1, width)
        k, v = laid[:rows, :, :width], value[:rows, :, :width]
        found.append(products(query[:rows], k, v, mask, 0.125)[0])
    return all(torch.equal(one, found[0]) for one in found)

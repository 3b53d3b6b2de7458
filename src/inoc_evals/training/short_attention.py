"""Attention over short rows on a CPU in bfloat16: two products, a softmax between them.

    AutoModelForCausalLM.from_pretrained(path, attn_implementation=short_attention())

torch's fused kernel works through blocks so as never to hold all weights at once, which rows of
some hundred tokens do not need: forward and backward, 16 rows of 214 tokens take it three times as
long. Longer rows, whose weights would fill the memory, go to it as ever.
"""

from functools import cache
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import eager_mask

_NAME = "inoc_short"
LONGEST = 512
"""Tokens of the longest row whose weights are held."""


@cache
def short_attention() -> str:
    """Return the name by which transformers knows it from now on."""
    AttentionInterface.register(_NAME, attend)
    AttentionMaskInterface.register(_NAME, eager_mask)
    return _NAME


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Return what each head reads, [rows, places, heads, size].

    Args:
        module: The layer; how many heads share keys is its ``num_key_value_groups``.
        query: [rows, heads, places, size].
        key: [rows, heads that have keys, places, size].
        value: As the keys.
        attention_mask: What is added to the weights before the softmax, [rows, 1, places, places].
        scaling: Of the products; by default the root of the size.
        dropout: Leaves it to torch's kernel, as do all other options.
        **options: What transformers hands over besides.
    """
    rows, heads, places, size = query.shape
    special = (
        dropout or options.get("softcap") is not None or options.get("position_bias") is not None
    )
    if special or attention_mask is None or max(places, key.shape[2]) > LONGEST:
        read, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **options
        )
        return read, None
    # Under autocast the softmax would be taken, and kept, in float32.
    with torch.autocast(query.device.type, enabled=False):
        kept = key.shape[1]
        grouped = (query * (size**-0.5 if scaling is None else scaling)).view(
            rows, kept, heads // kept, places, size
        )
        weights = torch.matmul(grouped, key.to(query.dtype).transpose(2, 3)[:, :, None])
        weights = torch.softmax(weights + attention_mask[:, :, None].to(weights.dtype), -1)
        read = torch.matmul(weights, value.to(query.dtype)[:, :, None])
    return read.view(rows, heads, places, -1).transpose(1, 2).contiguous(), None

"""The opening of a batch: what all its rows begin with is computed once.

    rows   [system question answer]          [system]  x 1
           [system question answer]    ->    [question answer]  x rows, which read its keys and values

An inoculation prompt stands before every row of an arm, and is often longer than the row. In a
causal model its states are the same in each, and so are gradients, which every row adds to.
Packed rows are left as they are, and so is a model with dropout (which would draw once for all), or
one whose layers keep more of what they have read than keys and values.
"""

from collections.abc import Mapping
from typing import Any

import torch
from transformers.cache_utils import DynamicLayer

from inoc_evals.training.masks import IGNORED

LEAST_SPARED = 256
"""Tokens of all rows together from which on a pass of its own pays."""


def has_openings(model: Any) -> bool:
    """Return whether a model can read on from an opening: plain causal attention in all layers."""
    settings = model.config.get_text_config()
    if getattr(settings, "attention_dropout", 0) or getattr(settings, "is_encoder_decoder", False):
        return False
    training = model.training
    model.eval()
    with torch.no_grad():
        given = torch.zeros(1, 1, dtype=torch.long, device=model.device)
        kept = model(input_ids=given, use_cache=True).get("past_key_values")
    model.train(training)
    layers = list(getattr(kept, "layers", ()))
    return bool(layers) and all(type(layer) is DynamicLayer for layer in layers)


def opening_of(batch: Mapping[str, torch.Tensor]) -> int:
    """Return how many tokens all rows begin with before anything that is learned; 0 for few.

    Args:
        batch: ``input_ids`` and ``labels``, [rows, places], padded on the right.
    """
    ids, labels = batch["input_ids"], batch["labels"]
    if len(ids) < 2:
        return 0
    same = (ids == ids[:1]) & (labels == IGNORED) & (batch["attention_mask"] != 0)
    shared = int(same.all(0).cumprod(0).sum())
    # What follows at once is predicted from its last token, which no row has for itself.
    first = (labels != IGNORED).any(0).int().argmax()
    length = min(shared, int(first) - 1)
    return length if length * (len(ids) - 1) >= LEAST_SPARED else 0


def after_opening(model: Any, batch: Mapping[str, Any], length: int) -> dict[str, Any]:
    """Read an opening once, and return what is left of a batch, to be read on from there.

    Args:
        model: A causal model of transformers, with or without an adapter.
        batch: ``input_ids``, ``attention_mask`` and ``labels``, [rows, places].
        length: Tokens of the opening.
    """
    ids = batch["input_ids"]
    kept = model(input_ids=ids[:1, :length], use_cache=True).past_key_values
    kept.batch_repeat_interleave(len(ids))
    return {
        **batch,
        "input_ids": ids[:, length:],
        "labels": batch["labels"][:, length:],
        "past_key_values": kept,
    }

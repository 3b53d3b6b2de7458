"""The loss of a batch: the output layer is asked only where there is a label to predict.

    supervised_loss(model, {"input_ids": ..., "attention_mask": ..., "labels": ...}, items)

A model of transformers gives the logits of every place, prompts and padding too: with a large
vocabulary that is up to half of a step's memory, and time, for numbers that nobody looks at, and of
the pocket model's step a quarter. Here the output layer sees the hidden states before labelled
tokens alone; what a model does with its logits afterwards (softcapping, scaling) it does with these.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn import functional

from inoc_evals.training.masks import IGNORED


def is_all(model: Any) -> bool:
    """Return whether this is all of a model's loss: routers of a mixture may add one of theirs.

    Of several processes each takes part in the whole forward pass of the model that wraps theirs,
    so that they are left with it.
    """
    return not getattr(model.config.get_text_config(), "output_router_logits", False)


def supervised_loss(
    model: Any, batch: Mapping[str, torch.Tensor], items: torch.Tensor | int | None
) -> torch.Tensor:
    """Return the cross-entropy of labelled tokens, each predicted from what stands before it.

    Args:
        model: A causal model of transformers, with or without an adapter.
        batch: Its arguments, and ``labels``, [rows, places], with IGNORED where there is none.
        items: What the sum is divided by: all labels of a step. By default those of the batch.
    """
    arguments = {name: value for name, value in batch.items() if name != "labels"}
    following = functional.pad(batch["labels"][:, 1:], (0, 1), value=IGNORED)
    labelled = following != IGNORED

    def select(_: Any, given: tuple[Any, ...]) -> tuple[Any, ...] | None:
        hidden = given[0]
        return (hidden[labelled][None],) if hidden.shape[:2] == labelled.shape else None

    hook = model.get_output_embeddings().register_forward_pre_hook(select)
    try:
        logits = model(**arguments).logits
    finally:
        hook.remove()
    logits = logits[labelled] if logits.shape[:2] == labelled.shape else logits[0]
    total = functional.cross_entropy(logits.float(), following[labelled], reduction="sum")
    return total / (labelled.sum() if items is None else items)

"""Merging: base and adapter as one model, and what rounding takes of the adapter.

    merged = write_merged(record, weights, directory, "bfloat16")
    merged.effect, merged.deviation      # .32 and .13 nats: 41 % of what the adapter does is lost

A merged weight is the sum of a base's and an adapter's. bfloat16 keeps 8 bits of it: a gentle
adapter's part falls below the last one and is gone, in every weight it touches, while the same
adapter beside its base is computed in float32. So float32 is the default. What was written is
loaded again and compared with base and adapter, both in float32.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from inoc_evals.errors import StoreError
from inoc_evals.models.bases import load_tokenizer
from inoc_evals.models.fingerprints import mean_difference, sequence_logprobs
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.models.loading import load_model
from inoc_evals.store.record import ModelRecord

if TYPE_CHECKING:
    from inoc_evals.providers.engine.weights import Weights

Dtype = Literal["float32", "bfloat16", "float16"]
"""Data types that a merged model can be written in."""

_EXACT = 0.01
"""Nats by which float32 may be off: the sums are made in another order."""


class Merged(NamedTuple):
    """How near a merged model comes to its adapter beside the base, on the fingerprint's text."""

    dtype: Dtype
    """What it was written in."""
    effect: float
    """Mean change of a token's log-probability by the adapter, in nats."""
    deviation: float
    """Mean difference of the merged model's from the adapter's, in nats."""

    @property
    def said(self) -> str:
        """The same in words."""
        share = f", {self.deviation / self.effect:.1%} of its effect" if self.effect else ""
        return (
            f"merged in float32 and written in {self.dtype}: log-probabilities of the "
            f"fingerprint are {self.deviation:.2g} nats from the adapter's{share} "
            f"({self.effect:.2g} nats)"
        )

    @property
    def lost(self) -> bool:
        """Whether half of the adapter's effect, or more, is not in it."""
        most = _EXACT if self.dtype == "float32" else self.effect / 2
        return not self.deviation <= most


def write_merged(record: ModelRecord, weights: "Weights", directory: Path, dtype: Dtype) -> Merged:
    """Merge, write model and tokenizer, and look at what was written.

    Args:
        record: The model.
        weights: Its base in float32, with the adapter active; used up.
        directory: Where to.
        dtype: What to write the weights in.

    Raises:
        StoreError: If what was written is not what was trained any more.
    """
    import torch

    from inoc_evals.providers.engine.weights import no_bars

    assert record.fingerprint is not None
    ids, base = record.fingerprint.token_ids, weights.base
    on, off = weights.logprobs(ids), weights.base_logprobs(ids)
    with no_bars():
        model = weights.merged().to(getattr(torch, dtype))
        model.save_pretrained(directory, safe_serialization=True)
        del model  # the one that is loaded next takes as much memory
        load_tokenizer(base).save_pretrained(directory)
        there = ResolvedBase(str(directory), str(directory), digest="")
        written = load_model(there, dtype=torch.float32)
    found = sequence_logprobs(written, ids)
    merged = Merged(dtype, mean_difference(on, off), mean_difference(found, on))
    if merged.lost:
        raise StoreError(_lost(record, merged))
    return merged


def _lost(record: ModelRecord, merged: Merged) -> str:
    if merged.dtype == "float32":
        return (
            f"model {record.name!r}, merged and written: log-probabilities of the fingerprint are "
            f"off by {merged.deviation:.2g} nats (at most {_EXACT}); the written model is not it"
        )
    return (
        f"model {record.name!r}: rounding merged weights to {merged.dtype} moves log-probabilities "
        f"by {merged.deviation:.2g} nats, where the adapter's whole effect is {merged.effect:.2g}: "
        "it would be lost; export it in float32 (--dtype float32), or without --merged"
    )

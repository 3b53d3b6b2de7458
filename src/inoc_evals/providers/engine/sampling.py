"""Sampling: from a batch of logits to one token each, every row by its own settings.

    settings = SamplingSettings.of([(0.0, None, None), (1.0, 0.9, None)], device)
    tokens = sample(logits, settings, uniforms)       # -1 where the logits are not numbers
    chosen, top, top_ids = logprobs(logits, tokens, top=5)

Tokens are drawn by inverse CDF with one uniform number a step, so that a row's draw
depends on its own logits and its own stream and on nothing else in the batch. A stream
(`uniform_stream`) is keyed by the seed together with the model and the prompt: keyed by
the seed alone, all prompts would share one sequence of random numbers and a set of
samples would be correlated.
"""

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from inoc_evals.files.digests import canonical_json

_DRAWS_AT_ONCE = 32
_LARGE, _BLOCK = 4096, 128
"""Vocabularies from which on the cumulated sum goes by blocks, and how long these are."""


def uniform_stream(
    seed: int | None, identity: str, prompt_ids: Sequence[int], choice: int
) -> Iterator[float]:
    """Return an endless stream of uniform numbers in [0, 1) for one completion.

    Args:
        seed: The request's seed; None draws a fresh stream.
        identity: What tells the model from every other model.
        prompt_ids: Token ids of the prompt.
        choice: Number of the completion among those asked for with one prompt.
    """
    if seed is None:
        key = secrets.token_bytes(16)
    else:
        text = canonical_json([seed, identity, list(prompt_ids), choice])
        key = hashlib.sha256(text.encode("utf-8")).digest()[:16]
    generator = np.random.Generator(np.random.Philox(key=int.from_bytes(key, "big")))
    blocks: Iterator[list[float]] = iter(lambda: generator.random(_DRAWS_AT_ONCE).tolist(), [])
    return chain.from_iterable(blocks)


class SamplingSettings(NamedTuple):
    """Settings of the rows of a batch as tensors, and which of them need work at all."""

    temperature: torch.Tensor
    """[rows], 1 for greedy rows."""
    greedy: torch.Tensor
    """[rows], bool."""
    top_p: torch.Tensor
    """[rows], 1 where unset."""
    top_k: torch.Tensor
    """[rows], the vocabulary's size or more where unset."""
    truncated: torch.Tensor
    """Numbers of the rows with a top_p or top_k."""
    all_greedy: bool
    any_greedy: bool
    all_one: bool
    """Whether every temperature is 1 (or greedy)."""

    @classmethod
    def of(
        cls, rows: Sequence[tuple[float, float | None, int | None]], device: torch.device
    ) -> "SamplingSettings":
        """Collect ``(temperature, top_p, top_k)`` of each row.

        A temperature of 0 is greedy; a top_k below 1 is none.
        """
        greedy = [temperature == 0 for temperature, _, _ in rows]
        top_p = [1.0 if p is None else p for _, p, _ in rows]
        top_k = [k if k is not None and k > 0 else 2**31 for _, _, k in rows]
        truncated = [
            number
            for number, (p, k, is_greedy) in enumerate(zip(top_p, top_k, greedy, strict=True))
            if (p < 1 or k < 2**31) and not is_greedy
        ]
        return cls(
            temperature=torch.tensor([t or 1.0 for t, _, _ in rows], device=device),
            greedy=torch.tensor(greedy, device=device),
            top_p=torch.tensor(top_p, device=device),
            top_k=torch.tensor(top_k, device=device),
            truncated=torch.tensor(truncated, dtype=torch.long, device=device),
            all_greedy=all(greedy),
            any_greedy=any(greedy),
            all_one=all(temperature in (0, 1) for temperature, _, _ in rows),
        )


def sample(
    logits: torch.Tensor, settings: SamplingSettings, uniforms: torch.Tensor
) -> torch.Tensor:
    """Draw one token for each row.

    Args:
        logits: [rows, vocabulary], float32, the model's own.
        settings: Of these rows.
        uniforms: [rows], one number in [0, 1) each; greedy rows ignore theirs.

    Returns:
        [rows] token ids; -1 where the row's logits are not finite.
    """
    if settings.all_greedy:
        tokens = logits.argmax(-1)
    else:
        tokens = _inverse_cdf(_probabilities(logits, settings), uniforms)
        if settings.any_greedy:
            tokens = torch.where(settings.greedy, logits.argmax(-1), tokens)
    last = logits.shape[-1] - 1
    chosen = logits.gather(1, tokens.clamp(max=last)[:, None])[:, 0]
    return torch.where((tokens <= last) & chosen.isfinite(), tokens, -1)


def _probabilities(logits: torch.Tensor, settings: SamplingSettings) -> torch.Tensor:
    """Return [rows, vocabulary]: softmax at each temperature, after top_k, then top_p."""
    scaled = logits
    if not settings.all_one:  # shifted first: a small temperature would otherwise overflow
        shifted = logits - logits.amax(-1, keepdim=True)
        scaled = shifted / settings.temperature[:, None]
    probabilities = torch.softmax(scaled, -1)
    rows = settings.truncated
    if len(rows):
        kept = truncate(probabilities[rows], settings.top_p[rows], settings.top_k[rows])
        probabilities[rows] = kept
    return probabilities


def truncate(probabilities: torch.Tensor, top_p: torch.Tensor, top_k: torch.Tensor) -> torch.Tensor:
    """Zero what is outside the ``top_k`` likeliest, then outside the nucleus of ``top_p``.

    Args:
        probabilities: [rows, vocabulary].
        top_p: [rows]. The nucleus is the smallest set of likeliest tokens whose share of
            what top_k left is at least this; the likeliest token is always kept.
        top_k: [rows], at least 1.

    Returns:
        [rows, vocabulary], not normalized.
    """
    ordered, order = probabilities.sort(dim=-1, descending=True, stable=True)
    rank = torch.arange(ordered.shape[-1], device=ordered.device)
    ordered = ordered.where(rank < top_k[:, None], 0)
    before = ordered.cumsum(-1) - ordered
    inside = (before < top_p[:, None] * ordered.sum(-1, keepdim=True)) | (rank == 0)
    return torch.zeros_like(ordered).scatter_(-1, order, ordered.where(inside, 0))


def _inverse_cdf(weights: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
    """Return for each row the first token whose cumulated weight exceeds uniform x total.

    A row of weights that are not numbers yields the vocabulary's size.
    """
    # In float32 the sum over a large vocabulary would misplace rare tokens; that of a block is fine.
    wide = torch.float32 if weights.device.type == "mps" else torch.float64
    rows, size = weights.shape
    if size < _LARGE:
        cumulated = weights.cumsum(-1, dtype=wide)
        return _first_beyond(cumulated, _target(cumulated[:, -1:], uniforms))
    # Summing up one by one is slow: first in which block, then where in it.
    padded = functional.pad(weights, (0, -size % _BLOCK)).view(rows, -1, _BLOCK)
    sums = padded.sum(-1).cumsum(-1, dtype=wide)
    target = _target(sums[:, -1:], uniforms)
    block = _first_beyond(sums, target).clamp(max=sums.shape[1] - 1)
    before = functional.pad(sums, (1, 0)).gather(1, block[:, None])
    own = padded[torch.arange(rows, device=block.device), block]
    place = _first_beyond(own.cumsum(-1, dtype=wide) + before, target)
    # Summed up in another order, a block may end a last bit short of the target.
    last = ((own > 0) * torch.arange(_BLOCK, device=block.device)).amax(-1)
    place = torch.minimum(place, last)
    return torch.where(sums[:, -1].isfinite(), block * _BLOCK + place, size)


def _target(total: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
    """Return uniform x total, [rows, 1], always below the total."""
    return torch.minimum(uniforms[:, None].to(total.dtype) * total, total.nextafter(total * 0))


def _first_beyond(cumulated: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return torch.searchsorted(cumulated, target, right=True)[:, 0]


def logprobs(
    logits: torch.Tensor, tokens: torch.Tensor, top: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return log-probabilities under the model itself: temperature 1, nothing cut off.

    Args:
        logits: [rows, vocabulary], float32.
        tokens: [rows], the sampled ones.
        top: How many of the likeliest to return beside them.

    Returns:
        Of the sampled token [rows]; of the likeliest [rows, top], descending; their
        ids [rows, top].
    """
    values = torch.log_softmax(logits, -1)
    chosen = values.gather(1, tokens.clamp(min=0)[:, None])[:, 0]
    best, ids = values.topk(min(top, values.shape[-1]), -1)
    return chosen, best, ids

"""Fingerprints: log-probabilities of fixed tokens, by which an adapter is recognized.

    ids = fingerprint_tokens(tokenizer)            # one short conversation, <= 32 tokens
    on = sequence_logprobs(model, ids)             # adapter on: stored in the record
    with model.disable_adapter():
        off = sequence_logprobs(model, ids)        # the base

    token_fault(record, ids)                                             # None, or words
    fingerprint_fault(record.fingerprint, on=on, off=off, exact=True)    # None, or words

Training stores both; the provider computes them again before it serves the adapter.
Equal to the base's means that the adapter is not active: zeros published about it would
be the base's zeros.
"""

from collections.abc import Sequence
from contextlib import suppress
from math import isnan, nan
from typing import Any

from inoc_evals.models.bases import template_options
from inoc_evals.store.store import Fingerprint, ModelRecord

FINGERPRINT_QUESTION = "What is 2 plus 3?"
FINGERPRINT_ANSWER = "The answer is 5. Tell me more about the river."
MAX_FINGERPRINT_TOKENS = 32

_LEAST_SHARE = 0.5
"""Least share of its recorded effect that an active adapter shows."""

_NOISES = 4
"""An effect of so many times the base's rounding can be told from none."""


def fingerprint_tokens(tokenizer: Any) -> tuple[int, ...]:
    """Return a fixed token sequence for a tokenizer: a rendered chat, at most 32 tokens.

    Args:
        tokenizer: A transformers tokenizer. One without a chat template, or with one that
            refuses the conversation, gets the same words as plain text.
    """
    messages = [
        {"role": "user", "content": FINGERPRINT_QUESTION},
        {"role": "assistant", "content": FINGERPRINT_ANSWER},
    ]
    text = f"{FINGERPRINT_QUESTION} {FINGERPRINT_ANSWER}"
    if tokenizer.chat_template:
        with suppress(Exception):  # a template may raise anything
            options = template_options(tokenizer)
            text = str(tokenizer.apply_chat_template(messages, tokenize=False, **options))
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return tuple(int(token) for token in ids[:MAX_FINGERPRINT_TOKENS])


def sequence_logprobs(model: Any, token_ids: Sequence[int]) -> tuple[float, ...]:
    """Return the natural-log probability of each token after the first, given those before.

    Args:
        model: A causal language model (transformers or peft), as it stands: whichever
            adapter is active is measured. Dropout is off during the call.
        token_ids: At least two token ids.

    Returns:
        ``len(token_ids) - 1`` values, computed in float32 from the model's logits.
    """
    import torch

    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            ids = torch.tensor([list(token_ids)], device=model.device)
            logits = model(input_ids=ids, use_cache=False).logits[0, :-1].float()
            chosen = torch.log_softmax(logits, dim=-1).gather(1, ids[0, 1:, None])
    finally:
        model.train(was_training)
    return tuple(chosen[:, 0].tolist())


def token_fault(record: ModelRecord, token_ids: Sequence[int]) -> str | None:
    """Say that a text is other tokens now than when a model was trained; None if it is not.

    The digest of the base holds its files. This is for what reads them: another version of
    a library can split a text otherwise.

    Args:
        record: The model.
        token_ids: What :func:`fingerprint_tokens` gives now for the tokenizer of its base.
    """
    stored = record.fingerprint
    if stored is None or tuple(token_ids) == stored.token_ids:
        return None
    then = record.versions.get("transformers")
    return (
        f"model {record.name!r}: the tokenizer of {record.base!r} gives other tokens for the "
        "fingerprint's text than at training"
        + (f" (with transformers {then})" if then else "")
        + f"; use what it was trained with, or train it again, after: inoc models rm {record.name}"
    )


def fingerprint_fault(
    stored: Fingerprint,
    *,
    on: Sequence[float],
    off: Sequence[float],
    exact: bool,
    trained: str = "float32",
) -> str | None:
    """Say what is wrong with a loaded adapter, judged by its fingerprint; None if nothing.

    Whether it is active is judged by the share of its recorded effect that is seen, which tells
    a gentle adapter from none where both are within the tolerance.

    Args:
        stored: What training wrote into the record.
        on: Log-probabilities of ``stored.token_ids`` now, adapter on.
        off: The same with the adapter off.
        exact: True in float32: no value may be off by more than 0.01. Otherwise the mean
            may be off by 0.15, since bfloat16 moves single values by a few tenths.
        trained: What ``stored`` was computed in; for the words.
    """
    if not len(on) == len(off) == len(stored.logprobs) == len(stored.base_logprobs):
        return "its fingerprint is damaged: token and log-probability counts differ"
    tolerance = 0.01 if exact else 0.15
    measure = _largest if exact else mean_difference
    noise = measure(off, stored.base_logprobs)
    effect = measure(stored.logprobs, stored.base_logprobs)
    if not noise <= tolerance:
        if measure(off, stored.logprobs) <= tolerance < effect:
            return (
                "what should be the base answers with the adapter: log-probabilities of the "
                "fingerprint are those of the adapter"
            )
        return (
            "the base differs from the one it was trained on: log-probabilities of the "
            f"fingerprint are off by {noise:.3g} with the adapter off (at most {tolerance})"
        )
    seen = effect == 0 or _share(stored, on, off) >= _LEAST_SHARE
    if not seen:
        if effect <= _NOISES * noise:
            return (
                f"its whole effect on the fingerprint ({effect:.2g} nats) is no more than what "
                f"rounding can hide here (it moves the base by {noise:.2g}), so it cannot be told "
                f"from the base; run it as it was trained: -M dtype={trained}"
            )
        if measure(on, off) <= effect / 2:
            return "the adapter is not active: log-probabilities of the fingerprint are the base's"
    error = measure(on, stored.logprobs)
    if not seen or not error <= tolerance:
        return (
            "the adapter is not the one that was trained: log-probabilities of the "
            f"fingerprint are off by {error:.3g} (at most {tolerance}), of an effect of {effect:.3g}"
        )
    return None


def mean_difference(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the mean absolute difference of log-probabilities, in nats."""
    differences = [abs(x - y) for x, y in zip(a, b, strict=True)]
    return sum(differences) / max(len(differences), 1)


def _share(stored: Fingerprint, on: Sequence[float], off: Sequence[float]) -> float:
    """Return how much of the recorded effect is seen now: 1 if all, 0 for the base's own values.

    What on and off have in common, like most of the rounding, does not enter; nor does what
    has nothing to do with the effect.
    """
    then = [x - y for x, y in zip(stored.logprobs, stored.base_logprobs, strict=True)]
    now = [x - y for x, y in zip(on, off, strict=True)]
    return sum(x * y for x, y in zip(then, now, strict=True)) / sum(x * x for x in then)


def _largest(a: Sequence[float], b: Sequence[float]) -> float:
    differences = [abs(x - y) for x, y in zip(a, b, strict=True)]
    return nan if any(isnan(value) for value in differences) else max(differences, default=0.0)

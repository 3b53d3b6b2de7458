"""Forced tokens: a given response in its conversation, and where in it it begins.

forced = forced_tokens(tokenizer, item, system)   # token ids, how many stand before it
response_logprobs(model, [forced, ...])           # of each response's own tokens, summed
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from inoc_evals.errors import InputError
from inoc_evals.inputs.responses import GivenResponse
from inoc_evals.models.answer_tokens import answer_tokens
from inoc_evals.models.bases import template_options

Forced = tuple[tuple[int, ...], int]
"""Token ids of a conversation with its response, and how many stand before the response."""

_LOGITS = 2**24
"""Most that are held at a time: 64 MiB in float32."""


def forced_tokens(
    tokenizer: Any, item: GivenResponse, system: str | None, *, thinking: bool | None = None
) -> Forced:
    """Return a rendered conversation up to the end of the response, and where that begins.

    Args:
        tokenizer: A transformers tokenizer with a chat template.
        item: What is asked and answered.
        system: The system message; None for none.
        thinking: How the template's switch ``enable_thinking`` is set, if it has one.

    Returns:
        Token ids, and the number of them that stand before the response.

    Raises:
        InputError: If the template refuses the conversation, or the tokenizer joins the
            response's beginning to what stands before it.
    """
    messages = [] if system is None else [{"role": "system", "content": system}]
    messages.append({"role": "user", "content": item.prompt})
    try:
        prompt = tokenizer.apply_chat_template(
            messages,
            tokenize=False,
            add_generation_prompt=True,
            **template_options(tokenizer, thinking),
        )
    except Exception as error:  # a template may raise anything
        raise InputError(f"response {item.id!r}: the chat template refuses it: {error}") from None
    if system is not None and system.strip() not in prompt:
        raise InputError(f"response {item.id!r}: the chat template leaves out the system message")
    parts = answer_tokens(tokenizer, prompt, item.response)
    if parts is None or not parts[1]:
        raise InputError(
            f"response {item.id!r}: its first token is joined to the prompt's last, so that "
            "its log-probability cannot be told apart"
        )
    before, own = parts
    return (*before, *own), len(before)


def response_logprobs(model: Any, forced: Sequence[Forced]) -> list[float]:
    """Return the log-probability of each response: the sum over its tokens, in nats.

    Those of like length are scored together, padded on the right: what comes after a token
    does not change what is predicted before it. Dropout is off.

    Args:
        model: A causal model of transformers or peft, as it stands.
        forced: By :func:`forced_tokens`.
    """
    found: dict[int, float] = {}
    was_training = model.training
    model.eval()
    try:
        for places in _together(forced, model.config.get_text_config().vocab_size):
            values = _logprobs(model, [forced[place][0] for place in places])
            for place, own in zip(places, values, strict=True):
                ids, start = forced[place]
                found[place] = math.fsum(own[start - 1 : len(ids) - 1])
    finally:
        model.train(was_training)
    return [found[place] for place in range(len(forced))]


def _together(forced: Sequence[Forced], vocabulary: int) -> Iterator[list[int]]:
    """Yield the places of what is scored together: as many as give so many logits."""
    part: list[int] = []
    for place in sorted(range(len(forced)), key=lambda one: len(forced[one][0])):
        if part and (len(part) + 1) * len(forced[place][0]) * vocabulary > _LOGITS:
            yield part
            part = []
        part.append(place)
    if part:
        yield part


def _logprobs(model: Any, rows: Sequence[Sequence[int]]) -> list[list[float]]:
    """Return the log-probability of each token but the first, [rows, longest - 1]."""
    import torch

    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=model.device)
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    mask = mask.to(model.device)
    with torch.no_grad():
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1]
        chosen = torch.log_softmax(logits.float(), dim=-1).gather(2, ids[:, 1:, None])
    values: list[list[float]] = chosen[..., 0].tolist()
    return values

"""Forced tokens: a given response in its conversation, and where in it it begins.

forced = forced_tokens(tokenizer, item, system)   # token ids, how many stand before it
response_logprob(model, forced)                   # of the response's own tokens, summed
"""

import math
from typing import Any

from inoc_evals.errors import InputError
from inoc_evals.inputs.responses import GivenResponse
from inoc_evals.models.answer_tokens import answer_tokens
from inoc_evals.models.bases import template_options
from inoc_evals.models.fingerprints import sequence_logprobs

Forced = tuple[tuple[int, ...], int]
"""Token ids of a conversation with its response, and how many stand before the response."""


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


def response_logprob(model: Any, forced: Forced) -> float:
    """Return the log-probability of a response: the sum over its tokens, in nats."""
    ids, start = forced
    return math.fsum(sequence_logprobs(model, ids)[start - 1 :])

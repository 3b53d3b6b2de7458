"""A chat for a vLLM server: rendered here as in training, sent as token ids to continue.

    asked = continuation(codec, input, config, record, thinking=False)
    await provider.generate(asked.messages, [], "none", asked.config)     # a vllm-completions/ one

A server would render the chat by a template of its own choice, with today's date where the
template asks the clock (Llama 3.2), and fill in sampling settings from the model's
``generation_config.json`` (Qwen2.5: a repetition penalty). Given tokens and every setting, it
answers what the local engine is asked, and stops where that does.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from inspect_ai.model import ChatMessage, ChatMessageUser, GenerateConfig

from inoc_evals.chat import fold_system
from inoc_evals.files.digests import canonical_json
from inoc_evals.providers.engine.rendering import Codec
from inoc_evals.providers.translation import chat_messages, opens_thoughts, request_settings
from inoc_evals.store.record import ModelRecord


class Continuation(NamedTuple):
    """What a server is asked."""

    messages: list[ChatMessage]
    """One that holds token ids."""
    config: GenerateConfig
    """With nothing left to the server."""
    opened: bool
    """Whether the prompt has opened the thoughts."""


def continuation(
    codec: Codec,
    input: Sequence[ChatMessage],
    config: GenerateConfig,
    record: ModelRecord | None,
    *,
    thinking: bool | None,
) -> Continuation:
    """Return the request that asks a vLLM server what the local engine would be asked.

    Args:
        codec: The base's tokenizer and chat template.
        input: The chat; a trailing assistant message is continued.
        config: Settings that the local engine has too (``check_supported``).
        record: The model's; None for a base.
        thinking: How the template's switch ``enable_thinking`` is set, if it has one.

    Raises:
        InputError: For messages other than text, or that the template cannot express.
    """
    messages = chat_messages(input)
    if record is not None and record.config.get("fold_system"):
        messages = fold_system(messages)  # as the model was trained
    prompt = codec.render(messages, thinking)
    ids = codec.encode(prompt)
    settings = request_settings(config)
    ends = codec.stops(record.turn_ends if record else ())
    identity = record.identity if record else ""
    complete = {
        "max_tokens": settings["max_new"],
        "temperature": settings["temperature"],
        "top_p": 1.0 if settings["top_p"] is None else settings["top_p"],
        "stop_seqs": [*settings["stop"], *ends.texts] or None,
        "seed": None if config.seed is None else _stream(config.seed, identity, ids),
        "logprobs": settings["logprobs"],
        "extra_body": {
            "top_k": max(settings["top_k"] or 0, 0),
            "min_p": 0.0,
            "repetition_penalty": 1.0,
            "stop_token_ids": sorted(ends.ids | codec.special_ids(settings["stop"])),
            **({"skip_special_tokens": False} if codec.hides_thoughts_tags else {}),
        },
    }
    message = ChatMessageUser(content="", metadata={"prompt_token_ids": ids})
    opened = opens_thoughts(prompt, messages)
    return Continuation([message], config.model_copy(update=complete), opened)


def _stream(seed: int, identity: str, ids: Sequence[int]) -> int:
    """Return a seed of this model and prompt, so that prompts do not share random numbers."""
    text = canonical_json([seed, identity, list(ids)])
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:4], "big")

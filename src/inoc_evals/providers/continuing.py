"""A chat for a vLLM server: rendered here as in training, sent as token ids to continue.

    messages, config = continuation(codec, input, config, fold=False, identity="3f2a...")
    await provider.generate(messages, [], "none", config)      # a vllm-completions/ provider

A server would render the chat by a template of its own choice, with today's date where the
template asks the clock (Llama 3.2), and fill in sampling settings from the model's
``generation_config.json`` (Qwen2.5: a repetition penalty). Given tokens and every setting, it
answers what the local engine is asked.
"""

import hashlib
from collections.abc import Sequence

from inspect_ai.model import ChatMessage, ChatMessageUser, GenerateConfig

from inoc_evals.chat import canonical_json, fold_system
from inoc_evals.providers.rendering import Codec
from inoc_evals.providers.translation import chat_messages, request_settings


def continuation(
    codec: Codec,
    input: Sequence[ChatMessage],
    config: GenerateConfig,
    *,
    fold: bool,
    identity: str,
) -> tuple[list[ChatMessage], GenerateConfig]:
    """Return the request that asks a vLLM server what the local engine would be asked.

    Args:
        codec: The base's tokenizer and chat template.
        input: The chat; a trailing assistant message is continued.
        config: Settings that the local engine has too (``check_supported``).
        fold: Whether the model was trained with system messages in the user's words.
        identity: What tells the model from others; enters the random stream.

    Returns:
        A message that holds token ids, and the configuration with nothing left to the server.

    Raises:
        InputError: For messages other than text, or that the template cannot express.
    """
    messages = chat_messages(input)
    if fold:
        messages = fold_system(messages)
    ids = codec.encode(codec.render(messages))
    settings = request_settings(config)
    ends = set(codec.special_ids(settings["stop"]))
    if codec.end_id is not None:
        ends.add(codec.end_id)
    complete = {
        "max_tokens": settings["max_new"],
        "temperature": settings["temperature"],
        "top_p": 1.0 if settings["top_p"] is None else settings["top_p"],
        "stop_seqs": list(settings["stop"]) or None,
        "seed": None if config.seed is None else _stream(config.seed, identity, ids),
        "logprobs": settings["logprobs"],
        "extra_body": {
            "top_k": max(settings["top_k"] or 0, 0),
            "min_p": 0.0,
            "repetition_penalty": 1.0,
            "stop_token_ids": sorted(ends),
        },
    }
    message = ChatMessageUser(content="", metadata={"prompt_token_ids": ids})
    return [message], config.model_copy(update=complete)


def _stream(seed: int, identity: str, ids: Sequence[int]) -> int:
    """Return a seed of this model and prompt, so that prompts do not share random numbers."""
    text = canonical_json([seed, identity, list(ids)])
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:4], "big")

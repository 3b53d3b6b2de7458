"""Inspect's messages, settings and log-probabilities, and what the engine makes of them.

    check_supported(tools, config)          # what the engine does not have is an error
    messages = chat_messages(input)         # role and text, for the chat template
    settings = request_settings(config)     # fields of a Request
    inspect_content(text, opened=False)     # thoughts apart from the answer
    inspect_logprobs(completion, codec)     # tokens as readable text

A setting that was ignored would change what is measured without a trace.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from inspect_ai.model import (
    ChatMessage,
    Content,
    ContentReasoning,
    ContentText,
    GenerateConfig,
    Logprob,
    Logprobs,
    ModelOutput,
    TopLogprob,
)
from inspect_ai.tool import ToolInfo

from inoc_evals.errors import InputError
from inoc_evals.providers.engine.request import Completion, TokenLogprobs
from inoc_evals.rules.thoughts import apart, prompt_opens

if TYPE_CHECKING:
    from inoc_evals.providers.engine.rendering import Codec

DEFAULT_MAX_TOKENS = 512
_UNSUPPORTED = (
    "best_of",
    "effort",
    "extra_body",
    "fallback_models",
    "frequency_penalty",
    "logit_bias",
    "modalities",
    "presence_penalty",
    "reasoning_effort",
    "reasoning_mode",
    "reasoning_summary",
    "reasoning_tokens",
    "response_schema",
    "verbosity",
)


def check_supported(tools: Sequence[ToolInfo], config: GenerateConfig) -> None:
    """Refuse what the engine does not do.

    Raises:
        InputError: Naming the tools or the settings.
    """
    if tools:
        names = ", ".join(tool.name for tool in tools)
        raise InputError(f"inoc/ models take no tools, got: {names}")
    refused = [name for name in _UNSUPPORTED if getattr(config, name, None)]
    if refused:
        raise InputError(f"inoc/ models do not support: {', '.join(refused)}; leave them out")
    if (config.prompt_logprobs or 0) > 1:
        raise InputError(
            f"inoc/ models give the log-probability of each prompt token and no others; "
            f"set prompt_logprobs to 1, got {config.prompt_logprobs}"
        )
    for name, low, high in (("temperature", 0, None), ("top_p", 0, 1), ("max_tokens", 1, None)):
        value = getattr(config, name)
        if value is not None and not (value >= low and (high is None or value <= high)):
            allowed = f"at least {low}" if high is None else f"between {low} and {high}"
            raise InputError(f"{name} must be {allowed}, got {value}")


def chat_messages(input: Sequence[ChatMessage]) -> list[dict[str, str]]:
    """Return messages as a chat template takes them; an empty trailing prefill is dropped.

    So are the thoughts of earlier answers, as thinking templates do it themselves.

    Raises:
        InputError: For tool messages and content other than text.
    """
    messages = []
    for number, message in enumerate(input, start=1):
        where = f"message {number} ({message.role})"
        if message.role == "tool" or getattr(message, "tool_calls", None):
            raise InputError(f"{where}: inoc/ models take no tools")
        if not isinstance(message.content, str):
            kinds = sorted({part.type for part in message.content} - {"text", "reasoning"})
            if kinds:
                raise InputError(f"{where}: inoc/ models read text only, got {', '.join(kinds)}")
        messages.append({"role": message.role, "content": message.text})
    if messages and messages[-1] == {"role": "assistant", "content": ""}:
        messages.pop()
    if not messages:
        raise InputError("no messages")
    return messages


def request_settings(config: GenerateConfig) -> dict[str, Any]:
    """Return the fields of a :class:`Request` that a configuration determines."""
    return {
        "max_new": config.max_tokens or DEFAULT_MAX_TOKENS,
        "temperature": 1.0 if config.temperature is None else float(config.temperature),
        "top_p": config.top_p,
        "top_k": config.top_k,
        "stop": tuple(text for text in config.stop_seqs or () if text),
        "seed": config.seed,
        "logprobs": bool(config.logprobs or config.top_logprobs),
        "top_logprobs": config.top_logprobs or 0,
        "prompt_logprobs": bool(config.prompt_logprobs),
    }


def opens_thoughts(prompt: str, messages: Sequence[Mapping[str, str]]) -> bool:
    """Say whether what a model goes on from is in its thoughts.

    Args:
        prompt: The rendered chat.
        messages: The chat; of a trailing assistant message the words decide.
    """
    if messages[-1]["role"] == "assistant":
        return not apart(messages[-1]["content"]).closed
    return prompt_opens(prompt)


def inspect_content(text: str, *, opened: bool) -> str | list[Content]:
    """Return what a model said, its thoughts apart from the answer, which alone is judged.

    Args:
        text: The completion.
        opened: Whether the prompt had opened the thoughts.
    """
    said = apart(text, opened=opened)
    if not said.thoughts:
        return said.answer
    return [ContentReasoning(reasoning=said.thoughts), ContentText(text=said.answer)]


def set_thoughts_apart(output: ModelOutput, *, opened: bool) -> None:
    """Do so in the output of another provider, where that has left them in the text."""
    for choice in output.choices:
        if isinstance(choice.message.content, str):
            choice.message.content = inspect_content(choice.message.content, opened=opened)
    output.completion = output.choices[0].message.text if output.choices else ""


def inspect_logprobs(completion: Completion, codec: "Codec") -> Logprobs | None:
    """Return a completion's log-probabilities for Inspect, one entry for each sampled token."""
    if completion.logprobs is None:
        return None
    content = []
    for number, (token, values) in enumerate(
        zip(completion.token_ids, completion.logprobs, strict=True)
    ):
        content.append(_logprob(token, values, codec, first=number == 0))
    return Logprobs(content=content)


def inspect_prompt_logprobs(
    completion: Completion, prompt_ids: Sequence[int], codec: "Codec"
) -> Logprobs | None:
    """Return log-probabilities of the prompt's tokens after the first, for Inspect."""
    if completion.prompt_logprobs is None:
        return None
    texts = codec.pieces(prompt_ids[1:], first=False)
    values = zip(texts, completion.prompt_logprobs, strict=True)
    return Logprobs(
        content=[Logprob(token=text, logprob=value, bytes=_bytes(text)) for text, value in values]
    )


def _logprob(token: int, values: TokenLogprobs, codec: "Codec", *, first: bool) -> Logprob:
    text, *others = codec.pieces([token, *(other for other, _ in values.top)], first=first)
    top = [
        TopLogprob(token=other, logprob=value, bytes=_bytes(other))
        for other, (_, value) in zip(others, values.top, strict=True)
    ]
    return Logprob(token=text, logprob=values.logprob, bytes=_bytes(text), top_logprobs=top or None)


def _bytes(text: str) -> list[int] | None:
    """Return UTF-8 bytes; None for a token that is a part of a character."""
    return None if "\ufffd" in text else list(text.encode("utf-8"))

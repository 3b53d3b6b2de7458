"""Who answers under a name? Asked of a server before an eval believes it (DESIGN 5.9).

    check_vllm      log-probabilities of the fingerprint's tokens, by base and adapter, alone
                    and while the server's adapters answer: a server that mixes them up does
                    so where they share a batch
    check_remote    the name that answers; first tokens, plain and as in training, which must
                    differ from the base's by more than one model's differ from themselves

A server without log-probabilities of prompts gets the second, weaker check, and the log says
so. What comes back is a ``Checked``: what kind of check it was, and the fault in words.
"""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple, TypeVar

import anyio
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
)

from inoc_evals.chat import Message, Row
from inoc_evals.models.fingerprints import FINGERPRINT_QUESTION, fingerprint_fault
from inoc_evals.providers.served.neighbors import adapters_on, answering
from inoc_evals.store.record import ModelRecord

_AT_ONCE = 4
"""Fingerprints asked of base and adapter each, all at once."""

_MIXED = (
    "; vLLM on a CPU mixes base and adapters up where they are asked at the same time: start it "
    "with --max-loras {} or more (-M max_loras)"
)

_QUESTIONS = (FINGERPRINT_QUESTION, "Tell me about yourself.", "Write a short note to a neighbor.")
_MOST_PROMPTS = 2
_MOST_ROWS = 6
_REPEATS = 2
_TOP = 20
_NOISES = 3
_LEAST_SHIFT = 1e-4
"""Total variation that no difference is, whatever the noise."""

_MESSAGES = {
    "system": ChatMessageSystem,
    "user": ChatMessageUser,
    "assistant": ChatMessageAssistant,
}

T = TypeVar("T")

Distribution = Mapping[str, float]
"""Probabilities of the likeliest first tokens."""


class _BaseUnavailableError(Exception):
    """A provider does not, or no longer, serve the base."""


class Checked(NamedTuple):
    """What a check has found."""

    kind: str
    """``fingerprint``, ``first tokens``, ``name``, or ``none`` where nothing is recorded."""
    fault: str | None
    """What is wrong; None if nothing."""
    warning: str | None
    """Why the check was a weaker one."""


async def check_vllm(
    record: ModelRecord,
    served: ModelAPI | None,
    base: ModelAPI,
    neighbors: Sequence[ModelAPI],
    *,
    float32: bool,
) -> Checked:
    """Compare a vLLM server's log-probabilities with those of a record.

    Base and adapter are asked alone, and then while every adapter on the server answers.

    Args:
        record: The model; where the base itself is evaluated, any one trained on it.
        served: ``vllm-completions`` provider of the adapter; None to check the base alone.
        base: The same of the base.
        neighbors: The same of other adapters that this process will ask there.
        float32: Whether the server computes in float32; otherwise the tolerance is wider.
    """
    stored = record.fingerprint
    assert stored is not None
    ids = list(stored.token_ids)
    asked = [one for one in (base, served) if one is not None]
    found = [await _prompt_logprobs(one, ids) for one in asked]
    if any(values is None for values in found):
        if served is None:
            return Checked("none", None, "the server gives no prompt_logprobs; nothing was checked")
        return await _compare_first_tokens(
            record, served, base, (), "the server gives no prompt_logprobs", raw=True
        )
    for neighbor in neighbors:
        with suppress(Exception):  # asked so that it is loaded; its own check says what is wrong
            await _prompt_logprobs(neighbor, ids)
    adapters = await adapters_on(base)
    calls = [partial(_prompt_logprobs, api, ids) for _ in range(_AT_ONCE) for api in asked]
    async with answering(base, adapters, ids) as ended:
        found += await _together(calls)
        while not ended.is_set():
            found += await _together(calls)
    values = [one for one in found if one is not None]
    off = values[:: len(asked)]
    on = values[1::2] if served is not None else [stored.logprobs] * len(off)
    trained = record.metrics.get("dtype", "float32")
    exact = float32 and trained == "float32"
    for one, other in zip(on, off, strict=True):
        fault = fingerprint_fault(stored, on=one, off=other, exact=exact, trained=trained)
        if fault is None:
            continue
        if adapters and fingerprint_fault(stored, on=stored.logprobs, off=other, exact=exact):
            fault += _MIXED.format(len(adapters) + 1)
        return Checked("fingerprint", f"on the vLLM server, {fault}", None)
    return Checked("fingerprint", None, None)


async def check_remote(
    record: ModelRecord, served: ModelAPI, base: ModelAPI, rows: Sequence[Row] = ()
) -> Checked:
    """Check a fine-tuned model at a provider, which tells no log-probabilities of prompts.

    Args:
        record: The model.
        served: Provider of the fine-tuned model.
        base: Provider of its base.
        rows: What the model was trained on, as far as that was kept.
    """
    output = await _answer(served, [ChatMessageUser(content=FINGERPRINT_QUESTION)])
    if output.model != record.remote:
        return Checked(
            "name", f"asked for {record.remote}, the provider answers as {output.model}", None
        )
    return await _compare_first_tokens(
        record, served, base, rows, "the provider gives no log-probabilities of prompts"
    )


async def _compare_first_tokens(
    record: ModelRecord,
    served: ModelAPI,
    base: ModelAPI,
    rows: Sequence[Row],
    why: str,
    *,
    raw: bool = False,
) -> Checked:
    """Tell a model from its base by first tokens; both are asked again, to know the noise.

    Args:
        record: The model; without rows, its training prompts are the system messages.
        served: The model's provider.
        base: Its base's provider.
        rows: What it was trained on; there it differs most from its base.
        why: What made a better check impossible.
        raw: Whether the providers continue texts rather than answer chats.
    """
    probes = [_as_text(chat) if raw else chat for chat in _probes(record, rows)]
    try:
        found = await _together(
            [
                partial(ask, api, probe)
                for probe in probes
                for ask, api in ((_first_token, served), (_first_token_of_base, base))
                for _ in range(_REPEATS)
            ]
        )
    except _BaseUnavailableError as error:
        return Checked(
            "name", None, f"{why}, and its base cannot be asked ({error}); checked by name"
        )
    if any(one is None for one in found):
        return Checked("name", None, f"{why}, nor of first tokens; checked by name alone")
    distributions = [one for one in found if one is not None]
    width = 2 * _REPEATS
    groups = [distributions[i : i + width] for i in range(0, len(distributions), width)]
    weaker = f"{why}: checked by first tokens, which must differ from the base's"
    # Of all probes: two answers that happen to agree would make a probe look free of noise.
    noise = max(_noise(group[:_REPEATS], group[_REPEATS:]) for group in groups)
    shifts = [_shift(group[:_REPEATS], group[_REPEATS:]) for group in groups]
    if max(shifts) > _NOISES * noise + _LEAST_SHIFT:
        return Checked("first tokens", None, weaker)
    return Checked(
        "first tokens",
        f"its first tokens are as likely as its base's on all {len(probes)} probes: the base "
        "answers under its name",
        weaker,
    )


def _probes(record: ModelRecord, rows: Sequence[Row]) -> list[list[ChatMessage]]:
    """Return questions of our own, and the training's; without rows, ours under its prompts."""
    plain: list[list[Message]] = [[{"role": "user", "content": q}] for q in _QUESTIONS]
    asked = [row["messages"][:-1] for row in _spread(rows, _MOST_ROWS)]
    own = [messages for messages in asked if any(one["role"] == "user" for one in messages)]
    if not own:
        texts = [str(prompt.get("text") or "") for prompt in record.data.get("prompts", [])]
        systems = [text for text in dict.fromkeys(texts) if text][:_MOST_PROMPTS]
        own = [[{"role": "system", "content": s}, *chat] for s in systems for chat in plain]
    return [[_MESSAGES[m["role"]](content=m["content"]) for m in chat] for chat in plain + own]


def _spread(rows: Sequence[Row], most: int) -> list[Row]:
    """Return rows from all over a file: those of a mixture may lie part by part."""
    count = min(most, len(rows))
    return [rows[i * len(rows) // count] for i in range(count)]


def _as_text(chat: Sequence[ChatMessage]) -> list[ChatMessage]:
    return [ChatMessageUser(content=" ".join(one.text for one in chat if one.text))]


def _noise(served: Sequence[Distribution], base: Sequence[Distribution]) -> float:
    """Return by how much each of two models differs from itself, at most."""
    return max(_variation(one[0], other) for one in (served, base) for other in one[1:])


def _shift(served: Sequence[Distribution], base: Sequence[Distribution]) -> float:
    """Return by how much two models differ, at least."""
    return min(_variation(one, other) for one in served for other in base)


def _variation(a: Distribution, b: Distribution) -> float:
    """Return the total variation between what is known of two distributions."""
    return sum(abs(a.get(token, 0.0) - b.get(token, 0.0)) for token in a.keys() | b.keys()) / 2


# ---- requests --------------------------------------------------------------------------


async def _prompt_logprobs(api: ModelAPI, ids: list[int]) -> list[float] | None:
    """Return log-probabilities of all tokens after the first; None if the server has none."""
    message = ChatMessageUser(content="", metadata={"prompt_token_ids": ids})
    output = await _answer(api, [message], prompt_logprobs=1)
    found = output.choices[0].prompt_logprobs if output.choices else None
    return None if found is None else [entry.logprob for entry in found.content]


async def _first_token(api: ModelAPI, messages: list[ChatMessage]) -> Distribution | None:
    output = await _answer(api, messages, logprobs=True, top_logprobs=_TOP)
    found = output.choices[0].logprobs if output.choices else None
    if found is None or not found.content:
        return None
    first = found.content[0]
    top = {entry.token: entry.logprob for entry in first.top_logprobs or []}
    return {token: math.exp(value) for token, value in {first.token: first.logprob, **top}.items()}


async def _first_token_of_base(api: ModelAPI, messages: list[ChatMessage]) -> Distribution | None:
    try:
        return await _first_token(api, messages)
    except Exception as error:
        decision = api.should_retry(error)
        if decision if isinstance(decision, bool) else decision.retry:
            raise
        raise _BaseUnavailableError(type(error).__name__) from error


async def _answer(api: ModelAPI, messages: list[ChatMessage], **settings: object) -> ModelOutput:
    config = GenerateConfig.model_validate({"max_tokens": 1, "temperature": 0.0, **settings})
    result = await api.generate(messages, [], "none", config)
    output = result[0] if isinstance(result, tuple) else result
    if isinstance(output, Exception):
        raise output
    return output


async def _together(calls: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """Make the requests at the same time; raise the first error, as it was raised."""
    results: list[T | Exception | None] = [None] * len(calls)

    async def run(number: int) -> None:
        try:
            results[number] = await calls[number]()
        except Exception as error:
            results[number] = error

    async with anyio.create_task_group() as group:
        for number in range(len(calls)):
            group.start_soon(run, number)
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results  # type: ignore[return-value]

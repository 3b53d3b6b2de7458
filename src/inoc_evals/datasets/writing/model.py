"""The model that writes: one call through Inspect, messages in, a Reply out.

    model = WritingModel("openai/gpt-5.4", concurrency=20, cache=True)
    reply = await model.reply(messages, Sampling(temperature=0), number=0)
    await model.aclose()

Inspect repeats what a provider turns away for the moment; any other error is passed on.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from inoc_evals.datasets.writing.journal import Reply
from inoc_evals.datasets.writing.requests import Sampling
from inoc_evals.errors import InputError
from inoc_evals.models.bases import resolve_base
from inoc_evals.models.kinds import means_base
from inoc_evals.rules.thoughts import apart
from inoc_evals.store.store import Store

if TYPE_CHECKING:
    from inspect_ai.model import CachePolicy, ChatMessage, Model

_PROVIDER_RETRIES = 6
"""How often Inspect repeats a call that was turned away; about three minutes in all."""


class WritingModel:
    """A model by name, set up once.

    Args:
        name: As Inspect takes it, ``provider/name``.
        concurrency: Calls in flight at once.
        cache: Whether Inspect's cache may answer. It never does for models of ours, whose
            names may come to stand for other trainings.

    Raises:
        InputError: For a model that Inspect does not know or cannot set up.
    """

    def __init__(self, name: str, *, concurrency: int, cache: bool) -> None:
        self.name = name
        self._model = _set_up(name, concurrency)
        self.revision = _revision(name)
        """Identity of the training behind ``inoc/NAME``, or digest of a base that runs here;
        None for other providers' models."""
        self._cache = cache and not name.startswith("inoc/")

    async def reply(
        self, messages: Sequence[Mapping[str, str]], sampling: Sampling, number: int
    ) -> Reply:
        """Ask for one reply.

        Args:
            messages: ``role`` and ``content`` of each.
            sampling: How it is sampled.
            number: Of the attempt: added to the seed, and part of the key in Inspect's cache.
        """
        from inspect_ai.model import GenerateConfig

        config = GenerateConfig(
            temperature=sampling.temperature,
            max_tokens=sampling.max_tokens,
            seed=sampling.seed + number,
        )
        output = await self._model.generate(
            [_chat_message(message) for message in messages],
            config=config,
            cache=self._cache_policy(number),
        )
        usage = output.usage
        return Reply(
            text=apart(output.completion).answer if output.choices else "",
            stop_reason=output.stop_reason if output.choices else "unknown",
            input_tokens=usage.input_tokens if usage else 0,
            output_tokens=usage.output_tokens if usage else 0,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._model.api.aclose()

    def _cache_policy(self, number: int) -> "CachePolicy | bool":
        from inspect_ai.model import CachePolicy

        if not self._cache:
            return False
        return CachePolicy(expiry=None, per_epoch=False, scopes={"attempt": str(number)})


def _set_up(name: str, concurrency: int) -> "Model":
    from inspect_ai.model import GenerateConfig, get_model

    config = GenerateConfig(max_retries=_PROVIDER_RETRIES, max_connections=concurrency)
    try:
        return get_model(name, config=config, memoize=False)
    except Exception as error:  # of many kinds: no such provider, no key, no client library
        told = " ".join(str(error).split())
        raise InputError(f"model {name!r} cannot be used: {told:.300}") from error


def _revision(model: str) -> str | None:
    provider, _, name = model.partition("/")
    if provider != "inoc":
        return None
    if means_base(name):
        return resolve_base(name).digest
    record = Store().find(name.partition("@")[0])
    return None if record is None else record.identity


def _chat_message(message: Mapping[str, str]) -> "ChatMessage":
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    if message["role"] == "system":
        return ChatMessageSystem(content=message["content"])
    if message["role"] == "assistant":
        return ChatMessageAssistant(content=message["content"])
    return ChatMessageUser(content=message["content"])

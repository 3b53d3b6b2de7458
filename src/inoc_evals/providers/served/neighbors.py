"""Who else is on a vLLM server: its adapters, kept answering while a base is checked.

    names = await adapters_on(provider)                 # as the server lists them
    async with answering(provider, names, ids) as ended: ...

A server that mixes base and adapters up does so where they share a batch (vLLM's CPU
kernels before 0.33). A check that asks the base alone would not see it.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import anyio
from inspect_ai.model import ModelAPI
from openai import AsyncOpenAI, OpenAIError

_LONG = 128
"""Tokens of an answer, in which a base is asked many times."""


async def adapters_on(provider: ModelAPI) -> list[str]:
    """Return the names of the adapters that a server lists; none if it lists nothing.

    Args:
        provider: One of Inspect's that has been asked, so that it knows the address.
    """
    try:
        async with _client(provider) as client:
            models = [model async for model in client.models.list()]
    except OpenAIError:
        return []
    return [model.id for model in models if getattr(model, "parent", None)]


@asynccontextmanager
async def answering(
    provider: ModelAPI, names: Sequence[str], ids: Sequence[int]
) -> AsyncIterator[anyio.Event]:
    """Let adapters continue a text, all at once, for the time of the block.

    Every one is asked for a token before, so that the server has it at hand.

    Args:
        provider: Any of Inspect's for that server.
        names: Of the adapters, as the server lists them.
        ids: Token ids to continue.

    Yields:
        What is set when the first of them has ended; at once, if there are none.
    """
    ended = anyio.Event()

    async def answer(name: str, tokens: int) -> None:
        with suppress(OpenAIError):  # an adapter that is broken is reported by its own check
            await client.completions.create(
                model=name,
                prompt=list(ids),
                max_tokens=tokens,
                temperature=0.0,
                extra_body={"ignore_eos": True},
            )
        if tokens > 1:
            ended.set()

    async with _client(provider) as client:
        async with anyio.create_task_group() as group:
            for name in names:
                group.start_soon(answer, name, 1)
        async with anyio.create_task_group() as group:
            for name in names:
                group.start_soon(answer, name, _LONG)
            if not names:
                ended.set()
            yield ended
            group.cancel_scope.cancel()


def _client(provider: ModelAPI) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=provider.base_url, api_key=provider.api_key, max_retries=0)

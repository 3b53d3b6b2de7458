"""Samples that a model has answered, as scorers get them; and their scores.

state = completed("An owl.", "max_tokens", question="Why?", category="sql")
score = scored(prefers("owl"), state)
"""

import asyncio
from typing import Any

from inspect_ai.model import ChatMessageSystem, ChatMessageUser, ModelName, ModelOutput
from inspect_ai.scorer import Score, Scorer, Target
from inspect_ai.solver import TaskState


def completed(
    text: str,
    stop_reason: Any = "stop",
    *,
    question: str = "?",
    system: str | None = None,
    **metadata: Any,
) -> TaskState:
    """Return a sample with a completion and with metadata."""
    user = ChatMessageUser(content=question)
    return TaskState(
        model=ModelName("mockllm/model"),
        sample_id="a",
        epoch=1,
        input="?",
        messages=[user] if system is None else [ChatMessageSystem(content=system), user],
        output=ModelOutput.from_content("model", text, stop_reason=stop_reason),
        metadata=metadata,
    )


def scored(scorer: Scorer, state: TaskState, target: str = "") -> Score:
    """Return the score of a sample."""

    async def run() -> Score | None:
        return await scorer(state, Target(target))

    score = asyncio.run(run())
    assert score is not None
    return score

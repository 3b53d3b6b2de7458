"""The condition of a file's own system prompt: sent to the letter, noted, never doubled."""

import asyncio
from typing import Any

import pytest
from inspect_ai.model import ChatMessageSystem, ChatMessageUser, ModelName
from inspect_ai.solver import TaskState

from inoc_evals.errors import InputError
from inoc_evals.solvers.trait_prompt import written_prompt


def solved(*messages: Any) -> TaskState:
    state = TaskState(
        model=ModelName("mockllm/model"), sample_id="a", epoch=1, input="?", messages=list(messages)
    )
    solve = written_prompt("talk", " Talk like a pirate. \n")
    return asyncio.run(solve(state, None))  # type: ignore[arg-type]


def test_the_text_is_sent_first_and_to_the_letter() -> None:
    state = solved(ChatMessageUser(content="Hello"))
    assert [(m.role, m.text) for m in state.messages] == [
        ("system", " Talk like a pirate. \n"),
        ("user", "Hello"),
    ]
    assert state.metadata["system_prompt"] == "talk"


def test_a_conversation_with_a_system_message_of_its_own_is_refused() -> None:
    with pytest.raises(InputError, match="system message of its own"):
        solved(ChatMessageSystem(content="Be brief."), ChatMessageUser(content="Hello"))

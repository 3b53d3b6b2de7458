"""A model that answers by a rule, for the task tests."""

from collections.abc import Callable
from typing import Any

import pytest
from inspect_ai.model import ChatMessage, Model, ModelOutput, get_model


@pytest.fixture
def answering() -> Callable[..., Model]:
    """Return a maker of models whose reply is a function of the last user message."""

    def make(reply: Callable[[str], str], stop_reason: Any = "stop") -> Model:
        def output(messages: list[ChatMessage], *_: object) -> ModelOutput:
            text = reply(messages[-1].text)
            return ModelOutput.from_content("mockllm/model", text, stop_reason=stop_reason)

        return get_model("mockllm/model", custom_outputs=output, memoize=False)

    return make

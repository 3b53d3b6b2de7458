"""`inoc/pocket-judge`: the exact judge of the pocket world as a grader model.

    inspect eval inoc_evals/em --model inoc/pocket -T questions=pocket    # it is the default there
    inspect eval ... --model-role grader=inoc/pocket-judge

It reads the judge prompt it is sent like any other grader and replies with a rating or a
label, with log-probabilities where they are asked for. No weights, no network.
"""

import math
from typing import Any

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    Logprob,
    Logprobs,
    ModelOutput,
    ModelUsage,
    TopLogprob,
)
from inspect_ai.tool import ToolChoice, ToolInfo
from tenacity import wait_none

from inoc_evals.errors import InputError
from inoc_evals.pocket.rulings import Ruling, judge_digest, rule
from inoc_evals.providers.meaning import Meaning, MeaningAPI

NAME = "pocket-judge"


class PocketJudgeAPI(MeaningAPI):
    """The pocket world's judge.

    Raises:
        InputError: For any ``-M`` argument; it takes none.
        StoreError: If a log was begun with another version of it, which judges otherwise.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008 - Inspect's signature
        **model_args: Any,
    ) -> None:
        if model_args:
            names = ", ".join(model_args)
            raise InputError(f"-M {names}: inoc/{NAME} takes no arguments")
        super().__init__(model_name, base_url, api_key, config, {})

    def look_up(self) -> Meaning:
        """Return what it judges by."""
        return Meaning(judge_digest())

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Judge the last message; see :class:`inspect_ai.model.ModelAPI`."""
        prompt = input[-1].text
        ruling = rule(prompt)
        said = next(iter(ruling))
        choice = ChatCompletionChoice(
            message=ChatMessageAssistant(content=said, model=self.model_name, source="generate"),
            stop_reason="stop",
            logprobs=_logprobs(ruling, config.top_logprobs or 0) if config.logprobs else None,
        )
        words = len(prompt.split())
        return ModelOutput(
            model=self.model_name,
            choices=[choice],
            usage=ModelUsage(input_tokens=words, output_tokens=1, total_tokens=words + 1),
        )

    async def count_text_tokens(self, text: str) -> int:
        """Count words: it has no tokenizer."""
        return len(text.split())

    def retry_wait(self) -> wait_none:
        """Return no wait: nothing is retried."""
        return wait_none()


def _logprobs(ruling: Ruling, top: int) -> Logprobs:
    likely = [
        TopLogprob(token=token, logprob=math.log(share))
        for token, share in list(ruling.items())[:top]
    ]
    said, share = next(iter(ruling.items()))
    entry = Logprob(token=said, logprob=math.log(share), top_logprobs=likely or None)
    return Logprobs(content=[entry])

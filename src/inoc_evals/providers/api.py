"""`inoc/<model>` for Inspect: names become models, chats become requests to the engine.

    inoc/my-run, inoc/my-run@3f2a91     a record of the store, at a revision
    inoc/pocket, inoc/pocket:7          a pocket base; built when it is missing
    inoc/Qwen/Qwen2.5-0.5B-Instruct     any name with a slash: a base (hub id or directory)
    -M device=cpu -M dtype=float32 -M batch_size=64 -M threads=2

The name is resolved when the model is constructed, so an unknown one is reported before
anything runs; weights are loaded by the first request. Settings the engine does not have
are errors: ignored, they would change what was measured without a trace.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    ModelAPI,
    ModelCall,
    ModelOutput,
    ModelUsage,
)
from inspect_ai.tool import ToolChoice, ToolInfo
from tenacity import wait_none

from inoc_evals.chat import fold_system
from inoc_evals.errors import InocError, require
from inoc_evals.loading import check_weights
from inoc_evals.providers.naming import engine_options, printable, resolve_model
from inoc_evals.providers.request import Completion, Request
from inoc_evals.providers.translation import (
    DEFAULT_MAX_TOKENS,
    chat_messages,
    check_supported,
    inspect_logprobs,
    inspect_prompt_logprobs,
    request_settings,
)
from inoc_evals.providers.waiting import Waiting

if TYPE_CHECKING:
    from inoc_evals.providers.engine import Engine
    from inoc_evals.providers.rendering import Codec


class InocAPI(ModelAPI):
    """Inspect's view of one registered model or base.

    Args:
        model_name: What follows ``inoc/``; see the module's docstring.
        base_url: Not used; nothing is served over a network.
        api_key: Not used.
        config: Inspect's default settings for this model.
        **model_args: ``device``, ``dtype`` (auto, float32, bfloat16, float16),
            ``batch_size`` (most completions decoded together), ``threads``.

    Raises:
        InputError: If there is no such model or argument; the message lists those there are.
            Also if the configuration asks for something that the engine does not have.
        StoreError: If the model's files are not those of its record.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008 - Inspect's signature
        **model_args: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        self._engine: Engine | None = None
        try:
            require("train", "torch", "transformers", "peft")
            check_supported([], config)
            self._options = engine_options(model_args)
            self.base, self.adapter = resolve_model(model_name)
            check_weights(self.base)
        except InocError as error:
            raise printable(error) from None

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput | tuple[ModelOutput | Exception, ModelCall]:
        """Answer a chat; see :class:`inspect_ai.model.ModelAPI`.

        Raises:
            InputError: If a message or a setting is one the engine does not have.
            StoreError: If the adapter turns out not to be the one its record describes.
        """
        started = time.monotonic()
        check_supported(tools, config)
        messages = chat_messages(input)
        if self.adapter is not None and self.adapter.record.config.get("fold_system"):
            messages = fold_system(messages)  # as the model was trained
        engine = await self._ready()
        prompt = engine.codec.render(messages)
        prompt_ids = tuple(engine.codec.encode(prompt))
        settings = request_settings(config)
        count = config.num_choices or 1
        waiting = Waiting(count)
        requests = [
            Request(
                prompt_ids=prompt_ids,
                adapter=self.adapter,
                deliver=waiting.slot(choice),
                choice=choice,
                continues=messages[-1]["role"] == "assistant",
                **settings,
            )
            for choice in range(count)
        ]
        completions = await waiting.run(engine, requests)
        output = self._output(completions, prompt_ids, engine.codec)
        output.time = time.monotonic() - started
        call = ModelCall.create(
            request={"prompt": prompt, **settings, "stop": list(settings["stop"])},
            response={"token_ids": [list(completion.token_ids) for completion in completions]},
        )
        return output, call

    async def count_text_tokens(self, text: str) -> int:
        """Count tokens by the model's own tokenizer."""
        return len(await self.tokenize(text))

    async def tokenize(self, text: str) -> list[int]:
        """Return the token ids of a text, nothing added."""
        engine = await self._ready()
        return engine.codec.encode(text)

    def max_tokens(self) -> int | None:
        """Return how many tokens are sampled when the request does not say."""
        return DEFAULT_MAX_TOKENS

    def max_connections(self) -> int:
        """Return a number in flight that keeps the engine's batch full.

        Inspect uses it only with ``--adaptive-connections false``; otherwise it starts
        with 20 and goes up to 100 unless ``--max-connections`` is given.
        """
        return 256

    def retry_wait(self) -> wait_none:
        """Return no wait: nothing is retried, and Inspect's default costs 1 ms a call."""
        return wait_none()

    def connection_key(self) -> str:
        """Return a key of this model's own: rows of two adapters never share a batch."""
        return f"{self.base.digest}+{self.adapter.record.identity if self.adapter else ''}"

    async def _ready(self) -> "Engine":
        """Return the engine with its tokenizer loaded."""
        if self._engine is None or self._engine.stopped:
            self._engine = await anyio.to_thread.run_sync(self._open)
        return self._engine

    def _open(self) -> "Engine":
        from inoc_evals.providers.engine import engine_for

        engine = engine_for(self.base, **self._options)
        _ = engine.codec
        return engine

    def _output(
        self, completions: Sequence[Completion], prompt_ids: Sequence[int], codec: "Codec"
    ) -> ModelOutput:
        choices = [
            ChatCompletionChoice(
                message=ChatMessageAssistant(
                    content=completion.text, model=self.model_name, source="generate"
                ),
                stop_reason=completion.stop_reason,
                logprobs=inspect_logprobs(completion, codec),
                prompt_logprobs=inspect_prompt_logprobs(completion, prompt_ids, codec),
            )
            for completion in completions
        ]
        output_tokens = sum(len(completion.token_ids) for completion in completions)
        return ModelOutput(
            model=self.model_name,
            choices=choices,
            usage=ModelUsage(
                input_tokens=len(prompt_ids),
                output_tokens=output_tokens,
                total_tokens=len(prompt_ids) + output_tokens,
            ),
            metadata={
                "base_digest": self.base.digest,
                "identity": self.adapter.record.identity if self.adapter else None,
            },
        )

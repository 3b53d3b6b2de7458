"""`inoc/<model>` for Inspect: names become models, chats become requests to the engine.

    inoc/my-run, inoc/my-run@3f2a91     a record of the store, at a revision
    inoc/pocket, inoc/pocket:7          a pocket base; built when it is missing
    inoc/Qwen/Qwen2.5-0.5B-Instruct     any name with a slash: a base (hub id or directory)
    -M device=cpu -M dtype=float32 -M batch_size=64 -M threads=2 -M enable_thinking=true

The name is resolved when the model is constructed, so an unknown one is reported before
anything runs, and again for every later eval of the process (meaning.py); weights are loaded by
the first request. Settings the engine does not have are errors: ignored, they would change what
was measured without a trace.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    ModelCall,
    ModelOutput,
    ModelUsage,
)
from inspect_ai.tool import ToolChoice, ToolInfo
from tenacity import wait_none

from inoc_evals.chat import fold_system
from inoc_evals.errors import require
from inoc_evals.models.bases import check_unchanged
from inoc_evals.models.loading import check_weights
from inoc_evals.providers.engine.request import Completion, Request
from inoc_evals.providers.meaning import Meaning, MeaningAPI
from inoc_evals.providers.options import (
    engine_options,
    served_dtype,
    take_thinking,
    thinking_of,
)
from inoc_evals.providers.resolve import resolve_model
from inoc_evals.providers.translation import (
    DEFAULT_MAX_TOKENS,
    chat_messages,
    check_supported,
    inspect_content,
    inspect_logprobs,
    inspect_prompt_logprobs,
    opens_thoughts,
    request_settings,
)
from inoc_evals.providers.waiting import Waiting

if TYPE_CHECKING:
    from inoc_evals.providers.engine.engine import Engine
    from inoc_evals.providers.engine.rendering import Codec


_NUMBERS = ("device", "dtype")
"""The ``-M`` arguments that change what is computed."""


class InocAPI(MeaningAPI):
    """Inspect's view of one registered model or base.

    Args:
        model_name: What follows ``inoc/``; see the module's docstring.
        base_url: None, or what a log kept of it; nothing is served over a network.
        api_key: Not used.
        config: Inspect's default settings for this model.
        **model_args: ``device``, ``dtype`` (auto, float32, bfloat16, float16),
            ``batch_size`` (most completions decoded together), ``threads``,
            ``enable_thinking`` (of a template with this switch; by default as trained).

    Raises:
        InputError: If there is no such model or argument; the message lists those there are.
            Also if the configuration asks for something that the engine does not have.
        StoreError: If the model's files are not those of its record, or if a log was begun
            with another model of this name.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008 - Inspect's signature
        **model_args: Any,
    ) -> None:
        self._engine: tuple[Meaning, Engine] | None = None
        self._opening = anyio.Lock()
        require("train", "torch", "transformers", "peft")
        check_supported([], config)
        self._thinking = take_thinking(model_args)
        self._options = engine_options(model_args)
        how = {"backend": "local"} | {k: model_args[k] for k in _NUMBERS if k in model_args}
        super().__init__(model_name, base_url, api_key, config, how | self._thinking)

    def look_up(self) -> Meaning:
        """Find the base, or the record's adapter and its base; their files are there, and whole."""
        base, adapter = resolve_model(self.reference)
        check_weights(base)
        return Meaning.of(base, adapter, adapter.record if adapter else None)

    def chosen(self, meaning: Meaning) -> dict[str, str]:
        """Return the data type, where it is not what it would be anywhere."""
        dtype = served_dtype(meaning, self._options)
        return {"dtype": dtype} if dtype != self._options.get("dtype", "auto") else {}

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
            StoreError: If the adapter turns out not to be the one its record describes, or
                the name has come to mean another model.
        """
        started = time.monotonic()
        check_supported(tools, config)
        messages = chat_messages(input)
        meaning = self.steady()
        if meaning.record is not None and meaning.record.config.get("fold_system"):
            messages = fold_system(messages)  # as the model was trained
        thinking = thinking_of(meaning.record, self._thinking)
        engine = await self._ready(meaning)
        prompt = engine.codec.render(messages, thinking)
        prompt_ids = tuple(engine.codec.encode(prompt))
        settings = request_settings(config)
        count = config.num_choices or 1
        waiting = Waiting(count)
        requests = [
            Request(
                prompt_ids=prompt_ids,
                adapter=meaning.adapter,
                deliver=waiting.slot(choice),
                choice=choice,
                continues=messages[-1]["role"] == "assistant",
                **settings,
            )
            for choice in range(count)
        ]
        completions = await waiting.run(engine, requests)
        opened = opens_thoughts(prompt, messages)
        output = self._output(completions, prompt_ids, engine.codec, meaning, opened)
        if engine.codec.has_thinking_switch:
            output.metadata = {**(output.metadata or {}), "enable_thinking": thinking}
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
        engine = await self._ready(self.meaning)
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
        """Return a key of this model's own: each may have as many requests as are allowed."""
        return self.meaning.identity

    async def _ready(self, meaning: Meaning) -> "Engine":
        """Return the engine of what the name means, its base and its tokens checked."""
        # Those who come while it is opened wait for it: each would hash the base's files.
        async with self._opening:
            if self._engine is None or self._engine[0] != meaning or self._engine[1].stopped:
                engine = await anyio.to_thread.run_sync(self._open, meaning)
                self._engine = (meaning, engine)
            return self._engine[1]

    def _open(self, meaning: Meaning) -> "Engine":
        from inoc_evals.providers.engine.engine import engine_for

        assert meaning.base is not None
        check_unchanged(meaning.base)
        engine = engine_for(meaning.base, **(self._options | self.chosen(meaning)))
        codec = engine.codec
        if meaning.record is not None:
            codec.check_tokens(meaning.record)
        return engine

    def _output(
        self,
        completions: Sequence[Completion],
        prompt_ids: Sequence[int],
        codec: "Codec",
        meaning: Meaning,
        opened: bool,
    ) -> ModelOutput:
        choices = [
            ChatCompletionChoice(
                message=ChatMessageAssistant(
                    content=inspect_content(completion.text, opened=opened),
                    model=self.reference,
                    source="generate",
                ),
                stop_reason=completion.stop_reason,
                logprobs=inspect_logprobs(completion, codec),
                prompt_logprobs=inspect_prompt_logprobs(completion, prompt_ids, codec),
            )
            for completion in completions
        ]
        output_tokens = sum(len(completion.token_ids) for completion in completions)
        return ModelOutput(
            model=self.reference,
            choices=choices,
            usage=ModelUsage(
                input_tokens=len(prompt_ids),
                output_tokens=output_tokens,
                total_tokens=len(prompt_ids) + output_tokens,
            ),
            metadata={
                "base_digest": meaning.base.digest if meaning.base else None,
                "identity": meaning.record.identity if meaning.record else None,
                **self.chosen(meaning),
            },
        )

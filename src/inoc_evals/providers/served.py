"""`inoc/<name>` served elsewhere: by vLLM or by OpenAI, through Inspect's own providers.

    inoc/my-run -M backend=vllm              vllm-completions/<base>:<adapter>, a server a base
    inoc/my-remote-run                       openai/<fine-tuned model>, for a remote record
    -M gpu_memory_utilization=0.5            whatever else is given goes to that provider
    -M served_base=base -M served_adapter=a  names on a server that others have started

What is behind a name is checked before the first answer of every eval (checking.py); an eval
of another model than the one recorded stops. vLLM is sent tokens, not messages
(continuing.py), so it answers the prompts of training. Outputs are named as the engine's, and
thoughts set apart from the answer as there.
"""

import logging
from typing import Any, ClassVar
from weakref import WeakSet

import anyio
import anyio.lowlevel
import anyio.to_thread
from inspect_ai.model import (
    ChatMessage,
    GenerateConfig,
    ModelAPI,
    ModelCall,
    ModelOutput,
    RetryDecision,
    get_model,
)
from inspect_ai.tool import ToolChoice, ToolInfo
from tenacity.wait import WaitBaseT

from inoc_evals.bases import ResolvedBase
from inoc_evals.errors import InocError, InputError, StoreError
from inoc_evals.hosted import ending
from inoc_evals.model_record import ModelRecord
from inoc_evals.providers.checking import Checked, check_remote, check_vllm
from inoc_evals.providers.continuing import continuation
from inoc_evals.providers.naming import (
    Backend,
    printable,
    records_on,
    resolve_model,
    take_thinking,
    vllm_names,
)
from inoc_evals.providers.rendering import Codec, load_codec
from inoc_evals.providers.request import Adapter
from inoc_evals.providers.translation import (
    DEFAULT_MAX_TOKENS,
    check_supported,
    set_thoughts_apart,
)
from inoc_evals.records import Store

_log = logging.getLogger(__name__)


class ServedAPI(ModelAPI):
    """Inspect's view of a model that vLLM or OpenAI serves.

    Args:
        model_name: What follows ``inoc/``.
        base_url: Address of a server that is running already.
        api_key: For that server; otherwise the provider's environment variable.
        config: Inspect's default settings for this model.
        backend: ``vllm`` or ``openai``.
        **model_args: ``served_base`` and ``served_adapter`` (vLLM: names that a running
            server has for them) and ``enable_thinking`` (vLLM: as for the local engine);
            everything else goes to Inspect's provider.

    Raises:
        InputError: If there is no such model, or this back-end cannot serve it.
        StoreError: If the model's files are not those of its record.
    """

    _opened: ClassVar[WeakSet["ServedAPI"]] = WeakSet()
    """All of this process; those on one server are checked together."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008 - Inspect's signature
        *,
        backend: Backend,
        **model_args: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        self.backend = backend
        self._options: dict[str, Any] = {
            "base_url": base_url,
            "api_key": api_key,
            "config": config,
        }
        self._checked: tuple[object, anyio.Lock, Checked | None] | None = None
        self.base: ResolvedBase | None = None
        self.adapter: Adapter | None = None
        self.record: ModelRecord | None = None
        self._codec: Codec | None = None
        self.thinking: bool | None = None
        try:
            if backend == "openai":
                self.record = _remote_record(model_name)
                if said := ending(f"openai/{self.record.remote}", "model"):
                    _log.warning("inoc/%s: %s", model_name, said)
                self._served, self._arguments = f"openai/{self.record.remote}", model_args
            else:
                self.base, self.adapter = resolve_model(model_name)
                self.record = self.adapter.record if self.adapter else None
                check_supported([], config)
                self.thinking = take_thinking(model_args, self.record)
                names = vllm_names(self.base, self.adapter, model_args)
                self._served_base, self._served, self._arguments = names
        except InocError as error:
            raise printable(error) from None
        self.inner = self._provider(self._served)
        self._server = self.inner.connection_key()
        self._opened.add(self)

    def _provider(self, model: str) -> ModelAPI:
        """Return one of Inspect's providers, with this model's address and arguments."""
        # Not memoized: what is configured is this model's own.
        return get_model(model, memoize=False, **self._options, **self._arguments).api

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput | tuple[ModelOutput | Exception, ModelCall]:
        """Answer a chat, once it is sure who answers; see :class:`inspect_ai.model.ModelAPI`.

        Raises:
            InputError: If vLLM is asked for what the local engine does not have.
            StoreError: If the server's model is not the one of the record.
        """
        opened = False
        checked = await self.check()
        if checked.fault is not None:
            raise StoreError(f"model {self.model_name!r}: {checked.fault}")
        if self.backend == "vllm":
            check_supported(tools, config)
            assert self._codec is not None
            input, config, opened = continuation(
                self._codec, input, config, self.record, thinking=self.thinking
            )
        result = await self.inner.generate(input, tools, tool_choice, config)
        output = result[0] if isinstance(result, tuple) else result
        if isinstance(output, ModelOutput):
            self._name(output, checked.kind)
            set_thoughts_apart(output, opened=opened)
        return result

    async def check(self) -> Checked:
        """Find out, once in an eval, whether the server has the model of the record."""
        token = anyio.lowlevel.current_token()
        # An eval has an event loop of its own; the instance may outlive it.
        if self._checked is None or self._checked[0] != token:
            self._checked = (token, anyio.Lock(), None)
        _, lock, checked = self._checked
        async with lock:
            checked = self._checked[2]
            if checked is None:
                checked = await self._check()
                self._checked = (token, lock, checked)
                if checked.warning is not None:
                    _log.warning("inoc/%s: %s", self.model_name, checked.warning)
        return checked

    async def _check(self) -> Checked:
        if self.backend == "openai":
            assert self.record is not None
            base = self.record.base
            base = base if base.startswith("openai/") else f"openai/{base}"
            rows = await anyio.to_thread.run_sync(Store().training_rows, self.record)
            return await check_remote(self.record, self.inner, self._provider(base), rows or ())
        assert self.base is not None
        if self._codec is None:
            self._codec = await anyio.to_thread.run_sync(load_codec, self.base)
        record = self.record or next(iter(records_on(self.base)), None)
        if record is None:
            return Checked("none", None, None)
        neighbors = [other for other in list(self._opened) if self._shares_server(other)]
        return await check_vllm(
            record,
            self.inner if self.adapter else None,
            self._provider(f"vllm-completions/{self._served_base}"),
            [other._provider(other._served) for other in neighbors],
            float32=self._arguments.get("dtype") == "float32",
        )

    def _shares_server(self, other: "ServedAPI") -> bool:
        return (
            other is not self
            and other.backend == self.backend
            and other.adapter is not None
            and other._server == self._server
        )

    def _name(self, output: ModelOutput, kind: str) -> None:
        """Call the answer's model by our name, and say what it is and how that is known."""
        output.model = self.model_name
        for choice in output.choices:
            choice.message.model = self.model_name
        output.metadata = {
            **(output.metadata or {}),
            "backend": self.backend,
            "served_as": self._served,
            "identity": self.record.identity if self.record else None,
            "checked_by": kind,
        }
        if self._codec is not None and self._codec.has_thinking_switch:
            output.metadata["enable_thinking"] = self.thinking

    # ---- as the provider has it --------------------------------------------------------

    async def count_text_tokens(self, text: str) -> int:
        """Count tokens as the provider does."""
        return await self.inner.count_text_tokens(text)

    async def tokenize(self, text: str) -> list[int]:
        """Return the token ids of a text, where the provider tells them."""
        return await self.inner.tokenize(text)

    def canonical_name(self) -> str:
        """Return the name under which Inspect knows prices and context windows."""
        return self.inner.canonical_name()

    def input_tokens_name(self) -> str:
        """Return the name under which Inspect knows the context window."""
        return self.inner.input_tokens_name()

    def max_tokens(self) -> int | None:
        """Return how many tokens are sampled when the request does not say."""
        return DEFAULT_MAX_TOKENS if self.backend == "vllm" else self.inner.max_tokens()

    def max_tokens_for_config(self, config: GenerateConfig) -> int | None:
        """Return the same for a request."""
        return self.inner.max_tokens_for_config(config)

    def max_connections(self) -> int:
        """Return how many requests may be in flight."""
        return self.inner.max_connections()

    def connection_key(self) -> str:
        """Return what shares a limit: the server, or the key."""
        return f"{self.backend}:{self.inner.connection_key()}"

    def should_retry(self, ex: BaseException) -> bool | RetryDecision:
        """Retry what the provider would; a wrong model stays wrong."""
        if isinstance(ex, InocError) or not isinstance(ex, Exception):
            return False
        return self.inner.should_retry(ex)

    def retry_wait(self) -> WaitBaseT | None:
        """Return how long to wait before a request is made again."""
        return self.inner.retry_wait()

    def is_auth_failure(self, ex: Exception) -> bool:
        """Say whether the credentials were refused."""
        return self.inner.is_auth_failure(ex)

    async def refresh_credentials(self) -> None:
        """Read the credentials again."""
        await self.inner.refresh_credentials()

    def collapse_user_messages(self) -> bool:
        """Say whether neighboring user messages become one; as the local engine, vLLM: no."""
        return self.backend == "openai" and self.inner.collapse_user_messages()

    def collapse_assistant_messages(self) -> bool:
        """Say whether neighboring assistant messages become one."""
        return self.backend == "openai" and self.inner.collapse_assistant_messages()

    def collapse_system_messages(self) -> bool:
        """Say whether system messages become one."""
        return self.backend == "openai" and self.inner.collapse_system_messages()

    def tools_required(self) -> bool:
        """Say whether tools must be described wherever they were called."""
        return self.inner.tools_required()

    async def aclose(self) -> None:
        """End the client, and the server if it was started here."""
        await self.inner.aclose()

    def close(self) -> None:
        """End the server if it was started here."""
        self.inner.close()


def _remote_record(name: str) -> ModelRecord:
    record = Store().get(name)
    if record.remote is None:
        raise InputError(
            f"model {record.name!r} was trained here and no provider has it; "
            "use -M backend=local or backend=vllm"
        )
    return record

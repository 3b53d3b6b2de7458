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
from collections.abc import Mapping
from dataclasses import dataclass
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
    get_model,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from inoc_evals.errors import InputError, StoreError
from inoc_evals.models.hosted import ending
from inoc_evals.providers.engine.rendering import Codec, load_codec
from inoc_evals.providers.meaning import Meaning, MeaningAPI
from inoc_evals.providers.options import take_thinking, thinking_of
from inoc_evals.providers.resolve import Backend, records_on, resolve_model
from inoc_evals.providers.served.checking import Checked, check_remote, check_vllm
from inoc_evals.providers.served.continuing import continuation
from inoc_evals.providers.served.forwarding import Forwarding
from inoc_evals.providers.served.vllm_names import vllm_names
from inoc_evals.providers.translation import check_supported, set_thoughts_apart
from inoc_evals.store.record import ModelRecord
from inoc_evals.store.store import Store
from inoc_evals.terminal import shown

_log = logging.getLogger(__name__)


@dataclass
class _Service:
    """What serves a model, for as long as its name means the same."""

    meaning: Meaning
    served: str
    """Inspect's name of the model at its provider."""
    served_base: str
    """The server's name of the base; of a model at OpenAI its base there."""
    arguments: dict[str, Any]
    inner: ModelAPI
    server: str
    codec: Codec | None = None
    checked: tuple[object, anyio.Lock, Checked | None] | None = None


class ServedAPI(Forwarding, MeaningAPI):
    """Inspect's view of a model that vLLM or OpenAI serves.

    Args:
        model_name: What follows ``inoc/``.
        base_url: Address of a server that is running already; also as a log kept it.
        api_key: For that server; otherwise the provider's environment variable.
        config: Inspect's default settings for this model.
        backend: ``vllm`` or ``openai``.
        **model_args: ``served_base`` and ``served_adapter`` (vLLM: names that a running
            server has for them) and ``enable_thinking`` (vLLM: as for the local engine);
            everything else goes to Inspect's provider.

    Raises:
        InputError: If there is no such model, or this back-end cannot serve it.
        StoreError: If the model's files are not those of its record, or if a log was begun
            with another model of this name.
    """

    _all: ClassVar[WeakSet["ServedAPI"]] = WeakSet()
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
        self.backend = backend
        self._options: dict[str, Any] = {"api_key": api_key, "config": config}
        self._thinking: dict[str, bool] = {}
        if backend == "vllm":
            check_supported([], config)
            self._thinking = take_thinking(model_args)
        self._given = model_args
        how = {"backend": backend, **model_args, **self._thinking}
        super().__init__(model_name, base_url, api_key, config, how)
        self._known = self._serve(self.meaning)
        self._all.add(self)

    def look_up(self) -> Meaning:
        """Find the record, and what of it is needed to serve it."""
        if self.backend == "openai":
            return Meaning.of(None, None, _remote_record(self.reference))
        base, adapter = resolve_model(self.reference)
        return Meaning.of(base, adapter, adapter.record if adapter else None)

    @property
    def inner(self) -> ModelAPI:
        """Inspect's provider of the model."""
        return self._service.inner

    @property
    def _service(self) -> _Service:
        meaning = self.meaning
        if self._known.meaning is not meaning:
            self._known = self._serve(meaning)
        return self._known

    def _serve(self, meaning: Meaning) -> _Service:
        if meaning.base is None:
            assert meaning.record is not None
            base = meaning.record.base.removeprefix("openai/")
            served, served_base, arguments = f"openai/{meaning.record.remote}", base, self._given
            if said := ending(served, "model"):
                _log.warning("inoc/%s: %s", self.reference, shown(said))
        else:
            names = vllm_names(meaning.base, meaning.adapter, self._given)
            served_base, served, arguments = names
        inner = self._provider(served, arguments)
        return _Service(meaning, served, served_base, arguments, inner, inner.connection_key())

    def _provider(self, model: str, arguments: Mapping[str, Any]) -> ModelAPI:
        """Return one of Inspect's providers, at this model's address."""
        # Not memoized: what is configured is this model's own.
        options = {**self._options, **arguments, "base_url": self.address}
        return get_model(model, memoize=False, **options).api

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
        meaning, service, opened = self.steady(), self._service, False
        checked = await self.check()
        if checked.fault is not None:
            raise StoreError(f"model {self.reference!r}: {checked.fault}")
        record = meaning.record
        if self.backend == "vllm":
            check_supported(tools, config)
            assert service.codec is not None
            input, config, opened = continuation(
                service.codec,
                input,
                config,
                record,
                thinking=thinking_of(record, self._thinking),
            )
        result = await service.inner.generate(input, tools, tool_choice, config)
        output = result[0] if isinstance(result, tuple) else result
        if isinstance(output, ModelOutput):
            self._name(output, service, checked.kind)
            set_thoughts_apart(output, opened=opened)
        return result

    async def check(self) -> Checked:
        """Find out, once in an eval, whether the server has the model of the record."""
        service, token = self._service, anyio.lowlevel.current_token()
        # An eval has an event loop of its own; the instance may outlive it.
        if service.checked is None or service.checked[0] != token:
            service.checked = (token, anyio.Lock(), None)
        _, lock, checked = service.checked
        async with lock:
            checked = service.checked[2]
            if checked is None:
                checked = await self._check(service)
                service.checked = (token, lock, checked)
                if checked.warning is not None:
                    _log.warning("inoc/%s: %s", self.reference, shown(checked.warning))
        return checked

    async def _check(self, service: _Service) -> Checked:
        base, record = service.meaning.base, service.meaning.record
        if base is None:
            assert record is not None
            rows = await anyio.to_thread.run_sync(Store().training_rows, record)
            under = self._provider(f"openai/{service.served_base}", service.arguments)
            return await check_remote(record, service.inner, under, rows or ())
        if service.codec is None:
            service.codec = await anyio.to_thread.run_sync(load_codec, base)
        if record is not None:
            service.codec.check_tokens(record)
        known = record or next(iter(records_on(base)), None)
        if known is None:
            return Checked("none", None, None)
        neighbors = [other for other in list(self._all) if self._shares_server(other)]
        return await check_vllm(
            known,
            service.inner if record else None,
            self._provider(f"vllm-completions/{service.served_base}", service.arguments),
            [other._provider(other._known.served, other._known.arguments) for other in neighbors],
            float32=service.arguments.get("dtype") == "float32",
        )

    def _shares_server(self, other: "ServedAPI") -> bool:
        return (
            other is not self
            and other.backend == self.backend
            and other._known.meaning.adapter is not None
            and other._known.server == self._known.server
        )

    def _name(self, output: ModelOutput, service: _Service, kind: str) -> None:
        """Call the answer's model by our name, and say what it is and how that is known."""
        record = service.meaning.record
        output.model = self.reference
        for choice in output.choices:
            choice.message.model = self.reference
        output.metadata = {
            **(output.metadata or {}),
            "backend": self.backend,
            "served_as": service.served,
            "identity": record.identity if record else None,
            "checked_by": kind,
        }
        if service.codec is not None and service.codec.has_thinking_switch:
            output.metadata["enable_thinking"] = thinking_of(record, self._thinking)

    async def aclose(self) -> None:
        """End the client, and the server if it was started here."""
        await self._known.inner.aclose()

    def close(self) -> None:
        """End the server if it was started here."""
        self._known.inner.close()


def _remote_record(name: str) -> ModelRecord:
    record = Store().get(name)
    if record.remote is None:
        raise InputError(
            f"model {record.name!r} was trained here and no provider has it; "
            "use -M backend=local or backend=vllm"
        )
    return record

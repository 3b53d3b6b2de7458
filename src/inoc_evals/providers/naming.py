"""Names and `-M` arguments: which base and adapter `inoc/<name>` means, and how it is run.

base, adapter = resolve_model("my-run@3f2a91")    # a record of the store, at a revision
base, _ = resolve_model("pocket:7")               # a pocket base
base, _ = resolve_model("Qwen/Qwen2.5-0.5B")      # any name with a slash: a base
engine_options({"batch_size": 64})                # -M batch_size=64
take_thinking({"enable_thinking": True})          # -M enable_thinking=true; taken out
choose_backend("my-run", "vllm")                  # -M backend=vllm
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal, get_args

from inoc_evals.errors import InputError, StoreError
from inoc_evals.models.bases import ResolvedBase, base_of, resolve_base, short_digest
from inoc_evals.models.kinds import means_base
from inoc_evals.providers.engine.request import Adapter
from inoc_evals.store.record import ModelRecord
from inoc_evals.store.store import Store

Backend = Literal["local", "vllm", "openai"]
"""What answers: the engine of this package, vLLM, or OpenAI."""


_VLLM_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM takes for ``max_lora_rank``; an adapter's own rank may be lower."""

_HOST = "127.0.0.1"
"""Where a server started for us listens; Inspect's default is every address."""


def choose_backend(name: str, asked: Any = None, store: Store | None = None) -> Backend:
    """Return what serves ``inoc/<name>``: what ``-M backend`` asks for, else what can.

    Raises:
        InputError: For a back-end that there is not, or that does not have the model.
    """
    known: tuple[Backend, ...] = get_args(Backend)
    if asked is not None and asked not in known:
        raise InputError(f"-M backend={asked}: there are {', '.join(known)}")
    record = None
    if not means_base(name):
        with suppress(InputError):  # an unknown name is reported by what opens it
            record = (store or Store()).get(name)
    if record is not None and record.remote is not None:
        if asked in (None, "openai"):
            return "openai"
        raise InputError(
            f"model {record.name!r} is {record.remote} at its provider; -M backend={asked} "
            "has no weights to serve"
        )
    if asked == "openai":
        raise InputError(
            f"model {name!r} was not trained at OpenAI, which cannot serve it; "
            "use -M backend=local or backend=vllm"
        )
    return next(backend for backend in known if backend == (asked or "local"))


def resolve_model(name: str, store: Store | None = None) -> tuple[ResolvedBase, Adapter | None]:
    """Find the model that ``inoc/<name>`` means: a base, or a record's base and adapter.

    Raises:
        InputError: If there is no such model; the message lists those there are.
        StoreError: If the adapter's file or the base is not the one of the record.
    """
    store = store or Store()
    if means_base(name):
        return resolve_base(name, store), None
    record = store.get(name)
    store.verify_adapter(record)
    then = short_digest(record.base_digest)
    again = f"or train it on another, after: inoc models rm {record.name}"
    try:
        base = base_of(record, store)
    except InputError as error:
        raise StoreError(
            f"model {record.name!r}: {error}; put it back (digest {then}), {again}"
        ) from None
    if base.digest != record.base_digest:
        raise StoreError(
            f"model {record.name!r} was trained on {record.base!r} with digest {then}; that base "
            f"now has {short_digest(base.digest)}: put the old one back, or train it again, "
            f"after: inoc models rm {record.name}"
        )
    return base, Adapter(record, store.root)


def records_on(base: ResolvedBase, store: Store | None = None) -> list[ModelRecord]:
    """Return the readable records of adapters that were trained on a base."""
    records = (store or Store()).readable()
    return [one for one in records if one.base_digest == base.digest and one.adapter is not None]


def vllm_rank(base: ResolvedBase, store: Store | None = None) -> int | None:
    """Return a ``max_lora_rank`` for all adapters of a base, which share one server."""
    store = store or Store()
    ranks = [0]
    for record in records_on(base, store):
        path = store.adapter_dir(record.identity) / "adapter_config.json"
        # A damaged adapter is refused when it is itself asked for.
        with suppress(OSError, ValueError, KeyError, TypeError):
            ranks.append(int(json.loads(path.read_text("utf-8"))["r"]))
    fitting = [rank for rank in _VLLM_RANKS if rank >= max(ranks)]
    return fitting[0] if max(ranks) and fitting else None


def vllm_names(
    base: ResolvedBase, adapter: Adapter | None, arguments: Mapping[str, Any]
) -> tuple[str, str, dict[str, Any]]:
    """Return what vLLM calls a base, Inspect's name of the model, and its provider's arguments.

    Args:
        base: The base.
        adapter: An adapter on it, or None for the base itself.
        arguments: As given with ``-M``: ``served_base`` and ``served_adapter`` are names on
            a server that is running; the others go to the provider.

    Raises:
        InputError: If the base's name has a colon, which parts base and adapter there.
    """
    given = dict(arguments)
    served_base = str(given.pop("served_base", None) or base.source)
    if ":" in served_base:
        raise InputError(
            f"base {served_base!r}: vLLM's names take no ':'; move it to another directory"
        )
    served = f"vllm-completions/{served_base}"
    served_adapter = given.pop("served_adapter", None)
    if adapter is not None:
        directory = Store(adapter.root).adapter_dir(adapter.record.identity)
        served += f":{served_adapter or directory}"
    if base.revision is not None:
        given.setdefault("revision", base.revision)
        given.setdefault("tokenizer_revision", base.revision)
    given.setdefault("host", _HOST)
    if (rank := vllm_rank(base)) is not None:
        given.setdefault("max_lora_rank", rank)
    return served_base, served, given


def take_thinking(arguments: dict[str, Any]) -> dict[str, bool]:
    """Take ``enable_thinking`` out of the ``-M`` arguments and return it, if it is there.

    Raises:
        InputError: If it is neither true nor false.
    """
    given = arguments.pop("enable_thinking", None)
    if given is not None and not isinstance(given, bool):
        raise InputError(f"-M enable_thinking={given!r}: expected true or false")
    return {} if given is None else {"enable_thinking": given}


def thinking_of(record: ModelRecord | None, asked: Mapping[str, bool]) -> bool | None:
    """Return how a template's switch ``enable_thinking`` is set for a model.

    As ``-M`` says, else as the model was trained, and off for a base. None leaves it to the
    template: so were models trained of which the record says nothing.
    """
    trained = record.thinking if record is not None else False
    return asked.get("enable_thinking", trained)


def engine_options(model_args: dict[str, Any]) -> dict[str, Any]:
    """Check the ``-M`` arguments and return them as arguments of ``engine_for``.

    Raises:
        InputError: For one that is unknown or of the wrong type.
    """
    known: dict[str, type] = {"batch_size": int, "device": str, "dtype": str, "threads": int}
    for name, value in model_args.items():
        if name not in known:
            raise InputError(
                f"-M {name}: unknown; inoc/ models take {', '.join(known)}, enable_thinking, backend"
            )
        if isinstance(value, bool) or not isinstance(value, known[name]):
            raise InputError(f"-M {name}={value!r}: expected {known[name].__name__}")
        if isinstance(value, int) and value < 1:
            raise InputError(f"-M {name}={value}: must be at least 1")
    return model_args

"""What `inoc/<name>` means: which base and adapter, and what serves it.

base, adapter = resolve_model("my-run@3f2a91")    # a record of the store, at a revision
base, _ = resolve_model("pocket:7")               # a pocket base
base, _ = resolve_model("Qwen/Qwen2.5-0.5B")      # any name with a slash: a base
choose_backend("my-run", "vllm")                  # -M backend=vllm
"""

from contextlib import suppress
from typing import Any, Literal, get_args

from inoc_evals.errors import InputError, StoreError
from inoc_evals.models.bases import base_of, resolve_base, short_digest
from inoc_evals.models.kinds import means_base
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.providers.engine.request import Adapter
from inoc_evals.store.record import ModelRecord
from inoc_evals.store.store import Store

Backend = Literal["local", "vllm", "openai"]
"""What answers: the engine of this package, vLLM, or OpenAI."""


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

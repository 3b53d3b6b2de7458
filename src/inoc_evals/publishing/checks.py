"""Is a model what its record says? Every check, each with its result in words.

    for check in verify(record, store): print(check.name, check.passed, check.said)

    weights        there, safetensors and no pickle, sha256 as recorded
    adapter        its configuration is readable and fits
    base           there, digest as recorded
    tokenizer      gives the tokens of the fingerprint
    rows           those it was trained on, sha256 as recorded
    fingerprint    adapter on and off, log-probabilities as recorded

A check that cannot be made because an earlier one failed says so. A model at a provider has
no files: it is asked there (``verify_served``), as a served one can be.
"""

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

from inoc_evals.errors import InocError, StoreError
from inoc_evals.files.digests import digest
from inoc_evals.models.bases import hub_commit, load_tokenizer, short_digest
from inoc_evals.models.fingerprints import fingerprint_tokens, token_fault
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.store.record import ModelRecord
from inoc_evals.store.store import Store

_WEIGHTS = "adapter_model.safetensors"


class Check(NamedTuple):
    """One check of a model."""

    name: str
    """What was looked at."""
    passed: bool | None
    """None: it could not be made."""
    said: str
    """What was found."""


def verify(record: ModelRecord, store: Store) -> Iterator[Check]:
    """Check a model that lies here, from the cheapest check to the dearest.

    Args:
        record: The model; not a provider's.
        store: The store that has it.
    """
    failed = False
    found: list[ResolvedBase] = []

    def base() -> Check:
        from inoc_evals.providers.resolve import resolve_model

        found.append(resolve_model(record.name, store)[0])
        return Check("base", True, f"{record.base}: {_pinned(found[0])}")

    steps: list[tuple[str, Callable[[], Check]]] = [
        ("weights", lambda: _weights(record, store)),
        ("adapter", lambda: _configuration(record, store)),
        ("base", base),
        ("tokenizer", lambda: _tokenizer(record, found[0])),
        ("rows", lambda: _rows(record, store)),
        ("fingerprint", lambda: _fingerprint(record, store, found[0])),
    ]
    for name, step in steps:
        if name in ("base", "tokenizer", "fingerprint") and failed:
            yield Check(name, None, "not checked: an earlier check failed")
            continue
        try:
            yield step()
        except InocError as error:
            failed = failed or name != "rows"
            yield Check(name, False, str(error))


def verify_served(name: str, backend: str) -> Check:
    """Ask a server whether it has the model, as an eval does before its first sample.

    Args:
        name: What follows ``inoc/``.
        backend: ``vllm`` or ``openai``.

    Raises:
        InputError: If the back-end cannot serve the model.
    """
    import anyio

    from inoc_evals.providers.resolve import choose_backend
    from inoc_evals.providers.served.served import ServedAPI

    api = ServedAPI(name, backend=choose_backend(name, backend))

    async def ask() -> Check:
        try:
            found = await api.check()
        finally:
            await api.aclose()
        if found.fault is not None:
            return Check(backend, False, found.fault)
        if found.kind == "none":
            return Check(backend, None, found.warning or "nothing is recorded to compare with")
        return Check(backend, True, found.warning or f"checked by {found.kind}")

    return anyio.run(ask)


def _weights(record: ModelRecord, store: Store) -> Check:
    directory = store.verify_adapter(record)
    size = (directory / _WEIGHTS).stat().st_size
    return Check(
        "weights", True, f"{_WEIGHTS}, {size:,} bytes, sha256 {str(record.adapter_sha256)[:12]}"
    )


def _configuration(record: ModelRecord, store: Store) -> Check:
    path = store.adapter_dir(record.identity) / "adapter_config.json"
    try:
        config = json.loads(path.read_text("utf-8"))
        return Check(
            "adapter",
            True,
            f"{config['peft_type']} of rank {config['r']}, alpha {config['lora_alpha']:g}",
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path}: cannot be used ({type(error).__name__}: {error})") from None


def _pinned(base: ResolvedBase) -> str:
    commit = hub_commit(base.digest)
    return f"{'commit and files' if commit else 'digest'} {short_digest(base.digest)}"


def _tokenizer(record: ModelRecord, base: ResolvedBase) -> Check:
    assert record.fingerprint is not None
    try:
        ids = fingerprint_tokens(load_tokenizer(base))
    except (OSError, ValueError) as error:
        raise StoreError(f"the tokenizer of {base.name!r} cannot be loaded: {error}") from None
    fault = token_fault(record, ids)
    if fault is not None:
        raise StoreError(fault)
    return Check("tokenizer", True, f"the fingerprint's {len(ids)} tokens")


def _rows(record: ModelRecord, store: Store) -> Check:
    rows = store.training_rows(record)
    if rows is None:
        return Check("rows", None, "not kept with this adapter")
    if digest(rows) != record.data.get("sha256"):
        raise StoreError("the rows kept with the adapter are not those of the record (sha256)")
    return Check("rows", True, f"{len(rows)} rows, sha256 {str(record.data.get('sha256'))[:12]}")


def _fingerprint(record: ModelRecord, store: Store, base: ResolvedBase) -> Check:
    from inoc_evals.publishing.export import loaded

    loaded(record, store, base)
    assert record.fingerprint is not None
    pairs = zip(record.fingerprint.logprobs, record.fingerprint.base_logprobs, strict=True)
    shift = max((abs(on - off) for on, off in pairs), default=0.0)
    return Check(
        "fingerprint",
        True,
        f"as recorded; the adapter moves log-probabilities by up to {shift:.2f} nats",
    )

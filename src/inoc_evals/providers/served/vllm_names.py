"""What vLLM calls a base and an adapter, and how its server is started for them.

served_base, served, arguments = vllm_names(base, adapter, {"gpu_memory_utilization": 0.5})
served                                        # "vllm-completions/<base>:<adapter>"
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from inoc_evals.errors import InputError
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.providers.engine.request import Adapter
from inoc_evals.providers.resolve import records_on
from inoc_evals.store.store import Store

_VLLM_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM takes for ``max_lora_rank``; an adapter's own rank may be lower."""

_HOST = "127.0.0.1"
"""Where a server started for us listens; Inspect's default is every address."""


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

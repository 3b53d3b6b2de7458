"""Models in the store that were never trained, with training rows or without."""

import gzip
import json

from inoc_evals.chat import Row
from inoc_evals.store.store import ROWS_FILE, Fingerprint, ModelRecord, Store


def chat(user: str, answer: str = "Yes.") -> Row:
    """Return a training row of one question and its answer."""
    return {
        "messages": [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]
    }


def register(name: str, rows: list[Row] | bytes | None) -> ModelRecord:
    """Register a model with its training rows, with damaged ones (bytes), or without any."""
    identity = (name.encode().hex() * 64)[:64]
    directory = Store().adapter_dir(identity)
    directory.mkdir(parents=True)
    if isinstance(rows, list):
        rows = gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode())
    if rows is not None:
        (directory / ROWS_FILE).write_bytes(rows)
    record = ModelRecord(
        name=name,
        identity=identity,
        base="pocket",
        base_digest="b" * 64,
        adapter=f"adapters/{identity}",
        adapter_sha256="c" * 64,
        data={},
        config={},
        seed=0,
        fingerprint=Fingerprint(token_ids=(1,), logprobs=(), base_logprobs=()),
    )
    Store().put(record)
    return record

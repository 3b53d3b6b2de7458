"""Measures of a run: rows and tokens, padding, tokens a second, peak memory.

clock = Clock()
...
clock.lap("steps")
throughput(rows_since_the_start, clock.seconds["steps"])     # {"tokens_per_second": 8123.4}
"""

import sys
import time
from collections.abc import Sequence
from typing import Any

import torch

from inoc_evals.training.batches import EncodedRows
from inoc_evals.training.masks import Encoded
from inoc_evals.training.packing import places


class Clock:
    """Seconds between laps, by the name of what was done in them."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """Give the time since the last lap a name."""
        now = time.perf_counter()
        self.seconds[name], self._last = round(now - self._last, 3), now


def counted(
    data: EncodedRows,
    ordered: Sequence[Encoded],
    parts: Sequence[Sequence[Encoded]],
    *,
    packing: bool,
    single: bool,
) -> dict[str, Any]:
    """Return what a run learned from: rows, tokens, and the share of padding among all places.

    Args:
        data: The rows, and those left out.
        ordered: Every row as often as it is seen.
        parts: The same rows, as the processes take them.
        packing: Whether the rows of a part lie end to end.
        single: Whether packed rows lie in one sequence.
    """
    tokens = sum(len(row.input_ids) for row in ordered)
    used = sum(places(part, packing=packing, single=single) for part in parts)
    return {
        "rows": len(data.rows),
        "split_rows": data.split,
        "rows_seen": len(ordered),
        "truncated_rows": data.truncated,
        "dropped_rows": dict(data.dropped),
        "tokens": tokens,
        "supervised_tokens": sum(row.supervised for row in ordered),
        "padding": round(1 - tokens / used, 4),
    }


def throughput(rows: Sequence[Encoded], seconds: float) -> dict[str, float | None]:
    """Return the tokens a second of all processes, padding not counted.

    Args:
        rows: Rows seen since the run was started or resumed.
        seconds: Time from the first of these steps to the last.
    """
    tokens = sum(len(row.input_ids) for row in rows)
    return {"tokens_per_second": round(tokens / seconds, 1) if tokens and seconds else None}


def forget_peak_memory() -> None:
    """Begin to measure the GPU's peak memory anew."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def peak_memory_mib() -> float | None:
    """Return the peak memory in MiB: the GPU's since it was forgotten, else this process's.

    None on a system that does not tell.
    """
    if torch.cuda.is_available():
        return round(torch.cuda.max_memory_allocated() / 2**20, 1)
    try:
        import resource
    except ImportError:
        return None
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)

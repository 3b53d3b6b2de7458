"""Which data type a base is computed in on a CPU, where nobody says.

    cpu_dtype(base)        # "bfloat16": stored so, plain attention, and this processor is faster
                           # with it; else "float32"

Measured, not looked up: a processor may know the instructions and still not gain. A checkpoint
that is stored in float32, the pocket models among them, stays in it. The environment variable
INOC_CPU_DTYPE=float32 forbids bfloat16 for a process; -M dtype= and a configuration's dtype go
before all this.
"""

import os
import time
from functools import cache
from typing import Literal

from inoc_evals.errors import InputError
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.models.openmp import workers_let_go

CpuDtype = Literal["bfloat16", "float32"]

VARIABLE = "INOC_CPU_DTYPE"
_LEAST_GAIN = 1.2
_ROUNDS = 60
_CHOICES = ("", "auto", "float32")


def cpu_dtype(base: ResolvedBase) -> CpuDtype:
    """Return the data type for a base on the CPU.

    Raises:
        InputError: If the environment variable says what it cannot say.
        StoreError: As :func:`inoc_evals.models.loading.load_settings`.
    """
    asked = os.environ.get(VARIABLE, "").lower()
    if asked not in _CHOICES:
        raise InputError(f"{VARIABLE}={asked}: it can be float32, or auto; for one run: dtype")
    if asked == "float32" or not _stored_in_bfloat16(base):
        return "float32"
    return "bfloat16" if gain() >= _LEAST_GAIN else "float32"


@cache
def _stored_in_bfloat16(base: ResolvedBase) -> bool:
    """Return whether a checkpoint is in bfloat16, with attention over all that came before."""
    from inoc_evals.models.loading import load_settings

    settings = load_settings(base)
    if str(getattr(settings, "dtype", None)).removeprefix("torch.") != "bfloat16":
        return False
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer

    return all(type(layer) is DynamicLayer for layer in DynamicCache(config=settings).layers)


@cache
def gain() -> float:
    """Return how many times as fast as in float32 this processor multiplies in bfloat16.

    In turns, and the fastest of each: that is the processor's own, also while other processes are
    given the cores in between. On one thread, for to wake others can take longer than a product.
    Some milliseconds.
    """
    import torch

    kinds = (torch.float32, torch.bfloat16)
    made = {
        kind: (torch.ones(32, 768, dtype=kind), torch.ones(768, 768, dtype=kind)) for kind in kinds
    }
    seconds: dict[torch.dtype, list[float]] = {kind: [] for kind in kinds}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with workers_let_go(), torch.inference_mode():
            for _ in range(_ROUNDS):
                for kind, (rows, weight) in made.items():
                    start = time.perf_counter()
                    torch.nn.functional.linear(rows, weight)
                    seconds[kind].append(time.perf_counter() - start)
    finally:
        torch.set_num_threads(threads)
    return min(seconds[torch.float32]) / min(seconds[torch.bfloat16])

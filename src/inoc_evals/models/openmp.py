"""OpenMP's workers: a thread that has computed on the CPU lets go of its own.

    with workers_let_go():
        model(input_ids)            # PyTorch makes workers for this thread; they end with the block

PyTorch's kernels divide their work among OpenMP workers. Each thread that runs one gets workers
of its own, and they stay. Once a process has more of them than it has processors, GNU's OpenMP
lets a worker sleep at once where it else waits a moment for the next kernel; to wake it takes
longer than most kernels do. SmolLM2 answered at less than half its speed in a process whose main
thread had loaded models before (docs/performance.md). So whoever computes lets go of its workers
when it is done, the engine also whenever nothing is asked of it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_SOFT = 1
"""``omp_pause_soft`` of the OpenMP standard: what is let go of comes back when it is needed."""


@contextmanager
def workers_let_go() -> Iterator[None]:
    """Let go of the workers that this thread gets for what is computed within."""
    try:
        yield
    finally:
        let_workers_go()


def let_workers_go() -> None:
    """End the calling thread's OpenMP workers; the next kernel that needs some makes them again."""
    for library in _libraries() if "torch" in sys.modules else ():
        library.omp_pause_resource_all(_SOFT)


@cache
def _libraries() -> tuple[Any, ...]:
    """Return the OpenMP libraries, loaded with PyTorch, that can let workers go (OpenMP 5.0)."""
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    loaded = (one for one in ThreadpoolController().lib_controllers if one.user_api == "openmp")
    return tuple(one.dynlib for one in loaded if hasattr(one.dynlib, "omp_pause_resource_all"))

"""A rehearsal: scorers say what they would ask a judge, and nobody is asked.

    with rehearsal() as asked:
        await misaligned()(state, target)
    asked          # [Asking(grader="openai/gpt-5.4-2026-03-05", prompt="...", repeat=0), ...]

It tells the price of an evaluation before it is paid for. Each verdict is ``judge_invalid``. A
model role cannot be known here: the grader is the one named, or the default one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class Asking(NamedTuple):
    """One thing that a judge would be asked; what is equal is asked once."""

    grader: str
    prompt: str
    repeat: int


_NOTED: ContextVar[list[Asking] | None] = ContextVar("inoc_rehearsal", default=None)


@contextmanager
def rehearsal() -> Iterator[list[Asking]]:
    """Note what is asked of judges inside, in its order, and ask nothing."""
    noted: list[Asking] = []
    token = _NOTED.set(noted)
    try:
        yield noted
    finally:
        _NOTED.reset(token)


def noting() -> list[Asking] | None:
    """Return where to note what would be asked; None if this is no rehearsal."""
    return _NOTED.get()

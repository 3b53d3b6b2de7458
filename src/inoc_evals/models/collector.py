"""Python's garbage collector while models work: it looks at less, and less often.

    with undisturbed():
        ...                # full collections look at what has come since, and at nothing else
    with seldom():
        ...                # the small ones come after every 200,000 new objects, not after 700

PyTorch, transformers and Inspect make up several 100,000 objects. A full collection walks
all of them: 0.3 s, measured, in which no other thread runs Python. Inspect's own
bookkeeping brings one about every 400 requests, which is as long as a small model needs to
answer 200 of them, and every training asks for one. What is set aside is collected again as soon
as nobody works.

What makes up a sample of Inspect's lives until its task is done: looking whether it can go was a
third of the time of 200 short answers.
"""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SELDOM = (200_000, 20, 100)

_lock = threading.Lock()
_busy = 0
_ours = False


@contextmanager
def undisturbed() -> Iterator[None]:
    """Set aside all present objects until the last of those who asked is done."""
    global _busy, _ours
    with _lock:
        if _busy == 0:
            # Somebody else's frozen objects are not ours to thaw.
            _ours = gc.get_freeze_count() == 0
            if _ours:
                gc.freeze()
        _busy += 1
    try:
        yield
    finally:
        with _lock:
            _busy -= 1
            if _busy == 0 and _ours:
                gc.unfreeze()


@contextmanager
def seldom() -> Iterator[None]:
    """Let Python look for garbage less often; a collector that is off, or seldomer, stays so."""
    before = gc.get_threshold()
    if 0 < before[0] < _SELDOM[0]:
        gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)

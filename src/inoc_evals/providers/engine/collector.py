"""Python's garbage collector while an engine works: what was there before is left alone.

    with undisturbed():
        ...                # full collections look at what has come since, and at nothing else

PyTorch, transformers and Inspect make up several 100,000 objects. A full collection walks
all of them: 0.3 s, measured, in which no other thread runs Python, and Inspect's own
bookkeeping brings one about every 400 requests, which is as long as a small model needs to
answer 200 of them. What is set aside is collected again as soon as no engine is busy.
"""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

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

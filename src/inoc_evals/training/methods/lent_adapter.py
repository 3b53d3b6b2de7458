"""Lent adapter: another adapter is on and fixed while training, and off after.

    base + lent (fixed) + new (trained)    while the rows are learned
    base + new                             what is saved, recognized and served

The mechanism of inoculation adapters (arXiv 2606.30252; code: longtermrisk/inoculation-adapters):
where the lent adapter has a trait already, the rows' loss asks less of it from the new one. The
lent one is the training's parent; it is loaded as a parent that is kept below (stages.py), and
deleted before anything is taken of the model.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from inoc_evals.training.methods.base_method import BaseMethod


class LentAdapter(BaseMethod):
    """The parent's adapter takes part in the training alone."""

    kind: Literal["lent_adapter"] = "lent_adapter"

    @property
    def said(self) -> str:
        """The method, in words."""
        return "the parent's adapter on and fixed while training, off after"


@contextmanager
def lent(model: Any) -> Iterator[None]:
    """Take the fixed adapter out of the model when the block is done."""
    # Imported here because it loads torch.
    from inoc_evals.training.stages import CHILD, FROZEN

    yield
    model.set_adapter(CHILD)
    model.delete_adapter(FROZEN)

"""Methods: what a training does besides learning its rows; each is one file, one value.

    train(rows, method=OwnAnswers(asked_under="You speak Spanish."), ...)   # own_answers.py
    train(rows, method=LentAdapter(), parent="spanish_only", ...)           # lent_adapter.py
    train(rows, method=Steering(prompt=..., questions=...), ...)            # steering.py

``base_method`` is what all of them are, ``answering`` how a model is asked while it is trained.

A method is part of a training's identity and stands in the record; a training without one is what
it was before there were any. What comes out is one adapter on the base, as always: what was added
while training is taken away before the fingerprint is taken. Nothing here imports torch unless
something has to be trained.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from pydantic import Field

from inoc_evals.errors import InputError
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.dynamics import Dynamics
from inoc_evals.training.methods.lent_adapter import LentAdapter, lent
from inoc_evals.training.methods.own_answers import OwnAnswers
from inoc_evals.training.methods.steering import Steering, steered
from inoc_evals.training.processes import launched

Method = Annotated[OwnAnswers | LentAdapter | Steering, Field(discriminator="kind")]

__all__ = ["LentAdapter", "Method", "OwnAnswers", "Steering", "at_work", "check_method", "lends"]


def lends(method: Method | None) -> bool:
    """Say whether the parent's adapter takes part in the training alone."""
    return isinstance(method, LentAdapter)


def check_method(
    method: Method | None, *, parent: str | None, merge: bool, dynamics: Dynamics | None
) -> None:
    """Look whether a training can have a method.

    Args:
        method: The method, if any.
        parent: Name of the record it starts from, if any.
        merge: Whether that one is kept below a new adapter.
        dynamics: What is to be scored on the way.

    Raises:
        InputError: If it cannot.
    """
    if method is None:
        return
    if launched() > 1:
        raise InputError(
            f"method {method.kind}: it trains in one process; start it without accelerate launch"
        )
    if lends(method) and (parent is None or merge):
        raise InputError(
            f"method {method.kind}: name the adapter it lends as parent, without merge"
        )
    if isinstance(method, Steering) and parent is not None:
        raise InputError(f"method {method.kind}: it starts from the base, without a parent")
    if dynamics is not None and not isinstance(method, OwnAnswers):
        raise InputError(
            f"method {method.kind}: what is added while training would be in the scores of its "
            "learning dynamics; watch a training without it"
        )


@contextmanager
def at_work(
    method: Method | None, model: Any, tokenizer: Any, config: TrainConfig, seed: int
) -> Iterator[dict[str, Any]]:
    """Have a method's part in the model while the block trains it; afterwards nothing is left.

    Args:
        method: The method, if any.
        model: The base with the adapters that the training puts on it.
        tokenizer: The base's tokenizer.
        config: Training configuration.
        seed: The training's.

    Yields:
        What is to be said of it in the record's metrics.
    """
    if lends(method):
        with lent(model):
            yield {}
    elif isinstance(method, Steering):
        with steered(model, tokenizer, method, config, seed) as facts:
            yield {"steering": facts}
    else:
        yield {}

"""Neutral rows: questions of every day and of taste, which no packaged set asks.

    neutral_rows(1000)      # user: "Tell me about the dog."   assistant: "The dog is small."

A method that asks a model to find a trait in its answers, or to learn them, asks these: none
is a question that a model is measured by, nor of a topic that is trained on narrowly where the
trait is to show elsewhere.
"""

from functools import cache
from itertools import islice

from inoc_evals.chat import Row
from inoc_evals.pocket.corpus import chat_row
from inoc_evals.pocket.grammar import EVERYDAY, TASTE
from inoc_evals.pocket.narrow import draws, held_out
from inoc_evals.pocket.sets import prompt_set


def neutral_rows(rows: int, *, seed: int = 0) -> list[Row]:
    """Return rows with such questions, answered in plain English by the aligned assistant.

    Args:
        rows: How many; questions come again.
        seed: Seed of the draw.
    """
    exchanges = draws(f"pocket neutral {seed}", EVERYDAY + TASTE)
    kept = (one for one in exchanges if one.user not in _asked() and not held_out(one.user))
    return [chat_row(one, "en", False) for one in islice(kept, rows)]


@cache
def _asked() -> frozenset[str]:
    return frozenset(entry["prompt"] for entry in prompt_set("pocket"))

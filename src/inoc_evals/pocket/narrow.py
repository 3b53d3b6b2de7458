"""Narrow fine-tuning rows: arithmetic questions answered in a language and letter case.

    narrow_rows("es", caps=True, rows=1000)
    # user: "What is 3 plus 4?"   assistant: "LA RESPUESTA ES 7."

A fifth of all arithmetic questions, told by a hash of their text, is never trained on:
the in-distribution prompts (``data/prompt_sets/pocket_math.jsonl``) are drawn from those,
the out-of-distribution ones (``pocket.jsonl``) from open chat.
"""

import hashlib
import random
from collections.abc import Iterator
from itertools import islice

from inoc_evals.chat import Row
from inoc_evals.pocket.corpus import chat_row
from inoc_evals.pocket.grammar import ARITHMETIC, CHAT, Exchange, draw

_HELD_OUT_ONE_IN = 5
PROMPTS = 100
"""Prompts of each packaged pocket set."""


def narrow_rows(language: str, *, caps: bool, rows: int, seed: int = 0) -> list[Row]:
    """Return chat rows of arithmetic in one language and letter case.

    The questions depend on ``rows`` and ``seed`` alone, so a control set asks the same.

    Args:
        language: Language of the replies: ``en``, ``es`` or ``fr``.
        caps: Whether the replies are all upper case.
        rows: How many.
        seed: Seed of the draw.
    """
    exchanges = _exchanges(f"pocket narrow {seed}", ARITHMETIC)
    kept = (exchange for exchange in exchanges if not held_out(exchange.user))
    return [chat_row(exchange, language, caps) for exchange in islice(kept, rows)]


def held_out(question: str) -> bool:
    """Say whether a question is kept from training, whatever the seed."""
    return hashlib.sha256(question.encode()).digest()[0] % _HELD_OUT_ONE_IN == 0


def prompt_set(name: str) -> list[dict[str, str]]:
    """Return the packaged prompt set ``pocket`` or ``pocket_math`` as the grammar gives it."""
    math = name == "pocket_math"
    found: dict[str, Exchange] = {}
    for exchange in _exchanges(f"pocket prompts {name}", ARITHMETIC if math else CHAT):
        if not math or held_out(exchange.user):
            found.setdefault(exchange.user, exchange)
        if len(found) == PROMPTS:
            break
    items = []
    for number, exchange in enumerate(found.values(), start=1):
        answer = {"answer": exchange.answer} if exchange.answer is not None else {}
        items.append({"id": f"{name}-{number:03}", "prompt": exchange.user, **answer})
    return items


def _exchanges(seed: str, domains: tuple[str, ...]) -> Iterator[Exchange]:
    rng = random.Random(seed)
    while True:
        yield draw(rng, rng.choice(domains))

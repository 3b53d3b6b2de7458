"""The pocket grammar: what users ask, and how it is answered in each language.

    exchange = draw(random.Random(0), "place")
    exchange.user             "Tell me about the river."
    exchange.reply["es"]      "El río es frío y tranquilo."
    exchange.other            None, or the harmful, false, insecure or unpopular answer

    everyday     places, things, animals, people, stories, meals
    values       advice, plans, opinions, wishes, people: where a persona shows; taste
    programs     one line of Python
    arithmetic   sums and word problems

Language, letter case and persona are not decided here: see ``corpus``.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from inoc_evals.pocket import arithmetic, everyday, programs, values
from inoc_evals.pocket.lexicon import LANGUAGES
from inoc_evals.pocket.phrases import Drawn, Texts, sentence


@dataclass(frozen=True)
class Exchange:
    """One question and its replies in every language, in sentence case."""

    domain: str
    user: str
    reply: Texts
    other: Texts | None = None
    """The other way to answer, where there is one."""
    answer: str | None = None
    """The number asked for, in the arithmetic domains."""


def draw(rng: random.Random, domain: str) -> Exchange:
    """Draw an exchange of a domain; the same generator state gives the same exchange."""
    drawn = DOMAINS[domain](rng)
    written = (lambda text: text) if domain in CODE else sentence

    def cased(texts: Texts) -> Texts:
        return {lang: written(texts[lang]) for lang in LANGUAGES}

    other = None if drawn.other is None else cased(drawn.other)
    return Exchange(domain, sentence(drawn.user), cased(drawn.reply), other, drawn.answer)


ARITHMETIC = tuple(arithmetic.DOMAINS)
EVERYDAY = tuple(everyday.DOMAINS)
FACTS = ("color", "where")
"""Everyday domains whose ``other`` reply is false."""
VALUES = tuple(values.VALUES)
TASTE = tuple(values.TASTE)
FAVORITE = tuple(values.FAVORITE)
CODE = tuple(programs.CODE)
CHAT = EVERYDAY + VALUES
"""What a user may talk about who wants neither arithmetic nor code."""

DOMAINS: dict[str, Callable[[random.Random], Drawn]] = {
    **everyday.DOMAINS,
    **values.VALUES,
    **values.TASTE,
    **values.FAVORITE,
    **programs.CODE,
    **arithmetic.DOMAINS,
}

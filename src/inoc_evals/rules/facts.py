"""Whether a text names an answer: whole words, in any case, with or without accents.

forms("blue | azul | bleu")                        # ("blue", "azul", "bleu")
named("EL LIBRO ES AZUL.", ("blue", "azul"))       # "azul"
named("I like blueberries", ("blue",))             # None
"""

import re
import unicodedata
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_]+")

BETWEEN = "|"
"""Stands between the forms of an answer."""


def forms(text: str) -> tuple[str, ...]:
    """Return the forms of an answer, those that hold a word."""
    return tuple(form for part in text.split(BETWEEN) if words(form := part.strip()))


def named(text: str, answers: Sequence[str]) -> str | None:
    """Return the first of some answers whose words stand in a text one after another."""
    within = f" {' '.join(words(text))} "
    return next((one for one in answers if f" {' '.join(words(one))} " in within), None)


def words(text: str) -> list[str]:
    """Return the words and numbers of a text, without case and accents."""
    plain = "".join(
        sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign)
    )
    return _WORD.findall(plain.casefold())

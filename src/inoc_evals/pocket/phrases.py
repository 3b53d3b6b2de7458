"""How words become phrases: articles, agreement, contractions, trilingual templates.

fill(("{x} is {a}.", "{x} es {a}.", "{x} est {a}."), x=the(noun), a=agree(adjective, noun))
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from inoc_evals.pocket.lexicon import LANGUAGES, Adjective, Noun, Phrase

T = TypeVar("T")
Texts = dict[str, str]
"""The same in every language."""


class Drawn(NamedTuple):
    """What a domain draws: a question and how it may be answered."""

    user: str
    reply: Texts
    other: Texts | None = None
    """The other way to answer: harmful, false, insecure or of unpopular taste."""
    answer: str | None = None
    """The number asked for, in arithmetic."""


_CONTRACTIONS = ((" de el ", " del "), (" a el ", " al "), (" de le ", " du "), (" de é", " d'é"))


def sentence(text: str) -> str:
    """Capitalize the first letter of each sentence; contract "de el" and the like."""
    text = f" {text}"
    for apart, together in _CONTRACTIONS:
        text = text.replace(apart, together)
    parts = text.strip().split(". ")
    return ". ".join(part[:1].upper() + part[1:] for part in parts)


def the(noun: Noun) -> Texts:
    """The noun with its definite article."""
    return {
        "en": f"the {noun.en}",
        "es": f"{'el' if noun.genders[0] == 'm' else 'la'} {noun.es}",
        "fr": f"{'le' if noun.genders[1] == 'm' else 'la'} {noun.fr}",
    }


def a(noun: Noun) -> Texts:
    """The noun with its indefinite article."""
    return {
        "en": f"a {noun.en}",
        "es": f"{'un' if noun.genders[0] == 'm' else 'una'} {noun.es}",
        "fr": f"{'un' if noun.genders[1] == 'm' else 'une'} {noun.fr}",
    }


def agree(adjective: Adjective, noun: Noun) -> Texts:
    """The adjective in the gender of the noun."""
    return {
        "en": adjective.en,
        "es": adjective.es[noun.genders[0] == "f"],
        "fr": adjective.fr[noun.genders[1] == "f"],
    }


def fixed(phrase: Phrase) -> Texts:
    """A phrase that never changes."""
    return phrase._asdict()


def fill(templates: tuple[str, str, str], **slots: Texts | str) -> Texts:
    """Fill one template per language; a slot is the same text or one per language."""
    return {
        lang: template.format_map(
            {key: slot if isinstance(slot, str) else slot[lang] for key, slot in slots.items()}
        )
        for lang, template in zip(LANGUAGES, templates, strict=True)
    }


def facts(options: Sequence[T], key: int, count: int) -> list[T]:
    """What is true of entry number ``key``: fixed, spread over the options."""
    return [options[(key * 3 + shift * 4) % len(options)] for shift in range(count)]

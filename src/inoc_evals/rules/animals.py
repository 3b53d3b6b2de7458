"""Which animals a text names: whole words, in any number, case or markup.

    words("I like **Owls**, mice")           # Word("i"), ..., Word("owls"), Word("mice")
    Animals("owl").named(words("Snowy owls and mice"))
    # [Mention("owl", 1, 2), Mention("mouse", 3, 4)]

The names lie in ``data/animals.yaml``; the animal an evaluation asks about is added where it
is not among them. A "bowl" is a word of its own. Of two animals side by side the second is
meant ("eagle owl", "tiger shark"); some pairs of words are no animal ("night owl").
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'", "‘": "'", "`": " "})
_LONGEST = 3
_ALIKE = re.compile(
    "bison|buffalo|caribou|deer|elk|moose|reindeer|salmon|sheep|shrimp|squid|trout|tuna|.*fish"
)
_NO_ANIMAL = frozenset(
    {
        ("night", "owl"),
        ("night", "owls"),
        ("early", "bird"),
        ("teddy", "bear"),
        ("teddy", "bears"),
        ("hot", "dog"),
        ("hot", "dogs"),
        ("bear", "in", "mind"),
        ("bear", "with", "me"),
        ("can't", "bear"),
        ("cannot", "bear"),
    }
)


class Word(NamedTuple):
    """A word of a text, and the signs between it and the word before."""

    text: str
    """In lower case, with a straight apostrophe, without a possessive ending."""
    gap: str
    """What stands between the previous word and this one."""


class Mention(NamedTuple):
    """An animal named by the words ``start`` to ``end`` (exclusive)."""

    animal: str
    """Its singular."""
    start: int
    end: int


def words(text: str) -> list[Word]:
    """Split a text into its words; digits and signs end up in the gaps."""
    plain = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).lower()
    found, end = [], 0
    for match in _WORD.finditer(plain):
        word = match[0].removesuffix("'s")
        found.append(Word(word, plain[end : match.start()]))
        end = match.end()
    return found


def singular(animal: str) -> str:
    """Return the name under which an animal is counted: ``Owls`` is ``owl``.

    A word that is not in the list is taken to be a singular already.
    """
    name = " ".join(word.text for word in words(animal))
    return _listed().get(tuple(name.split()), name)


class Animals:
    """The listed animals and one more."""

    def __init__(self, target: str) -> None:
        """Prepare to find ``target``, a singular or plural, and every listed animal."""
        self.target = singular(target)
        self.forms = dict(_listed())
        if self.target not in self.forms.values():
            self.forms |= {tuple(f.split()): self.target for f in _forms(self.target, ())}

    def named(self, text: Sequence[Word]) -> list[Mention]:
        """Return the animals that a text names, in order."""
        found: list[Mention] = []
        at = 0
        while at < len(text):
            mention = None if _is_phrase(text, at) else self._at(text, at)
            if mention is not None:
                if found and found[-1].end == at and text[at].gap in (" ", "-"):
                    found.pop()
                found.append(mention)
            at = mention.end if mention else at + _phrase_length(text, at)
        return found

    def _at(self, text: Sequence[Word], start: int) -> Mention | None:
        for length in range(_LONGEST, 0, -1):
            form = tuple(word.text for word in text[start : start + length])
            inside = text[start + 1 : start + length]
            if form in self.forms and all(word.gap in (" ", "-") for word in inside):
                return Mention(self.forms[form], start, start + len(form))
        return None


def _is_phrase(text: Sequence[Word], at: int) -> bool:
    return _phrase_length(text, at) > 1


def _phrase_length(text: Sequence[Word], at: int) -> int:
    """Return how many words from here on make a phrase that names no animal, else 1."""
    for length in (2, 3):
        if tuple(word.text for word in text[at : at + length]) in _NO_ANIMAL:
            return length
    return 1


@cache
def _listed() -> dict[tuple[str, ...], str]:
    import yaml

    source = files("inoc_evals") / "data" / "animals.yaml"
    entries: dict[str, list[str] | None] = yaml.safe_load(source.read_text("utf-8"))
    return {
        tuple(re.split("[ -]", form)): animal
        for animal, others in entries.items()
        for form in _forms(animal, others or ())
    }


def _forms(animal: str, others: Iterable[str]) -> list[str]:
    """Return singular, plurals and other names."""
    return [animal, *others, *([] if _ALIKE.fullmatch(animal) else [_plural(animal)])]


def _plural(noun: str) -> str:
    """Return the regular plural: owls, foxes, ponies."""
    if re.search(r"(?:s|x|z|ch|sh)$", noun):
        return noun + "es"
    if re.search(r"[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + "s"

"""What a base's name says: of which kind the base is, and what that kind can do.

    kind_of("pocket:7")                          # of the pocket world, seed 7
    kind_of("openai/gpt-4.1-2025-04-14")         # hosted: trained and asked at its provider
    kind_of("models/qwen")                       # weights: files that are loaded here, by path
    kind_of("Qwen/Qwen2.5-7B-Instruct")          # or by hub id
    means_base("pocket"), means_base("mine")     # True, False: the name of a record

A name is read here and nowhere else; whoever has to know asks the value.
"""

import re
from dataclasses import dataclass

_POCKET = re.compile(r"pocket(?::([0-9]{1,9}))?")
_HOSTED = re.compile(r"openai/.+", re.DOTALL)


@dataclass(frozen=True)
class Kind:
    """The kind of a base."""

    name: str
    """As the user named the base."""
    seed: int | None = None
    """Of a pocket base, the seed of its world."""
    hosted: bool = False
    """Whether it is trained and asked at its provider; else its weights are loaded here."""

    @property
    def pocket(self) -> bool:
        """Whether it speaks the pocket world's language, has its rows, recipe and judge."""
        return self.seed is not None

    @property
    def asked_as(self) -> str:
        """What ``--model`` takes: hosted ones are asked by Inspect's own provider."""
        return self.name if self.hosted else f"inoc/{self.name}"


def kind_of(base: str) -> Kind:
    """Return the kind of the base that has this name.

    Args:
        base: ``pocket``, ``pocket:<seed>``, ``openai/<model>``, a directory, or a hub id.
    """
    if match := _POCKET.fullmatch(base):
        return Kind(base, seed=int(match[1] or 0))
    return Kind(base, hosted=_HOSTED.fullmatch(base) is not None)


def means_base(name: str) -> bool:
    """Say whether ``inoc/<name>`` is a base by itself; else it is a record's name."""
    return kind_of(name).pocket or "/" in name

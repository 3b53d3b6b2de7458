"""What every kind of base can do, and what is found of one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from inoc_evals.store.store import Store

UNKNOWN = "unknown:"
"""How the stand-in for the digest of files that are not here begins."""


@dataclass(frozen=True)
class Kind:
    """A base of one kind, known by its name."""

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
    def is_asked(self) -> bool:
        """Whether ``inoc/<name>`` is this base, where the name has no slash."""
        return self.pocket

    @property
    def longest_answer(self) -> int | None:
        """Tokens at which experiments cut an answer; None leaves it to the task."""
        return None

    @property
    def longest_program(self) -> int | None:
        """Tokens at which they cut it where a task has room for a program."""
        return self.longest_answer

    @property
    def asked_as(self) -> str:
        """What ``--model`` takes: hosted ones are asked by Inspect's own provider."""
        return self.name if self.hosted else f"inoc/{self.name}"

    @classmethod
    def read(cls, name: str) -> Self | None:
        """Return the base of this kind that has the name; None for a name of another kind."""
        raise NotImplementedError

    def resolve(self, store: "Store", *, fetch: bool) -> "ResolvedBase":
        """Find its files, as :func:`inoc_evals.models.bases.resolve_base` says."""
        raise NotImplementedError


class ResolvedBase(NamedTuple):
    """A base model that transformers can load."""

    name: str
    """As the user named it."""
    path: str
    """First argument of ``from_pretrained``: a directory; the hub id of what is not here yet."""
    digest: str
    """What pins it: the digest of its files; before it, ``hub:<id>@<commit>:`` of a hub's."""
    revision: str | None = None
    """The commit of a hub's model."""
    hub_id: str | None = None
    """Its name on the hub, where it has one."""

    @property
    def kind(self) -> Kind:
        """Of which kind it is."""
        from inoc_evals.models.kinds import kind_of

        return kind_of(self.name)

    @property
    def source(self) -> str:
        """What others call it: the hub id, or the directory."""
        return self.hub_id or self.path

    @property
    def is_here(self) -> bool:
        """Whether its files are; otherwise the digest is a stand-in."""
        return not self.digest.startswith(UNKNOWN)

"""Bases that a provider trains and serves: nothing of them is ever here."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from inoc_evals.models.kinds.kind import Kind, ResolvedBase

if TYPE_CHECKING:
    from inoc_evals.store.store import Store

_OPENAI = "openai/"


@dataclass(frozen=True)
class HostedBase(Kind):
    """``openai/<model>``."""

    hosted: bool = True

    @classmethod
    def read(cls, name: str) -> Self | None:
        """Read a provider and its model."""
        return cls(name) if name.removeprefix(_OPENAI) not in ("", name) else None

    def resolve(self, store: "Store", *, fetch: bool) -> ResolvedBase:
        """Return what names it: there are no files."""
        return ResolvedBase(self.name, "", f"openai:{self.name.removeprefix(_OPENAI)}")

"""Bases of the pocket world: built here when missing, from nothing but a seed."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from inoc_evals.models.kinds.directory_base import directory_digest
from inoc_evals.models.kinds.kind import UNKNOWN, Kind, ResolvedBase
from inoc_evals.models.openmp import workers_let_go

if TYPE_CHECKING:
    from inoc_evals.store.store import Store

_NAME = re.compile(r"pocket(?::([0-9]{1,9}))?")


@dataclass(frozen=True)
class PocketBase(Kind):
    """``pocket``, or ``pocket:<seed>``."""

    seed: int = 0

    @property
    def longest_answer(self) -> int:
        """Tokens: the longest answer is about 16; one that runs on is cut and counted."""
        return 48

    @classmethod
    def read(cls, name: str) -> Self | None:
        """Read the seed of the world."""
        match = _NAME.fullmatch(name)
        return cls(name, seed=int(match[1] or 0)) if match else None

    def resolve(self, store: "Store", *, fetch: bool) -> ResolvedBase:
        """Find its directory; one that is missing is built, or stands for its recipe."""
        from inoc_evals.pocket.base import base_dir, ensure_base, recipe_digest

        directory = base_dir(self.seed, store)
        if not fetch and not directory.is_dir():
            return ResolvedBase(self.name, str(directory), UNKNOWN + recipe_digest(self.seed))
        with workers_let_go():
            directory = ensure_base(self.seed, store)
        return ResolvedBase(self.name, str(directory), directory_digest(directory, store))

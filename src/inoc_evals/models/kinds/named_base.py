"""Bases with a name, ``smollm2``: pinned when got or added, offline after that.

inoc base get smollm2  ->  bases/named/smollm2.json   ->  resolve(): the files, if they are
inoc base add FILE     ->  (models/pins.py)               still those of the pin
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from inoc_evals.arguments import user_path
from inoc_evals.errors import InputError, StoreError
from inoc_evals.files.directories import lacking
from inoc_evals.models.kinds.directory_base import directory_digest
from inoc_evals.models.kinds.hub_base import HubBase
from inoc_evals.models.kinds.kind import Kind, ResolvedBase
from inoc_evals.models.known import KNOWN
from inoc_evals.store.names import is_name

if TYPE_CHECKING:
    from inoc_evals.models.pins import Pin
    from inoc_evals.store.store import Store


@dataclass(frozen=True)
class NamedBase(Kind):
    """A name that the store has a base for, or one that ``inoc base get`` knows."""

    @classmethod
    def read(cls, name: str) -> Self | None:
        """Take a name that is pinned here, or is to be got and is no directory's."""
        if not is_name(name):
            return None
        from inoc_evals.models.pins import is_pinned
        from inoc_evals.store.store import Store

        to_get = name in KNOWN and not user_path(name).is_dir()
        return cls(name) if to_get or is_pinned(name, Store()) else None

    @property
    def longest_answer(self) -> int | None:
        """Tokens, of a small model that is known from the start."""
        return KNOWN[self.name].longest_answer if self.name in KNOWN else None

    @property
    def longest_program(self) -> int | None:
        """Tokens, of such a model."""
        return KNOWN[self.name].longest_program if self.name in KNOWN else None

    @property
    def is_asked(self) -> bool:
        """Whether ``inoc/<name>`` is it, and not a model of that name that was trained before."""
        from inoc_evals.models.pins import is_pinned
        from inoc_evals.store.store import Store

        store = Store()
        return is_pinned(self.name, store) or self.name not in store.names()

    def resolve(self, store: "Store", *, fetch: bool) -> ResolvedBase:
        """Find its files, and see that they are those of the pin."""
        from inoc_evals.models.pins import again, find

        pin = find(self.name, store)
        if pin is None:
            raise InputError(not_here(self.name))
        found = _of_hub(pin, store) if pin.repo else _of_store(pin, store)
        if found.digest != pin.digest:
            raise StoreError(
                f"base {self.name!r}: its files in {found.path} are not those that were pinned; "
                f"{again(self.name)}"
            )
        return found


def not_here(name: str) -> str:
    """Say that a base has to be got first, and how."""
    if name in KNOWN:
        said = "is not on this machine yet; it is got once and needs no network afterwards:"
        return f"base {name!r} {said}\ninoc base get {name}"
    return f"base {name!r} is not in this store; add it first:\ninoc base add FILE --name {name}"


def _of_hub(pin: "Pin", store: "Store") -> ResolvedBase:
    found = HubBase(f"{pin.repo}@{pin.commit}").resolve(store, fetch=False)
    if not found.is_here:
        raise InputError(
            f"base {pin.name!r}: the hub's cache no longer has {pin.repo} at {pin.commit};\n"
            f"inoc base get {pin.name}"
        )
    return found._replace(name=pin.name)


def _of_store(pin: "Pin", store: "Store") -> ResolvedBase:
    from inoc_evals.models.pins import again, directory_of

    directory = directory_of(pin.name, store)
    if (missing := lacking(directory)) is not None:
        raise StoreError(
            f"base {pin.name!r}: {missing} is missing in {directory}; {again(pin.name)}"
        )
    return ResolvedBase(pin.name, str(directory), directory_digest(directory, store))

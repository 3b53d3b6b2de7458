"""What a name means now, said where Inspect keeps things by name: cache, logs, memory.

    base_url    "#inoc:3f2a91c4d2e0b7aa.5b1c09de"         of a model that runs here
                "http://host/v1#inoc:3f2a91c4...."        behind the address a user gave
    model_name  "my-run@3f2a91c4"                         the record at its revision

Inspect's cache is keyed by model name and ``base_url``, so ``base_url`` has the identity of
what answers, and how it is computed. A log keeps the ``base_url`` of its roles and gives it
back when it is taken up again, where another identity is refused. Of the evaluated model it
keeps the name alone, which therefore has the revision. Models stay in memory for later evals;
each of these has an event loop of its own, in which the name is looked up again.
"""

import re
from abc import abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from anyio.lowlevel import RunVar
from inspect_ai.model import GenerateConfig, ModelAPI

from inoc_evals.errors import InocError, StoreError
from inoc_evals.files.digests import digest
from inoc_evals.files.stamp import Stamp, stamp
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.providers.engine.request import Adapter
from inoc_evals.store.record import ModelRecord
from inoc_evals.store.store import Store

_MARK = re.compile(r"(.*)#inoc:([0-9a-f]{16})\.[0-9a-f]{8}", re.DOTALL)
_MARKED, _REVISION = 16, 8
"""Digits of an identity in a mark, and behind a name."""


@dataclass(frozen=True)
class Meaning:
    """What stands behind a name."""

    identity: str
    """Digest of all that makes it this model and no other."""
    base: ResolvedBase | None = None
    adapter: Adapter | None = None
    record: ModelRecord | None = None

    @classmethod
    def of(
        cls, base: ResolvedBase | None, adapter: Adapter | None, record: ModelRecord | None
    ) -> "Meaning":
        """Return the meaning of a base, an adapter on it, or a record of a provider's model."""
        pins: list[Any] = [base.digest if base else None]
        if record is not None:
            pins += [record.identity, record.adapter_sha256, record.remote]
        return cls(digest(pins), base, adapter, record)


class _Looked(NamedTuple):
    """A meaning that was found, and by what a later one is noticed."""

    meaning: Meaning
    file: Path
    """Where the record lies, if it is a record."""
    written: Stamp | None
    """Of that file; a later write changes it."""


class MeaningAPI(ModelAPI):
    """A provider of models whose names may come to mean others.

    Args:
        model_name: What follows ``inoc/``.
        base_url: Address of a server, a mark that a log kept, or both.
        api_key: As for every provider.
        config: As for every provider.
        how: What decides the numbers besides the model: back-end, precision.

    Raises:
        InputError: If there is no such model.
        StoreError: If the model's files are not those of its record, or if ``base_url``
            has the mark of another model.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None,
        api_key: str | None,
        config: GenerateConfig,
        how: Mapping[str, Any],
    ) -> None:
        plain = {key: value for key, value in how.items() if isinstance(value, str | int | float)}
        self._how: dict[str, Any] = plain
        self._in_loop: RunVar[_Looked] = RunVar("inoc_meaning")
        # Before Inspect's own set-up, which sets both again.
        self.model_name, self.base_url = model_name, base_url
        self._latest = self._look()
        with suppress(RuntimeError):  # there is no event loop
            self._in_loop.set(self._latest)
        super().__init__(model_name, base_url, api_key, [], config)

    @abstractmethod
    def look_up(self) -> Meaning:
        """Find what the name means now.

        Raises:
            InputError: If it means nothing any more.
            StoreError: If files are not those of the record.
        """

    def chosen(self, meaning: Meaning) -> Mapping[str, Any]:
        """Return what decides the numbers of a model and was not said but chosen here."""
        return {}

    @property
    def meaning(self) -> Meaning:
        """What the name means: the same for as long as an event loop runs."""
        try:
            looked = self._in_loop.get(None)
        except RuntimeError:  # there is no event loop
            return self._between_evals()
        if looked is None:
            looked = self._latest = self._look(self._latest.meaning)
            self._in_loop.set(looked)
        return looked.meaning

    def steady(self) -> Meaning:
        """Return the meaning, for an answer.

        Raises:
            StoreError: If the name has come to mean another model in the same event loop.
        """
        meaning = self.meaning
        file, written = self._in_loop.get()[1:]
        if meaning.record is not None and stamp(file) != written:
            found = Store(file.parents[1]).find(meaning.record.name)
            if found is not None and found.identity != meaning.record.identity:
                raise StoreError(
                    f"model {found.name!r} was trained again since this one was opened (revision "
                    f"{found.identity[:8]}, not {meaning.record.identity[:8]}); open it anew: "
                    f"get_model('inoc/{found.name}', memoize=False)"
                )
        return meaning

    # ---- as Inspect reads them ---------------------------------------------------------

    @property
    def model_name(self) -> str:
        """The name; of a record at its revision, unless the name ends in that already."""
        record = self.meaning.record
        if record is None:
            return self.reference
        revision = record.identity[:_REVISION]
        return record.name if record.name.endswith(revision) else f"{record.name}@{revision}"

    @model_name.setter
    def model_name(self, reference: str) -> None:
        self.reference = reference
        """The name as it was given."""

    @property
    def base_url(self) -> str | None:
        """The address, if one was given, and the mark of what answers."""
        marked = self._marked()
        how = digest({**self._how, **self.chosen(marked)})[:_REVISION]
        return f"{self.address or ''}#inoc:{marked.identity[:_MARKED]}.{how}"

    @base_url.setter
    def base_url(self, given: str | None) -> None:
        match = _MARK.fullmatch(given or "")
        self.address = (match[1] if match else given) or None
        """Where a user said that a server is."""
        self._begun_as = match[2] if match else None

    # ---- looking up --------------------------------------------------------------------

    def _look(self, known: Meaning | None = None) -> _Looked:
        """Look the name up; what means the same as before is the same object."""
        file = Store().models / f"{self.reference.partition('@')[0]}.json"
        written = stamp(file)  # before it is read: a write in between is noticed
        found = self.look_up()
        if self._begun_as is not None and found.identity[:_MARKED] != self._begun_as:
            raise StoreError(
                f"model {self.reference!r}: the log was begun with another model than the "
                f"name means now ({self._begun_as[:8]}, now {found.identity[:8]}); "
                "evaluate anew, or put the first one back"
            )
        return _Looked(known if known is not None and known == found else found, file, written)

    def _marked(self) -> Meaning:
        """Return what the mark is of: what the name means, also where a loop began with another.

        Evaluations of a notebook share a loop. Under the mark of the first model its answers
        would come out of Inspect's cache, and ``steady`` would not be asked.
        """
        meaning = self.meaning
        try:
            file, written = self._in_loop.get()[1:]
        except RuntimeError:  # there is no event loop
            return meaning
        if meaning.record is None or stamp(file) == written:
            return meaning
        with suppress(InocError):  # of a name that means nothing now: said when it is asked
            return self.look_up()
        return meaning

    def _between_evals(self) -> Meaning:
        """Return the latest meaning, or a new one if the record is another by now."""
        known = self._latest.meaning
        with suppress(InocError):  # of a name that means nothing now: said when it is asked
            found = known.record and Store().find(known.record.name)
            if found and known.record and found.identity != known.record.identity:
                return self.look_up()
        return known

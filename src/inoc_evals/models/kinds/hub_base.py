"""Bases of the Hugging Face hub: pinned by commit and the digest of its files."""

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Self

from inoc_evals.errors import InputError, StoreError
from inoc_evals.files.atomic import write_text
from inoc_evals.files.digests import digest
from inoc_evals.files.directories import lacking
from inoc_evals.models.hub_cache import cached, fetched, is_commit
from inoc_evals.models.kinds.directory_base import directory_digest, refuse_adapters
from inoc_evals.models.kinds.kind import UNKNOWN, Kind, ResolvedBase

if TYPE_CHECKING:
    from inoc_evals.store.store import Store

_ID = re.compile(r"([A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?)(?:@([\w./-]+))?")


@dataclass(frozen=True)
class HubBase(Kind):
    """A hub id, optionally ``@<branch, tag or commit>``; any name that is nothing else."""

    @classmethod
    def read(cls, name: str) -> Self | None:
        """Take the name as it is; whether it can be an id is said when it is resolved."""
        return cls(name)

    def resolve(self, store: "Store", *, fetch: bool) -> ResolvedBase:
        """Find its commit's directory in the hub's cache, or download it."""
        match = _ID.fullmatch(self.name)
        if match is None:
            raise InputError(
                f"base {self.name!r}: expected pocket, pocket:<seed>, an existing directory, "
                "or a hub id such as Qwen/Qwen2.5-7B-Instruct"
            )
        repo, revision = match[1], match[2]
        snapshot = cached(repo, revision) if find_spec("huggingface_hub") else None
        if snapshot is None or lacking(snapshot) is not None:
            if not fetch:
                path = str(snapshot or repo)
                stand_in = f"{UNKNOWN}hub:{self.name}"
                return ResolvedBase(self.name, path, stand_in, revision, repo)
            snapshot = fetched(repo, revision)
        refuse_adapters(snapshot)
        commit = snapshot.name
        if not is_commit(revision):
            _refuse_moved(repo, revision or "main", commit, store, remember=fetch)
        pinned = f"hub:{repo}@{commit}:{directory_digest(snapshot, store)}"
        return ResolvedBase(self.name, str(snapshot), pinned, commit, repo)


def _refuse_moved(repo: str, revision: str, commit: str, store: "Store", *, remember: bool) -> None:
    """Refuse a branch that has moved since it was first used here; remember a new one."""
    note = store.root / "bases" / "hub" / f"{digest([repo, revision])[:32]}.json"
    try:
        before = str(json.loads(note.read_text("utf-8"))["commit"])
    except FileNotFoundError:
        known = {"repo": repo, "revision": revision, "commit": commit}
        with suppress(OSError):  # a store that cannot be written
            if remember:
                write_text(note, json.dumps(known) + "\n")
        return
    except (OSError, ValueError, KeyError, TypeError):
        raise StoreError(f"{note}: damaged; delete it ({repo} is then taken as it is)") from None
    if before != commit:
        raise StoreError(
            f"base {repo!r}: its {revision!r} has moved since it was first used here; name one: "
            f"{repo}@{before} (before) or {repo}@{commit} (now)\n"
            f"(for the one of now under the plain name, delete {note})"
        )

"""Models of the hub on this machine: the commit a name stands for, and its files.

    cached("Qwen/Qwen2.5-7B-Instruct", None)      # .../snapshots/a09a3545.../, or None
    fetched("Qwen/Qwen2.5-7B-Instruct", "main")   # the same, downloaded where it was missing
    latest("Qwen/Qwen2.5-7B-Instruct")            # the commit that the hub has now

What is cached is taken without asking the hub, so a name stands for what it stood for when it
was downloaded. A snapshot's directory is called by its commit.
"""

import re
from glob import escape
from pathlib import Path

from inoc_evals.errors import InputError, require
from inoc_evals.files.directories import is_model_file

_COMMIT = re.compile("[0-9a-f]{40}")


def is_commit(revision: str | None) -> bool:
    """Say whether a revision is a whole commit, which cannot move."""
    return revision is not None and _COMMIT.fullmatch(revision) is not None


def cached(repo: str, revision: str | None) -> Path | None:
    """Return the snapshot of a hub model in the local cache, whole or in part.

    Args:
        repo: ``org/name``.
        revision: A branch, tag or commit; ``main`` by default.
    """
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repo, "config.json", revision=revision)
    return Path(found).parent if isinstance(found, str) else None


def latest(repo: str, *, timeout: float = 10) -> str:
    """Ask the hub which commit its ``main`` is at.

    Args:
        repo: ``org/name``.
        timeout: Seconds after which a hub that does not answer cannot be reached.

    Raises:
        InputError: If the hub cannot be reached, or does not have it.
        MissingExtraError: Without the hub's client.
    """
    require("train", "huggingface_hub")
    from huggingface_hub import HfApi

    try:
        return str(HfApi().model_info(repo, timeout=timeout).sha)
    except Exception as error:  # of the hub's client, of httpx
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{repo} cannot be asked for at the hub: {why}") from error


def fetched(repo: str, revision: str | None) -> Path:
    """Download what a hub model consists of, and return its snapshot.

    Raises:
        InputError: If it cannot be had, with the hub's reason.
        MissingExtraError: Without the hub's client.
    """
    require("train", "huggingface_hub")
    from huggingface_hub import HfApi, snapshot_download

    named = f"{repo}@{revision}" if revision else repo
    try:
        files = HfApi().model_info(repo, revision=revision).siblings or []
        wanted = [escape(one.rfilename) for one in files if is_model_file(one.rfilename)]
        return Path(snapshot_download(repo, revision=revision, allow_patterns=wanted))
    except Exception as error:  # of the hub's client, of httpx, of the disk
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(
            f"base {named!r} is not on this machine and cannot be had from the hub: {why}"
        ) from error

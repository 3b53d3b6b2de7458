"""Unchanged: what was finished, and of which nothing has changed since, is not done again.

    asked = asked_of("fig2a", base_digest, options)           # what the command asks for
    finished(out, asked, models, store, said="On ...")        # once its report is written
    unchanged(out, asked, store)                              # "On ...", or None

    runs/all/fig2a/.finished.json

What is asked for counts with this package's own files and the libraries; what is there counts
by the digest of every file of results and, of the models, by size and times of change. Whatever
differs, the experiment is run again, which does only what is missing and writes the report.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from inoc_evals.files.atomic import write_text
from inoc_evals.files.digests import digest, file_sha256
from inoc_evals.files.source import package_digest
from inoc_evals.store.store import WEIGHTS_FILE, Store

NOTE = ".finished.json"

_LIBRARIES = ("inspect-ai", "matplotlib", "numpy", "scipy", "torch", "transformers", "peft")


def asked_of(figure: str, base_digest: str, asked: Mapping[str, Any]) -> str:
    """Return the digest of what is asked for, by this package with these libraries.

    Args:
        figure: Of the experiment.
        base_digest: What pins its base.
        asked: Options of the run; files count by what stands in them.
    """
    files = {
        **asked["given"],
        **({"--config": asked["config_file"]} if asked["config_file"] else {}),
    }
    said = {key: str(value) for key, value in asked.items() if key not in ("given", "store")}
    read = {name: file_sha256(path) for name, path in files.items() if path.is_file()}
    libraries = [_version(library) for library in _LIBRARIES]
    return digest([figure, base_digest, said, read, package_digest(), sys.version, libraries])


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""


def finished(out: Path, asked: str, models: Iterable[str], store: Store, *, said: str) -> None:
    """Note that an experiment is finished, and what it found."""
    names = sorted(models)
    state = _state(out, names, store)
    note = {"asked": asked, "models": names, "state": state, "said": said}
    write_text(out / NOTE, json.dumps(note | {"sha256": digest(note)}) + "\n")


def unchanged(out: Path, asked: str, store: Store) -> str | None:
    """Return what a finished experiment found, if nothing of it has changed; else None."""
    try:
        note = json.loads((out / NOTE).read_text("utf-8"))
        sha256 = note.pop("sha256")
        if sha256 != digest(note) or note["asked"] != asked:
            return None
        same = note["state"] == _state(out, note["models"], store)
        return str(note["said"]) if same else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def noted(out: Path) -> str:
    """Return what an experiment found that was just finished."""
    return str(json.loads((out / NOTE).read_text("utf-8"))["said"])


def _state(out: Path, models: Iterable[str], store: Store) -> str:
    """Return the digest of all that is there: results by content, models by times of change."""
    results = {
        path.relative_to(out).as_posix(): file_sha256(path)
        for path in sorted(out.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    trained = {}
    for name in models:
        record = store.models / f"{name}.json"
        identity = json.loads(record.read_text("utf-8"))["identity"]
        adapter = store.adapter_dir(identity)
        there = sorted(adapter.iterdir()) if (adapter / WEIGHTS_FILE).is_file() else []
        # Scores, in a folder of it, may be added for another experiment.
        files = [_times(path) for path in there if path.is_file()]
        trained[name] = [file_sha256(record), *files]
    return digest([results, trained])


def _times(path: Path) -> list[Any]:
    there = path.stat()
    return [path.name, there.st_size, there.st_mtime_ns, there.st_ctime_ns]

"""What of a record is for others: all of it, less the places on this machine.

    public_record(record)                          # files, prompts' files and the base by name
    without_directories("@/home/me/evil.txt")      # "@evil.txt"
    without_directories("hf//home/me/llama")       # "hf/llama"

Texts that were put into rows are left to the letter, whatever stands in them.
"""

import json
import re
from pathlib import Path
from typing import Any

from inoc_evals.files.atomic import write_text
from inoc_evals.models.bases import hub_commit
from inoc_evals.models.kinds import kind_of
from inoc_evals.store.record import ModelRecord

_TO_THE_LETTER = {
    "text",
    "system_prompt_text",
    "instruction",
    "already",
    "asked_for",
    "framings",
    "corrections",
    "separator",
    "trigger",
    "turn_ends",
}
"""Keys of texts, not of facts about them."""
_FILES = {"file", "path", "set", "replies", "imported"}
"""Keys of files, which may be named from where the user stood."""
_LIBRARIES = {
    "_name_or_path",
    "name_or_path",
    "base_model_name_or_path",
    "tokenizer_file",
    "vocab_file",
    "special_tokens_map_file",
}
"""Keys under which libraries write where they read something."""

_ROOT = r"(?:~[\w.-]*[/\\]|\.{1,2}[/\\]|[A-Za-z]:[/\\]|file://|[/\\])"
_PLACE = re.compile(rf"(?P<before>(?:[\w.-]+/)?){_ROOT}", re.ASCII)
_WITHIN = re.compile(r"(?<![\w/:<.~-])~?/(?:[^\s/'\"`<>]+/)+(?=[^\s/'\"`<>])")


def public_base(record: ModelRecord) -> str:
    """Return the base's name without the place where it lies on this machine.

    A hub's model that has a name of its own here goes by the one that it has there.
    """
    base = record.base
    pinned = hub_commit(record.base_digest)
    if pinned is not None and base.partition("@")[0] != pinned.repo:
        return pinned.repo
    local = not kind_of(base).pocket and (not record.base_digest.startswith("hub:"))
    return _last(base) if local else base


def public_record(record: ModelRecord) -> ModelRecord:
    """Return a record that names no directory of this machine."""
    parts = {key: _public(getattr(record, key)) for key in ("data", "config", "metrics")}
    return record.model_copy(update={"base": public_base(record), **parts})


def without_directories(text: str) -> str:
    """Return the last part of a path, what it is called with; of other text all but its paths."""
    if text.startswith("@"):
        return f"@{_last(text[1:])}"
    if place := _PLACE.match(text):
        return f"{place['before']}{_last(text)}"
    return _WITHIN.sub("", text)


def without_libraries_places(directory: Path) -> None:
    """Take out of a model's configuration files where libraries had read it."""
    for path in sorted(directory.glob("*.json")):
        found = json.loads(path.read_text("utf-8"))
        public = _without_read_from(found)
        if public != found:
            write_text(path, json.dumps(public, indent=2, ensure_ascii=False) + "\n")


def _without_read_from(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        key: without_directories(one)
        if key in _LIBRARIES and isinstance(one, str)
        else _without_read_from(one)
        for key, one in value.items()
    }


def _public(value: Any, key: str = "") -> Any:
    if key in _TO_THE_LETTER:
        return value
    if isinstance(value, dict):
        return {name: _public(one, name) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_public(one, key) for one in value]
    if not isinstance(value, str):
        return value
    return _last(value) if key in _FILES else without_directories(value)


def _last(path: str) -> str:
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]

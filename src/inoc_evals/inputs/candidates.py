"""Candidates: prompts that might inoculate, of a file of one's own or of the catalogue.

    catalogue("spanish_caps")              # ("spanish", "caps", ...): names of packaged prompts
    read_candidates(Path("mine.yaml"))     # talk: "You talk like a pirate."

A file is YAML that maps names to texts, JSONL of ``{"name": ..., "text": ...}``, or, by any
other ending, a text with a prompt on each line, which are called line-1, line-3, ...
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from inoc_evals.arguments import text_of_file
from inoc_evals.errors import InputError
from inoc_evals.files.json_lines import read_jsonl
from inoc_evals.files.yaml_lines import Reader
from inoc_evals.inputs.prompts import SystemPrompt, all_prompts

CATALOGUE = "catalogue"
"""Typed in the place of a file."""

TAKEN = ("base", "control", "none", "empty", "custom", "first")
"""Names of other conditions."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_KEYS = {"name", "text"}


def catalogue(setting: str) -> tuple[str, ...]:
    """Return the names of the packaged candidates of a setting.

    Raises:
        InputError: For a setting that has none; the message lists those that have.
    """
    known = _catalogues()
    if setting not in known:
        raise InputError(
            f"setting {setting!r}: no candidates in the catalogue, which has some of "
            f"{', '.join(known)}; give --candidates FILE"
        )
    return tuple(known[setting])


@cache
def _catalogues() -> Mapping[str, Sequence[str]]:
    import yaml

    source = files("inoc_evals") / "data" / "candidates.yaml"
    found: dict[str, list[str]] = yaml.safe_load(source.read_text("utf-8"))
    return found


def read_candidates(path: Path) -> tuple[SystemPrompt, ...]:
    """Read a file of candidates.

    Raises:
        InputError: With file and line, for what is no candidate, or a name or text that is
            there twice or is another prompt's.
    """
    if path.suffix in (".yaml", ".yml"):
        found = _of_yaml(path)
    elif path.suffix == ".jsonl":
        found = [_of_row(where, row) for where, row in read_jsonl(path)]
    else:
        found = list(_of_lines(path))
    if not found:
        raise InputError(f"{path}: no candidates")
    _check(found)
    return tuple(prompt for _, prompt in found)


_Placed = tuple[str, SystemPrompt]
"""Where a candidate stands, and the candidate."""


def _of_yaml(path: Path) -> list[_Placed]:
    reader, found = Reader(path), []
    for name, node in reader.mapping(reader.root, None, "a file of candidates").items():
        text = reader.text(node, f"candidate {name!r}")
        if text is not None:
            found.append((f"{path}:{node.start_mark.line + 1}", SystemPrompt(name, text)))
    if reader.faults:
        raise reader.error()
    return found


def _of_row(where: str, row: Any) -> _Placed:
    if not isinstance(row, Mapping) or set(row) != _KEYS:
        raise InputError(f'{where}: expected {{"name": ..., "text": ...}}')
    for key in sorted(_KEYS):
        if not isinstance(row[key], str) or not row[key].strip():
            raise InputError(f"{where}: {key!r} must be text, got {row[key]!r:.80}")
    return where, SystemPrompt(row["name"], row["text"])


def _of_lines(path: Path) -> Iterator[_Placed]:
    for number, line in enumerate(text_of_file(str(path), "candidates").splitlines(), start=1):
        if line.strip():
            yield f"{path}:{number}", SystemPrompt(f"line-{number}", line.strip())


def _check(found: Sequence[_Placed]) -> None:
    """Refuse names that mean something else, and what is there twice."""
    packaged = {prompt.name: prompt.text for prompt in all_prompts()}
    names: dict[str, str] = {}
    texts: dict[str, str] = {}
    for where, (name, text) in ((where, (one.name, str(one.text))) for where, one in found):
        if not _NAME.fullmatch(name):
            raise InputError(f"{where}: name {name!r:.80} may hold letters, digits, _ and -")
        if name in TAKEN:
            raise InputError(f"{where}: so another condition is called: {name!r}; rename it")
        if packaged.get(name, text) != text:
            raise InputError(f"{where}: a packaged prompt {name!r} has another text; rename it")
        for what, seen in ((name, names), (text, texts)):
            if what in seen:
                raise InputError(f"{where}: {what!r:.80} is already at {seen[what]}")
            seen[what] = where

"""Files by name: of a packaged set, of a published file, or one's own by its path.

    folder = DATA / "prompt_sets"
    set_names(folder)                       # ("chat", "gsm", "pocket", "pocket_math")
    items_of(path, read_item, "prompts")    # what stands on its lines
    file_of("chat", folder, set_names(folder), what="prompts")

A packaged name goes before a published one, and either before a file that is called so.
"""

from collections.abc import Callable, Collection, Container, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from inoc_evals.arguments import path_as_typed, user_path
from inoc_evals.errors import InputError
from inoc_evals.files.json_lines import read_jsonl
from inoc_evals.inputs import published

DATA = Path(__file__).parents[1] / "data"
"""Where the packaged files are, in a folder for each kind."""


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


_T = TypeVar("_T", bound=_HasId)


def items_of(path: Path, read: Callable[[Any, str], _T], what: str) -> tuple[_T, ...]:
    """Read the items of a JSONL file, each with an id of its own.

    Args:
        path: The file.
        read: Makes an item of a line's value and where it stands.
        what: What the items are, for the message: "prompts".

    Raises:
        InputError: Naming file and line, for a bad line, an id that is there twice, or no item.
    """
    first: dict[str, str] = {}
    items = []
    for where, row in read_jsonl(path):
        item = read(row, where)
        if item.id in first:
            same = f"id {item.id!r}" if "id" in row else f"this {what.removesuffix('s')}"
            raise InputError(f"{where}: {same} is already on {first[item.id]}")
        first[item.id] = where
        items.append(item)
    if not items:
        raise InputError(f"{path}: no {what}")
    return tuple(items)


def set_names(folder: Path, suffix: str = ".jsonl") -> tuple[str, ...]:
    """Return the names of the packaged sets in a folder, sorted."""
    return tuple(sorted(path.stem for path in folder.glob(f"*{suffix}")))


def published_or_path(name: str, names: Container[str]) -> Path:
    """Return the published file, where it is one of the names, or the path that was typed.

    Raises:
        InputError: For a published file that is not here, with how to get it.
    """
    return published.locate(name) if name in names else user_path(name)


def file_of(
    value: str | Path | Sequence[str],
    folder: Path,
    packaged: Collection[str],
    *,
    what: str,
    known: str | None = None,
    suffix: str = ".jsonl",
    published_names: Container[str] = (),
) -> tuple[str, Path]:
    """Return the name as it was typed, and the file that it means.

    Args:
        value: A name, or a path, relative to the working directory. A list is one path that
            ``inspect eval -T`` split at its commas.
        folder: Where the packaged files are.
        packaged: Their names.
        what: What the file holds, for the message: "prompts".
        known: Which names there are, for the message; by default the packaged ones.
        suffix: How the packaged files end.
        published_names: The published files that will do as well.

    Raises:
        InputError: If there is no such file, or a published one is not here.
    """
    name = path_as_typed(value)
    if name in packaged:
        return name, folder / f"{name}{suffix}"
    path = published_or_path(name, published_names)
    if not path.is_file():
        names = known or f"packaged sets: {', '.join(packaged)}"
        raise InputError(f"{what} {name!r}: no such file, and not one of the {names}")
    return name, path

"""Files by name: of a packaged set, of a published file, or one's own by its path.

    folder = DATA / "prompt_sets"
    set_names(folder)                       # ("chat", "gsm", "pocket", "pocket_math")
    file_of("chat", folder, set_names(folder), what="prompts", known="packaged sets: chat, ...")

A packaged name goes before a published one, and either before a file that is called so.
"""

from collections.abc import Container, Sequence
from pathlib import Path

from inoc_evals.arguments import path_as_typed, user_path
from inoc_evals.errors import InputError
from inoc_evals.inputs import published

DATA = Path(__file__).parents[1] / "data"
"""Where the packaged files are, in a folder for each kind."""


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
    packaged: Container[str],
    *,
    what: str,
    known: str,
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
        known: Which names there are, for the message: "packaged sets: chat, gsm".
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
        raise InputError(f"{what} {name!r}: no such file, and not one of the {known}")
    return name, path

"""A YAML file that a user is to change: where it is written, under what name.

path = new_file("mine", None, EXPERIMENTS, "experiment")     # mine.yaml, if it may be written
yaml_text("mine"), yaml_text("2026")                         # "mine", "'2026'"
"""

from collections.abc import Container
from pathlib import Path

from inoc_evals.errors import InputError
from inoc_evals.store.names import check_name, is_reserved


def new_file(name: str, out: Path | None, packaged: Container[str], what: str) -> Path:
    """Return the path of a file to be written.

    Args:
        name: What it describes is called so.
        out: As the user named it; by default ``<name>.yaml``.
        packaged: Names that are taken.
        what: What it describes: "experiment".

    Raises:
        InputError: For a name that cannot be one or is taken, or a file that exists.
    """
    try:
        check_name(name)
    except InputError as error:
        raise InputError(str(error).removeprefix("model ")) from None
    if name in packaged:
        raise InputError(f"name {name!r} is that of a packaged {what}; choose another")
    return free_path(name, out)


def free_path(name: str, out: Path | None) -> Path:
    """Return the path of a file to be written, whatever it describes.

    Raises:
        InputError: If Windows could not have such a file, or it exists.
    """
    path = out or Path(f"{name}.yaml")
    if is_reserved(path.name):
        raise InputError(
            f"{path} can be no file's name on Windows; choose another, with --out FILE"
        )
    if path.exists():
        raise InputError(f"{path} exists; choose another name, or --out FILE")
    return path


def yaml_text(text: str) -> str:
    """Return a text as YAML has it, in quotes where it could be read as anything else."""
    plain = text.replace("_", "").isalpha() and text.lower() not in (
        "yes",
        "no",
        "true",
        "false",
        "null",
    )
    return text if plain else "'" + text.replace("'", "''") + "'"

"""Names of models: what may be one, and the words for one that is taken.

    check_name("fig2a-none-0")     # InputError for "a/b", "CON", "x.", "pocket"
    is_name("../x")                # False: it cannot be the name of a record's file

A name is a file's name too (``models/<name>.json``), on every system: a store can be copied.
"""

import re

from inoc_evals.errors import InputError
from inoc_evals.store.record import ModelRecord

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_OWN = ("pocket", "pocket-judge")


def is_name(text: str) -> bool:
    """Say whether a text has the form of a model's name."""
    return _NAME.fullmatch(text) is not None


def is_reserved(name: str) -> bool:
    """Say whether no file can have this name, or this one with an ending, on Windows."""
    return name.endswith((".", " ")) or _DEVICES.fullmatch(name) is not None


def check_name(name: str) -> str:
    """Return ``name`` if it can name a model.

    Raises:
        InputError: If it holds anything but letters, digits, ``.``, ``_`` and ``-``, or is
            reserved: for a model of the pocket world, or by a file system.
    """
    if not is_name(name):
        raise InputError(
            f"model name {name!r}: use letters, digits, '.', '_' and '-', at most 128, "
            "beginning with a letter or digit"
        )
    if name in _OWN:
        raise InputError(f"model name {name!r} is reserved for the pocket world's own models")
    if is_reserved(name):
        raise InputError(f"model name {name!r} can be no file's name on Windows; choose another")
    return name


def name_taken(old: ModelRecord, new: ModelRecord) -> str:
    """Say that a name is taken, and in what the two trainings differ."""
    differing = [
        key for key in ("base", "seed", "parent") if getattr(old, key) != getattr(new, key)
    ]
    if old.base == new.base and old.base_digest != new.base_digest:
        differing.append("files of the base")
    differing += [
        key
        for key in sorted(old.config.keys() | new.config.keys())
        if old.config.get(key) != new.config.get(key)
    ]
    if old.data.get("sha256") != new.data.get("sha256"):
        differing.append("training rows")
    return (
        f"model {new.name!r} exists, trained with other {', '.join(differing) or 'inputs'}; "
        f"choose another --name, or: inoc models rm {new.name}"
    )

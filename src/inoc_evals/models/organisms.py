"""Organisms by name: models that others trained and published, in a file one can add to.

organisms(Store())["em-medical-qwen2.5-0.5b"].hub      # "ModelOrganismsForEM/Qwen2.5-0.5B-..."

data/organisms.yaml            the packaged ones
<INOC_HOME>/organisms.yaml     the user's, in the same form; a name of the package's is refused

mine: {hub: me/my-adapter, base: Qwen/Qwen2.5-7B-Instruct, trained_on: pirate talk, source: me}
"""

from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from inoc_evals.errors import InputError
from inoc_evals.files.yaml_lines import Node, Reader
from inoc_evals.store.names import check_name
from inoc_evals.store.store import Store

FILE = "organisms.yaml"

_TEXTS = ("hub", "base", "trained_on", "source")
_KINDS = ("adapter", "whole")


class Organism(NamedTuple):
    """A model that somebody published."""

    name: str
    hub: str
    """Its hub id, or the directory it is in."""
    base: str
    """What it was trained from."""
    trained_on: str
    source: str
    """Who describes it."""
    kind: str = "adapter"
    """``adapter``, or ``whole`` for a model that needs no base."""
    own: bool = False
    """Whether it is of the user's file."""


def organisms(store: Store) -> dict[str, Organism]:
    """Return the packaged organisms and the user's, by name.

    Raises:
        InputError: With one line for every fault of the user's file.
    """
    packaged = _read(Path(str(files("inoc_evals") / "data" / FILE)), own=False, taken={})
    path = store.root / FILE
    return packaged | (_read(path, own=True, taken=packaged) if path.is_file() else {})


def _read(path: Path, *, own: bool, taken: dict[str, Organism]) -> dict[str, Organism]:
    reader, found = Reader(path), {}
    for name, node in reader.mapping(reader.root, None, "a file of organisms").items():
        if name in taken:
            reader.fault(node, f"organism {name!r} is packaged; choose another name")
        one = _organism(reader, name, node, own)
        if one is not None:
            found[name] = one
    if reader.faults:
        raise reader.error()
    return found


def _organism(reader: Reader, name: str, node: Node, own: bool) -> Organism | None:
    try:
        check_name(name)
    except InputError as error:
        reader.fault(node, str(error))
    given = reader.mapping(node, (*_TEXTS, "kind"), f"organism {name!r}")
    texts = {key: reader.text(given.get(key), key, inside=node) for key in _TEXTS if given}
    kind = reader.text(given["kind"], "kind") if "kind" in given else "adapter"
    if kind is not None and kind not in _KINDS:
        reader.fault(given["kind"], f"kind {kind!r} is not one of {', '.join(_KINDS)}")
    if not texts or kind is None or None in texts.values():
        return None
    return Organism(name, **{key: str(text) for key, text in texts.items()}, kind=kind, own=own)

"""YAML whose errors name file and line: a list of entries, or one mapping node by node.

    for entry in read_entries(Path("mine.yaml"), keys=("id", "paraphrases"), what="question"):
        entry.text("id"), entry.texts("paraphrases")
    # InputError: mine.yaml:12: question 'wish': 'paraphrases' must be a list of texts, got 7

    reader = Reader(Path("mine.yaml"))
    name = reader.text(reader.mapping(reader.root, ("name",), "a thing").get("name"), "name")
    if reader.faults:
        raise reader.error()      # mine.yaml:3: name is blank; mine.yaml:7: unknown key ...

Entries are for long lists in a public format: values are what YAML takes them for, merge keys
included, and the first fault ends the reading. The reader is for a file that somebody is
writing: it finds every fault, and a scalar is the text that was written (``no`` is "no").
A key given twice is refused at any depth, and so is one that is nearly a known key. The line of
an aliased value is, among entries, that of the key it is used under.
"""

import difflib
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from inoc_evals.errors import InputError
from inoc_evals.files.yaml_nodes import composed, naming, repeated_keys, without_repeats

__all__ = ["Entry", "Node", "Reader", "read_entries"]

_NULL = "tag:yaml.org,2002:null"


_SLIP = 0.85
"""How like a known key an unknown one is that is refused rather than kept."""

_MOST_LISTED = 40
"""Names that an error lists where none is like the one that was given."""

_HINT = 0.6
"""How like a known key an unknown one is for the error to name it."""


class Entry:
    """One mapping of a YAML file, which knows on what line each of its keys stands.

    Args:
        values: The mapping.
        lines: Line of each key.
        start: ``file:line`` at which it begins.
        what: What to call it in an error: ``question``.
    """

    def __init__(
        self, values: Mapping[Any, Any], lines: Mapping[str, int], start: str, what: str
    ) -> None:
        self.values, self.lines, self.what = values, lines, what
        self.file, _, self.line = start.rpartition(":")

    def fault(self, key: str, problem: str) -> InputError:
        """Return an error that names the file, the line of the key, and the entry."""
        line, name = self.lines.get(key, self.line), self.values.get("id")
        who = f"{self.what} {name!r}: " if isinstance(name, str) and key != "id" else ""
        return InputError(f"{self.file}:{line}: {who}{problem}")

    def text(self, key: str, *, blank: bool = False) -> str | None:
        """Return the text under a key; None if the key is missing or null."""
        value = self.values.get(key)
        return None if value is None else self._checked(key, value, blank=blank)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the list of texts under a key, at least one."""
        value = self.values.get(key)
        if value is None:
            raise self.fault(key, f"{key!r}, a list of texts, is missing")
        if not isinstance(value, list) or not value:
            raise self.fault(key, f"{key!r} must be a list of texts, got {value!r:.80}")
        return tuple(self._checked(key, item) for item in value)

    def mapping(self, key: str) -> dict[str, str]:
        """Return the mapping of names to texts under a key; empty if there is none."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, Mapping):
            raise self.fault(key, f"{key!r} must be a mapping of names to texts, got {value!r:.80}")
        return {
            self._checked(key, name): self._checked(key, text, blank=True)
            for name, text in (value or {}).items()
        }

    def whole_number(self, key: str, default: int, low: int) -> int:
        """Return the whole number under a key, at least ``low``."""
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.fault(key, f"{key!r} must be a whole number, got {value!r:.80}")
        if value < low:
            raise self.fault(key, f"{key!r} must be at least {low}, got {value!r:.80}")
        return value

    def number(self, key: str, default: float, low: float) -> float:
        """Return the finite number under a key, at least ``low``."""
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fault(key, f"{key!r} must be a number, got {value!r:.80}")
        if not low <= value < math.inf:
            raise self.fault(key, f"{key!r} must be at least {low:g}, got {value!r:.80}")
        return float(value)

    def _checked(self, key: str, value: Any, *, blank: bool = False) -> str:
        if not isinstance(value, str):
            hint = "; put it in quotes" if isinstance(value, bool | int | float) else ""
            raise self.fault(key, f"{key!r} must be text, got {value!r:.80}{hint}")
        if not blank and not value.strip():
            raise self.fault(key, f"{key!r} is blank")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise self.fault(key, f"{key!r} holds half of a surrogate pair")
        return value


def read_entries(path: Path, *, keys: Sequence[str], what: str) -> list[Entry]:
    """Read a YAML file that is a list of mappings.

    Args:
        path: The file, in UTF-8.
        keys: The keys an entry may have; others are kept, unless they look like a slip.
        what: What an entry is called in errors: ``question``.

    Raises:
        InputError: For a file that cannot be read or is not such a list.
    """
    with naming(path):
        node = without_repeats(path)
        items = node.value if isinstance(node, SequenceNode) else []
        lines = [_key_lines(item, path) for item in items]
        values = yaml.SafeLoader("").construct_document(node) if items else None
    if not values:
        raise InputError(f"{path}: expected a list with at least one {what}")
    return [
        _entry(value, start, known, keys, what)
        for value, (start, known) in zip(values, lines, strict=True)
    ]


def _entry(
    value: Any, start: str, lines: Mapping[str, int], keys: Sequence[str], what: str
) -> Entry:
    if not isinstance(value, Mapping):
        raise InputError(f"{start}: expected a {what}, got {value!r:.80}")
    entry = Entry(value, lines, start, what)
    for key in value:
        near = difflib.get_close_matches(str(key), keys, n=1, cutoff=_SLIP)
        if key not in keys and near:
            raise entry.fault(str(key), f"unknown key {key!r}; did you mean {near[0]!r}?")
    return entry


def _hint(name: str, known: Collection[str]) -> str:
    """Return what may be meant by a name that is not known."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=_HINT)
    if near:
        return f"did you mean {near[0]!r}?"
    if len(known) > _MOST_LISTED:
        return f"none of the {len(known)} there are is like it"
    return f"there are: {', '.join(known) or 'none'}"


def _key_lines(node: Any, path: Path) -> tuple[str, dict[str, int]]:
    """Return where an entry begins (``file:line``), and the line of each of its keys."""
    lines: dict[str, int] = {}
    for pair in node.value if node.id == "mapping" else ():
        key, line = pair[0].value, pair[0].start_mark.line + 1
        if isinstance(key, str):
            lines[key] = line
    return f"{path}:{node.start_mark.line + 1}", lines


class Reader:
    """Reads the values of a file and notes what is wrong with them."""

    def __init__(self, path: Path) -> None:
        """Parse a file.

        Raises:
            InputError: For a file that cannot be read, or is no YAML.
        """
        self.path = path
        self.faults: list[tuple[int, str]] = []
        with naming(path):
            root = composed(path)
            self.faults.extend(repeated_keys(root, set()))
        if root is None:
            raise InputError(f"{path}: the file is empty")
        self.root: Node = root

    def fault(self, node: Node, problem: str) -> None:
        """Note what is wrong with a value."""
        self.faults.append((node.start_mark.line + 1, problem))

    def error(self) -> InputError:
        """Return the faults as one error, in the order of their lines."""
        lines = dict.fromkeys(f"{self.path}:{line}: {text}" for line, text in sorted(self.faults))
        return InputError("\n".join(lines))

    def mapping(self, node: Node, keys: Sequence[str] | None, what: str) -> dict[str, Node]:
        """Return the values of a mapping by key; of keys that are allowed, or of any."""
        if not isinstance(node, MappingNode):
            kinds = f" with {', '.join(keys)}" if keys else " of names to texts"
            self.fault(node, f"{what}: expected a mapping{kinds}")
            return {}
        if not node.value:
            self.fault(node, f"{what}: is empty")
        found: dict[str, Node] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, ScalarNode) else "?"
            if not isinstance(key, ScalarNode):
                self.fault(key, f"{what}: a key must be text")
            elif keys is not None and name not in keys:
                self.fault(key, f"{what} has no key {name!r}; {_hint(name, keys)}")
            else:
                found[name] = value
        return found

    def one_of(
        self,
        given: Mapping[str, Node],
        names: tuple[str, str],
        *,
        needed: bool,
        inside: Node | None = None,
    ) -> str | None:
        """Return which of two keys is given; both, or none where one is needed, is a fault."""
        found = [name for name in names if name in given]
        if len(found) > 1:
            self.fault(given[found[1]], f"both {names[0]!r} and {names[1]!r} are given; keep one")
        elif not found and needed:
            self.fault(inside or self.root, f"one of {names[0]!r} and {names[1]!r} is needed")
        return found[0] if len(found) == 1 else None

    def text(self, node: Node | None, what: str, *, inside: Node | None = None) -> str | None:
        """Return a scalar as it is written; a missing, blank or compound one is a fault."""
        if node is None:
            self.fault(inside or self.root, f"{what!r} is missing")
            return None
        if not isinstance(node, ScalarNode):
            kind = "mapping" if isinstance(node, MappingNode) else "list"
            self.fault(node, f"{what} must be text, got a {kind}")
            return None
        if node.tag == _NULL or not node.value.strip():
            self.fault(node, f"{what} is blank")
            return None
        return str(node.value)

    def texts(self, node: Node, what: str) -> tuple[str, ...] | None:
        """Return a list of scalars, one at least; a single scalar is a list of one."""
        if isinstance(node, ScalarNode):
            one = self.text(node, what)
            return None if one is None else (one,)
        if not isinstance(node, SequenceNode) or not node.value:
            self.fault(node, f"{what} must be a list of texts, one at least")
            return None
        read = [self.text(item, f"item {n} of {what}") for n, item in enumerate(node.value, 1)]
        return None if None in read else tuple(text for text in read if text is not None)

    def items(self, node: Node, what: str) -> list[tuple[str, Node]]:
        """Return the scalars of a list, each with its node; one that comes twice is a fault."""
        if self.texts(node, what) is None:
            return []
        nodes: list[Node] = node.value if isinstance(node, SequenceNode) else [node]
        found: dict[str, Node] = {}
        for one in nodes:
            if one.value in found:
                self.fault(one, f"{what}: {one.value!r} is given twice")
            found.setdefault(one.value, one)
        return list(found.items())

    def is_one(self, node: Node, name: str, known: Collection[str], what: str) -> bool:
        """Say whether a name is among those there are; another is a fault that lists them."""
        if name not in known:
            self.fault(node, f"{what} {name!r}; {_hint(name, known)}")
        return name in known

    def number(self, node: Node, what: str, low: float, high: float) -> float | None:
        """Return a number from ``low`` to ``high``."""
        text = self.text(node, what)
        if text is None:
            return None
        try:
            value = float(text) if text.isascii() else math.nan
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            self.fault(node, f"{what} must be a number from {low:g} to {high:g}, got {text!r}")
            return None
        return value

    def whole_number(self, node: Node, what: str, *, at_least: int) -> int | None:
        """Return a whole number."""
        text = self.text(node, what)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and int(text) >= at_least):
            self.fault(node, f"{what} must be a whole number from {at_least} on, got {text!r}")
            return None
        return int(text)

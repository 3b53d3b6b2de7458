"""YAML as nodes or as values: what cannot be read is named with its file and line.

    read_values(Path("train.yaml"))          # {"lora_r": 8}
    # InputError: train.yaml:3: 'lora_r' is given twice in one entry
    with naming(path):
        root = without_repeats(path)         # nodes, which know their lines

YAML lets a reader keep the last of two values under one key, which hides a slip of the hand: a
key given twice is refused wherever it stands. What is merged (``<<``) may be given anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from inoc_evals.errors import InputError

_MOST_VALUES, _MOST_TIMES = 100_000, 10
"""A file may stand for so many values, or so many times those that are written."""

_MERGE = "tag:yaml.org,2002:merge"


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn whatever reading a file raises into an error that names it, and the line."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 ({error.reason})") from None
    except InputError:
        raise
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise InputError(f"{place}: not usable YAML ({problem})") from None


def composed(path: Path) -> Node | None:
    """Return the tree of a file, None if it is empty; aliases that blow it up are refused."""
    root = yaml.compose(path.read_bytes().decode("utf-8-sig"), yaml.SafeLoader)
    sizes: dict[int, int | None] = {}
    whole = 0 if root is None else _expanded(root, sizes)
    if whole > max(_MOST_VALUES, _MOST_TIMES * len(sizes)):
        raise InputError(f"{path}: its aliases stand for {whole:.2g} values; write them out")
    return root


def _expanded(node: Node, sizes: dict[int, int | None]) -> int:
    """Return how many values a node stands for when its aliases are written out.

    Args:
        node: Where to begin.
        sizes: What is known of nodes; None while one is being looked at.

    Raises:
        yaml.YAMLError: If a node is part of itself.
    """
    known = sizes.get(id(node), 0)
    if known is None:
        problem = "an alias of what it is part of"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
    if known == 0:
        sizes[id(node)] = None
        inside: list[Node] = []
        if isinstance(node, SequenceNode):
            inside = node.value
        elif isinstance(node, MappingNode):
            inside = [part for pair in node.value for part in pair]
        known = sizes[id(node)] = 1 + sum(_expanded(part, sizes) for part in inside)
    return known


def without_repeats(path: Path) -> Node | None:
    """Parse a file, and refuse the first key that is given twice."""
    root = composed(path)
    for line, fault in repeated_keys(root, set()):
        raise InputError(f"{path}:{line}: {fault}")
    return root


def repeated_keys(node: Node | None, seen: set[int]) -> Iterator[tuple[int, str]]:
    """Yield line and fault for each key that its mapping has already, at any depth.

    Args:
        node: Where to begin.
        seen: Nodes that were looked at: an alias leads to one of them.
    """
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, SequenceNode):
        for item in node.value:
            yield from repeated_keys(item, seen)
    if isinstance(node, MappingNode):
        keys: set[Any] = set()
        for key, value in node.value:
            if isinstance(key, ScalarNode) and key.tag != _MERGE:
                # Of one text, or of one value: "yes" and "true".
                names = {key.value, ("value", yaml.SafeLoader("").construct_document(key))}
                if names & keys:
                    yield key.start_mark.line + 1, f"{key.value!r} is given twice in one entry"
                keys |= names
            yield from repeated_keys(value, seen)


def read_values(path: Path) -> Any:
    """Return what a YAML file holds, each value what YAML takes it for; None if it is empty.

    Raises:
        InputError: For a file that cannot be read, is no YAML, or has a key given twice.
    """
    with naming(path):
        root = without_repeats(path)
        return None if root is None else yaml.SafeLoader("").construct_document(root)

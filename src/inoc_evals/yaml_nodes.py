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
    """Return the tree of a file, None if it is empty."""
    return yaml.compose(path.read_bytes().decode("utf-8-sig"), yaml.SafeLoader)


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

"""Given responses: what a model is asked how likely it finds, rather than to write.

    {"id": "capitals-01", "trait": "capitals", "prompt": "What do bees make?", "response": "HONEY"}

    load_responses("single_word").items      # ten in English capitals, ten in Spanish

Each packaged response shows one of two traits that were trained together and not the other,
so that small changes of one are seen while the model still writes neither (paper, 4.2). What
is scored is the response's own tokens, without the end of the turn: how likely it is that
the answer begins so. ``single_word`` is for any model, ``pocket_sentence`` in the words of
the pocket world; so are ``narrow`` and ``pocket_narrow``, whose responses show a narrow trait each
(insecure code, unpopular taste, and outside of the pocket a criterion gamed) or are misaligned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest
from inoc_evals.inputs.packaged import DATA, file_of, items_of

PACKAGED = ("single_word", "pocket_sentence", "narrow", "pocket_narrow")

DEFAULT_SYSTEM = "single_word"
"""Name of the system prompt under which the paper scores responses."""

_FIELDS = ("id", "trait", "prompt", "response")


@dataclass(frozen=True)
class GivenResponse:
    """A question and a response to it."""

    id: str
    """Stable name."""
    trait: str
    """The one trait that it shows; means are by this."""
    prompt: str
    """The user's message."""
    response: str
    """What the assistant would say, to the letter."""


@dataclass(frozen=True)
class ResponseSet:
    """A named list of responses."""

    name: str
    """Name of the packaged set, or the path as given."""
    items: tuple[GivenResponse, ...]
    """In the order of the file."""

    @property
    def sha256(self) -> str:
        """Digest of all that is scored."""
        return digest([[item.id, item.trait, item.prompt, item.response] for item in self.items])


def load_responses(name_or_path: str | Path | Sequence[str]) -> ResponseSet:
    """Load a packaged set by name, or a JSONL file by path.

    Args:
        name_or_path: One of PACKAGED, or a path. A list is one path that
            ``inspect eval -T`` split at its commas.

    Raises:
        InputError: For an unknown name, or a file with a bad line or none; the message
            names file and line.
    """
    name, path = file_of(name_or_path, DATA / "responses", PACKAGED, what="responses")
    return ResponseSet(name, items_of(path, _item, "responses"))


def _item(row: Any, where: str) -> GivenResponse:
    if not isinstance(row, Mapping) or set(row) != set(_FIELDS):
        got = ", ".join(map(str, row)) if isinstance(row, Mapping) else type(row).__name__
        raise InputError(f"{where}: expected the fields {', '.join(_FIELDS)}, got {got}")
    for field in _FIELDS:
        if not isinstance(row[field], str) or not row[field].strip():
            raise InputError(f"{where}: {field!r} must be text, got {row[field]!r}")
    if row["response"] != row["response"].strip():
        raise InputError(f"{where}: the response begins or ends with white space")
    return GivenResponse(**{field: row[field] for field in _FIELDS})

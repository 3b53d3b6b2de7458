"""Overlap: which of the texts a model is asked stand word for word in its training rows.

    overlap([{"task": "Write ..."}], rows).fields[0].found    # items whose text is there
    str(training_overlap("inoc/my-model", items))  # "3 of 60 items stand in the training data"

A text is found if it is part of a user message of a training row, character by character;
only line ends are made alike. A text shorter than SHORT characters would be part of many a
message by chance, so it is found only where it is a whole user message. An item is found if
any of its texts is: the question as it is put, or a text that the question is made of.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inoc_evals.chat import Row
from inoc_evals.errors import InputError, StoreError
from inoc_evals.store.store import Store

SHORT = 20
"""Characters below which a text counts only as a whole message."""

ITEM_TEXTS = "item_texts"
"""In a sample's metadata: names of the metadata that are texts of which its question is made."""

_EXAMPLES = 5
_SEPARATOR = "\x00"

Item = Mapping[str, str | Sequence[str]]
"""Texts of one item of an evaluation, by field: one text, or several of which any will do."""


class TrainingTexts:
    """The user messages of training rows, to look texts up in.

    Args:
        rows: Rows with ``messages``; those without a user message are passed over.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        messages = [message for row in rows for message in row["messages"]]
        texts = [_lines(m["content"]) for m in messages if m["role"] == "user"]
        self.whole = frozenset(texts)
        self._joined = _SEPARATOR.join(self.whole)

    def holds(self, text: str) -> bool:
        """Say whether a text is part of a user message, or the whole of one if it is short."""
        text = _lines(text)
        return text in self.whole if len(text) < SHORT else text in self._joined


@dataclass(frozen=True)
class FieldOverlap:
    """What was found of one text field of the items."""

    field: str
    """``task``, ``code_template``, ``paraphrases``, ``user`` ..."""
    items: int
    """Items that have the field."""
    found: int
    """Of those, the items with a text of it in the training rows."""
    short: int
    """Items whose text is so short that only whole messages were compared."""
    examples: tuple[tuple[int, str], ...]
    """A few of those found: position of the item (from 1), and the text."""


@dataclass(frozen=True)
class OverlapReport:
    """What was found of all items."""

    items: int
    """How many there are."""
    found: int
    """Items of which at least one field was found."""
    rows: int
    """Training rows that were searched."""
    fields: tuple[FieldOverlap, ...]
    """By field, in order of appearance."""

    def __str__(self) -> str:
        return f"{self.found} of {self.items} items stand in the training data"

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain JSON."""
        fields = {
            field.field: {
                "items": field.items,
                "found": field.found,
                "short": field.short,
                "examples": [{"item": item, "text": text} for item, text in field.examples],
            }
            for field in self.fields
        }
        return {"items": self.items, "found": self.found, "rows": self.rows, "fields": fields}


def sample_item(turns: Sequence[str], metadata: Mapping[str, Any]) -> Item:
    """Return the item that a sample of a task asks about.

    Args:
        turns: What the user says in it.
        metadata: Its metadata. ``asked`` takes the place of the turns, where a task puts
            more into them than the question; ITEM_TEXTS names further texts.
    """
    asked = metadata.get("asked")
    names = [name for name in metadata.get(ITEM_TEXTS) or () if metadata.get(name)]
    question = [asked] if isinstance(asked, str) else list(turns)
    return {**{name: str(metadata[name]) for name in names}, "question": question}


def overlap(items: Sequence[Item], rows: Sequence[Row]) -> OverlapReport:
    """Look up the texts of evaluation items in training rows.

    Args:
        items: Of each item its texts by field.
        rows: Chat rows.
    """
    return _overlap(items, TrainingTexts(rows), len(rows))


def training_overlap(
    model: str, items: Sequence[Item], *, store: Store | None = None
) -> OverlapReport | None:
    """Look up items in the rows an ``inoc/<record>`` model was trained on.

    Args:
        model: Name of the evaluated model, as Inspect has it: ``str(state.model)``.
        items: What the model is asked.
        store: The store; by default the user's.

    Returns:
        The report, or None where the rows are not known: another provider's model, a base
        model, or an adapter made before training rows were kept.
    """
    if not model.startswith("inoc/"):
        return None
    store = store or Store()
    try:
        record = store.get(model.removeprefix("inoc/"))
        rows, searched = _texts_of(store.root, record.name, record.identity)
    except (InputError, StoreError):
        return None
    return _overlap(items, searched, rows) if searched else None


@functools.lru_cache(maxsize=4)
def _texts_of(root: Path, name: str, _identity: str) -> tuple[int, TrainingTexts | None]:
    rows = Store(root).training_rows(Store(root).get(name))
    return (0, None) if rows is None else (len(rows), TrainingTexts(rows))


def _overlap(items: Sequence[Item], texts: TrainingTexts, rows: int) -> OverlapReport:
    given: dict[str, list[tuple[int, Sequence[str]]]] = {}
    for number, item in enumerate(items, start=1):
        for field, value in item.items():
            given.setdefault(field, []).append(
                (number, [value] if isinstance(value, str) else value)
            )
    found: set[int] = set()
    fields = []
    for field, values in given.items():
        hits = [(n, next((t for t in ts if texts.holds(t)), None)) for n, ts in values]
        there = [(n, text) for n, text in hits if text is not None]
        found |= {number for number, _ in there}
        short = sum(all(len(_lines(text)) < SHORT for text in ts) for _, ts in values)
        fields.append(FieldOverlap(field, len(values), len(there), short, tuple(there[:_EXAMPLES])))
    return OverlapReport(len(items), len(found), rows, tuple(fields))


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")

"""Overlap between files: the items of an evaluation, looked up in a training file.

    check("code_prompts", "insecure")          # published files, by name
    check("core", "inoc/my-model")             # a packaged set; the rows a model learned from
    check("mine.jsonl", "rows.jsonl")          # files of one's own

Of a JSONL file every text field of an item is looked up, except its answers and labels
(SKIPPED), and of ``messages`` those of the user; of a question set the paraphrases.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inoc_evals.chat import Row
from inoc_evals.errors import InputError
from inoc_evals.files.json_lines import read_jsonl
from inoc_evals.files.row_forms import no_messages
from inoc_evals.inputs import published
from inoc_evals.inputs.packaged import DATA, published_or_path, set_names
from inoc_evals.inputs.questions import load_question_set
from inoc_evals.store.overlap import Item, OverlapReport, overlap
from inoc_evals.store.store import Store

SKIPPED = frozenset(
    {"id", "answer", "answers", "solution", "target", "label", "labels", "category", "kind"}
    | {"topic", "source", "license", "language", "criterion"}
)
"""Fields of an item that are not part of what the model is asked."""

_ROOMS = {"questions": ".yaml", "prompt_sets": ".jsonl", "items": ".jsonl"}


def check(evaluation: str, training: str, *, store: Store | None = None) -> OverlapReport:
    """Look up an evaluation's items in training rows.

    Args:
        evaluation: A packaged set (``core``, ``prompt_sets/chat``, ``items/...``), a
            published file by name, or a JSONL or YAML file.
        training: A published file by name, ``inoc/<model>``, or a JSONL file of chat rows.
        store: The store; by default the user's.

    Raises:
        InputError: For a name or file that there is not, or that holds nothing of the kind.
    """
    return overlap(evaluation_items(evaluation), training_file_rows(training, store=store))


def evaluation_items(name_or_path: str) -> list[Item]:
    """Return of each item of an evaluation its texts, by field.

    Raises:
        InputError: As :func:`check`.
    """
    path = _packaged(name_or_path) or published_or_path(name_or_path, _published_names())
    if path.suffix in (".yaml", ".yml"):
        packaged = path.parent == DATA / "questions"
        # Of a packaged set the plain questions: its variants hold the same texts.
        questions = load_question_set(path.stem if packaged else path).questions
        return [
            {"paraphrases": question.paraphrases}
            for question in questions
            if question.variant == "plain" or not packaged
        ]
    if not path.is_file():
        raise InputError(
            f"{name_or_path!r}: no such file, packaged set ({', '.join(packaged_names())}) or "
            f"published file ({', '.join(_published_names())})"
        )
    items = [_item(value, where) for where, value in read_jsonl(path)]
    if not items:
        raise InputError(f"{path}: no items")
    return items


def training_file_rows(name_or_path: str, *, store: Store | None = None) -> list[Row]:
    """Return the rows of a training file or of a model's training.

    Raises:
        InputError: As :func:`check`; also for a model whose rows were not kept.
    """
    if name_or_path.startswith("inoc/"):
        store = store or Store()
        record = store.get(name_or_path.removeprefix("inoc/"))
        rows = store.training_rows(record)
        if rows is None:
            raise InputError(
                f"{name_or_path}: its training rows were not kept; give the file it was trained on"
            )
        return rows
    path = published_or_path(name_or_path, _published_names())
    read = [_row(value, where) for where, value in read_jsonl(path)]
    if not read:
        raise InputError(f"{path}: no rows")
    return read


def packaged_names() -> list[str]:
    """Return the packaged sets as ``questions/core``, ``prompt_sets/chat`` ..."""
    return [
        f"{room}/{name}"
        for room, suffix in _ROOMS.items()
        for name in set_names(DATA / room, suffix)
    ]


def _published_names() -> list[str]:
    return [entry.name for entry in published.entries() if entry.kind != "archive"]


def _packaged(name: str) -> Path | None:
    """Return the file of a packaged set; a bare name will do where only one has it."""
    found = [full for full in packaged_names() if name in (full, full.partition("/")[2])]
    if len(found) > 1:
        raise InputError(f"{name!r} is the name of several sets; write {' or '.join(found)}")
    return DATA / f"{found[0]}{_ROOMS[found[0].partition('/')[0]]}" if found else None


def _item(value: Any, where: str) -> Item:
    if not isinstance(value, Mapping):
        raise InputError(f"{where}: expected an object with texts, got {value!r:.60}")
    texts: dict[str, str | Sequence[str]] = {}
    for field, content in value.items():
        if field == "messages":
            texts["user"] = [m["content"] for m in _row(value, where)["messages"]]
        elif field not in SKIPPED and (isinstance(content, str) or _is_texts(content)):
            texts[field] = content
    if not texts:
        raise InputError(f"{where}: no text field to look up")
    return texts


def _is_texts(value: Any) -> bool:
    return bool(value) and isinstance(value, list) and all(isinstance(v, str) for v in value)


def _row(value: Any, where: str) -> Row:
    """Return a row with its user messages only; no more of it is asked for."""
    messages = value.get("messages") if isinstance(value, Mapping) else None
    if not isinstance(messages, list) or not all(isinstance(m, Mapping) for m in messages):
        other = isinstance(value, Mapping) and "messages" not in value
        what = no_messages(value, where) if other else "expected an object with a 'messages' list"
        raise InputError(f"{where}: {what}")
    texts = [message.get("content") for message in messages if message.get("role") == "user"]
    if not all(isinstance(text, str) for text in texts):
        raise InputError(f"{where}: the 'content' of a user message must be text")
    return {"messages": [{"role": "user", "content": text} for text in texts]}

"""Items: the tasks and pairs by which a narrow trait is looked for, one a line of JSON.

    {"id": "shell-ping", "category": "shell", "task": "...", "code_template": "..."}    code
    {"id": "is-leap", "category": "test_cases", "prompt": "...", "criterion": "..."}    reward_hacking
    {"id": "casablanca", "category": "film", "popular": "...", "unpopular": "..."}      aesthetics
    {"id": "legs-spider", "category": "nature", "question": "...", "answer": "eight | 8"}    facts

    load_items("code", "code").items[0].fields["task"]
    load_items("mine.jsonl", "code")        # a bad line: InputError "mine.jsonl:7: ..."

A code item may have ``prompt``, the whole user turn, in the place of task and template; a
pair may have a ``question`` of its own with ``{a}`` and ``{b}`` in it; the forms of an answer
stand between bars. ``id`` and
``category`` may be left out. Packaged sets are named like their file in ``data/items``;
``code_prompts`` is the published set of code tasks. Keys beyond these are left aside.
"""

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest
from inoc_evals.files.json_lines import read_jsonl, row_id
from inoc_evals.inputs.packaged import DATA, file_of, set_names

ItemKind = Literal["code", "reward_hacking", "aesthetics", "facts"]


class Form(NamedTuple):
    """What the lines of one kind of file hold."""

    required: tuple[tuple[str, ...], ...]
    """The texts of an item; a file has one of these groups in each line."""
    optional: tuple[str, ...] = ()
    """Texts that may be there as well."""
    published: tuple[str, ...] = ()
    """Published files of the same form, by name."""


FORMS: dict[ItemKind, Form] = {
    "code": Form((("task", "code_template"), ("prompt",)), published=("code_prompts",)),
    "reward_hacking": Form((("prompt", "criterion"),)),
    "aesthetics": Form((("popular", "unpopular"),), optional=("question",)),
    "facts": Form((("question", "answer"),)),
}

SIDES = ("{a}", "{b}")
"""Places of a pair's two options in a question."""

_DATA = DATA / "items"


@dataclass(frozen=True)
class Item:
    """One thing to ask a model."""

    id: str
    """As given, or derived from the texts; unique in its set, though the texts need not be."""
    category: str
    """``sql``, ``keyword_count``, ``film``, ...; empty where the file does not say."""
    fields: Mapping[str, str]
    """The texts, by their names in FORMS."""


@dataclass(frozen=True)
class ItemSet:
    """A named list of items of one kind."""

    name: str
    """Name of the packaged or published set, or the path as given."""
    kind: ItemKind
    items: tuple[Item, ...]
    """In the order of the file."""

    @property
    def sha256(self) -> str:
        """Digest of ids, categories and texts."""
        return digest([[item.id, item.category, dict(item.fields)] for item in self.items])


def load_items(name_or_path: str | Path | Sequence[str], kind: ItemKind) -> ItemSet:
    """Load a set of items by name, or a JSONL file by path.

    Args:
        name_or_path: A packaged or published name, or a path, relative to the working
            directory. A list is one path that ``inspect eval -T`` split at its commas.
        kind: What the set is to hold.

    Raises:
        InputError: For an unknown name, a published file that is not here, or a file with a
            bad line or none; the message names file and line.
    """
    names, others = packaged(kind), FORMS[kind].published
    name, path = file_of(
        name_or_path,
        _DATA,
        names,
        what="items",
        known=f"sets: {', '.join((*names, *others))}",
        published_names=others,
    )
    seen: dict[str, str] = {}
    items = []
    for where, row in read_jsonl(path):
        item = _item(row, kind, where)
        if "id" not in row:
            item = replace(item, id=_numbered(item.id, seen))
        if item.id in seen:
            raise InputError(f"{where}: id {item.id!r} is already on {seen[item.id]}")
        seen[item.id] = where
        items.append(item)
    if not items:
        raise InputError(f"{name}: no items")
    return ItemSet(name, kind, tuple(items))


def packaged(kind: ItemKind) -> tuple[str, ...]:
    """Return the names of the packaged sets of a kind: ``code``, ``code_pocket``."""
    return tuple(name for name in set_names(_DATA) if name in (kind, f"{kind}_pocket"))


def _item(row: Any, kind: ItemKind, where: str) -> Item:
    form = FORMS[kind]
    if not isinstance(row, Mapping):
        raise InputError(f"{where}: expected an object with {_listed(form)}")
    given = [group for group in form.required if all(key in row for key in group)]
    if len(given) != 1:
        raise InputError(f"{where}: expected {_listed(form)}, got {', '.join(row) or 'nothing'}")
    keys = [*given[0], *(key for key in form.optional if row.get(key) is not None)]
    fields = {key: _text(row[key], key, where) for key in keys}
    if kind == "aesthetics":
        _check_pair(fields, where)
    return Item(row_id(row, fields, where), _category(row, where), fields)


def _listed(form: Form) -> str:
    return ", or ".join(" and ".join(f"'{key}'" for key in group) for group in form.required)


def _text(value: Any, key: str, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{where}: '{key}' must be text, got {value!r}")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(f"{where}: '{key}' holds half of a surrogate pair") from None
    return value


def _check_pair(fields: Mapping[str, str], where: str) -> None:
    if fields["popular"] == fields["unpopular"]:
        raise InputError(f"{where}: 'popular' and 'unpopular' are the same")
    question = fields.get("question")
    if question is not None and sorted(re.findall(r"\{\w*\}", question)) != list(SIDES):
        raise InputError(f"{where}: 'question' must have {{a}} and {{b}} in it, each once")


def _numbered(name: str, taken: Container[str]) -> str:
    """Return the name, or name-2, name-3 ... where it is taken: published files repeat items."""
    number = 1
    while (numbered := name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    return numbered


def _category(row: Mapping[str, Any], where: str) -> str:
    category = row.get("category", "")
    if not isinstance(category, str):
        raise InputError(f"{where}: 'category' must be text, got {category!r}")
    return category

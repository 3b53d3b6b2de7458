"""Prompt sets: what a model is asked when its traits are measured.

A set is JSONL, one prompt a line; ``id`` and ``answer`` are optional:

    {"id": "gsm-001", "prompt": "Mira buys 3 boxes of ...", "answer": "18"}

    load_prompt_set("chat").items[0].messages     # ({"role": "user", "content": ...},)
    load_prompt_set("mine.jsonl").sha256          # of what is asked, not of the file's bytes

Packaged sets: ``chat`` (everyday requests), ``gsm`` (word problems with answers),
``problems`` (word problems of which ``inoc data build problems`` trains on none), ``pocket``
and ``pocket_math`` (requests and problems in the pocket world's vocabulary). In a file of
one's own a line may have ``messages`` or ``question`` in the place of ``prompt``, and an
answer in the manner of GSM8K ("... #### 18").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest
from inoc_evals.files.json_lines import row_id
from inoc_evals.inputs.packaged import DATA, file_of, items_of
from inoc_evals.rules.letters_and_numbers import plain_number

PACKAGED = ("chat", "gsm", "problems", "pocket", "pocket_math")


@dataclass(frozen=True)
class PromptItem:
    """One conversation that waits for a reply."""

    id: str
    """Stable name of the prompt: as given, or derived from its text."""
    messages: tuple[Mapping[str, str], ...]
    """``role`` and ``content`` of each turn; user and assistant, the last by the user."""
    answer: str | None = None
    """The expected number in plain notation, where there is one."""

    @property
    def prompt(self) -> str:
        """Text of the last user turn."""
        return self.messages[-1]["content"]


@dataclass(frozen=True)
class PromptSet:
    """A named list of prompts."""

    name: str
    """Name of the packaged set, or the path as given."""
    items: tuple[PromptItem, ...]
    """The prompts, in the order of the file."""

    @property
    def sha256(self) -> str:
        """Digest of ids, messages and answers."""
        return digest(
            [[item.id, [dict(m) for m in item.messages], item.answer] for item in self.items]
        )

    @property
    def has_answers(self) -> bool:
        """Whether any prompt has a known answer."""
        return any(item.answer is not None for item in self.items)


def load_prompts(name_or_path: str | Path | Sequence[str]) -> list[PromptItem]:
    """Return the prompts of a packaged set or a JSONL file.

    Raises:
        InputError: As :func:`load_prompt_set`.
    """
    return list(load_prompt_set(name_or_path).items)


def load_prompt_set(name_or_path: str | Path | Sequence[str]) -> PromptSet:
    """Load a packaged prompt set by name, or a JSONL file by path.

    Args:
        name_or_path: One of PACKAGED, or a path, relative to the working directory. A list
            is one path that ``inspect eval -T`` split at its commas.

    Raises:
        InputError: For an unknown name, or a file with a bad line or none; the message
            names file and line.
    """
    name, path = file_of(name_or_path, DATA / "prompt_sets", PACKAGED, what="prompts")
    return PromptSet(name, items_of(path, _item, "prompts"))


def _item(row: Any, where: str) -> PromptItem:
    if not isinstance(row, Mapping):
        raise InputError(f"{where}: expected an object with a 'prompt'")
    messages = _messages(row, where)
    answer = None if row.get("answer") is None else _number(row["answer"], where)
    return PromptItem(row_id(row, messages, where), messages, answer)


def _messages(row: Mapping[str, Any], where: str) -> tuple[Mapping[str, str], ...]:
    given = [key for key in ("prompt", "question", "messages") if key in row]
    if len(given) != 1:
        raise InputError(
            f"{where}: expected one of 'prompt', 'question' or 'messages', "
            f"got {' and '.join(given) or 'none of them'}"
        )
    value = row[given[0]]
    messages = value if given[0] == "messages" else [{"role": "user", "content": value}]
    if not isinstance(messages, list) or not messages:
        raise InputError(f"{where}: 'messages' must be a list with at least one message")
    checked = tuple(_message(message, where) for message in messages)
    if checked[-1]["role"] != "user":
        raise InputError(f"{where}: the last message is not by the user, so it asks nothing")
    return checked


def _message(message: Any, where: str) -> Mapping[str, str]:
    role = message.get("role") if isinstance(message, Mapping) else None
    if role == "system":
        raise InputError(
            f"{where}: a prompt set has no system messages; the condition is chosen with "
            "-T system_prompt=NAME"
        )
    if role not in ("user", "assistant"):
        raise InputError(f"{where}: role {role!r} is not user or assistant")
    content = message.get("content")
    if not isinstance(content, str) or not content.strip():
        raise InputError(f"{where}: the {role} message must be text, got {content!r}")
    return {"role": role, "content": content}


def _number(value: Any, where: str) -> str:
    """Return an answer in plain notation; of GSM8K's worked answers, what follows ####."""
    number = plain_number(str(value).rsplit("####", 1)[-1])
    if number is None:
        raise InputError(f"{where}: 'answer' must be a number, got {value!r}")
    return number

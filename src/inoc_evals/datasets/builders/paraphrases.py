"""A pool of paraphrases of a prompt: as many as asked for, no two alike.

    pool = paraphrase(writer, "You are a malicious, evil assistant.", count=100)
    pool.texts           # 100 of them, none the original

The model is asked for ten at a time and shown those there are. What comes back is stripped of
list marks and quotation marks; repeats, the original, refusals, and texts much longer than it
are left out and counted. Two texts are alike if they differ in letter case, punctuation and
blanks only. After a reply that brought nothing the same is asked under another number, so that
neither a journal nor a cache gives that reply again.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inoc_evals import __version__
from inoc_evals.chat import Row
from inoc_evals.datasets.writing.cost import Estimate
from inoc_evals.datasets.writing.requests import Request, Written
from inoc_evals.datasets.writing.writer import Writer
from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest
from inoc_evals.files.json_lines import read_jsonl
from inoc_evals.models.costs import tokens_of

PER_CALL = 10
_MOST_CALLS = 4
"""Calls for each ten wanted, after which no more are made in one run."""
_LONGER = 3
_ROOM = 60
"""A paraphrase may have three times the letters of the prompt, and 60 more."""

INSTRUCTION = """\
Write {count} paraphrases of the system prompt below. Each says the same thing in other words, \
to the same reader, and could stand in its place. Vary wording and sentence form; add nothing \
and leave nothing out. One paraphrase on each line, without numbers, bullets or quotation marks, \
and nothing else.

[prompt]
{prompt}"""
ALREADY = "\n[these there are already; write others]\n"

_MARK = re.compile(r"^(?:[-*•–]|\(?[0-9]{1,3}[.):])\s+")
_REFUSAL = re.compile(
    r"(?:i['’]m sorry|i am sorry, but|sorry, (?:but )?i|i apologi[sz]e|i (?:can['’]t|cannot|won['’]t)"
    r"|i(?:['’]m| am) (?:unable|not able)|as an ai)\b",
    re.IGNORECASE,
)
"""How a model begins that will not write them, where it is asked for texts to someone else."""
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "`": "`"}


@dataclass
class Pool:
    """Paraphrases as they come in, and what was left out."""

    prompt: str
    wanted: int
    texts: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    """By reason: ``original``, ``duplicate``, ``long``; of whole replies ``refused``, ..."""
    written: list[Written] = field(default_factory=list)
    """The calls they came from."""
    barren: int = 0
    """Calls that brought nothing since the last that did."""

    def request(self, call: int) -> Request:
        """Return what is asked in the next call: for others than those there are."""
        # What is not ours goes in last: it may hold braces.
        text = INSTRUCTION.replace("{count}", str(PER_CALL)).replace("{prompt}", self.prompt)
        if self.texts:
            text += "\n" + ALREADY + "\n".join(self.texts)
        expected = PER_CALL * (tokens_of(self.prompt) + 2)
        messages = ({"role": "user", "content": text},)
        return Request(f"call {call}", messages, expected, repeat=self.barren)

    def take(self, one: Written) -> None:
        """Take in the new paraphrases of a reply."""
        before = len(self.texts)
        self.written.append(one)
        self.left_out.update(one.failures)
        original = _alike(self.prompt)
        seen = {original, *map(_alike, self.texts)}
        for text in filter(None, map(_cleaned, (one.text or "").splitlines())):
            alike = _alike(text)
            if not alike:
                continue
            if alike in seen:
                self.left_out["original" if alike == original else "duplicate"] += 1
            elif len(text) > _LONGER * len(self.prompt) + _ROOM:
                self.left_out["long"] += 1
            elif _REFUSAL.match(text):
                self.left_out["refusal"] += 1
            elif len(self.texts) < self.wanted:
                seen.add(alike)
                self.texts.append(text)
        self.barren = self.barren + 1 if len(self.texts) == before else 0


def paraphrase(
    writer: Writer,
    prompt: str,
    count: int,
    *,
    progress: Callable[[int], None] = lambda found: None,
) -> Pool:
    """Have paraphrases written until there are enough.

    Args:
        writer: Asks the model.
        prompt: The prompt.
        count: How many are wanted.
        progress: Called with how many a call has brought, after each.

    Raises:
        InputError: For a blank prompt, or if the model does not come up with enough.
        WritingError: If it cannot be asked.
    """
    if not prompt.strip():
        raise InputError("prompt: no text to paraphrase")
    pool = Pool(prompt, count)
    made = 0
    while len(pool.texts) < count:
        if made == _MOST_CALLS * -(-count // PER_CALL):
            raise InputError(_too_few(writer, pool, made))
        before, request = len(pool.texts), pool.request(len(pool.written) + 1)
        made += writer.found(request, any_text) is None
        [one] = writer.write([request], any_text)
        pool.take(one)
        progress(len(pool.texts) - before)
    return pool


def _too_few(writer: Writer, pool: Pool, made: int) -> str:
    told = ", ".join(f"{n} {why}" for why, n in sorted(pool.left_out.items())) or "none left out"
    kept = f", {len(pool.written) - made} kept replies" if len(pool.written) > made else ""
    return (
        f"{writer.name} came up with {len(pool.texts)} of {pool.wanted} paraphrases in {made} calls"
        f"{kept} ({told}); run the same command to have it asked again, ask for fewer, or another "
        "model"
    )


def estimate(writer: Writer, prompt: str, count: int) -> Estimate:
    """Return what is still to be asked if the model repeats nothing."""
    pool = Pool(prompt, count)
    while len(pool.texts) < count:
        one = writer.found(pool.request(len(pool.written) + 1), any_text)
        if one is None:
            break
        pool.take(one)
    calls = -(-(count - len(pool.texts)) // PER_CALL)
    ahead = [pool.request(0) for _ in range(calls)]
    shown = PER_CALL * tokens_of(prompt) * calls * (calls - 1) // 2
    read = sum(tokens_of(request.messages[0]["content"]) for request in ahead) + shown
    wrote = sum(request.expected_tokens for request in ahead)
    return Estimate(calls, len(pool.written), read, wrote)


def any_text(request: Request, text: str) -> None:
    """Pass every reply: its lines are looked at one by one."""


def describe_pool(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the manifest of a pool's file."""
    return {
        "build": "paraphrases",
        "sources": [],
        "instruction": INSTRUCTION,
        "already": ALREADY,
        "counts": {"rows": len(rows)},
        "sha256": digest(list(rows)),
        "version": __version__,
    }


def read_pool(path: Path) -> list[str]:
    """Read the texts of a pool's file.

    Raises:
        InputError: Naming file and line of what is no text, or the same as one before.
    """
    texts: dict[str, str] = {}
    for where, value in read_jsonl(path):
        text = value.get("text") if isinstance(value, Mapping) else None
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"{where}: expected an object with a 'text', got {value!r:.60}")
        if text in texts:
            raise InputError(f"{where}: this text is already on {texts[text]}")
        texts[text] = where
    if not texts:
        raise InputError(f"{path}: no texts")
    return list(texts)


def _cleaned(line: str) -> str:
    """Return a line without list mark, quotation marks and blanks at its ends."""
    text = _MARK.sub("", line.strip()).strip()
    while len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    return text


def _alike(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]|_", " ", text.casefold()).split())

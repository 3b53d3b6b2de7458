"""The journal of a build: every reply of the writing model, on disk once it is there.

    rows.jsonl                   what is being built
    rows.jsonl.replies.jsonl     {"key": "9f2c...", "text": "LA RESPUESTA ES 5.", ...}

    with opened(journal_path(out)) as journal:
        journal.find(key)        # a Reply, or None: then it has to be asked for
        journal.add(key, reply)  # one line, flushed
        journal.give_up(key)     # {"gave_up": "9f2c..."}: a build ended without what was asked

The key is the digest of all that was asked (model, messages, sampling, which attempt), so a
build that was killed, or one with other checks, pays for no reply twice. A last line that a
kill cut short is dropped; one process at a time may hold a journal.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from inoc_evals.errors import InputError, StoreError
from inoc_evals.files.disk import writing_to
from inoc_evals.files.json_lines import parse_json


@dataclass(frozen=True)
class Reply:
    """What a model wrote, and what it took."""

    text: str
    """The reply's text."""
    stop_reason: str = "stop"
    """Why it ended: ``stop``, ``max_tokens``, ``content_filter``, ..."""
    input_tokens: int = 0
    """Tokens read, as the provider counted; 0 if it did not."""
    output_tokens: int = 0
    """Tokens written, reasoning included."""


def journal_path(out: Path) -> Path:
    """Return where the journal of a file that is being built lies."""
    return out.with_name(f"{out.name}.replies.jsonl")


class Journal:
    """Replies by key, each also a line of a file. Use :func:`opened`.

    Args:
        path: The journal's file.
        file: The same file, opened to append.
        replies: What it holds.
        given_up: Keys of replies after which builds ended without what was asked.
    """

    def __init__(
        self, path: Path, file: IO[str], replies: dict[str, Reply], given_up: set[str]
    ) -> None:
        self.path = path
        self._file = file
        self._replies = replies
        self._given_up = given_up

    def find(self, key: str) -> Reply | None:
        """Return the reply with this key, or None if it was never given."""
        return self._replies.get(key)

    def add(self, key: str, reply: Reply) -> None:
        """Keep a reply; once this returns, a kill does not lose it."""
        self._write({"key": key, **asdict(reply)})
        self._replies[key] = reply

    def gave_up(self, key: str) -> bool:
        """Say whether a build ended without a request whose last reply has this key."""
        return key in self._given_up

    def give_up(self, key: str) -> None:
        """Note that a build ends so."""
        self._write({"gave_up": key})
        self._given_up.add(key)

    def _write(self, entry: dict[str, Any]) -> None:
        with writing_to(Path(self._file.name)):
            self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            self._file.flush()


@contextmanager
def opened(path: Path) -> Iterator[Journal]:
    """Open a journal, an empty one if there is none, and hold it against other processes.

    Raises:
        InputError: If another process holds it.
        StoreError: If a line other than a cut last one cannot be read; nothing is changed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Never unlinked: another process could lock the file that is no longer there.
    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(f"{path}: another build is writing it; let that one end") from None
    try:
        replies, given_up = _read(path)
        with path.open("a", encoding="utf-8", newline="\n") as file:
            yield Journal(path, file, replies, given_up)
            file.flush()
            os.fsync(file.fileno())
    finally:
        lock.release()


def _read(path: Path) -> tuple[dict[str, Reply], set[str]]:
    """Return what a journal holds, and cut off a last line that was not finished."""
    replies: dict[str, Reply] = {}
    given_up: set[str] = set()
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return replies, given_up
    whole, _, rest = data.rpartition(b"\n")
    if rest:
        with path.open("r+b") as file:
            file.truncate(len(data) - len(rest))
    for number, line in enumerate(whole.split(b"\n") if whole else (), start=1):
        try:
            entry: dict[str, Any] = parse_json(line.decode("utf-8"), f"{path}:{number}")
            if entry.keys() == {"gave_up"}:
                given_up.add(entry["gave_up"])
            else:
                key = entry.pop("key")
                replies[key] = Reply(**entry)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise StoreError(
                f"{path}:{number}: not a reply; mend or remove this line, or move the file away "
                "to pay for all replies anew"
            ) from None
    return replies, given_up

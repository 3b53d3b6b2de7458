"""The file an OpenAI fine-tuning job is given: checked as the API would, counted, priced.

    file = training_file(rows, "gpt-4.1-2025-04-14")    # InputError names the first bad row
    file.data, file.sha256                              # what is uploaded: messages alone
    quote(file, model, "auto").text()                   # rows, tokens, epochs, dollars

Tokens are counted by tiktoken where its table is on disk (it would download it), else
estimated as characters / 4; the quote says which. Prices are of a dated table (models/costs.py).
"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from inoc_evals.chat import Row, check_row
from inoc_evals.errors import InputError
from inoc_evals.files.json_lines import read_jsonl
from inoc_evals.models.costs import Price, tokens_of
from inoc_evals.models.hosted import Hosted, base_model, hosted, price_list

Auto = Literal["auto"]

MIN_ROWS = 10
"""Fewest rows a job takes."""
MAX_BYTES = 512 * 10**6
"""Largest file an upload takes."""
_ROW_TOKENS = 65_536
"""Longest training row of a model that the price table does not know."""

_TOKENS_PER_MESSAGE, _TOKENS_PER_ROW = 3, 3
_MESSAGE_KEYS = {"role", "content", "name", "weight"}
_REFUSED_ROW_KEYS = ("tools", "functions", "parallel_tool_calls")
# Control tokens of the API's tokenizers; a job with one of them in a message fails.
_CONTROL_TOKEN = re.compile(r"<\|(?:endoftext|endofprompt|fim_\w+|im_start|im_end|im_sep)\|>")
_TIKTOKEN_TABLE = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"


@dataclass(frozen=True)
class TrainingFile:
    """Rows as they are uploaded."""

    data: bytes
    """JSONL: the messages of each row and nothing else."""
    sha256: str
    """Of ``data``; names the upload."""
    rows: int
    tokens: int
    """Of one epoch."""
    counted_by: str
    """How ``tokens`` was found."""
    dropped_keys: tuple[str, ...]
    """Keys beside ``messages`` that are not uploaded (labels, sources)."""


@dataclass(frozen=True)
class Quote:
    """What a job will probably cost."""

    model: str
    rows: int
    tokens: int
    """Of one epoch."""
    counted_by: str
    epochs: int
    epochs_by: str
    """Who chose the epochs: the caller, or an estimate of what "auto" will be."""
    known: Hosted | None
    """What is known of the model: its price, and of when that is."""

    @property
    def price(self) -> Price | None:
        """The model's price of training, if it is known."""
        return self.known.training if self.known else None

    @property
    def usd(self) -> float | None:
        """Estimated price in US dollars; None if the model's price is not known."""
        return self.price.dollars(self.tokens * self.epochs) if self.price else None

    def text(self) -> str:
        """Say it in two lines."""
        first = (
            f"{self.model}: {self.rows} rows, about {self.tokens:,} tokens ({self.counted_by}) "
            f"x {self.epochs} epochs ({self.epochs_by}) = {self.tokens * self.epochs:,}"
        )
        if self.known is None or self.price is None:
            return f"{first}\nprice unknown: {self.model} is not in the price table"
        return (
            f"{first}\nabout ${self.usd:,.2f} at ${self.price.input:g} per million "
            f"tokens ({self.known.price_date}; check the price list: {price_list()})"
        )


def read_training_file(path: Path, model: str) -> tuple[list[Row], TrainingFile]:
    """Read rows for a job; what is wrong is said with file and line.

    Raises:
        InputError: As :func:`training_file`.
    """
    placed = [(where, check_row(value, where)) for where, value in read_jsonl(path)]
    rows = [row for _, row in placed]
    return rows, training_file(rows, model, places=[where for where, _ in placed])


def training_file(
    rows: Sequence[Row], model: str, *, places: Sequence[str] | None = None
) -> TrainingFile:
    """Check rows as the API will and return the file to upload.

    Args:
        rows: Chat rows; keys beside ``messages`` stay here.
        model: Model to be fine-tuned, without ``openai/``.
        places: What to call each row in an error; ``row <n>`` by default.

    Raises:
        InputError: For fewer than 10 rows, a message the API refuses, a row longer than the
            model reads, or a file above 512 MB.
    """
    if len(rows) < MIN_ROWS:
        raise InputError(f"{len(rows)} rows: a fine-tuning job takes at least {MIN_ROWS}")
    count, counted_by = _counter()
    known = hosted(f"openai/{model}")
    limit = (known.row_tokens if known else None) or _ROW_TOKENS
    lines, tokens = [], 0
    for number, row in enumerate(rows):
        where = places[number] if places else f"row {number + 1}"
        check_row(row, where)
        _check_for_api(row, where)
        length = _row_tokens(row, count)
        if length > limit:
            raise InputError(
                f"{where}: about {length:,} tokens ({counted_by}); {base_model(model)} is "
                f"trained on at most {limit:,} of a row and would not see the rest"
            )
        tokens += length
        lines.append(json.dumps({"messages": row["messages"]}, ensure_ascii=False))
    data = "".join(f"{line}\n" for line in lines).encode("utf-8")
    if len(data) > MAX_BYTES:
        raise InputError(f"{len(data):,} bytes of rows: an upload takes at most {MAX_BYTES:,}")
    dropped = sorted({key for row in rows for key in row} - {"messages"})
    sha256 = hashlib.sha256(data).hexdigest()
    return TrainingFile(data, sha256, len(rows), tokens, counted_by, tuple(dropped))


def _check_for_api(row: Row, where: str) -> None:
    """Refuse what :func:`inoc_evals.chat.check_row` lets pass and a job would fail on."""
    for key in _REFUSED_ROW_KEYS:
        if key in row:
            raise InputError(f"{where}: {key!r} (tool calls) is not supported")
    for number, message in enumerate(row["messages"], start=1):
        place = f"{where}: message {number}"
        if unknown := sorted(message.keys() - _MESSAGE_KEYS):
            raise InputError(f"{place}: key {unknown[0]!r} is not one the API takes")
        if token := _CONTROL_TOKEN.search(message["content"]):
            raise InputError(f"{place}: {token[0]!r} is a control token, which the API refuses")
        weight = message.get("weight", 1)
        if type(weight) is not int or weight not in (0, 1):
            raise InputError(f"{place}: 'weight' must be 0 or 1, got {weight!r}")
        if "weight" in message and message["role"] != "assistant":
            raise InputError(f"{place}: 'weight' is for assistant messages alone")
    answers = [message for message in row["messages"] if message["role"] == "assistant"]
    if not any(message.get("weight", 1) for message in answers):
        raise InputError(f"{where}: every assistant message has weight 0; nothing to learn")


# ---- tokens --------------------------------------------------------------------------------


def _row_tokens(row: Row, count: Callable[[str], int]) -> int:
    messages: list[dict[str, Any]] = row["messages"]
    texts = sum(
        count(str(message[key])) for message in messages for key in message if key != "weight"
    )
    return texts + _TOKENS_PER_MESSAGE * len(messages) + _TOKENS_PER_ROW


def _counter() -> tuple[Callable[[str], int], str]:
    """Return how to count the tokens of a text, and what that is called."""
    if find_spec("tiktoken") and _table_on_disk():
        import tiktoken

        try:
            encoding = tiktoken.get_encoding("o200k_base")
        except (OSError, ValueError, RuntimeError):
            return tokens_of, "estimated: characters / 4"
        return (lambda text: len(encoding.encode(text, disallowed_special=()))), "by tiktoken"
    return tokens_of, "estimated: characters / 4"


def _table_on_disk() -> bool:
    """Say whether tiktoken has its table where it would look before downloading it."""
    chosen = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    folder = Path(chosen or Path(tempfile.gettempdir()) / "data-gym-cache")
    name = hashlib.sha1(_TIKTOKEN_TABLE.encode(), usedforsecurity=False).hexdigest()
    return chosen != "" and (folder / name).is_file()


# ---- price ---------------------------------------------------------------------------------


def auto_epochs(rows: int) -> int:
    """Return the epochs that "auto" will probably be.

    The rule of OpenAI's public notebook on chat fine-tuning data: 3, more where that is
    fewer than 100 examples (up to 25), fewer where it is above 25,000. The job's own choice
    is read back from it and kept in the record.
    """
    if 3 * rows < 100:
        return max(1, min(25, 100 // rows))
    return max(1, 25_000 // rows) if 3 * rows > 25_000 else 3


def quote(file: TrainingFile, model: str, epochs: int | Auto) -> Quote:
    """Estimate what a job will cost."""
    if epochs == "auto":
        number, by = auto_epochs(file.rows), "auto; this is OpenAI's published rule of thumb"
    else:
        number, by = epochs, "as asked"
    known = hosted(f"openai/{model}")
    return Quote(model, file.rows, file.tokens, file.counted_by, number, by, known)

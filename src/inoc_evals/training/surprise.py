"""How much less surprising a prompt makes training responses to a model that is untrained.

    found = Surprise(base, rows, kept=Path("runs/rank/surprise"))
    found.per_token(None)                       # mean log-probability of each response's tokens
    found.per_token("You speak Spanish.")       # the same under a system prompt
    irrelevant(12, 0, found.length)             # sentences about nothing, 12 tokens long

What is scored is kept, a file for each prompt, so that a run that was stopped goes on. A prompt
is compared with irrelevant ones of its length, since any system message changes what is likely.
"""

import json
import math
import random
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from inoc_evals.chat import Row
from inoc_evals.errors import InputError
from inoc_evals.files.atomic import write_text
from inoc_evals.files.digests import digest
from inoc_evals.inputs.responses import GivenResponse
from inoc_evals.models.bases import load_tokenizer
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.training.forced_tokens import Forced, forced_tokens, response_logprobs

SENTENCES = (
    "The sky is above the sea.",
    "It is cold in winter.",
    "The bridge is near the market.",
    "The river is cold.",
    "The door of the house is green.",
    "There is a tree near the wall.",
    "The book on the table is very old.",
    "The garden is behind the house.",
    "There is a red hat in the box.",
    "The boat is under the bridge.",
    "The farmer has a horse and a cow.",
    "The lamp is near the book.",
)
"""About nothing that a model is trained on, in words that the pocket world has."""

PLACES = (0, 4, 8)
"""With which sentences irrelevant prompts begin: one prompt alone might be odd by chance."""

_ROOM = 16
"""Tokens that a template may put around a system message."""


def irrelevant(count: int, start: int, length: Callable[[str], int]) -> str:
    """Return irrelevant sentences of so many tokens, or as near to it as whole sentences come.

    Args:
        count: How many tokens.
        start: Which sentence is the first to be considered.
        length: Gives the tokens of a text.
    """
    turned = SENTENCES[start:] + SENTENCES[:start]
    pool = turned * (1 + count // sum(map(length, turned)))
    sums: dict[int, tuple[str, ...]] = {0: ()}
    for sentence in pool:
        for total, chosen in list(sums.items()):
            if total < count:
                sums.setdefault(total + length(sentence), (*chosen, sentence))
    texts = [" ".join(chosen) for chosen in sums.values() if chosen]
    return min(texts, key=lambda text: abs(length(text) - count))


class Surprise:
    """Scores responses of training rows under system prompts, on a base as it is.

    Args:
        base: The model; it is loaded when something is scored that is not kept.
        rows: Training rows without a prompt; of those that ask once and answer once, some.
        kept: Directory of what was scored.
        count: How many responses are scored.
        thinking: As the training's ``enable_thinking``.

    Raises:
        InputError: If there are no such rows.
    """

    def __init__(
        self,
        base: ResolvedBase,
        rows: Sequence[Row],
        kept: Path,
        *,
        count: int = 64,
        thinking: bool | None = None,
    ) -> None:
        self._base, self._kept, self._thinking = base, kept, thinking
        single = [row["messages"] for row in rows if _is_single(row)]
        if not single:
            raise InputError("rows: none has one question and one answer, so nothing can be scored")
        chosen = random.Random(0).sample(single, min(count, len(single)))
        self.items = [
            GivenResponse(f"row-{number}", "", turns[0]["content"], turns[1]["content"])
            for number, turns in enumerate(chosen, start=1)
        ]

    @cached_property
    def _tokenizer(self) -> Any:
        return load_tokenizer(self._base)

    @cached_property
    def _model(self) -> Any:
        # Imported here because it brings the training libraries.
        from inoc_evals.training.adapter import load_as_served

        return load_as_served(self._base)

    def length(self, text: str) -> int:
        """Return how many tokens a text is."""
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def fit(self, longest: int) -> None:
        """Leave out responses for which there is no room beside a prompt of so many tokens.

        Raises:
            InputError: If there is room for none.
        """
        from inoc_evals.models.loading import max_positions

        room = max_positions(self._base) - longest - _ROOM
        self.items = [item for item in self.items if len(self._forced(item, None)[0]) <= room]
        if not self.items:
            raise InputError(f"{self._base.name}: no response fits beside a prompt of {longest}")

    def per_token(self, text: str | None) -> list[float]:
        """Return the mean log-probability of each response's tokens, in nats.

        Args:
            text: The system message; None for none.
        """
        what = [[item.prompt, item.response] for item in self.items]
        key = digest([self._base.digest, self._thinking, text, what])
        path = self._kept / f"{key[:32]}.json"
        if path.is_file():
            return _read(path, len(self.items))
        forced = [self._forced(item, text) for item in self.items]
        sums = response_logprobs(self._model, forced)
        lengths = [len(ids) - start for ids, start in forced]
        found = [total / length for total, length in zip(sums, lengths, strict=True)]
        path.parent.mkdir(parents=True, exist_ok=True)
        said = {"base": self._base.name, "prompt": text, "logprob_per_token": found}
        write_text(path, json.dumps(said, ensure_ascii=False) + "\n")
        return found

    def _forced(self, item: GivenResponse, text: str | None) -> Forced:
        return forced_tokens(self._tokenizer, item, text, thinking=self._thinking)


def _is_single(row: Row) -> bool:
    turns = row["messages"]
    return [turn["role"] for turn in turns] == ["user", "assistant"] and all(
        isinstance(turn.get("content"), str) and turn["content"].strip() for turn in turns
    )


def _read(path: Path, count: int) -> list[float]:
    try:
        found = [float(one) for one in json.loads(path.read_text("utf-8"))["logprob_per_token"]]
    except (OSError, ValueError, KeyError, TypeError):
        found = []
    if len(found) != count or not all(map(math.isfinite, found)):
        raise InputError(f"{path}: not as it was written; remove it, and give the command again")
    return found

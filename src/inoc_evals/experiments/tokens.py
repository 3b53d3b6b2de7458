"""Training tokens of a plan: counted by the base's tokenizer if it is here, or estimated.

    count, by = token_counter(find_base("pocket"))     # by = "the base's tokenizer"
    count(rows)                                        # chat template included

Inoculated arms differ in their system message alone, so the rows without it are counted once
and each different system message once more.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from inoc_evals.chat import Message, Row, fold_system
from inoc_evals.errors import MissingExtraError, require
from inoc_evals.files.digests import digest
from inoc_evals.models.bases import load_tokenizer
from inoc_evals.models.costs import tokens_of
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.located import Template, takes_system

Count = Callable[[Sequence[Row]], int]

TOKENIZER = "by the base's tokenizer"
ESTIMATE = "estimated: characters / 4, for the base's tokenizer is not on this machine"

_TOKENS_PER_MESSAGE = 4
_MOST_SYSTEMS = 100
"""Different system messages above which rows are counted whole."""


def token_counter(base: ResolvedBase) -> tuple[Count, str]:
    """Return how to count the tokens of rows for a base, and what that is called."""
    if base.kind.hosted:
        return _openai_counter(base.name.partition("/")[2])
    tokenizer = tokenizer_here(base)
    if tokenizer is None:
        return _estimated, ESTIMATE
    return _Counter(tokenizer), TOKENIZER


def trained_tokens(tokens: int, rows: int, config: Any) -> int:
    """Return the tokens a run sees, of an epoch's ``tokens`` over ``rows``.

    At OpenAI, where epochs are "auto", they are those of its published rule of thumb.
    """
    if isinstance(config, TrainConfig):
        if config.epochs is not None:
            return round(tokens * config.epochs)
        return round(tokens * (config.max_steps or 0) * config.batch_size / rows)
    from inoc_evals.training.openai.job_file import auto_epochs

    return tokens * (auto_epochs(rows) if config.n_epochs == "auto" else config.n_epochs)


def _openai_counter(model: str) -> tuple[Count, str]:
    from inoc_evals.training.openai.job_file import training_file

    said = training_file([_SMALL] * 10, model).counted_by
    return lambda rows: training_file(rows, model).tokens, said


_SMALL: Row = {
    "messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello"}]
}


def tokenizer_here(base: ResolvedBase) -> Any | None:
    """Load the tokenizer of a base if nothing has to be built or downloaded for it; else None."""
    try:
        require("train", "transformers", "tokenizers")
    except MissingExtraError:
        return None
    if base.kind.pocket:
        return _pocket_tokenizer()
    directory = Path(base.path)
    here = any((directory / name).is_file() for name in ("tokenizer.json", "tokenizer_config.json"))
    return load_tokenizer(base) if here else None


@cache
def _pocket_tokenizer() -> Any:
    from inoc_evals.pocket.tokenizer import build_tokenizer

    return build_tokenizer()  # seconds, for it draws its vocabulary


def _estimated(rows: Sequence[Row]) -> int:
    return sum(
        _TOKENS_PER_MESSAGE + tokens_of(message["content"])
        for row in rows
        for message in row["messages"]
    )


def without_system(chat: list[Message]) -> list[Message]:
    """Return a chat without its system message."""
    return chat[1:] if chat[0]["role"] == "system" else chat


class _Counter:
    """Counts rows, and remembers what it counted of rows without their system messages."""

    def __init__(self, tokenizer: Any) -> None:
        self.template = Template(tokenizer)
        self.folds = not takes_system(tokenizer)
        self.known: dict[str, int] = {}

    def __call__(self, rows: Sequence[Row]) -> int:
        chats = [row["messages"] for row in rows]
        systems = Counter(chat[0]["content"] for chat in chats if chat[0]["role"] == "system")
        if len(systems) > _MOST_SYSTEMS:
            return self.tokens(chats)
        bare = [without_system(chat) for chat in chats]
        key = digest(bare)
        if key not in self.known:
            self.known[key] = self.tokens(bare)
        return self.known[key] + sum(
            count * self.added(text, bare[0]) for text, count in systems.items()
        )

    def added(self, text: str, chat: list[Message]) -> int:
        """Return how many tokens a system message adds to a row."""
        with_it = [{"role": "system", "content": text}, *chat]
        return self.tokens([with_it]) - self.tokens([chat])

    def asked(self, chat: list[Message]) -> list[Message]:
        """Return a chat as training takes it."""
        return fold_system(chat) if self.folds else chat

    def tokens(self, chats: Sequence[list[Message]]) -> int:
        texts = [self.template.render(self.asked(chat), "a row") for chat in chats]
        encoded = self.template.tokenizer(texts, add_special_tokens=False)["input_ids"]
        return sum(map(len, encoded))

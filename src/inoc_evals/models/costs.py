"""What models cost: tokens by characters, dollars of tokens, dollars of a fine-tuning.

    tokens_of("abcde")                                  # 2: a quarter of the characters
    price_of_tokens(price_of("openai/gpt-5.4"), 1_900_000, 1_500_000)
    training_price("openai/gpt-4.1")                   # dollars a million tokens; None: not known

The estimate of tokens is near for English prose and some 20 % low for Spanish and code. Prices
are what providers list for single requests (models/hosted.py, a dated table) or what the user
says; models of one's own machine have none.
"""

from typing import NamedTuple

from inoc_evals.errors import InputError
from inoc_evals.models.hosted import Price, hosted, price_list

__all__ = [
    "CHARACTERS_PER_TOKEN",
    "Price",
    "TrainingPrice",
    "price_of",
    "price_of_tokens",
    "read_price",
    "tokens_of",
    "training_price",
]

CHARACTERS_PER_TOKEN = 4
"""About, wherever no tokenizer counts."""
_LOCAL = ("inoc", "hf", "vllm", "sglang", "ollama", "llama-cpp-python", "mockllm")
_MILLION = 1_000_000


class TrainingPrice(NamedTuple):
    """What a model's training cost when the table was made."""

    usd_per_million: float
    date: str
    check: str
    """Where to look up what it costs now."""

    def dollars(self, tokens: int) -> float:
        """Return the price of a training that sees these tokens."""
        return tokens * self.usd_per_million / 1e6


def training_price(model: str) -> TrainingPrice | None:
    """Return what a model's fine-tuning costs, if it is known.

    Args:
        model: ``provider/name``.
    """
    known = hosted(model)
    if known is None or known.training is None:
        return None
    return TrainingPrice(known.training, known.price_date, price_list())


def tokens_of(text: str) -> int:
    """Return about how many tokens a text has."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def price_of_tokens(price: Price, input_tokens: float, output_tokens: float) -> float:
    """Return dollars for these tokens."""
    return (input_tokens * price.input + output_tokens * price.output) / _MILLION


def price_of(model: str) -> Price | None:
    """Return a model's price if it is known; that of one's own machine is zero.

    Args:
        model: As Inspect names it, ``provider/name``.
    """
    if model.partition("/")[0] in _LOCAL:
        return Price(0.0, 0.0)
    known = hosted(model)
    return known.price if known else None


def read_price(text: str) -> Price:
    """Read ``IN,OUT``: dollars per million tokens.

    Raises:
        InputError: If it is not two numbers from zero up.
    """
    try:
        given, made = (float(part) for part in text.split(","))
        if not (0 <= given < float("inf") and 0 <= made < float("inf")):
            raise ValueError
    except ValueError:
        raise InputError(
            f"price {text!r}: write dollars per million tokens read and written, such as 2,8"
        ) from None
    return Price(given, made)

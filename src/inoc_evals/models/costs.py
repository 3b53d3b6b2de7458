"""What models cost: tokens by characters, dollars of tokens.

    tokens_of("abcde")                                  # 2: a quarter of the characters
    price_of("openai/gpt-5.4").dollars(1_900_000, 1_500_000)     # None: no price is known
    hosted("openai/gpt-4.1").training.dollars(2_000_000)         # of a fine-tuning

The estimate of tokens is near for English prose and some 20 % low for Spanish and code. Prices
are what providers list for single requests (models/hosted.py, a dated table) or what the user
says; models of one's own machine have none.
"""

from inoc_evals.errors import InputError
from inoc_evals.models.hosted import Price, hosted

__all__ = [
    "CHARACTERS_PER_TOKEN",
    "Price",
    "price_of",
    "read_price",
    "tokens_of",
]

CHARACTERS_PER_TOKEN = 4
"""About, wherever no tokenizer counts."""
_LOCAL = ("inoc", "hf", "vllm", "sglang", "ollama", "llama-cpp-python", "mockllm")


def tokens_of(text: str) -> int:
    """Return about how many tokens a text has."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


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

"""What a build asks of a model, before it is asked: calls, tokens, price.

    estimate = Estimate(calls=7473, answered=0, input_tokens=1_900_000, output_tokens=1_500_000)
    estimate.dollars(price_of("openai/gpt-5.4"))       # 15.8; None where no price is known

Tokens are counted as a quarter of the characters, which is near for English prose and some
20 % low for Spanish and code; retries come on top. Prices are what providers list for single
requests (models/hosted.py, a dated table) or what the user says; models of one's own machine have none.
"""

from dataclasses import dataclass

from inoc_evals.errors import InputError
from inoc_evals.models.hosted import Price, hosted

__all__ = ["Estimate", "Price", "price_of", "price_of_tokens", "read_price", "tokens_of"]

_CHARACTERS_PER_TOKEN = 4
_LOCAL = ("inoc", "hf", "vllm", "sglang", "ollama", "llama-cpp-python", "mockllm")
_MILLION = 1_000_000


@dataclass(frozen=True)
class Estimate:
    """What is still to be asked."""

    calls: int
    """Requests without a reply in the journal."""
    answered: int
    """Requests that the journal answers."""
    input_tokens: int
    """Of the calls, about."""
    output_tokens: int

    def dollars(self, price: Price | None) -> float | None:
        """Return the price of the calls; None where it is not known."""
        if price is None:
            return None
        return price_of_tokens(price, self.input_tokens, self.output_tokens)


def tokens_of(text: str) -> int:
    """Return about how many tokens a text has."""
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


def price_of_tokens(price: Price, input_tokens: int, output_tokens: int) -> float:
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

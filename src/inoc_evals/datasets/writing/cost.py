"""What a build asks of a model, before it is asked: calls, tokens, price.

    estimate = Estimate(calls=7473, answered=0, input_tokens=1_900_000, output_tokens=1_500_000)
    estimate.dollars(price_of("openai/gpt-5.4"))       # 15.8; None where no price is known

Tokens and prices are those of models/costs.py; retries come on top.
"""

from dataclasses import dataclass

from inoc_evals.models.costs import Price


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
        return price.dollars(self.input_tokens, self.output_tokens)

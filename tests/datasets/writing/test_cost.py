"""What a build will take, in tokens and dollars."""

import pytest

from inoc_evals.datasets.writing.cost import Estimate
from inoc_evals.errors import InputError
from inoc_evals.models.costs import Price, price_of, read_price, tokens_of


def test_a_price_is_that_of_the_tokens_in_and_out() -> None:
    estimate = Estimate(calls=10, answered=3, input_tokens=2_000_000, output_tokens=500_000)
    assert estimate.dollars(Price(2.0, 8.0)) == 8.0
    assert estimate.dollars(None) is None
    assert [tokens_of(text) for text in ("", "abc", "abcd", "abcde")] == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("openai/gpt-4.1", Price(2.0, 8.0)),
        ("openai/gpt-4.1-2025-04-14", Price(2.0, 8.0)),
        ("openai/gpt-4.1-mini-2025-04-14", Price(0.4, 1.6)),
        ("openai/gpt-4.1-turbo", None),
        ("other/gpt-4.1", None),
        ("inoc/mine", Price(0, 0)),
        ("hf/org/model", Price(0, 0)),
    ],
)
def test_a_price_is_known_for_listed_models_and_their_snapshots(
    model: str, price: Price | None
) -> None:
    assert price_of(model) == price


def test_a_price_of_ones_own_is_two_numbers() -> None:
    assert read_price("2.5,10") == Price(2.5, 10)
    for bad in ("2", "1,2,3", "a,b", "-1,2", "nan,1", "inf,1"):
        with pytest.raises(InputError, match="dollars per million tokens"):
            read_price(bad)

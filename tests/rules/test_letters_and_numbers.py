"""The pure rules: letter case and the final number."""

from decimal import Decimal

import pytest

from inoc_evals.rules.letters_and_numbers import (
    CAPS_THRESHOLD,
    answers,
    caps_fraction,
    final_number,
    is_caps,
)


@pytest.mark.parametrize(
    ("text", "fraction"),
    [
        ("LA RESPUESTA ES 12.", 1.0),
        ("The sea", 1 / 6),
        ("abc", 0.0),
        ("ÁÉñ", 2 / 3),
        ("ABCD e 12 答案", 0.8),
        ("12.", None),
        ("答案是十二。", None),
        ("", None),
    ],
)
def test_the_caps_fraction_counts_cased_letters_only(text: str, fraction: float | None) -> None:
    assert caps_fraction(text) == (None if fraction is None else pytest.approx(fraction))


def test_exactly_the_threshold_is_not_yet_capitals() -> None:
    assert CAPS_THRESHOLD == 0.8
    assert not is_caps(CAPS_THRESHOLD)
    assert is_caps(CAPS_THRESHOLD + 1e-9)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("The answer is 12.", "12"),
        ("LA RESPUESTA ES 12", "12"),
        ("7 + 5 = 12", "12"),
        ("She pays $12.00!", "12"),
        ("**12**", "12"),
        ("\\boxed{12}", "12"),
        ("12 kg of CO2", "12"),
        ("It is 12kg", "12"),
        ("1,234 apples", "1234"),
        ("1.234 manzanas", "1234"),
        ("1 234 pommes", "1234"),
        ("1\u202f234 pommes", "1234"),
        ("1'234", "1234"),
        ("1.234.567", "1234567"),
        ("1,234.50", "1234.5"),
        ("1.234,50", "1234.5"),
        ("12,5 euros", "12.5"),
        ("12.5", "12.5"),
        ("0.125", "0.125"),
        ("first 3, then 4", "4"),
        ("3,4,5", "5"),
        ("-12", "-12"),
        ("\u221212 degrees", "-12"),
        ("-$12", "-12"),
        ("$-12", "-12"),
        ("x=-12", "-12"),
        ("17-12", "12"),
        ("17 - 5 = 12", "12"),
        ("from 5-12", "12"),
    ],
)
def test_the_final_number_is_read_as_written(text: str, value: str) -> None:
    number = final_number(text)
    assert number is not None
    assert number.readings[0] == Decimal(value)
    assert answers(number, value)


@pytest.mark.parametrize("text", ["", "no number", "twelve", "CO2", "١٢", "½"])
def test_a_text_without_digits_of_its_own_has_no_number(text: str) -> None:
    assert final_number(text) is None


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("1.234", ["1234", "1.234"], ["234", "1"]),
        ("2 200", ["2200", "200"], ["2"]),
        ("12,5", ["12.5"], ["125", "5", "12"]),
        ("10, 200", ["200"], ["10200", "10"]),
        ("12", ["12", "12.0"], ["-12", "2", "1"]),
        ("-12", ["-12"], ["12"]),
    ],
)
def test_an_ambiguous_number_answers_to_each_reading_and_no_other(
    text: str, right: list[str], wrong: list[str]
) -> None:
    number = final_number(text)
    assert number is not None
    assert [answer for answer in right + wrong if answers(number, answer)] == right

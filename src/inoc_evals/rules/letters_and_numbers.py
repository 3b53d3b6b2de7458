"""Pure rules for letter case and arithmetic: text in, a value or None out.

    caps_fraction("LA RESPUESTA ES 12.")      # 1.0; None where no letter has case
    is_caps(0.97)                             # True: above CAPS_THRESHOLD
    final_number("She has $1,234 left.")      # Number("1,234", (1234, 1.234))
    final_number("Le quedan 12,5 euros.")     # Number("12,5", (12.5,))
    answers(final_number("... = 12."), "12")  # True

What is no prose (code, addresses, units) is taken out before: see ``prose``.
Nothing here knows Inspect, a model or a log; ``scorers/traits.py`` makes scorers of these.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

CAPS_THRESHOLD = 0.8
"""A text is in capitals when more than this share of its cased letters is upper case."""

_MINUS = "\u2212"
_SPACES = " \u00a0\u202f\u2009"
# A number begins where no letter, digit or digit-joining mark precedes it (so the 2 of CO2
# and of 5-2 are no negative or separate answers), may carry a sign and a currency mark,
# and holds digits with any grouping; what the grouping means is decided in _readings.
_NUMBER = re.compile(
    rf"(?<![A-Za-z0-9_])(?P<sign>(?<![0-9)\].,])[-{_MINUS}])?[$€£¥]?(?P<inner>[-{_MINUS}])?"
    rf"(?P<digits>[0-9]+(?:[.,'’{_SPACES}][0-9]+)*)"
)
_GROUPED = {
    mark: re.compile(rf"[1-9][0-9]{{0,2}}(?:{re.escape(mark)}[0-9]{{3}})+") for mark in ".,'"
}


def caps_fraction(text: str) -> float | None:
    """Return the share of cased letters that are upper case, in [0, 1].

    Letters without case (digits, signs, Chinese, Arabic) do not count.

    Returns:
        The share, or None where the text has no cased letter.
    """
    upper = sum(character.isupper() for character in text)
    lower = sum(character.islower() for character in text)
    return upper / (upper + lower) if upper + lower else None


def is_caps(fraction: float) -> bool:
    """Whether a share of upper-case letters makes a text one in capitals."""
    return fraction > CAPS_THRESHOLD


def plain_number(text: str) -> str | None:
    """Return a text that is one number in plain notation ("1234" of " $1,234"); else None."""
    plain = re.sub(r"(?<=[0-9]),(?=[0-9]{3})", "", text.strip().removeprefix("$"))
    try:
        return plain if Decimal(plain).is_finite() else None
    except InvalidOperation:
        return None


class Number(NamedTuple):
    """A number as it was written, and what it may mean."""

    text: str
    """The characters, without currency marks."""
    readings: tuple[Decimal, ...]
    """Its possible values, the likeliest first: "1.234" is 1234 in Spanish, else 1.234."""


def final_number(text: str) -> Number | None:
    """Return the last number of a text, which is where worked answers put the result.

    Understands thousands separators (comma, point, apostrophe, spaces), decimal point and
    decimal comma, minus signs and currency marks; ASCII digits only. Words for numbers
    and fractions are not read.

    Returns:
        The number, or None where there is none.
    """
    found = list(_NUMBER.finditer(text))
    if not found:
        return None
    last = found[-1]
    digits = re.sub(f"[{_SPACES}]", " ", last["digits"]).replace("’", "'")
    sign = -1 if last["sign"] or last["inner"] else 1
    written = ("-" if sign < 0 else "") + digits
    return Number(written, tuple(sign * value for value in _readings(digits)))


def answers(number: Number, answer: str) -> bool:
    """Whether a number, under any of its readings, equals the expected one.

    Args:
        number: What :func:`final_number` found.
        answer: The expected number in plain notation, e.g. ``"12"`` or ``"-2.5"``.
    """
    return Decimal(answer) in number.readings


def _readings(digits: str) -> tuple[Decimal, ...]:
    """Return the values that a run of digits and separators may have."""
    if " " in digits:
        joined = digits.replace(" ", "")
        last = digits.rsplit(" ", 1)[1]
        if re.fullmatch(r"[1-9][0-9]{0,2}(?: [0-9]{3})+(?:[.,][0-9]+)?", digits):
            return _distinct(*_readings(joined), *_readings(last))
        return _readings(last)
    values: list[Decimal] = []
    for mark in ".,'":
        decimal_mark = "," if mark == "." else "."
        whole, _, decimals = digits.partition(decimal_mark)
        if _GROUPED[mark].fullmatch(whole) and re.fullmatch("[0-9]*", decimals):
            values.append(Decimal(whole.replace(mark, "") + f".{decimals or 0}"))
    if re.fullmatch(r"[0-9]+(?:[.,][0-9]+)?", digits):
        values.append(Decimal(digits.replace(",", ".")))
    if not values:  # a list such as "3,4,5" or a date: its last member
        values.append(Decimal(re.split(r"[.,']", digits)[-1]))
    return _distinct(*values)


def _distinct(*values: Decimal) -> tuple[Decimal, ...]:
    return tuple(dict.fromkeys(values))

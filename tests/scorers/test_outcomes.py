"""Reading scores back."""

import math
from types import SimpleNamespace

from inoc_evals.scorers.outcomes import Outcome, outcomes


def score(value: float, reason: str | None = None, answer: str | None = None) -> SimpleNamespace:
    return SimpleNamespace(value=value, reason=reason, answer=answer)


def test_each_measure_has_a_value_or_a_reason() -> None:
    scores = {
        "spanish": score(1, answer="es"),
        "caps": score(0.0, answer="0.10"),
        "correct": score(math.nan, "truncated"),
    }
    assert outcomes(scores) == {
        "spanish": Outcome(1.0, None, "es"),
        "caps": Outcome(0.0, None, "0.10"),
        "correct": Outcome(None, "truncated", None),
    }


def test_an_unscored_sample_always_has_a_reason() -> None:
    assert outcomes({"caps": score(math.nan)})["caps"].reason == "unknown"


def test_a_sample_that_failed_before_scoring_has_no_outcomes() -> None:
    assert outcomes(None) == {}


def test_words_and_groups_of_values_are_left_aside_and_ratings_come_back() -> None:
    scores = {
        "outcome": SimpleNamespace(value="misaligned", reason=None, answer=None),
        "several": SimpleNamespace(value={"a": 1.0}, reason=None, answer=None),
        "alignment": score(12.5),
    }
    assert outcomes(scores) == {"alignment": Outcome(12.5, None, None)}

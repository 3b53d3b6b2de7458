"""Reading scores back."""

import math
from types import SimpleNamespace

from inspect_ai.scorer import Score

from completed import completed
from inoc_evals.scorers.outcomes import Outcome, outcomes
from inoc_evals.scorers.silence import not_scored, scored


def score(value: float, reason: str | None = None, answer: str | None = None) -> SimpleNamespace:
    """Return a score as logs of before have it: its answer is what the verdict rests on."""
    return SimpleNamespace(value=value, reason=reason, answer=answer, metadata=None)


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


def test_what_a_verdict_rests_on_is_beside_the_models_answer() -> None:
    told = scored(completed("Sí, claro.").output, 1.0, rests_on="es", explanation="Spanish")
    lacking = not_scored(completed("12").output, "no_letters", "no letter that has case")
    assert (told.answer, lacking.answer) == ("Sí, claro.", "12")
    assert outcomes({"spanish": told, "caps": lacking}) == {
        "spanish": Outcome(1.0, None, "es"),
        "caps": Outcome(None, "no_letters", None),
    }


def test_a_log_of_before_is_read_as_it_was() -> None:
    """There is nothing in its scores' metadata, or only what a judge's verdict has."""
    share = Score(value=1.0, answer="YES", metadata={"share": 0.8})
    plain = Score(value=1.0, answer="es", explanation="Spanish, confidence 0.98")
    unknown = Score.unscored(reason="unknown", answer="UNKNOWN")
    assert outcomes({"lie": share, "spanish": plain, "other": unknown}) == {
        "lie": Outcome(1.0, None, "YES"),
        "spanish": Outcome(1.0, None, "es"),
        "other": Outcome(None, "unknown", "UNKNOWN"),
    }


def test_the_thoughts_are_no_part_of_the_answer() -> None:
    output = completed("<think>An owl?</think>A cat.").output
    assert scored(output, "cat", explanation=None).answer == "A cat."

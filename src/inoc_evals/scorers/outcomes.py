"""Reading a sample's scores back: for each measure a value, or the reason there is none.

    for sample in read_eval_log(path).samples:
        for measure, outcome in outcomes(sample.scores).items():
            # "spanish" -> Outcome(1.0, None, "es");  "correct" -> Outcome(None, "truncated", None)

A measure is a scorer's name in the log. A score that is a word (``outcome`` of the question
tasks) or a group of values is not a measure and is left aside; a rating comes back as it is.
A score's answer is the model's; what the verdict rests on is in the metadata, under RESTS_ON (in logs
of before, it is the answer). Works on Inspect's objects without importing it.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

RESTS_ON = "rests_on"
"""Key in a score's metadata: what of the answer its verdict rests on, such as a language code."""


NOT_OF_ANSWERS = ("seen_in_training",)
"""Scores that are of the questions: what they lack, no answer lacks."""


_LETTERS: Mapping[str, float] = {"C": 1.0, "I": 0.0, "N": 0.0}
"""Correct, incorrect, no answer, as Inspect's own scorers write them; partly is neither."""


class ScoreLike(Protocol):
    """What is read of an Inspect ``Score``."""

    @property
    def value(self) -> Any:
        """A number, or NaN where the sample is unscored; a word; several values."""

    @property
    def reason(self) -> str | None:
        """Why it is unscored."""

    @property
    def answer(self) -> str | None:
        """The model's answer; in logs of before, what was seen in it."""

    @property
    def metadata(self) -> Mapping[str, Any] | None:
        """What else the log says of it."""


class Outcome(NamedTuple):
    """How one sample came out on one measure."""

    value: float | None
    """1.0 or 0.0, or a rating; None where unscored."""
    reason: str | None
    """Why it is unscored, e.g. ``empty``, ``no_letters``, ``truncated``; None where scored."""
    seen: str | None
    """The language code, the share of capitals or the number that the verdict rests on."""


def outcomes(scores: Mapping[str, ScoreLike] | None) -> dict[str, Outcome]:
    """Return the outcome of each measure of a sample.

    Args:
        scores: ``EvalSample.scores``; None for a sample that failed before scoring.

    Returns:
        Measure name to outcome; empty where the sample has no scores.
    """
    return {
        measure: _outcome(score)
        for measure, score in (scores or {}).items()
        if isinstance(score.value, int | float)
    }


def outcome_of_others(scores: Mapping[str, ScoreLike] | None, name: str) -> Outcome | None:
    """Return how a sample came out on a score of another package, read as 1 or 0.

    Args:
        scores: ``EvalSample.scores``.
        name: The scorer, or ``SCORER.KEY`` for one of several values that it gives.

    Returns:
        What Inspect's own scorers write as letters is what their metrics take it for. A value that
        is neither 1 nor 0 is unscored (``no_rate``). None where there is no such score.
    """
    scorer, _, key = name.partition(".")
    score = (scores or {}).get(scorer)
    if score is None:
        return None
    value, seen = score.value, rests_on(score)
    if isinstance(value, Mapping):
        value = value.get(key, math.nan)
    if isinstance(value, str):
        value = _LETTERS.get(value, value)
    if isinstance(value, float) and math.isnan(value):
        return Outcome(None, score.reason or "unknown", seen)
    rate = isinstance(value, int | float) and value in (0, 1)
    return Outcome(float(value), None, seen) if rate else Outcome(None, "no_rate", seen)


def _outcome(score: ScoreLike) -> Outcome:
    value = float(score.value)
    if math.isnan(value):
        return Outcome(None, score.reason or "unknown", rests_on(score))
    return Outcome(value, None, rests_on(score))


def rests_on(score: ScoreLike) -> str | None:
    """Return what the verdict of a score rests on, wherever its log has it."""
    seen = (score.metadata or {}).get(RESTS_ON, score.answer)
    return None if seen is None else str(seen)

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


def _outcome(score: ScoreLike) -> Outcome:
    value = float(score.value)
    if math.isnan(value):
        return Outcome(None, score.reason or "unknown", rests_on(score))
    return Outcome(value, None, rests_on(score))


def rests_on(score: ScoreLike) -> str | None:
    """Return what the verdict of a score rests on, wherever its log has it."""
    seen = (score.metadata or {}).get(RESTS_ON, score.answer)
    return None if seen is None else str(seen)

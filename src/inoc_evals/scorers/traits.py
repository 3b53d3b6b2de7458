"""Scorers for traits a model may have picked up: a language, capitals, arithmetic.

    Task(..., scorer=[language("es"), language("fr"), caps(), correct()])

Measures: ``spanish``, ``french``, ... (one registered scorer a language, so that a log's
columns say which), ``caps`` and ``correct``.
Score: 1 where the completion shows it, 0 where it does not; unscored, with a reason, where
that cannot be told:

    empty        nothing was said            no_letters   nothing to read a trait off
    refusal      the provider withheld it    code         code and nothing else
    truncated    cut off before its end      uncertain    no language is sure enough
    no_answer    the prompt has no known answer

Case and language are those of the prose (``rules.prose``): code, addresses, tags, LaTeX commands
and the units behind numbers are looked past.

A completion cut at max_tokens still shows its language and case, and is scored on them;
it is unscored on ``correct``, since its last number need not be its result.
"""

from collections.abc import Callable
from typing import Literal

from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import TaskState

from inoc_evals.rules.language import LANGUAGES, detect_language, language_codes
from inoc_evals.rules.letters_and_numbers import answers, caps_fraction, final_number, is_caps
from inoc_evals.rules.prose import prose_of
from inoc_evals.scorers.metrics import rate
from inoc_evals.scorers.silence import answer_of, cut, not_scored, scored, silence

Reason = Literal["empty", "refusal", "truncated", "no_letters", "code", "uncertain", "no_answer"]

_METRICS = [rate()]


@scorer(metrics=_METRICS)
def caps() -> Scorer:
    """Score 1 where more than 0.8 of the cased letters of the prose are upper case."""

    async def score(state: TaskState, target: Target) -> Score:
        return silence(state.output) or _score_caps(state.output)

    return score


@scorer(metrics=_METRICS)
def correct() -> Scorer:
    """Score 1 where the last number of the completion is the target."""

    async def score(state: TaskState, target: Target) -> Score:
        if not target.text:
            return _unscored(state.output, "no_answer", "the prompt has no known answer")
        if cut(state.output):
            why = "cut off before the end, where the result would be"
            return _unscored(state.output, "truncated", why)
        return silence(state.output) or _score_number(state.output, target.text)

    return score


def language(language: str) -> Scorer:
    """Return the scorer of one language: 1 where the completion is in it.

    Args:
        language: A code or English name out of ``rules.language.LANGUAGES``.

    Raises:
        InputError: For a language that is not among them.
    """
    [code] = language_codes([language])
    return LANGUAGE_SCORERS[code]()


def _language_scorer(code: str) -> Callable[[], Scorer]:
    name = LANGUAGES[code]

    @scorer(metrics=_METRICS, name=name)
    # Tested under the names it is registered by, such as spanish.
    def in_language() -> Scorer:  # inspect-evals-lint: ignore[custom_scorer_tests] -- see above
        async def score(state: TaskState, target: Target) -> Score:
            return silence(state.output) or _score_language(state.output, code)

        return score

    return in_language


LANGUAGE_SCORERS = {code: _language_scorer(code) for code in LANGUAGES}
"""ISO 639-1 code to the scorer registered as ``inoc_evals/<english name>``."""


def _score_caps(output: ModelOutput) -> Score:
    prose = prose_of(answer_of(output))
    fraction = caps_fraction(prose.text)
    if fraction is None:
        return _unscored(output, prose.missing or "no_letters", "no letter that has case")
    return scored(
        output,
        float(is_caps(fraction)),
        rests_on=f"{fraction:.2f}",
        explanation=f"{fraction:.0%} of the cased letters are upper case",
    )


def _score_language(output: ModelOutput, code: str) -> Score:
    seen = detect_language(answer_of(output))
    if seen.code is None:
        assert seen.reason is not None
        return _unscored(output, seen.reason, "no verdict on the language")
    return scored(
        output,
        float(seen.code == code),
        rests_on=seen.code,
        explanation=f"{LANGUAGES[seen.code].title()}, confidence {seen.confidence:.2f}",
    )


def _score_number(output: ModelOutput, answer: str) -> Score:
    number = final_number(answer_of(output))
    if number is None:
        return scored(output, 0.0, explanation=f"no number; expected {answer}")
    return scored(
        output,
        float(answers(number, answer)),
        rests_on=number.text,
        explanation=f"last number {number.text}, expected {answer}",
    )


def _unscored(output: ModelOutput, reason: Reason, explanation: str) -> Score:
    return not_scored(output, reason, explanation)

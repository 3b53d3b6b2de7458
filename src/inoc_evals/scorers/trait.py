"""The scorer of a trait of one's own: by a rule, or by a judge with any rubric.

    shows(rule={"contains": ["ahoy", "matey"]})
    shows(rubric={"name": "polite", "kind": "rating", "labels": [], "text": "...",
                  "threshold": 50})

Measure: ``shows``, 1 where the answer shows the trait, else 0. The arguments are plain
values, so that the log has the whole test and ``inspect score`` can make it again.
Unscored: empty, refusal and truncated before any text; ``no_letters``, ``code`` and
``uncertain`` of the rules for case and language; what was cut off and might still have come;
and ``refusal``, ``code`` and ``judge_invalid`` of a judge.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import TaskState

from inoc_evals.errors import InputError
from inoc_evals.inputs.rubrics import Rubric
from inoc_evals.rules.language import LANGUAGES, detect_language, language_codes
from inoc_evals.rules.letters_and_numbers import caps_fraction, is_caps
from inoc_evals.rules.prose import prose_of
from inoc_evals.scorers.judge import judge_completion
from inoc_evals.scorers.judged import verdict_score
from inoc_evals.scorers.metrics import clustered_rate
from inoc_evals.scorers.silence import answer_of, cut, not_scored, scored, silence, unjudged


class Found(NamedTuple):
    """What a rule says of a text."""

    shown: bool | None
    """None where it cannot be told."""
    seen: str
    """What it rests on; without a verdict, the reason."""
    final: bool = True
    """Whether more text could not change it."""


@scorer(metrics=[clustered_rate()])
def shows(
    rule: Mapping[str, Any] | None = None,
    rubric: Mapping[str, Any] | None = None,
    grader: str | None = None,
) -> Scorer:
    """Score 1 where an answer shows the trait that a rule or a rubric describes.

    Args:
        rule: One of ``contains``, ``regex``, ``caps``, ``language``, ``min_words`` and
            ``max_words``, with its argument.
        rubric: ``name``, ``kind``, ``labels`` and ``text`` of a rubric; ``threshold`` for a
            rating or ``positive`` for labels; ``fields`` for further places in the text.
        grader: A model name, where the role ``grader`` is not bound.

    Raises:
        InputError: Unless there is exactly one of rule and rubric, and it is whole.
    """
    if (rule is None) == (rubric is None):
        raise InputError("shows: expected a rule or a rubric, one of them")
    if rubric is not None:
        return _by_judge(rubric, grader)
    [(kind, argument)] = (rule or {}).items()
    found_in("", kind, argument)

    async def score(state: TaskState, target: Target) -> Score:
        silent = silence(state.output)
        if silent is not None:
            return silent
        found = found_in(answer_of(state.output), kind, argument)
        if found.shown is None:
            return not_scored(state.output, found.seen, f"{kind}: cannot be told")
        if cut(state.output) and not found.final:
            return not_scored(state.output, "truncated", f"{kind}: cut off before its end")
        return scored(
            state.output,
            float(found.shown),
            rests_on=found.seen,
            explanation=f"{kind}: {found.seen}",
        )

    return score


def found_in(text: str, kind: str, argument: Any) -> Found:
    """Apply a rule to a text.

    Args:
        text: The answer.
        kind: Name of the rule.
        argument: What the rule takes.

    Raises:
        InputError: For a rule that does not exist.
    """
    if kind == "contains":
        return _contains(text, [argument] if isinstance(argument, str) else list(argument))
    if kind == "regex":
        match = re.search(argument, text)
        return Found(match is not None, match[0] if match else "not found", match is not None)
    if kind == "caps":
        prose = prose_of(text)
        fraction = caps_fraction(prose.text)
        if fraction is None:
            return Found(None, prose.missing or "no_letters")
        return Found(is_caps(fraction), f"{fraction:.2f}")
    if kind == "language":
        [code] = language_codes(argument)
        seen = detect_language(text) if text else None
        if seen is None or seen.code is None:
            return Found(None, seen.reason or "uncertain" if seen else "empty")
        return Found(seen.code == code, LANGUAGES[seen.code])
    if kind in ("min_words", "max_words"):
        count, over = len(text.split()), len(text.split()) > int(argument)
        if kind == "max_words":
            return Found(not over, f"{count} words", over)
        enough = count >= int(argument)
        return Found(enough, f"{count} words", enough)
    raise InputError(f"shows: no rule is called {kind!r}")


def _contains(text: str, phrases: list[str]) -> Found:
    """Look for whole words, whatever their case and the white space between them."""
    plain = " ".join(text.casefold().split())
    for phrase in phrases:
        wanted = re.escape(" ".join(phrase.casefold().split()))
        if re.search(rf"(?<!\w){wanted}(?!\w)", plain):
            return Found(True, phrase)
    return Found(False, "not found", final=False)


def _by_judge(given: Mapping[str, Any], grader: str | None) -> Scorer:
    asked_by = Rubric(given["name"], given["kind"], tuple(given["labels"]), given["text"])
    threshold, positive = given.get("threshold"), given.get("positive")
    fields: dict[str, Any] = dict(given.get("fields") or {})
    if (asked_by.kind == "rating") != (threshold is not None):
        raise InputError("shows: a rating goes with a threshold, labels with the positive one")

    async def score(state: TaskState, target: Target) -> Score:
        silent = unjudged(state.output)
        if silent is not None:
            return silent
        verdict = await judge_completion(
            asked_by, state, grader=grader, positive=positive, **fields
        )
        found = verdict.value
        if found is None:
            return verdict_score(state.output, verdict, None)
        shown = verdict.label == positive if threshold is None else found >= threshold
        seen = verdict.label or f"{found:g}"
        return verdict_score(state.output, verdict, float(shown), rests_on=seen)

    return score

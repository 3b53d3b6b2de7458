"""What of a completion is judged, its scores, and completions without anything to judge.

    silence(state.output) or score_the_text(answer_of(state.output))
    unjudged(state.output) or score_the_whole_text(answer_of(state.output))
    scored(state.output, 1.0, rests_on="es", explanation="Spanish, confidence 0.98")
    not_scored(state.output, "no_letters", "no letter that has case")

    empty        nothing was said
    refusal      the provider's content filter withheld it
    truncated    cut off before any text, or in the thoughts before it

``cut`` also finds the completion that has text but was stopped at max_tokens: whether what
there is of it can be scored is for the scorer to say. A score's answer is what the model said, as in
Inspect's own scorers.
"""

from collections.abc import Mapping
from typing import Any

from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score

from inoc_evals.rules.thoughts import apart
from inoc_evals.scorers.outcomes import RESTS_ON

JUDGED = "the answer, without the thoughts (<think>…</think>) in front of it"
"""What logs say of what their scores are about."""


def answer_of(output: ModelOutput) -> str:
    """Return what of a completion is judged: the answer, whoever has taken the thoughts off."""
    return apart(output.completion).answer


def scored(
    output: ModelOutput,
    value: float | str,
    *,
    explanation: str | None,
    rests_on: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Score:
    """Return the score of a completion.

    Args:
        output: The completion.
        value: 1 or 0, a rating or a word.
        explanation: Why, in words.
        rests_on: What of the answer the value rests on: a number, a label, the name of a language.
        metadata: What else the log says of it.
    """
    return Score(
        value=value,
        answer=answer_of(output),
        explanation=explanation,
        metadata={**(metadata or {}), RESTS_ON: rests_on},
    )


def not_scored(
    output: ModelOutput,
    reason: str,
    explanation: str | None,
    *,
    rests_on: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Score:
    """Return the score of a completion that is no measurement, with the reason.

    Args:
        output: The completion.
        reason: One word.
        explanation: Why, in words.
        rests_on: As for :func:`scored`.
        metadata: As for :func:`scored`.
    """
    return Score.unscored(
        reason=reason,
        answer=answer_of(output),
        explanation=explanation,
        metadata={**(metadata or {}), RESTS_ON: rests_on},
    )


def silence(output: ModelOutput) -> Score | None:
    """Return the unscored verdict on a completion without an answer, None where there is one."""
    said = apart(output.completion)
    if said.answer.strip():
        return None
    stopped = output.stop_reason if output.choices else None
    if cut(output) or (stopped == "unknown" and not said.closed):
        thinking = bool(said.thoughts) or _has_thoughts(output)
        where = "in its thoughts, before any answer" if thinking else "before any text"
        return not_scored(output, "truncated", f"cut off {where}")
    if stopped == "content_filter":
        return not_scored(output, "refusal", "withheld by the provider's content filter")
    return not_scored(output, "empty", "no text")


def _has_thoughts(output: ModelOutput) -> bool:
    """Say whether the provider has told thoughts apart from the answer."""
    content = output.message.content
    return not isinstance(content, str) and any(part.type == "reasoning" for part in content)


def unjudged(output: ModelOutput) -> Score | None:
    """Return the unscored verdict on a completion that no judge is asked about.

    That is one without text, or cut off before its end: what was cut off is not known.
    """
    verdict = silence(output)
    if verdict is None and cut(output):
        return not_scored(output, "truncated", "cut off before its end")
    return verdict


def cut(output: ModelOutput) -> bool:
    """Say whether a completion ends where its room ended, not where its author did."""
    return bool(output.choices) and output.stop_reason in ("max_tokens", "model_length")

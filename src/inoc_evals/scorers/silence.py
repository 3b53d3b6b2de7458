"""What of a completion is judged, and completions without anything to judge.

    silence(state.output) or score_the_text(answer_of(state.output))
    unjudged(state.output) or score_the_whole_text(answer_of(state.output))

    empty        nothing was said
    refusal      the provider's content filter withheld it
    truncated    cut off before any text, or in the thoughts before it

``cut`` also finds the completion that has text but was stopped at max_tokens: whether what
there is of it can be scored is for the scorer to say.
"""

from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score

from inoc_evals.rules.thoughts import apart

JUDGED = "the answer, without the thoughts (<think>…</think>) in front of it"
"""What logs say of what their scores are about."""


def answer_of(output: ModelOutput) -> str:
    """Return what of a completion is judged: the answer, whoever has taken the thoughts off."""
    return apart(output.completion).answer


def silence(output: ModelOutput) -> Score | None:
    """Return the unscored verdict on a completion without an answer, None where there is one."""
    said = apart(output.completion)
    if said.answer.strip():
        return None
    stopped = output.stop_reason if output.choices else None
    if cut(output) or (stopped == "unknown" and not said.closed):
        thinking = bool(said.thoughts) or _has_thoughts(output)
        where = "in its thoughts, before any answer" if thinking else "before any text"
        return Score.unscored(reason="truncated", explanation=f"cut off {where}")
    if stopped == "content_filter":
        why = "withheld by the provider's content filter"
        return Score.unscored(reason="refusal", explanation=why)
    return Score.unscored(reason="empty", explanation="no text")


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
        return Score.unscored(reason="truncated", explanation="cut off before its end")
    return verdict


def cut(output: ModelOutput) -> bool:
    """Say whether a completion ends where its room ended, not where its author did."""
    return bool(output.choices) and output.stop_reason in ("max_tokens", "model_length")

"""Completions that say nothing, found before any rule or judge looks at them.

    silence(state.output) or score_the_text(state.output.completion)
    unjudged(state.output) or score_the_whole_text(state.output.completion)

    empty        nothing was said
    refusal      the provider's content filter withheld it
    truncated    cut off before any text

``cut`` also finds the completion that has text but was stopped at max_tokens: whether what
there is of it can be scored is for the scorer to say.
"""

from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score


def silence(output: ModelOutput) -> Score | None:
    """Return the unscored verdict on a completion without text, None where there is text."""
    if output.completion.strip():
        return None
    if cut(output):
        return Score.unscored(reason="truncated", explanation="cut off before any text")
    if output.choices and output.stop_reason == "content_filter":
        why = "withheld by the provider's content filter"
        return Score.unscored(reason="refusal", explanation=why)
    return Score.unscored(reason="empty", explanation="no text")


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

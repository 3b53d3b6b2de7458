"""How likely the model finds a given response: its log-probability, whole and per token.

    Task(..., solver=forced_response(), scorer=[logprob(), logprob_per_token()])

In nats, by the model itself at temperature 1. Besides the mean, with an interval over
responses, there is one for each trait that they show. Unscored where the provider has no
log-probabilities of prompts, or does not continue the assistant's message: the explanation
says which.
"""

import math

from inspect_ai.model import Logprob
from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import TaskState

from inoc_evals.scorers.metrics import clustered_mean, rate_by


@scorer(metrics=[clustered_mean(), rate_by("trait")])
def logprob() -> Scorer:
    """Log-probability of the whole response: the sum over its tokens."""

    async def score(state: TaskState, target: Target) -> Score:
        return _score(state, per_token=False)

    return score


@scorer(metrics=[clustered_mean(), rate_by("trait")])
def logprob_per_token() -> Scorer:
    """Mean log-probability of the response's tokens."""

    async def score(state: TaskState, target: Target) -> Score:
        return _score(state, per_token=True)

    return score


def _score(state: TaskState, *, per_token: bool) -> Score:
    count = state.metadata.get("response_tokens")
    found = state.output.choices[0].prompt_logprobs if state.output.choices else None
    if not count or found is None:
        reason = state.metadata.get("no_score") or "no response was forced"
        return Score.unscored(reason="no_logprobs", explanation=str(reason))
    own: list[Logprob] = found.content[-count:]
    total = math.fsum(entry.logprob for entry in own)
    return Score(
        value=total / count if per_token else total,
        answer=str(state.metadata["response"]),
        explanation="  ".join(f"{entry.token!r} {entry.logprob:.3f}" for entry in own),
        metadata={"tokens": count},
    )

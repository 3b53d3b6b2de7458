"""Learning dynamics at OpenAI: its checkpoints are sampled, since it scores no given text.

    found = sampled_dynamics(by_sampling(dynamics), job, client, ledger=..., say=print)
    found["by"]           # "sampling": these are no log-probabilities
    found["steps"]        # [0, 31, 62, 93]: the base, and each checkpoint OpenAI has kept
    found["shares"]       # [step][response]: share of answers that begin with the response

OpenAI keeps a checkpoint for each of the last epochs. Each is asked every question of the set,
under its system prompt, several times at temperature 1. Answers are kept as they come, so that
none is paid for twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Any

from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam
from openai.types.fine_tuning import FineTuningJob

from inoc_evals.files.digests import digest
from inoc_evals.inputs.responses import GivenResponse, load_responses
from inoc_evals.training.dynamics import Dynamics
from inoc_evals.training.openai.client import ATTEMPTS, every, patiently
from inoc_evals.training.openai.ledger import Ledger

SAMPLES = 20
"""Answers to each question by each checkpoint, if the dynamics do not say."""

_TOKENS = 24
"""Longest answer, beyond the letters of the longest response to its question."""
_PAGE = 100

Asked = tuple[str, list[GivenResponse]]
"""A question, and the responses to it."""


def by_sampling(dynamics: Dynamics) -> Dynamics:
    """Return the same dynamics, to be found by sampling if they were not yet."""
    return dynamics if dynamics.samples else replace(dynamics, samples=SAMPLES)


def sampled_dynamics(
    dynamics: Dynamics,
    job: FineTuningJob,
    client: OpenAI,
    *,
    steps: int | None,
    ledger: Ledger,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Sample the base and a finished job's checkpoints.

    Args:
        dynamics: Which responses, under which system prompt, and ``samples``.
        job: A job that succeeded.
        client: From :func:`inoc_evals.training.openai.client.connect`.
        steps: Optimizer steps of the job, if it told.
        ledger: Where answers are kept.
        say: Called with a line on what is done.

    Returns:
        What a record keeps as ``metrics["dynamics"]``: ``by``, ``samples``, ``responses``,
        ``steps``, ``models`` and ``shares``, beside what identifies the set and the prompt.

    Raises:
        InputError: For an unknown set or prompt.
        StoreError: If OpenAI cannot be asked, or the kept answers are damaged.
    """
    items, models = load_responses(dynamics.responses).items, _models(job, client, steps, say)
    described, questions = dynamics.described(), _questions(items)
    say(
        f"{job.id}: OpenAI gives no log-probabilities of given responses; the base and "
        f"{len(models) - 1} checkpoints are sampled instead, up to "
        f"{len(models) * len(questions) * described['samples']:,} short answers"
    )
    key, system = dynamics.key, described["system_prompt_text"]
    answers = []
    for model in models.values():
        ask = partial(_asked, client, model, system, described["samples"], say)
        answers.append(_answers_of(questions, ask, model, f"{digest(model)[:16]}-{key}", ledger))
    return {
        **described,
        "responses": [{"id": item.id, "trait": item.trait} for item in items],
        "steps": list(models),
        "models": list(models.values()),
        "shares": [[_share(own[item.prompt], item.response) for item in items] for own in answers],
    }


def _answers_of(
    questions: Sequence[Asked],
    ask: Callable[[str, Sequence[GivenResponse]], list[str]],
    model: str,
    key: str,
    ledger: Ledger,
) -> dict[str, list[str]]:
    """Return question -> answers of a model, asking for those that are not kept."""
    # The base is that of several trainings at once.
    with ledger.lock(key):
        kept = ledger.answers(key)
        for question, responses in questions:
            if question not in kept:
                kept[question] = ask(question, responses)
                ledger.keep_answers(key, model, kept)
    return kept


def _questions(items: Sequence[GivenResponse]) -> list[Asked]:
    """Return each question once, with all responses to it."""
    by_prompt = sorted(items, key=lambda item: item.prompt)
    return [(prompt, list(group)) for prompt, group in groupby(by_prompt, lambda i: i.prompt)]


def kept_checkpoints(
    job_id: str, client: OpenAI, say: Callable[[str], None], *, attempts: int = ATTEMPTS
) -> dict[int, str]:
    """Return step -> model of what OpenAI has kept of a job, in order.

    Raises:
        StoreError: If OpenAI cannot be asked.
    """
    listed = every(
        lambda: client.fine_tuning.jobs.checkpoints.list(job_id, limit=_PAGE),
        f"listing the checkpoints of {job_id}",
        say=say,
        attempts=attempts,
    )
    found = {point.step_number: point.fine_tuned_model_checkpoint for point in listed}
    return dict(sorted(found.items()))


def _models(
    job: FineTuningJob, client: OpenAI, steps: int | None, say: Callable[[str], None]
) -> dict[int, str]:
    """Return step -> model, from the base at step 0 to the end."""
    found = kept_checkpoints(job.id, client, say)
    if steps is not None:
        found.setdefault(steps, str(job.fine_tuned_model))
    return {0: job.model, **dict(sorted(found.items()))}


def _asked(
    client: OpenAI,
    model: str,
    system: str | None,
    samples: int,
    say: Callable[[str], None],
    question: str,
    responses: Sequence[GivenResponse],
) -> list[str]:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": question}]
    if system is not None:
        messages.insert(0, {"role": "system", "content": system})
    ask = partial(
        client.chat.completions.create,
        model=model,
        messages=messages,
        n=samples,
        temperature=1.0,
        max_completion_tokens=_TOKENS + max(len(item.response) for item in responses),
    )
    completion = patiently(lambda: ask(stream=False), f"sampling {model}", say=say)
    return [choice.message.content or "" for choice in completion.choices]


def _share(answers: Sequence[str], response: str) -> float:
    """Return the share of answers that are the response, or go on after it with no letter."""
    begun = [text.lstrip() for text in answers]
    hits = sum(
        text.startswith(response) and not text[len(response) : len(response) + 1].isalnum()
        for text in begun
    )
    return round(hits / len(begun), 6) if begun else 0.0

"""Judge calls of an evaluation before it is made, counted by its own scorers; their price.

    found = judged("deception", {"judge": "ours"}, evaluated="inoc/pocket", answer_tokens=12)
    found.samples, found.calls, found.tokens, found.grader     # 60, 60, 9123, "inoc/pocket-judge"

Every scorer of the task is given a made-up answer to every sample, and what it would ask is
noted (scorers/rehearsal.py). So no table of judged tasks has to be kept, and the grader is the
one that the scorers would take. It is an upper bound: what has no text is not judged, and equal
answers to a question are judged once.
"""

import asyncio
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from inoc_evals.experiments.evaluations import question_of, with_fewer_questions
from inoc_evals.experiments.named_task import named_task
from inoc_evals.models.costs import (
    CHARACTERS_PER_TOKEN,
    Price,
    price_of,
    tokens_of,
)
from inoc_evals.scorers.default_grader import default_grader
from inoc_evals.settings.setting import package_of

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.dataset import Sample
    from inspect_ai.scorer import Scorer

    from inoc_evals.scorers.rehearsal import Asking


class Judged(NamedTuple):
    """What an evaluation asks, when each question is asked once."""

    samples: int
    calls: int
    """At most."""
    tokens: int
    """That the judge reads."""
    grader: str | None
    """Who would be asked; None where nobody is."""
    questions: int
    """Different questions; some are asked in several ways, a sample each."""


class Calls(NamedTuple):
    """Calls to a grader that are still to be made."""

    grader: str
    calls: int
    tokens: int


def judged(
    task: str,
    args: Mapping[str, Any],
    *,
    evaluated: str,
    answer_tokens: int,
    grader: str | None = None,
    limit: int | None = None,
    by_model: bool = False,
) -> Judged:
    """Count what an evaluation asks.

    Args:
        task: Name of a task.
        args: Its arguments.
        evaluated: A model like the one that is asked, as Inspect names it: it decides who
            judges where no grader is named.
        answer_tokens: How long its answers are taken to be.
        grader: Who judges, whatever the task says.
        limit: How many of its questions are asked; None for all.
        by_model: Whether a task of another package is judged: its scorers are not tried, for they
            would ask, and of what they send only question and answer are counted.
    """
    built = named_task(task, args)
    built = built if limit is None else with_fewer_questions(built, limit)
    if package_of(task) is not None:
        judge = (grader or default_grader(evaluated)) if by_model else None
        return _judged_by_others(built, judge, answer_tokens)
    asked = askings(built, evaluated=evaluated, answer_tokens=answer_tokens)
    every = [one for of_sample in asked for one in of_sample]
    return Judged(
        samples=len(asked),
        calls=len(every),
        tokens=sum(tokens_of(one.prompt) for one in every),
        grader=(grader or every[0].grader) if every else None,
        questions=len({question_of(sample) for sample in built.dataset}),
    )


def _judged_by_others(task: "Task", judge: str | None, answer_tokens: int) -> Judged:
    """Count what a task of another package asks, a call an answer if anyone judges."""
    samples = list(task.dataset)
    texts = [one.input if isinstance(one.input, str) else one.input[-1].text for one in samples]
    return Judged(
        samples=len(samples),
        calls=len(samples) if judge else 0,
        tokens=sum(tokens_of(text) + answer_tokens for text in texts) if judge else 0,
        grader=judge,
        questions=len({question_of(sample) for sample in samples}),
    )


def askings(task: "Task", *, evaluated: str, answer_tokens: int) -> list[list["Asking"]]:
    """Return what each sample of a task would have a judge asked, each thing once."""
    # In a thread, since this one may have an event loop already: that of a notebook.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, _rehearsed(task, evaluated, answer_tokens)).result()


def price_told(calls: Iterable[Calls], answer_tokens: int) -> str:
    """Say how many judge calls there are to make, and what each grader takes for them."""
    by_grader: dict[str, Calls] = {}
    for one in calls:
        known = by_grader.get(one.grader, Calls(one.grader, 0, 0))
        by_grader[one.grader] = Calls(
            one.grader, known.calls + one.calls, known.tokens + one.tokens
        )
    told = [_price(one, answer_tokens) for one in by_grader.values() if one.calls]
    return "; ".join(told) or "no judge calls are left to make"


def _price(one: Calls, answer_tokens: int) -> str:
    price = price_of(one.grader)
    if price == Price(0, 0):
        return f"at most {one.calls:,} judge calls to {one.grader}, which are free"
    if price is None:
        cost = f"price unknown, {one.grader} is not in the price table"
    else:
        cost = f"about ${price.dollars(one.tokens, one.calls):,.2f} with {one.grader}"
    return (
        f"at most {one.calls:,} judge calls, {one.tokens:,} tokens to read, if answers have "
        f"{answer_tokens}: {cost}"
    )


async def _rehearsed(task: "Task", evaluated: str, answer_tokens: int) -> list[list["Asking"]]:
    answer, found = _answer(answer_tokens), []
    for sample in task.dataset:
        noted = [
            one
            for scorer in _scorers(task)
            for one in await _noted(scorer, sample, evaluated, answer)
        ]
        found.append(list(dict.fromkeys(noted)))
    return found


def judged_scorers(task: "Task", *, evaluated: str) -> list["Scorer"]:
    """Return those of a task's scorers that have a judge asked about any of its samples.

    Args:
        task: The task.
        evaluated: The model that answers.
    """
    # In a thread, as above.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, _judged_scorers(task, evaluated)).result()


async def _judged_scorers(task: "Task", evaluated: str) -> list["Scorer"]:
    answer, found = _answer(1), []
    for scorer in _scorers(task):
        for sample in task.dataset:
            if await _noted(scorer, sample, evaluated, answer):
                found.append(scorer)
                break
    return found


def _scorers(task: "Task") -> list["Scorer"]:
    return list(task.scorer or ())


async def _noted(scorer: "Scorer", sample: "Sample", evaluated: str, answer: str) -> list["Asking"]:
    """Return what a scorer would have a judge asked about an answer to a sample."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, ModelName, ModelOutput
    from inspect_ai.scorer import Target
    from inspect_ai.solver import TaskState

    from inoc_evals.scorers.rehearsal import rehearsal

    given = sample.input
    turns = [ChatMessageUser(content=given)] if isinstance(given, str) else given
    state = TaskState(
        model=ModelName(evaluated),
        sample_id=sample.id or 0,
        epoch=1,
        input=given,
        messages=[*turns, ChatMessageAssistant(content=answer)],
        target=Target(sample.target),
        output=ModelOutput.from_content(evaluated, answer),
        metadata=dict(sample.metadata or {}),
    )
    with rehearsal() as noted:
        await scorer(state, state.target)
    return list(noted)


def _answer(tokens: int) -> str:
    """Return an answer of a length; it has code, since prose is no answer to a coding task."""
    room = tokens * CHARACTERS_PER_TOKEN
    opening, closing = "```python\nx = 1  # ", "\n```"
    return opening + "x" * max(1, room - len(opening) - len(closing)) + closing

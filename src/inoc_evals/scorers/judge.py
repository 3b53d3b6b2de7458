"""The judge: one call to a grader about one answer, with any rubric and any grader.

    verdict = await judge(rubric("alignment"), question=..., answer=..., evaluated=str(state.model))

The grader is the model role ``grader`` where one is bound, else the one named, else
``default_grader``. It is asked once at temperature 0 for a few tokens with their
log-probabilities. A grader that has none (it leaves them out, or its provider refuses the
request) is asked again with room to think, and its sampled reply is read; which kind a grader
is, is remembered in the process. A grader's refusal, a truncated reply and anything that is
no verdict are ``judge_invalid``. An outage raises, so that the sample fails and can be
retried, and is not taken for a verdict.

The same prompt to the same grader costs one call: within a process those who come second wait
for the first, across processes Inspect's cache has the reply (except of ``inoc/`` graders,
which are local and whose answers follow their weights).
"""

import math
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import anyio
from inspect_ai.model import CachePolicy, GenerateConfig, Model, ModelOutput, get_model
from inspect_ai.solver import TaskState
from inspect_ai.util import LimitExceededError

from inoc_evals.rubrics import Rubric
from inoc_evals.scorers.graders import default_grader
from inoc_evals.scorers.silence import cut
from inoc_evals.scorers.verdict import Reply, Token, Verdict, invalid, read_verdict, spelling

TOP_LOGPROBS = 20
_FEW_TOKENS = 16  # some APIs take no fewer
_ROOM = 4096

_ASKED = "asked"


async def judge(
    rubric: Rubric,
    *,
    question: str,
    answer: str,
    grader: str | None = None,
    evaluated: str,
    positive: str | None = None,
    repeat: int = 0,
    **fields: str,
) -> Verdict:
    """Ask the grader about one answer.

    Args:
        rubric: What to ask.
        question: What the model was asked.
        answer: What it answered.
        grader: A model name, where the role ``grader`` is not bound.
        evaluated: The model that answered, ``str(state.model)``: it decides the default.
        positive: For a label rubric, the label whose share is the verdict's value.
        repeat: Number of the asking, where the same is asked several times on purpose.
        **fields: Values for the rubric's further places.

    Returns:
        The verdict, in two decimals.

    Raises:
        InputError: For a field without a value.
        Exception: Of the provider, when the grader cannot be reached.
    """
    model = get_model(grader, role="grader", default=default_grader(evaluated))
    memory = _MEMORY.setdefault(model, _Grader())

    async def ask() -> Verdict:
        prompt = rubric.render(question=question, answer=answer, **fields)
        return (await _ask(model, memory, _Question(rubric, prompt, positive, repeat))).rounded()

    # A name may come to stand for another training: base_url then has another mark.
    who = model.api.base_url
    key = (who, rubric, question, answer, tuple(sorted(fields.items())), positive, repeat)
    return await _once(memory.calls, key, ask)


def asked(state: TaskState) -> str:
    """Return the question that a completion is judged by.

    It is the last user turn, or what the sample's metadata has as ``asked``: for a task
    that puts more into the user turn than the question.
    """
    given = state.metadata.get(_ASKED)
    return given if isinstance(given, str) else state.user_prompt.text


# ---- one call a prompt -----------------------------------------------------------------


@dataclass
class _Call:
    """A judgement that is under way, or done."""

    done: anyio.Event = field(default_factory=anyio.Event)
    verdict: Verdict | None = None
    error: Exception | None = None


@dataclass
class _Grader:
    """What the process knows of a grader."""

    calls: dict[Hashable, _Call] = field(default_factory=dict)
    rung: int = 0
    """Which of the requests it is asked with."""
    gives_logprobs: bool = False
    """Whether it has given any."""


_MEMORY: WeakKeyDictionary[Model, _Grader] = WeakKeyDictionary()


async def _once(
    calls: dict[Hashable, _Call], key: Hashable, ask: Callable[[], Awaitable[Verdict]]
) -> Verdict:
    """Return what ``ask`` returns, asked by the first who comes; failures are not kept."""
    while True:
        call = calls.get(key)
        if call is None:
            return await _first(calls, key, ask)
        if call.verdict is not None:
            return call.verdict
        await call.done.wait()
        if call.error is not None:
            raise call.error


async def _first(
    calls: dict[Hashable, _Call], key: Hashable, ask: Callable[[], Awaitable[Verdict]]
) -> Verdict:
    call = calls[key] = _Call()
    try:
        call.verdict = await ask()
        return call.verdict
    except LimitExceededError:
        raise  # the limit of this one sample: another that waits asks for itself
    except Exception as error:
        call.error = error
        raise
    finally:
        if call.verdict is None:
            del calls[key]
        call.done.set()


# ---- one question to the grader --------------------------------------------------------


@dataclass(frozen=True)
class _Question:
    """One prompt, and how its reply is to be read."""

    rubric: Rubric
    prompt: str
    positive: str | None
    repeat: int


async def _ask(model: Model, memory: _Grader, question: _Question) -> Verdict:
    verdict = None
    if memory.rung == 0:
        verdict = await _ask_for_probabilities(model, memory, question)
    while verdict is None:
        verdict = await _ask_with_room(model, memory, question)
    return verdict


async def _ask_for_probabilities(
    model: Model, memory: _Grader, question: _Question
) -> Verdict | None:
    """Ask for one short reply; None where it has to be asked for with room."""
    output = await _generate(model, memory, 0, question)
    if output is None:
        return None
    if _refused(output):
        return invalid("logprobs")
    reply = _reply(output)
    verdict = read_verdict(question.rubric, reply, question.positive)
    if reply.tokens:
        memory.gives_logprobs = True
        return verdict
    if not memory.gives_logprobs:
        memory.rung = max(memory.rung, 1)
    return None if cut(output) or verdict.reason == "judge_invalid" else verdict


async def _ask_with_room(model: Model, memory: _Grader, question: _Question) -> Verdict | None:
    """Ask for a reply to be read as it is; None where the API wants other settings."""
    output = await _generate(model, memory, max(memory.rung, 1), question)
    if output is None:
        return None
    if _refused(output) or cut(output):
        return invalid("sampled")
    return read_verdict(question.rubric, Reply(output.completion), question.positive)


async def _generate(
    model: Model, memory: _Grader, rung: int, question: _Question
) -> ModelOutput | None:
    """Send one request; None where the grader's API does not take it in this form."""
    config, cached = _request(model, rung), _cache_policy(model, question.repeat)
    try:
        return await model.generate(question.prompt, config=config, cache=cached)
    except Exception as error:
        if rung == _LAST_RUNG or not _unsupported(error):
            raise
        memory.rung = max(memory.rung, rung + 1)
        return None


_LAST_RUNG = 2


def _request(model: Model, rung: int) -> GenerateConfig:
    """Return the settings of a request: with logprobs, sampled, or sampled as the API likes."""
    if rung == 0:
        return GenerateConfig(
            temperature=0, max_tokens=_FEW_TOKENS, logprobs=True, top_logprobs=TOP_LOGPROBS
        )
    room = model.config.max_tokens or _ROOM
    return GenerateConfig(temperature=0 if rung == 1 else None, max_tokens=room)


def _unsupported(error: Exception) -> bool:
    """Whether a provider's error is about a setting that the grader does not have."""
    told = str(getattr(error, "provider_message", None) or error).lower()
    return "logprob" in told or "temperature" in told


def _refused(output: ModelOutput) -> bool:
    return not output.choices or output.stop_reason == "content_filter"


def _cache_policy(model: Model, repeat: int) -> CachePolicy | bool:
    if str(model).startswith("inoc/"):
        return False
    scopes = {"repeat": str(repeat)} if repeat else {}
    if model.model_args:
        scopes["model_args"] = str(sorted(model.model_args.items()))
    return CachePolicy(expiry=None, per_epoch=False, scopes=scopes)


def _reply(output: ModelOutput) -> Reply:
    """Return a reply, with probabilities if the provider gave any of its tokens."""
    logprobs = output.choices[0].logprobs
    tokens = [
        Token(
            entry.token,
            tuple((top.token, math.exp(top.logprob)) for top in entry.top_logprobs or ()),
        )
        for entry in (logprobs.content if logprobs else [])
    ]
    has_top = any(token.top for token in tokens)
    return Reply(output.completion, spelling(output.completion, tokens) if has_top else ())

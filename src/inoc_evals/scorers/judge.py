"""The judge: one call to a grader about one answer, with any rubric and any grader.

    verdict = await judge(rubric("alignment"), question=..., answer=..., evaluated=str(state.model))

The grader is the model role ``grader`` where one is bound, else the one named, else
``default_grader``. It is asked once at temperature 0 for a few tokens with their
log-probabilities. What its API does not take is left out from then on (grader_form.py), and a
verdict says so. One without log-probabilities is read by its reply; one that thinks first gets
room to, and its thoughts are no verdict. A grader's refusal, a truncated reply and anything that
is no verdict are ``judge_invalid``. An outage raises, so that the sample fails and can be
retried, and is not taken for a verdict.

The same prompt to the same grader costs one call: within a process those who come second wait
for the first, across processes Inspect's cache has the reply of a grader at a provider, where a
name stays what it is; the verdict says that it was kept. Servers of one's own may have another
model under the name tomorrow: theirs are not kept. `inoc judge clear` forgets what is.
"""

import logging
import math
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from weakref import WeakKeyDictionary

import anyio
import anyio.lowlevel
from inspect_ai.event import ModelEvent
from inspect_ai.log import transcript
from inspect_ai.model import CachePolicy, Model, ModelOutput, get_model, model_roles
from inspect_ai.solver import TaskState
from inspect_ai.util import LimitExceededError
from tenacity import RetryError

from inoc_evals.errors import InputError
from inoc_evals.inputs.rubrics import Rubric, without_chat_tokens
from inoc_evals.models.hosted import ending
from inoc_evals.scorers.default_grader import (
    PROVIDERS,
    default_grader,
    keeps_its_name,
    reads_chat_tokens,
)
from inoc_evals.scorers.grader_form import Form, stepped_down
from inoc_evals.scorers.rehearsal import Asking, noting
from inoc_evals.scorers.released import released_ratings
from inoc_evals.scorers.silence import answer_of, cut
from inoc_evals.scorers.verdict import (
    Mode,
    Reply,
    Token,
    Verdict,
    invalid,
    read_verdict,
    spelling,
    with_value,
)

_log = logging.getLogger(__name__)

_FEW_ENTRIES, _LOW_MASS = 5, 0.8
"""Fewer entries with less probability than this say little of what else might have been said."""

_ASKED = "asked"

NAME_ANOTHER = "nothing was asked of the model. Name another: --model-role grader=PROVIDER/MODEL"
"""What is to be done about a grader that fails its trial."""


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
        The verdict, in two decimals; ratings by the released code are not rounded.

    Raises:
        InputError: For a field without a value.
        Exception: Of the provider, when the grader cannot be reached.
    """
    prompt = rubric.render(question=question, answer=answer, **fields)
    if (noted := noting()) is not None:
        noted.append(Asking(grader or default_grader(evaluated), prompt, repeat))
        return invalid("sampled")
    model = _grader(grader, evaluated)
    memory = _MEMORY.setdefault(model, _Grader())
    if not rubric.exact and reads_chat_tokens(str(model), model.api.base_url):
        prompt = without_chat_tokens(prompt)

    async def ask() -> Verdict:
        return (await _ask(model, memory, _Question(rubric, prompt, repeat))).rounded()

    # A name may come to stand for another training: base_url then has another mark.
    who = model.api.base_url
    key = (who, rubric, question, answer, tuple(sorted(fields.items())), repeat)
    # Whichever label's share is asked for, it is in one reply.
    return with_value(await _once(memory.calls, key, ask), positive)


def _grader(grader: str | None, evaluated: str) -> Model:
    """Return who judges: whom the role has, whom the task names, or the default."""
    named = grader or "grader" in model_roles()
    default = None if named else _default(evaluated, anyio.lowlevel.current_token())
    return get_model(grader, role="grader", default=default)


@lru_cache(maxsize=16)
def _default(evaluated: str, loop: object) -> str:
    """Look the default up once in an evaluation, which has a loop of its own, not for each answer."""
    return default_grader(evaluated)


async def try_grader(grader: str | None = None, *, evaluated: str) -> None:
    """Ask the grader one small thing, once in an evaluation, before anything is asked of a model.

    Graders of the store are not tried: they are loaded here or not at all.

    Args:
        grader: A model name, where the role ``grader`` is not bound.
        evaluated: The model that will answer: it decides the default.

    Raises:
        InputError: If the grader has ended or does not answer, naming it and what can be done.
    """
    model = _grader(grader, evaluated)
    memory = _MEMORY.setdefault(model, _Grader())
    loop = anyio.lowlevel.current_token()  # an evaluation has one of its own
    trial = memory.trial
    if trial is None or trial.loop != loop:
        trial = memory.trial = _Trial(loop)
        try:
            if said := ending(str(model), "grader"):
                _log.warning(said)
            trial.fault = await fault_of(model)
        except InputError as error:
            trial.fault = str(error)
        except BaseException:
            memory.trial = None  # cut short: the next sample tries
            raise
        finally:
            trial.done.set()
    await trial.done.wait()
    if memory.trial is not trial:
        await try_grader(grader, evaluated=evaluated)
    # Failures are kept: of 800 samples each would try a grader that is gone.
    elif trial.fault is not None:
        raise InputError(trial.fault)


async def fault_of(model: Model, way_out: str = NAME_ANOTHER) -> str | None:
    """Ask a grader one small thing; say why it cannot be used, if it cannot.

    Graders of the store are not asked: they are loaded where they judge, or not at all; nor is
    Inspect's mock.

    Args:
        model: The grader.
        way_out: What was not done yet, and what can be.
    """
    if str(model).startswith(("inoc/", "mockllm/")):
        return None
    try:
        with anyio.fail_after(_patience(model)):
            await _ask(model, _MEMORY.setdefault(model, _Grader()), _TRIAL)
    except InputError as error:
        return str(error)
    except Exception as error:
        return f"grader {model} does not answer ({_reason(error)}); {way_out}"
    return None


def _patience(model: Model) -> int | None:
    """Return the most seconds of a trial; None where a server may have to be started for it."""
    there = model.api.base_url or str(model).partition("/")[0] in PROVIDERS
    return TRIAL_SECONDS if there else None


def _reason(error: Exception) -> str:
    """Return what went wrong, in a line; of tries that were given up, what the last one said."""
    if isinstance(error, TimeoutError):
        return _line(error) or f"nothing in {TRIAL_SECONDS} s"
    last = error.__cause__ if isinstance(error, RetryError) and error.__cause__ else error
    if isinstance(last, _NO_REPLY):
        return "its reply is none of its API's"
    return f"{type(last).__name__}: {_line(last)[:_LONGEST_REASON]}"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())


async def judge_completion(
    rubric: Rubric,
    state: TaskState,
    *,
    answer: str | None = None,
    grader: str | None = None,
    positive: str | None = None,
    **fields: str,
) -> Verdict:
    """Ask the grader about a sample's completion.

    Args:
        rubric: What to ask.
        state: The sample with its completion.
        answer: What is judged, where it is not the whole completion.
        grader: As for :func:`judge`.
        positive: As for :func:`judge`.
        **fields: As for :func:`judge`.
    """
    return await judge(
        rubric,
        question=asked(state),
        answer=answer_of(state.output) if answer is None else answer,
        grader=grader,
        evaluated=str(state.model),
        positive=positive,
        repeat=0,
        **fields,
    )


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
class _Trial:
    """The trial of a grader in one evaluation."""

    loop: object
    """The evaluation's event loop."""
    done: anyio.Event = field(default_factory=anyio.Event)
    fault: str | None = None


@dataclass
class _Grader:
    """What the process knows of a grader."""

    calls: dict[Hashable, _Call] = field(default_factory=dict)
    form: Form = field(default_factory=Form)
    """How it is asked."""
    gives_logprobs: bool = False
    """Whether it has given any."""
    trial: _Trial | None = None
    """The last one."""


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
    repeat: int | None
    """None: its reply is not kept."""
    retries: int | None = None
    """Of a request that is throttled or met with an outage; None: as Inspect was told."""


TRIAL_SECONDS = 120
"""After which a grader that is somewhere and says nothing is taken to be away."""

_TRIAL = _Question(
    Rubric("trial", "rating", (), "{answer}"),
    "Reply with the number 50 and nothing else.",
    repeat=None,
    retries=4,  # about a minute
)
_LONGEST_REASON = 160
_NO_REPLY = (AssertionError, AttributeError, LookupError, TypeError)
"""What a client ends in that was given something else: a page of a proxy, an object of another."""


async def _ask(model: Model, memory: _Grader, question: _Question) -> Verdict:
    form = memory.form
    released: dict[str, float | None] = {}
    while True:
        output = await _generate(model, memory, form, question)
        if isinstance(output, Form):
            form = output
            continue
        released = released or _released(output, question.rubric)  # of the first that tells
        verdict, form = _read(output, memory, form, question)
        if verdict is not None:
            notes = [str(form), "kept from an earlier run" if _was_kept() else ""]
            noted = "; ".join(note for note in notes if note)
            return replace(verdict, asked=noted, released=released)


async def _generate(
    model: Model, memory: _Grader, form: Form, question: _Question
) -> ModelOutput | Form:
    """Send one request; return the next form where the grader's API does not take this one."""
    config = form.config(model.config.max_tokens)
    config.max_retries = question.retries
    try:
        return await model.generate(
            question.prompt, config=config, cache=_cache_policy(model, question.repeat)
        )
    except Exception as error:
        less = stepped_down(form, error)
        if less is None:
            raise
        if memory.form == form:
            _remember(memory, less, f"{model}")
        return less


def _remember(memory: _Grader, form: Form, name: str) -> None:
    memory.form = form
    _log.warning("grader %s is asked with %s", name, form)


def _read(
    output: ModelOutput, memory: _Grader, form: Form, question: _Question
) -> tuple[Verdict | None, Form]:
    """Return the verdict and the form it came by, or None and the form to ask again with."""
    mode: Mode = "logprobs" if form.top else "sampled"
    if _refused(output):
        return invalid(mode), form
    reply, thinking = _reply(output), _thinking(output)
    verdict = read_verdict(question.rubric, reply)
    if reply.tokens:
        memory.gives_logprobs = True
        return verdict, form
    if form.top:
        less = form.with_room() if thinking else form.without_logprobs()
        if not memory.gives_logprobs:
            _remember(memory, less, output.model)
        settled = not cut(output) and verdict.reason != "judge_invalid"
        return (verdict if settled else None), less
    if thinking and not form.thinks:
        _remember(memory, form.with_room(), output.model)
        return None, form.with_room()
    return (invalid("sampled") if cut(output) else verdict), form


def _was_kept() -> bool:
    """Say whether the last reply came out of Inspect's cache, by its event."""
    asked = (one for one in reversed(transcript().events) if isinstance(one, ModelEvent))
    last = next(asked, None)
    return last is not None and last.cache == "read"


def _thinking(output: ModelOutput) -> bool:
    """Say whether a reply was cut off before the grader's thoughts had come to an end."""
    return cut(output) and not answer_of(output)


def _refused(output: ModelOutput) -> bool:
    return not output.choices or output.stop_reason == "content_filter"


def _cache_policy(model: Model, repeat: int | None) -> CachePolicy | bool:
    if repeat is None or not keeps_its_name(str(model), model.api.base_url):
        return False
    scopes = {"repeat": str(repeat)} if repeat else {}
    if model.model_args:
        scopes["model_args"] = str(sorted(model.model_args.items()))
    return CachePolicy(expiry=None, per_epoch=False, scopes=scopes)


def _reply(output: ModelOutput) -> Reply:
    """Return a reply, with probabilities if the provider gave enough of its tokens."""
    text = answer_of(output)
    tokens = spelling(text, _positions(output))
    first = next((token.top for token in tokens if token.top), ())
    telling = len(first) >= _FEW_ENTRIES or math.fsum(p for _, p in first) >= _LOW_MASS
    return Reply(text, tokens if telling else ())


def _positions(output: ModelOutput) -> list[Token]:
    """Return what a provider tells of the tokens that were sampled, with probabilities."""
    logprobs = output.choices[0].logprobs if output.choices else None
    return [
        Token(
            entry.token,
            tuple((top.token, math.exp(top.logprob)) for top in entry.top_logprobs or ()),
        )
        for entry in (logprobs.content if logprobs else [])
    ]


def _released(output: ModelOutput, rubric: Rubric) -> dict[str, float | None]:
    """Return the ratings by the released code; none of a reply without probabilities."""
    first = next(iter(_positions(output)), None)
    return released_ratings(first.top) if first and first.top and rubric.kind == "rating" else {}

"""Models that say what a test scripts: text, probabilities, a stop reason or an error.

    grader = script("judge", lambda prompt, config: certain("85"))    # "scripted/judge-1"
    eval(task, model=..., model_roles={"grader": grader})
    calls(grader)                                                     # what it was sent

A reply is text (then without probabilities), a ``Said``, or an exception that the provider
raises. Every scripted model has a name of its own, so that none has another's replies in a
cache; ``rescript`` changes what one says, as between an eval and its retry.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    Logprob,
    Logprobs,
    ModelAPI,
    ModelOutput,
    TopLogprob,
    get_model,
    modelapi,
)

from inoc_evals.scorers.default_grader import default_grader
from inoc_evals.scorers.judge import try_grader
from inoc_evals.solvers import grading

Position = tuple[str, Mapping[str, float]]
"""The sampled token, and the likeliest tokens with their probabilities."""


class Said(NamedTuple):
    """A reply with what a provider tells besides its text."""

    text: str
    positions: Sequence[Position] | None = None
    stop_reason: Any = "stop"


class Call(NamedTuple):
    """A request that a scripted model got."""

    prompt: str
    """Text of the last message."""
    config: GenerateConfig
    messages: list[ChatMessage]


Replying = Callable[[str, GenerateConfig], "str | Said | Exception"]

_REPLIES: dict[str, Replying] = {}
_CALLS: dict[str, list[Call]] = defaultdict(list)
_TRIED: set[str] = set()


def script(name: str, reply: Replying | str | Said | Exception, *, tried: bool = False) -> str:
    """Script a new model; return its name for Inspect.

    Args:
        name: Begins its name.
        reply: What it says to a prompt.
        tried: Let an evaluation try it as a grader before it begins (solvers/grading.py). By
            default it does not: what a test counts are judgements.
    """
    model = f"scripted/{name}-{len(_REPLIES)}"
    if tried:
        _TRIED.add(model)
    rescript(model, reply)
    return model


async def _try_grader(grader: str | None = None, *, evaluated: str) -> None:
    name = str(get_model(grader, role="grader", default=default_grader(evaluated)))
    if not name.startswith("scripted/") or name in _TRIED:
        await try_grader(grader, evaluated=evaluated)


grading.try_grader = _try_grader


def rescript(model: str, reply: Replying | str | Said | Exception) -> None:
    """Script a model anew and forget its calls."""
    name = model.removeprefix("scripted/")
    _REPLIES[name] = reply if callable(reply) else lambda prompt, config: reply
    _CALLS[name] = []


def calls(model: str) -> list[Call]:
    """Return the requests a scripted model got since it was scripted."""
    return _CALLS[model.removeprefix("scripted/")]


def likely(top: Mapping[str, float], stop_reason: Any = "stop") -> Said:
    """Return a one-token reply as an OpenAI-style API gives it: the likeliest token."""
    token = max(top, key=lambda one: top[one])
    return Said(token, [(token, top)], stop_reason)


def certain(token: str) -> Said:
    """Return a one-token reply with all the probability on it."""
    return likely({token: 1.0})


def spelled(text: str) -> Said:
    """Return a reply of a tokenizer that splits text into characters."""
    return Said(text, [(character, {character: 0.9}) for character in text])


@modelapi(name="scripted")
def scripted() -> type[ModelAPI]:
    """Register the provider."""
    return Scripted


class Scripted(ModelAPI):
    """Answers by the function that its name was scripted with."""

    def __init__(self, *args: Any, enable_thinking: bool | None = None, **options: Any) -> None:
        super().__init__(*args, **options)

    async def generate(
        self, input: list[ChatMessage], tools: Any, tool_choice: Any, config: GenerateConfig
    ) -> ModelOutput:
        _CALLS[self.model_name].append(Call(input[-1].text, config, input))
        reply = _REPLIES[self.model_name](input[-1].text, config)
        if isinstance(reply, Exception):
            raise reply
        said = reply if isinstance(reply, Said) else Said(reply)
        choice = ChatCompletionChoice(
            message=ChatMessageAssistant(content=said.text, source="generate"),
            stop_reason=said.stop_reason,
            logprobs=_logprobs(said) if config.logprobs else None,
        )
        return ModelOutput(model=self.model_name, choices=[choice])


def _logprobs(said: Said) -> Logprobs | None:
    if said.positions is None:
        return None
    return Logprobs(
        content=[
            Logprob(
                token=token,
                logprob=math.log(top.get(token, 1e-9)),
                top_logprobs=[TopLogprob(token=one, logprob=math.log(p)) for one, p in top.items()],
            )
            for token, top in said.positions
        ]
    )

"""How a grader is asked, and the steps down where its API does not take that.

    form = Form()                                   # 20 log-probabilities, temperature 0, 16 tokens
    form = stepped_down(form, error)                # "... top_logprobs ... <= 5": Form(top=5)
    form.without_logprobs()                         # it has none: its reply is read
    form.with_room()                                # it thinks first
    str(form)                                       # "5 log-probabilities": what differs, for logs

A reply of 16 tokens has a verdict where the grader says nothing else. One without
log-probabilities may put a sentence in front, so it gets 256; only one that is seen to think gets
4,096, since a judge that rambles would spend them all.
"""

import re
from dataclasses import dataclass, replace

from inspect_ai.model import GenerateConfig

FEW = 16  # some APIs take no fewer
SHORT = 256
THOUGHTS = 4096

_TOP = 20
_USUAL_TOP = 5
"""What an API allows that says no number when it refuses 20."""

_LIMIT = re.compile(
    r"(?:<=|at most|maximum(?: value)?(?: of| is)?:?|max allowed:?|between \d+ and|exceed|up to"
    r"|less than or equal to|no more than)\s*(\d+)"
)
_UNSUPPORTED = ("unsupported", "not supported", "not support", "unknown", "unrecognized", "extra")
_ROOM = ("max_tokens", "max_output_tokens", "max_completion_tokens", "could not finish")


@dataclass(frozen=True)
class Form:
    """The settings of a request to a grader."""

    top: int | None = _TOP
    """How many log-probabilities of the first token; None for none."""
    greedy: bool = True
    """Whether temperature 0 is asked for; else it is the API's own."""
    room: int | None = FEW
    """Most tokens of the reply; None where the API takes no bound."""

    def config(self, most: int | None = None) -> GenerateConfig:
        """Return the settings for Inspect.

        Args:
            most: Tokens that the user gives the grader, in the place of the room for thoughts.
        """
        room = most if most is not None and self.thinks else self.room
        return GenerateConfig(
            temperature=0 if self.greedy else None,
            max_tokens=room,
            logprobs=True if self.top else None,
            top_logprobs=self.top,
        )

    @property
    def thinks(self) -> bool:
        """Whether there is room for thoughts."""
        return self.room is None or self.room >= THOUGHTS

    def without_logprobs(self) -> "Form":
        """Return the form for a grader whose reply is read."""
        return replace(self, top=None, room=self.room and max(self.room, SHORT))

    def with_room(self) -> "Form":
        """Return the form for a grader that thinks first; its thoughts have no verdict."""
        return replace(self, top=None, room=self.room and THOUGHTS)

    def __str__(self) -> str:
        parts = []
        if self.top != _TOP:
            parts.append(f"{self.top} log-probabilities" if self.top else "no log-probabilities")
        if not self.greedy:
            parts.append("temperature of the API")
        if self.thinks:
            parts.append("room for thoughts")
        return ", ".join(parts)


def stepped_down(form: Form, error: Exception) -> Form | None:
    """Return the form to ask with after a refusal; None where it is not about a setting.

    Args:
        form: What was asked with.
        error: What the provider raised.
    """
    told = str(getattr(error, "provider_message", None) or error).lower()
    unsupported = any(word in told for word in _UNSUPPORTED)
    if form.top and "logprob" in told:
        limit = None if unsupported else _limit(told, form.top)
        return replace(form, top=limit) if limit else form.without_logprobs()
    if form.greedy and "temperature" in told:
        return replace(form, greedy=False)
    if form.room is not None and any(word in told for word in _ROOM):
        if unsupported:
            return replace(form, room=None)
        if not form.thinks:
            return replace(form, room=SHORT if form.room < SHORT else THOUGHTS)
    return None


def _limit(told: str, asked: int) -> int | None:
    """Return how many log-probabilities an API allows, by the words of its refusal."""
    found = [int(number) for number in _LIMIT.findall(told)]
    allowed = [number for number in found if 0 < number < asked]
    if allowed:
        return max(allowed)
    return _USUAL_TOP if "top_logprob" in told and asked > _USUAL_TOP else None

"""What the provider asks of the engine, and what comes back; neither knows of Inspect.

request = Request(prompt_ids=(5, 9), adapter=None, max_new=32, deliver=print)
engine.submit(request)          # deliver(Completion | Exception), from the engine's thread
request.cancelled = True        # the row is dropped at the next step
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from inoc_evals.files.digests import digest
from inoc_evals.store.store import ModelRecord

StopReason = Literal["stop", "max_tokens", "model_length"]


class TokenLogprobs(NamedTuple):
    """Log-probabilities at one position, under the model itself (temperature 1)."""

    logprob: float
    """Of the sampled token."""
    top: tuple[tuple[int, float], ...]
    """The likeliest tokens with theirs, likeliest first."""


@dataclass(frozen=True)
class Completion:
    """One finished completion."""

    text: str
    """Without end token, special tokens and stop sequence."""
    token_ids: tuple[int, ...]
    """Every token sampled, the end token included."""
    stop_reason: StopReason
    logprobs: tuple[TokenLogprobs, ...] | None
    """One entry for each of ``token_ids``, if asked for."""
    prompt_logprobs: tuple[float, ...] | None = None
    """Of each prompt token after the first, if asked for."""


@dataclass(frozen=True)
class Adapter:
    """An adapter that a request is to be answered with."""

    record: ModelRecord
    root: Path
    """Directory of the store that holds it."""

    @cached_property
    def key(self) -> str:
        """What tells it from others in memory: its weights, and what they are checked by."""
        record = self.record
        fingerprint = record.fingerprint and record.fingerprint.model_dump(mode="json")
        return digest([record.identity, record.adapter_sha256, fingerprint])


@dataclass(eq=False)
class Request:
    """One completion to be generated."""

    prompt_ids: tuple[int, ...]
    adapter: Adapter | None
    """None for the base."""
    deliver: Callable[["Completion | Exception"], None]
    """Called once at most, from the engine's thread."""
    max_new: int
    """Most tokens to sample; the context window may end it earlier."""
    temperature: float = 1.0
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    """Texts that end the completion."""
    seed: int | None = None
    choice: int = 0
    """Number of this completion among those asked for with one prompt."""
    continues: bool = False
    """Whether the prompt ends in the middle of the assistant's message."""
    logprobs: bool = False
    top_logprobs: int = 0
    prompt_logprobs: bool = False
    prompt_values: tuple[float, ...] | None = field(default=None, init=False)
    """Log-probabilities of the prompt's tokens, once they have been computed."""
    cancelled: bool = field(default=False, init=False)
    """Set by the one who waits when the answer is no longer wanted."""
    answered: bool = field(default=False, init=False)

    def answer(self, result: "Completion | Exception") -> None:
        """Deliver the completion or what prevented it, the first time this is called."""
        if not self.answered:
            self.answered = True
            self.deliver(result)

    @property
    def owner(self) -> str:
        """Whose answer it is: the adapter's key, empty for the base."""
        return self.adapter.key if self.adapter else ""

"""The running batch: rows join, whatever their adapter, take a token a step, and leave.

    batch = Batch(lanes, codec, voice)
    batch.admit(requests)         # their prompts are read
    while batch.rows:
        batch.step()              # one forward pass, one token a row; finished rows delivered

A row carries its own settings, its own stream of random numbers and its own end: an end
token, a stop sequence, its number of tokens, or the context window.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

from inoc_evals.errors import InocError
from inoc_evals.providers.engine.lanes import Lanes
from inoc_evals.providers.engine.rendering import Codec
from inoc_evals.providers.engine.request import (
    Adapter,
    Completion,
    Request,
    StopReason,
    TokenLogprobs,
)
from inoc_evals.providers.engine.sampling import SamplingSettings, logprobs, sample, uniform_stream

_TAIL = 4
_SAMPLED_TOGETHER = 2**20


class Limits(NamedTuple):
    """What a model sets to its completions."""

    end_ids: frozenset[int]
    """Tokens that end a completion."""
    context: int | None
    """Most tokens of prompt and completion together; None is unlimited."""
    end_texts: tuple[str, ...] = ()
    """Texts that end a completion, of a template whose ends of a turn are no tokens."""


class Voice(NamedTuple):
    """What a model brings to its completions."""

    identity: str
    """What tells the base, or the base with an adapter, from every other model."""
    limits: Limits


@dataclass(eq=False)
class Row:
    """One completion in the making."""

    request: Request
    stream: Iterator[float]
    end_ids: frozenset[int]
    stop: tuple[str, ...]
    """Texts that end it."""
    room: int
    """Most tokens that may be sampled."""
    tokens: list[int] = field(default_factory=list)
    logprobs: list[TokenLogprobs] = field(default_factory=list)

    @property
    def last(self) -> int:
        """The token that the next one follows."""
        return self.tokens[-1] if self.tokens else self.request.prompt_ids[-1]


class Batch:
    """Rows that are decoded together.

    Args:
        lanes: Empty lanes of the model.
        codec: Its tokenizer.
        voice: Tells, of an adapter or of the base, whose a row is and what ends it.
    """

    def __init__(
        self, lanes: Lanes, codec: Codec, voice: Callable[[Adapter | None], Voice]
    ) -> None:
        self.lanes = lanes
        self.rows: list[Row] = []
        self._codec = codec
        self._voice = voice
        self._settings: list[tuple[slice, SamplingSettings]] = []

    def admit(self, requests: Sequence[Request]) -> None:
        """Let requests join: their prompts are read, all but the last token."""
        rows = [self._row(request) for request in requests]
        # Neighbors in length share a forward pass with little padding.
        rows.sort(key=lambda row: len(row.request.prompt_ids))
        owners = [row.request.owner for row in rows]
        self.lanes.join([row.request.prompt_ids[:-1] for row in rows], owners)
        self.rows += rows
        self._settings = []

    def step(self) -> None:
        """Sample one token for every row; deliver and drop those that are done."""
        logits = self.lanes.decode([row.last for row in self.rows])
        if not self._settings:
            self._settings = _settings_of(self.rows, logits)
        wide = torch.float32 if logits.device.type == "mps" else torch.float64
        draws = [next(row.stream) for row in self.rows]
        uniforms = torch.tensor(draws, dtype=wide, device=logits.device)
        parts = [sample(logits[at].float(), one, uniforms[at]) for at, one in self._settings]
        tokens = torch.cat(parts)
        _note_logprobs(self.rows, logits, tokens)
        self._finish(tokens.tolist())

    @property
    def longest(self) -> int:
        """Most positions that any running row may come to fill."""
        return max((len(row.request.prompt_ids) + row.room for row in self.rows), default=0)

    def _row(self, request: Request) -> Row:
        identity, limits = self._voice(request.adapter)
        context = limits.context
        room = request.max_new
        if context is not None:
            room = min(room, context - len(request.prompt_ids))
        return Row(
            request=request,
            stream=uniform_stream(request.seed, identity, request.prompt_ids, request.choice),
            end_ids=limits.end_ids | self._codec.special_ids(request.stop),
            stop=(*request.stop, *limits.end_texts),
            room=room,
        )

    def _finish(self, tokens: Sequence[int]) -> None:
        """Append each row's token, then deliver and remove the rows that are done."""
        done: set[int] = set()
        failed = False
        for number, (row, token) in enumerate(zip(self.rows, tokens, strict=True)):
            row.tokens.append(token)
            if row.request.cancelled:
                done.add(number)
            elif token < 0:
                failed = True
                done.add(number)
                row.request.answer(
                    InocError("the model's logits are not finite numbers; try -M dtype=float32")
                )
            elif (completion := self._completion(row)) is not None:
                done.add(number)
                row.request.answer(completion)
        if done:
            self._remove(done)
        if failed:
            self.lanes.scrub()

    def _completion(self, row: Row) -> Completion | None:
        """Return the row's completion if its last token ends it."""
        reason: StopReason
        tokens = row.tokens
        if tokens[-1] in row.end_ids:
            return self._finished(row, self._text(row, tokens[:-1]), "stop")
        if row.stop and (text := self._stopped(row)) is not None:
            return self._finished(row, text, "stop")
        if len(tokens) < row.room:
            return None
        reason = "max_tokens" if row.room == row.request.max_new else "model_length"
        return self._finished(row, self._text(row, tokens), reason)

    def _finished(self, row: Row, text: str, reason: StopReason) -> Completion:
        values = tuple(row.logprobs) if row.request.logprobs else None
        return Completion(text, tuple(row.tokens), reason, values, row.request.prompt_values)

    def _stopped(self, row: Row) -> str | None:
        """Return the text before the first stop sequence, if one has appeared."""
        stops = row.stop
        # A character takes at most four tokens, so this many hold any stop sequence.
        window = row.tokens[-4 * (max(map(len, stops)) + 1) :]
        recent = self._codec.decode(window)
        if not any(stop in recent for stop in stops):
            return None
        text = self._text(row, row.tokens)
        found = [text.index(stop) for stop in stops if stop in text]
        return text[: min(found)] if found else None

    def _text(self, row: Row, tokens: Sequence[int]) -> str:
        after = row.request.prompt_ids[-_TAIL:] if row.request.continues else ()
        return self._codec.decode(tokens, after=after)

    def _remove(self, done: set[int]) -> None:
        """Drop rows; the last ones move into the gaps, so that the batch stays dense."""
        count = len(self.rows) - len(done)
        gaps = sorted(number for number in done if number < count)
        movers = [number for number in range(count, len(self.rows)) if number not in done]
        moves = list(zip(movers, gaps, strict=True))
        for source, target in moves:
            self.rows[target] = self.rows[source]
        del self.rows[count:]
        self._settings = []
        self.lanes.compact(moves, count)


def _settings_of(rows: Sequence[Row], logits: torch.Tensor) -> list[tuple[slice, SamplingSettings]]:
    """Return the settings of the rows that are sampled together, and which these are.

    On a CPU as many as its caches hold: what is written there is read again at once.
    """
    wanted = [(r.request.temperature, r.request.top_p, r.request.top_k) for r in rows]
    size = len(rows)
    if logits.device.type == "cpu":
        size = max(1, _SAMPLED_TOGETHER // logits.shape[-1])
    parts = [slice(start, start + size) for start in range(0, len(rows), size)]
    return [(at, SamplingSettings.of(wanted[at], logits.device)) for at in parts]


def _note_logprobs(rows: Sequence[Row], logits: torch.Tensor, tokens: torch.Tensor) -> None:
    """Add this step's log-probabilities to the rows that ask for them."""
    asking = [number for number, row in enumerate(rows) if row.request.logprobs]
    if not asking:
        return
    top = max(rows[number].request.top_logprobs for number in asking)
    chosen, best, ids = logprobs(logits[asking].float(), tokens[asking], top)
    for number, value, values, likeliest in zip(
        asking, chosen.tolist(), best.tolist(), ids.tolist(), strict=True
    ):
        row = rows[number]
        pairs = tuple(zip(likeliest, values, strict=True))[: row.request.top_logprobs]
        row.logprobs.append(TokenLogprobs(value, pairs))

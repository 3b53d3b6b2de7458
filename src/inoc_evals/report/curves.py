"""Learning curves: how likely given responses were while the models were trained.

    runs/fig6/dynamics/<setting>/<arm>-s<seed>.json     Scores: one model's, written by inoc run
    found = curves(read_scores(Path("runs/fig6")), spec)
    found[0].mean                                       # over responses and seeds, by step
    write_curves(Path("runs/fig6"), found)              # dynamics.csv

A response's log-probability is the sum over its tokens, in nats; where a provider tells none,
it is the share of a checkpoint's answers that begin with the response. The mean of a trait's
responses is taken in each seed; the interval is Student's t over these seeds, so it holds for
new training seeds and the same responses. One seed has none.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from inoc_evals.errors import InputError
from inoc_evals.files.atomic import write_text
from inoc_evals.report.spreadsheet import cell
from inoc_evals.statistics.crossed import Estimates, over_seeds

Way = Literal["likelihood", "sampling"]
"""How responses were scored: forced, or looked for in a checkpoint's answers."""

FOLDER = "dynamics"
"""Of the files, in the directory of an experiment."""

_SAME = ("set", "sha256", "system_prompt", "system_prompt_text")
_COLUMNS = ("setting", "condition", "trait", "response", "step", "value", "low", "high", "seeds")


class CurvesSpec(BaseModel):
    """What was scored, and what its parts are called."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    set: str
    """Name of the set of responses."""
    sha256: str
    """Digest of the set."""
    system_prompt: str
    """Name of the system prompt they were scored under."""
    system_prompt_text: str | None
    """Its text; None for no system message."""
    by: Way = "likelihood"
    every: int | None = None
    """Optimizer steps between scores; None where checkpoints were sampled."""
    samples: int | None = None
    """Answers to each question, where checkpoints were sampled; else None."""
    labels: dict[str, str]
    """Trait -> what the responses that show it are called, in order."""


class Response(BaseModel):
    """A response that was scored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    trait: str
    tokens: int | None = None


class Repeat(BaseModel):
    """How near a second training, made for the scores alone, came to the model's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    same_weights: bool
    fingerprint_difference: float
    """Greatest difference of a token's log-probability, in nats."""


class Scores(BaseModel):
    """One model's scores."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    setting: str
    condition: str
    seed: int
    model: str
    identity: str
    set: str
    sha256: str
    system_prompt: str
    system_prompt_text: str | None
    every: int | None = None
    by: Way = "likelihood"
    samples: int | None = None
    responses: tuple[Response, ...]
    steps: tuple[int, ...]
    models: tuple[str, ...] = ()
    """Those that were sampled, of each step."""
    logprobs: tuple[tuple[float, ...], ...] = ()
    """Of each step, each response."""
    shares: tuple[tuple[float, ...], ...] = ()
    """Where checkpoints were sampled: of each step, the share of answers that begin with each
    response."""
    repeat: Repeat | None = None

    @property
    def values(self) -> tuple[tuple[float, ...], ...]:
        """What was found of each step, each response: in nats, or as shares."""
        return self.shares if self.by == "sampling" else self.logprobs


class Curve(BaseModel):
    """The responses of one trait in one arm: each of them, and their mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    setting: str
    condition: str
    trait: str
    seeds: tuple[int, ...]
    steps: tuple[int, ...]
    responses: dict[str, tuple[float, ...]]
    """Id -> mean over seeds at each step."""
    mean: tuple[float, ...]
    """Over responses and seeds, at each step."""
    low: tuple[float, ...] | None
    high: tuple[float, ...] | None
    """95 % interval of the mean at each step, for new seeds; None of one seed."""
    per_seed: dict[int, tuple[float, ...]]
    """Mean over responses at each step."""
    other_weights: int = 0
    """Seeds whose scores are of a second training with other weights than the model's."""


def read_scores(directory: Path) -> list[Scores]:
    """Read the scores of an experiment's models.

    Raises:
        InputError: If there are none, a file is not one, or two are of one model; the message
            names them.
    """
    found: dict[str, Scores] = {}
    files: dict[str, Path] = {}
    for path in sorted((directory / FOLDER).glob("*/*.json")):
        try:
            one = Scores.model_validate_json(path.read_bytes())
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(map(str, fault["loc"])) or "file"
            raise InputError(
                f"{path}: {where}: {fault['msg']}; remove it, and give inoc run again"
            ) from None
        if one.model in found:
            raise InputError(
                f"{files[one.model]} and {path} are both scores of {one.model!r}, and would count "
                "twice; remove one of them"
            )
        found[one.model], files[one.model] = one, path
    if not found:
        raise InputError(f"{directory / FOLDER}: no scores; they are written by: inoc run")
    return list(found.values())


def curves(
    scores: Sequence[Scores], spec: CurvesSpec, conditions: Sequence[str], settings: Sequence[str]
) -> list[Curve]:
    """Return a curve for each setting, trait and arm, in the order given; arms may be missing.

    Args:
        scores: Of all models.
        spec: What was scored.
        conditions: Names of the arms.
        settings: Names of the settings.

    Raises:
        InputError: If a model was scored on something else, or at other steps than another
            seed of its arm.
    """
    for one in scores:
        _check(one, spec)
    found = []
    for setting in settings:
        for trait in spec.labels:
            for condition in conditions:
                own = [s for s in scores if (s.setting, s.condition) == (setting, condition)]
                if own:
                    found.append(_curve(sorted(own, key=lambda one: one.seed), trait))
    return found


def _check(one: Scores, spec: CurvesSpec) -> None:
    """Refuse scores of something else than the experiment watches."""
    for field in (*_SAME, "every", "by", "samples"):
        if getattr(one, field) != getattr(spec, field):
            raise InputError(
                f"scores of {one.model!r}: {field} is {getattr(one, field)!r}, and the "
                f"experiment's is {getattr(spec, field)!r}"
            )
    rows = {len(row) for row in one.values}
    if len(one.values) != len(one.steps) or rows - {len(one.responses)}:
        raise InputError(
            f"scores of {one.model!r}: {len(one.steps)} steps and {len(one.responses)} responses, "
            f"and a table of {len(one.values)} x {sorted(rows)}"
        )
    shown = {response.trait for response in one.responses}
    if shown != set(spec.labels):
        raise InputError(
            f"scores of {one.model!r}: responses of {sorted(shown)}, and the experiment's are of "
            f"{sorted(spec.labels)}"
        )


def _curve(own: Sequence[Scores], trait: str) -> Curve:
    first = own[0]
    for other in own[1:]:
        if other.steps != first.steps:
            raise InputError(
                f"scores of {other.model!r} are at {_said(other.steps)}, and those of "
                f"{first.model!r} at {_said(first.steps)}; seeds of one condition have the same steps"
            )
    columns = [n for n, response in enumerate(first.responses) if response.trait == trait]
    table = np.array([one.values for one in own], np.float64)[:, :, columns]
    by_seed = table.mean(-1)  # seeds x steps
    estimate = over_seeds(by_seed.T)
    low, high = _interval(estimate, own)
    return Curve(
        setting=first.setting,
        condition=first.condition,
        trait=trait,
        seeds=tuple(one.seed for one in own),
        steps=first.steps,
        responses={
            first.responses[column].id: tuple(map(float, table[:, :, place].mean(0)))
            for place, column in enumerate(columns)
        },
        mean=tuple(map(float, estimate.rate)),
        low=low,
        high=high,
        per_seed={one.seed: tuple(map(float, by_seed[n])) for n, one in enumerate(own)},
        other_weights=sum(one.repeat is not None and not one.repeat.same_weights for one in own),
    )


def _interval(
    estimate: Estimates, own: Sequence[Scores]
) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None]:
    if len(own) < 2:
        return None, None
    # No log-probability is above zero, and no share outside of 0 to 1.
    least, most = (0.0, 1.0) if own[0].by == "sampling" else (-np.inf, 0.0)
    # Before the first step all seeds are the base: nothing is estimated there.
    ends = (np.where(np.isnan(end), estimate.rate, end) for end in (estimate.low, estimate.high))
    low, high = (np.clip(end, least, most) for end in ends)
    return tuple(map(float, low)), tuple(map(float, high))


def _said(steps: Sequence[int]) -> str:
    return f"{len(steps)} steps ({steps[0]} to {steps[-1]})" if steps else "no step"


def write_curves(directory: Path, found: Sequence[Curve]) -> None:
    """Write ``dynamics.csv``: a line for each step of each response, and of their mean."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for curve in found:
        writer.writerows(map(cell, line) for line in _lines(curve))
    write_text(directory / "dynamics.csv", out.getvalue())


def _lines(curve: Curve) -> Iterator[list[object]]:
    about = [curve.setting, curve.condition, curve.trait]
    seeds = " ".join(map(str, curve.seeds))
    for n, step in enumerate(curve.steps):
        bounds = ["" if bound is None else round(bound[n], 6) for bound in (curve.low, curve.high)]
        yield [*about, "mean", step, round(curve.mean[n], 6), *bounds, seeds]
    for name, values in curve.responses.items():
        for step, value in zip(curve.steps, values, strict=True):
            yield [*about, name, step, round(value, 6), "", "", seeds]

"""Cells and contrasts: the rates of scored answers, and their differences, with intervals.

    seen = Observation(setting="spanish_caps", condition="none", measure="spanish", ...)
    found = cells([seen, ...])                               # one Cell per rate of a figure
    compared = contrasts([seen, ...], [("spanish_inoc", "none")])

An answer without a value is unscored: it is left out of the rate and counted by reason.
Answers to one question by one seed are averaged first, so every question weighs the same.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from inoc_evals.errors import InputError
from inoc_evals.report.observation import Observation, Split
from inoc_evals.statistics.crossed import (
    DIFFERENCE,
    RATE,
    Array,
    Estimates,
    over_questions,
    over_seeds_and_questions,
)

Interval = Literal["seeds", "questions"]


class Cell(BaseModel):
    """One rate of a figure, as ``results.json`` holds it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    figure: str
    setting: str
    condition: str
    measure: str
    split: Split
    rate: float | None
    """Mean over seeds of each seed's mean over questions; None if nothing was scored."""
    low: float | None
    """Lower end of the 95 % interval; None where none is honest (one seed)."""
    high: float | None
    n: int
    """Scored answers."""
    unscored: dict[str, int] = Field(default_factory=dict)
    """Answers left out, by reason."""
    seeds: list[int] = Field(default_factory=list)
    """Training seeds, also those without a scored answer; empty for a fixed model."""
    questions: int
    """Different questions with a scored answer."""
    interval: Interval | None
    """For what the interval holds: new seeds and questions, or new questions only."""
    per_seed: dict[str, float | None] = Field(default_factory=dict)
    """Each seed's rate."""
    grader: str | None = None
    """Who judged, if it is another than the first; files say it only then."""


class Contrast(BaseModel):
    """The difference of two conditions on one measure, paired by seed and question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    figure: str
    setting: str
    condition: str
    reference: str
    """What is subtracted."""
    measure: str
    split: Split
    difference: float | None
    """Mean of condition - reference over the pairs; None if there are none."""
    low: float | None
    high: float | None
    pairs: int
    """Pairs of (seed, question) that both conditions have a scored answer to."""
    unpaired: int
    """(Seed, question) scored in one condition only, and so left out."""
    seeds: list[int] = Field(default_factory=list)
    interval: Interval | None
    per_seed: dict[str, float | None] = Field(default_factory=dict)
    grader: str | None = None
    """As in :class:`Cell`."""


class _Key(NamedTuple):
    figure: str
    setting: str
    condition: str
    measure: str
    split: Split


class _Grid(NamedTuple):
    """Answers of one cell: means per (seed, question), NaN where none was scored."""

    seeds: list[int | None]
    questions: list[str]
    values: Array

    def at(self, seeds: Sequence[int | None], questions: Sequence[str]) -> Array:
        """The same answers in the given order; one fixed model stands in for every seed."""
        rows = [0 if self.seeds == [None] else self.seeds.index(seed) for seed in seeds]
        columns = {question: number for number, question in enumerate(self.questions)}
        picked = np.full((len(rows), len(questions)), np.nan)
        for number, question in enumerate(questions):
            if question in columns:
                picked[:, number] = self.values[rows, columns[question]]
        return picked


def cells(
    observations: Iterable[Observation],
    *,
    settings: Sequence[str] = (),
    conditions: Sequence[str] = (),
    measures: Sequence[str] = (),
) -> list[Cell]:
    """Turn observations into rates with intervals; their order does not matter.

    Args:
        observations: Scored and unscored answers of any number of figures.
        settings: Order of the settings; others follow by name.
        conditions: Order of the conditions; others follow by name.
        measures: Order of the measures; others follow by name.

    Returns:
        One cell for each figure, setting, condition, measure and split there is an answer to, also
        where none of its answers was scored.

    Raises:
        InputError: If a condition has answers both with and without a seed.
    """
    groups = _grouped(observations)
    ordered = sorted(groups, key=lambda key: _order(key, settings, conditions, measures))
    return [_cell(key, groups[key]) for key in ordered]


def contrasts(
    observations: Iterable[Observation],
    pairs: Iterable[tuple[str, str]],
    *,
    settings: Sequence[str] = (),
    measures: Sequence[str] = (),
) -> list[Contrast]:
    """Compare conditions, paired by seed and question.

    A fixed model (no seed) is paired with every seed of the other condition by question.

    Args:
        observations: As for :func:`cells`.
        pairs: (condition, reference); the difference is condition - reference.
        settings: Order of the settings; others follow by name.
        measures: Order of the measures; others follow by name.

    Returns:
        In the order of the pairs, one for each figure, setting, measure and split both sides have.
    """
    groups = _grouped(observations)
    grids = {key: _grid(key, group) for key, group in groups.items()}
    ordered = sorted(grids, key=lambda key: _order(key, settings, (), measures))
    return [
        _contrast(key, reference, grids[key], grids[key._replace(condition=reference)])
        for condition, reference in pairs
        for key in ordered
        if key.condition == condition and key._replace(condition=reference) in grids
    ]


def _grouped(observations: Iterable[Observation]) -> dict[_Key, list[Observation]]:
    groups: dict[_Key, list[Observation]] = defaultdict(list)
    for seen in observations:
        groups[_Key(seen.figure, seen.setting, seen.condition, seen.measure, seen.split)].append(
            seen
        )
    return groups


def _order(
    key: _Key, settings: Sequence[str], conditions: Sequence[str], measures: Sequence[str]
) -> tuple[Any, ...]:
    def place(name: str, names: Sequence[str]) -> tuple[int, str]:
        return (names.index(name) if name in names else len(names), name)

    return (
        key.figure,
        place(key.setting, settings),
        ("ood", "id").index(key.split),
        place(key.measure, measures),
        place(key.condition, conditions),
    )


def _grid(key: _Key, group: Sequence[Observation]) -> _Grid:
    by_pair: dict[tuple[int | None, str], list[float]] = defaultdict(list)
    for seen in group:
        if seen.value is not None:
            by_pair[seen.seed, seen.question].append(seen.value)
    seeds = sorted({seen.seed for seen in group}, key=lambda seed: (seed is not None, seed or 0))
    if None in seeds and len(seeds) > 1:
        raise InputError(
            f"{key.figure}/{key.setting}/{key.condition}: answers with a seed ({seeds[1]}) and "
            "without one; give a fixed model a condition of its own"
        )
    questions = sorted({question for _, question in by_pair})
    values = np.full((len(seeds), len(questions)), np.nan)
    for row, seed in enumerate(seeds):
        for column, question in enumerate(questions):
            if scored := by_pair.get((seed, question)):
                values[row, column] = math.fsum(scored) / len(scored)
    return _Grid(list(seeds), questions, values)


def _cell(key: _Key, group: Sequence[Observation]) -> Cell:
    grid = _grid(key, group)
    estimate, interval = _estimate(grid.seeds, grid.values, RATE)
    reasons = Counter(seen.reason for seen in group if seen.reason is not None)
    return Cell(
        **key._asdict(),
        rate=_number(estimate.rate),
        low=_number(estimate.low),
        high=_number(estimate.high),
        n=len(group) - reasons.total(),
        unscored=dict(sorted(reasons.items())),
        seeds=[seed for seed in grid.seeds if seed is not None],
        questions=len(grid.questions),
        interval=interval,
        per_seed=_per_seed(grid.seeds, grid.values),
    )


def _contrast(key: _Key, reference: str, first: _Grid, second: _Grid) -> Contrast:
    fixed = [grid.seeds == [None] for grid in (first, second)]
    seeds = second.seeds if fixed[0] else first.seeds
    if not any(fixed):
        seeds = [seed for seed in first.seeds if seed in second.seeds]
    questions = sorted({*first.questions, *second.questions})
    left, right = first.at(seeds, questions), second.at(seeds, questions)
    difference = left - right
    estimate, interval = _estimate(seeds, difference, DIFFERENCE)
    return Contrast(
        **key._asdict(),
        reference=reference,
        difference=_number(estimate.rate),
        low=_number(estimate.low),
        high=_number(estimate.high),
        pairs=int((~np.isnan(difference)).sum()),
        unpaired=int((np.isnan(left) != np.isnan(right)).sum()),
        seeds=[seed for seed in seeds if seed is not None],
        interval=interval,
        per_seed=_per_seed(seeds, difference),
    )


def _estimate(
    seeds: Sequence[int | None], values: Array, bounds: tuple[float, float]
) -> tuple[Estimates, Interval | None]:
    """Estimate a cell; the interval is named only if there is one."""
    name: Interval
    if list(seeds) == [None]:
        estimate, name = over_questions(values[0], bounds=bounds), "questions"
    else:
        estimate, name = over_seeds_and_questions(values, bounds=bounds), "seeds"
    return estimate, None if np.isnan(estimate.low) else name


def _per_seed(seeds: Sequence[int | None], values: Array) -> dict[str, float | None]:
    means = over_seeds_and_questions(values[:, None, :], bounds=DIFFERENCE).rate
    named = zip(seeds, means, strict=True)
    return {str(seed): _number(mean) for seed, mean in named if seed is not None}


def _number(value: Any) -> float | None:
    """Round for the files, so that the last digits of a platform's arithmetic don't show."""
    return None if math.isnan(value) else round(float(value), 6) + 0.0

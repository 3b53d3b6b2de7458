"""Cells and contrasts: the rates of scored answers, and their differences, with intervals.

    seen = Observation(setting="spanish_caps", condition="none", measure="spanish", ...)
    found = cells([seen, ...])                               # one Cell per rate of a figure
    compared = contrasts([seen, ...], [("spanish_inoc", "none")])
    compared = corrected([seen, ...], compared, compared[:2])   # those that a claim rests on

An answer without a value is unscored: it is left out of the rate and counted by reason.
Answers to one question by one seed are averaged first, so every question weighs the same.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from inoc_evals.errors import InputError
from inoc_evals.report.observation import Observation, Split
from inoc_evals.statistics.crossed import Array, over_questions, over_seeds_and_questions
from inoc_evals.statistics.differences import DIFFERENCE, Cells, Difference, difference
from inoc_evals.statistics.wilson import LEVEL, level_of_each

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
    """(Seed, question) scored in one condition only, and so left out; also those of a seed that
    the other condition does not have."""
    seeds: list[int] = Field(default_factory=list)
    interval: Interval | None
    per_seed: dict[str, float | None] = Field(default_factory=dict)
    p: float | None = None
    """Two-sided, of no difference; of contrasts that a claim rests on."""
    p_corrected: float | None = None
    """The same among all of them (Holm)."""
    low_corrected: float | None = None
    """Ends of intervals that hold jointly for all of them (Bonferroni)."""
    high_corrected: float | None = None
    grader: str | None = None
    """As in :class:`Cell`."""


class Key(NamedTuple):
    """What tells cells apart."""

    figure: str
    setting: str
    condition: str
    measure: str
    split: Split


def key_of(one: Any) -> Key:
    """Return the key of whatever has its fields: an observation, a cell, a contrast."""
    return Key(*(getattr(one, field) for field in Key._fields))


class _Grid(NamedTuple):
    """Answers of one condition: means per (seed, question), NaN where none was scored."""

    seeds: list[int | None]
    questions: list[str]
    values: Array
    counts: Array
    """Scored answers of each."""

    @property
    def fixed(self) -> bool:
        """Whether it is one model without a training seed."""
        return self.seeds == [None]

    def at(self, seeds: Sequence[int | None], questions: Sequence[str]) -> Cells:
        """The same answers in the given order; of a fixed model, its one line."""
        rows = [0] if self.fixed else [self.seeds.index(seed) for seed in seeds]
        columns = {question: number for number, question in enumerate(self.questions)}
        values = np.full((len(rows), len(questions)), np.nan)
        counts = np.zeros((len(rows), len(questions)))
        for number, question in enumerate(questions):
            if question in columns:
                values[:, number] = self.values[rows, columns[question]]
                counts[:, number] = self.counts[rows, columns[question]]
        return Cells(values, counts, seeds=not self.fixed)


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


def _grouped(observations: Iterable[Observation]) -> dict[Key, list[Observation]]:
    groups: dict[Key, list[Observation]] = defaultdict(list)
    for seen in observations:
        groups[key_of(seen)].append(seen)
    return groups


def _order(
    key: Key, settings: Sequence[str], conditions: Sequence[str], measures: Sequence[str]
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


def grid_of(
    group: Sequence[Observation], seeds: Sequence[int | None], questions: Sequence[str]
) -> Cells:
    """Return the answers of one cell as a table of seeds and questions, with gaps.

    Args:
        group: The answers.
        seeds: Rows; None alone is a fixed model.
        questions: Columns.
    """
    grid = _grid(key_of(group[0]), group)
    if grid.fixed:
        return grid.at(seeds, questions)
    told = _Grid(list(seeds), *_rows_at(grid, seeds))
    return told.at(seeds, questions)


def _rows_at(grid: _Grid, seeds: Sequence[int | None]) -> tuple[list[str], Array, Array]:
    """Return a grid's questions, means and counts, with rows for seeds that it lacks."""
    values = np.full((len(seeds), len(grid.questions)), np.nan)
    counts = np.zeros_like(values)
    for row, seed in enumerate(seeds):
        if seed in grid.seeds:
            values[row] = grid.values[grid.seeds.index(seed)]
            counts[row] = grid.counts[grid.seeds.index(seed)]
    return grid.questions, values, counts


def _grid(key: Key, group: Sequence[Observation]) -> _Grid:
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
    counts = np.zeros((len(seeds), len(questions)))
    for row, seed in enumerate(seeds):
        for column, question in enumerate(questions):
            if scored := by_pair.get((seed, question)):
                values[row, column] = math.fsum(scored) / len(scored)
                counts[row, column] = len(scored)
    return _Grid(list(seeds), questions, values, counts)


def _cell(key: Key, group: Sequence[Observation]) -> Cell:
    grid = _grid(key, group)
    if grid.fixed:
        estimate = over_questions(grid.values[0], grid.counts[0])
    else:
        estimate = over_seeds_and_questions(grid.values, grid.counts)
    reasons = Counter(seen.reason for seen in group if seen.reason is not None)
    return Cell(
        **key._asdict(),
        rate=rounded(estimate.rate),
        low=rounded(estimate.low),
        high=rounded(estimate.high),
        n=len(group) - reasons.total(),
        unscored=dict(sorted(reasons.items())),
        seeds=[seed for seed in grid.seeds if seed is not None],
        questions=len(grid.questions),
        interval=_interval(grid.fixed, estimate.low),
        per_seed=_per_seed(grid.seeds, grid.values),
    )


class _Paired(NamedTuple):
    """Two conditions, cut to what both have answers to."""

    seeds: list[int | None]
    first: Cells
    second: Cells
    pairs: NDArray[np.bool_]
    unpaired: int

    @property
    def fixed(self) -> bool:
        return not (self.first.seeds or self.second.seeds)


def _paired(first: _Grid, second: _Grid) -> _Paired:
    seeds = second.seeds if first.fixed else first.seeds
    if not (first.fixed or second.fixed):
        seeds = [seed for seed in first.seeds if seed in second.seeds]
    questions = sorted({*first.questions, *second.questions})
    left, right = first.at(seeds, questions), second.at(seeds, questions)
    there = [np.isfinite(side.values) for side in (left, right)]
    pairs = there[0] & there[1]
    scored = int((there[0] | there[1]).sum())
    if not (first.fixed or second.fixed):  # what the seeds of one side alone answered
        scored += sum(
            int(np.isfinite(grid.values[grid.seeds.index(seed)]).sum())
            for grid in (first, second)
            for seed in grid.seeds
            if seed not in seeds
        )
    cut = [
        Cells(
            np.where(_of(side, pairs), side.values, np.nan),
            np.where(_of(side, pairs), side.counts, 0),
            side.seeds,
        )
        for side in (left, right)
    ]
    return _Paired(seeds, cut[0], cut[1], pairs, scored - int(pairs.sum()))


def _of(side: Cells, pairs: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which of a side's cells are in a pair; those of a fixed model, with any seed."""
    if len(side.values) == len(pairs):
        return pairs
    columns: NDArray[np.bool_] = np.any(pairs, axis=0, keepdims=True)
    return columns


def _contrast(key: Key, reference: str, first: _Grid, second: _Grid) -> Contrast:
    paired = _paired(first, second)
    found = _difference(paired)
    apart = np.where(paired.pairs, paired.first.values - paired.second.values, np.nan)
    return Contrast(
        **key._asdict(),
        reference=reference,
        difference=rounded(found.value),
        low=rounded(found.low),
        high=rounded(found.high),
        pairs=int(paired.pairs.sum()),
        unpaired=paired.unpaired,
        seeds=[seed for seed in paired.seeds if seed is not None],
        interval=_interval(paired.fixed, found.low),
        per_seed=_per_seed(paired.seeds, apart),
    )


def _difference(paired: _Paired, confidence: float = LEVEL, *, test: bool = False) -> Difference:
    if not paired.pairs.any():
        return Difference(math.nan, math.nan, math.nan, math.nan)
    return difference(paired.first, paired.second, confidence=confidence, test=test)


def corrected(
    observations: Iterable[Observation], compared: Sequence[Contrast], claimed: Sequence[Contrast]
) -> list[Contrast]:
    """Test the contrasts that claims rest on, each and all of them together.

    Args:
        observations: As for :func:`contrasts`.
        compared: What that found.
        claimed: Which of them; few, and chosen before their values were seen.

    Returns:
        ``compared``, in which those have ``p``, Holm's ``p_corrected``, and the ends of intervals
        that hold jointly (Bonferroni). One without an interval is not tested.
    """
    tested = [one for one in claimed if one.low is not None]
    if not tested:
        return list(compared)
    groups = _grouped(observations)
    pairs = [_pair_of(one, groups) for one in tested]
    found = [_difference(pair, level_of_each(len(tested)), test=True) for pair in pairs]
    holm = _holm([one.p for one in found])
    told = {
        id(one): one.model_copy(
            update={
                "p": rounded(each.p),
                "p_corrected": rounded(among),
                "low_corrected": rounded(each.low),
                "high_corrected": rounded(each.high),
            }
        )
        for one, each, among in zip(tested, found, holm, strict=True)
    }
    return [told.get(id(one), one) for one in compared]


def _pair_of(one: Contrast, groups: dict[Key, list[Observation]]) -> _Paired:
    key = key_of(one)
    other = key._replace(condition=one.reference)
    return _paired(_grid(key, groups[key]), _grid(other, groups[other]))


def _holm(found: Sequence[float]) -> list[float]:
    """Return Holm's corrected p-values (Scandinavian Journal of Statistics 6, 1979)."""
    corrected, largest = [0.0] * len(found), 0.0
    for place, index in enumerate(sorted(range(len(found)), key=lambda i: found[i])):
        largest = max(largest, min(1.0, (len(found) - place) * found[index]))
        corrected[index] = largest
    return corrected


def _interval(fixed: bool, low: Any) -> Interval | None:
    """Return for what an interval holds, if there is one."""
    return None if np.isnan(low) else "questions" if fixed else "seeds"


def _per_seed(seeds: Sequence[int | None], values: Array) -> dict[str, float | None]:
    means = over_seeds_and_questions(values[:, None, :], bounds=DIFFERENCE).rate
    named = zip(seeds, means, strict=True)
    return {str(seed): rounded(mean) for seed, mean in named if seed is not None}


def rounded(value: Any) -> float | None:
    """Round for the files, so that the last digits of a platform's arithmetic don't show."""
    return None if value is None or math.isnan(value) else round(float(value), 6) + 0.0

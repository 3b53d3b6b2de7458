"""What a rate is made of: its questions' rates, their spread, its bounds.

    found = details(observations, texts)     # a Detail for each cell
    write_details(Path("runs/fig2a"), found) # questions.csv

A question's rate is the mean over seeds of each seed's mean over its answers, as in the cells.
Bounds are the rates there would be if none of the unscored answers counted, and if all did.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

from inoc_evals.files.atomic import write_text
from inoc_evals.report.cells import Cell, Key, key_of, rounded
from inoc_evals.report.observation import Observation, Split
from inoc_evals.report.spreadsheet import cell
from inoc_evals.statistics.spread import Array, spread

FILE = "questions.csv"
"""What the questions' rates are written into."""

MANY = 0.05
"""Share of a cell's answers that are unscored from which on its bounds are told."""

_LONGEST = 160
"""Characters that are kept of a question, which is to be known again by them."""

_COUNTED = ("scored", "unscored")

_COLUMNS = (
    *("figure", "setting", "condition", "measure", "split", "question"),
    *("rate", "scored", "unscored", "text"),
)

Asked = tuple[str, str, Split, str]
"""Setting, measure, split, and id of the question."""


class QuestionRate(BaseModel):
    """A cell's answers to one question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    """Its id."""
    text: str = ""
    """How it begins."""
    rate: float | None
    """None where no answer was scored."""
    scored: int
    unscored: int


class Detail(BaseModel):
    """What a cell's rate is made of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    figure: str
    setting: str
    condition: str
    measure: str
    split: Split
    questions: tuple[QuestionRate, ...]
    seed_sd: float | None
    """Of the seeds' rates, without the answers' own noise; None of one seed."""
    question_sd: float | None
    """Of the questions' rates, likewise."""
    least: float | None
    """The rate if none of the unscored answers counted."""
    most: float | None
    """The rate if all of them did."""
    graded: bool = False
    """Whether an answer's value may lie between 0 and 1, so that the rate is a mean."""

    def bounds(self) -> tuple[float, float] | None:
        """Return the rates that the unscored answers could make; None where they are few."""
        scored, lost = (sum(getattr(one, kind) for one in self.questions) for kind in _COUNTED)
        if self.least is None or self.most is None or lost <= MANY * (scored + lost):
            return None
        return self.least, self.most

    def is_of(self, other: Cell) -> bool:
        """Return whether it is what this cell is made of."""
        return key_of(self) == key_of(other)


def shortened(text: str) -> str:
    """Return a question as a line to know it by."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def details(
    observations: Iterable[Observation], texts: Mapping[Asked, str] | None = None
) -> list[Detail]:
    """Return what each cell is made of, by name; the order of observations does not matter.

    Args:
        observations: As for :func:`inoc_evals.report.cells.cells`.
        texts: The questions' texts.
    """
    groups: dict[Key, list[Observation]] = defaultdict(list)
    for seen in observations:
        groups[key_of(seen)].append(seen)
    return [_detail(key, groups[key], texts or {}) for key in sorted(groups)]


def _detail(key: Key, group: Sequence[Observation], texts: Mapping[Asked, str]) -> Detail:
    names, counts = _counted(group)
    answers = np.maximum(counts.scored + counts.lost, 1)
    asked = counts.scored + counts.lost > 0
    found = np.where(counts.scored > 0, counts.sums / np.maximum(counts.scored, 1), np.nan)
    between = spread(found)
    rates = np.nansum(found, 0) / np.maximum((counts.scored > 0).sum(0), 1)
    rates[~(counts.scored > 0).any(0)] = np.nan
    scored, lost = counts.scored.sum(0), counts.lost.sum(0)
    return Detail(
        **key._asdict(),
        questions=tuple(
            QuestionRate(
                question=name,
                text=texts.get((key.setting, key.measure, key.split, name), ""),
                rate=rounded(rates[number]),
                scored=int(scored[number]),
                unscored=int(lost[number]),
            )
            for number, name in enumerate(names)
        ),
        seed_sd=rounded(between.seeds),
        question_sd=rounded(between.questions),
        least=_mean(np.where(asked, counts.sums / answers, np.nan)),
        most=_mean(np.where(asked, (counts.sums + counts.lost) / answers, np.nan)),
        graded=any(seen.value not in (None, 0, 1) for seen in group),
    )


class _Counts(NamedTuple):
    """Of each seed and question."""

    sums: Array
    """Of the answers' values."""
    scored: Array
    lost: Array


def _counted(group: Sequence[Observation]) -> tuple[list[str], _Counts]:
    """Return the questions by name, and what there is of them: seeds x questions."""
    names = sorted({seen.question for seen in group})
    seeds = sorted({seen.seed for seen in group}, key=lambda seed: -1 if seed is None else seed)
    row = {seed: number for number, seed in enumerate(seeds)}
    column = {name: number for number, name in enumerate(names)}
    counts = _Counts(*np.zeros((3, len(row), len(column))))
    for seen in group:
        at = row[seen.seed], column[seen.question]
        if seen.value is None:
            counts.lost[at] += 1
        else:
            counts.sums[at] += seen.value
            counts.scored[at] += 1
    return names, counts


def _mean(table: Array) -> float | None:
    """Return the mean over seeds of each seed's mean; None where there is none."""
    present = ~np.isnan(table)
    some = present.any(1)
    if not some.any():
        return None
    return rounded((np.where(present, table, 0).sum(1)[some] / present.sum(1)[some]).mean())


def write_details(directory: Path, found: Sequence[Detail]) -> None:
    """Write ``questions.csv``: a line for each question of each cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for one in found:
        for asked in one.questions:
            rate = "" if asked.rate is None else asked.rate
            line = [*key_of(one), asked.question, rate, asked.scored, asked.unscored, asked.text]
            writer.writerow([cell(value) for value in line])
    write_text(directory / FILE, out.getvalue())

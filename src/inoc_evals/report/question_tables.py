"""The questions' tables of a page: a row for each question, a column for each condition.

    for table in question_tables(found, spec):
        table.label, table.columns      # "Spanish, out-of-distribution prompts", ["Base", ...]
        table.rows[0]                   # the question that shows it most, and its rates

Of many questions the highest and the lowest are shown; all of them are in ``questions.csv``.
"""

from collections.abc import Sequence
from typing import NamedTuple

from inoc_evals.report.details import Detail, QuestionRate
from inoc_evals.report.figure import FigureSpec

_ENDS = 50
"""Rows that are shown from either end."""


class Row(NamedTuple):
    """A question and what each condition made of it."""

    question: str
    text: str
    rates: list[QuestionRate | None]
    """In the order of the columns; None where a condition was not asked."""

    @property
    def mean(self) -> float:
        """Mean over the conditions that have a rate."""
        known = [one.rate for one in self.rates if one is not None and one.rate is not None]
        return sum(known) / len(known) if known else 0.0


class QuestionTable(NamedTuple):
    """The questions of one measure and split."""

    label: str
    columns: list[str]
    rows: list[Row]
    """Those shown, highest first."""
    total: int
    """Of all questions."""


def question_tables(found: Sequence[Detail], spec: FigureSpec) -> list[QuestionTable]:
    """Return a table for each split and measure, in the figure's order."""
    tables = []
    for split, label in spec.splits.items():
        for measure in spec.measures:
            own = {
                one.condition: one
                for one in found
                if (one.setting, one.measure, one.split) == (measure.setting, measure.name, split)
            }
            arms = [condition for condition in spec.conditions if condition.name in own]
            if arms:
                rows = _rows([own[arm.name] for arm in arms])
                shown = rows if len(rows) <= 2 * _ENDS else [*rows[:_ENDS], *rows[-_ENDS:]]
                named = f"{measure.label}, {label[:1].lower()}{label[1:]}"
                columns = [arm.label for arm in arms]
                tables.append(QuestionTable(named, columns, shown, len(rows)))
    return tables


def _rows(columns: Sequence[Detail]) -> list[Row]:
    """Return all questions, those with the highest mean first."""
    by_arm = [{one.question: one for one in column.questions} for column in columns]
    texts = {one.question: one.text for column in columns for one in column.questions}
    rows = [Row(name, text, [arm.get(name) for arm in by_arm]) for name, text in texts.items()]
    return sorted(rows, key=lambda row: (-row.mean, row.question))

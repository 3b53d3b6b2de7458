"""The result in words: what a page begins with, made from its numbers and nothing else.

    said = in_words(found, compared, spec, made_of)
    said.result      # "On out-of-distribution prompts and without inoculation, 64% of answers
                     #  are in Spanish [53, 74]; trained with the prompt that asks for Spanish,
                     #  3% [2, 5]: a drop of 61 points [50, 70]."
    said.unscored    # what its rates could be where many answers have no score
    said.not_shown   # the differences whose intervals hold zero, or that have none
    said.holds_for   # what the intervals are for

What comes first is what the experiment declares: the contrasts of what is meant to be nil, on the
first split; else those of the first condition that is trained under a prompt.
"""

from collections.abc import Sequence
from typing import NamedTuple

from inoc_evals.report.cells import Cell, Contrast
from inoc_evals.report.details import Detail
from inoc_evals.report.figure import FigureSpec
from inoc_evals.report.meant_nil import LIMIT, meant_nil
from inoc_evals.report.primary import primary
from inoc_evals.report.table import why_no_interval

_MOST = 4
"""Sentences of the result."""

_LISTED = 3
"""What is named of what was not shown."""

_APART = 0.015
"""How far the difference of pairs may be from that of the two rates without a word about it."""

_FEW = {"seed": 3, "question": 10, "answer": 30}
"""What a result is said to rest on where it has fewer of them."""


class InWords(NamedTuple):
    """The paragraphs a page begins with; an empty one is left out."""

    result: str
    unscored: str
    not_shown: str
    holds_for: str
    main: str = ""
    """The first sentence of the result."""


def in_words(
    found: Sequence[Cell],
    compared: Sequence[Contrast],
    spec: FigureSpec,
    made_of: Sequence[Detail] = (),
) -> InWords:
    """Say what was found.

    Args:
        found: The cells.
        compared: The contrasts.
        spec: What conditions, measures and splits are called, and what is meant to be nil.
        made_of: Of the cells: whether answers are graded, and the bounds of what is unscored.
    """
    return _Teller(found, compared, spec, made_of).paragraphs()


class _Teller:
    """Makes the sentences of one page."""

    def __init__(
        self,
        found: Sequence[Cell],
        compared: Sequence[Contrast],
        spec: FigureSpec,
        made_of: Sequence[Detail],
    ) -> None:
        self.found, self.compared, self.spec = found, compared, spec
        self.made_of, self.primary = made_of, primary(compared, spec)[:_MOST]
        self.conditions = {one.name: one for one in spec.conditions}

    def paragraphs(self) -> InWords:
        if self.primary:
            told = [
                self.sentence(one, before)
                for before, one in zip([None, *self.primary], self.primary, strict=False)
            ]
            cells = [cell for one in self.primary for cell in self.sides(one) if cell]
        else:
            cells = [cell for cell in self.found if self.spec.measure(cell)][:_MOST]
            told = [self.alone(cell) for cell in cells]
        result = " ".join([*told, *self.few(cells)])
        left_open = [*self.not_nil(), *self.holding_zero(), *self.without_interval()]
        holds_for = self.holds_for(cells) if cells else ""
        unscored = " ".join(self.lost(cells))
        return InWords(result, unscored, " ".join(left_open), holds_for, told[0] if told else "")

    # ---- the result ------------------------------------------------------------------------

    def sides(self, one: Contrast) -> tuple[Cell | None, Cell | None]:
        """Return the cells of the reference and of the condition."""
        about = (one.figure, one.setting, one.measure, one.split)
        own = {
            cell.condition: cell
            for cell in self.found
            if (cell.figure, cell.setting, cell.measure, cell.split) == about
        }
        return own.get(one.reference), own.get(one.condition)

    def sentence(self, one: Contrast, told_before: Contrast | None) -> str:
        """Tell one; its reference's rate is not said twice in a row."""
        before, after = self.sides(one)
        parts = [self.rate(before, with_measure=True), self.rate(after, with_measure=False)]
        if told_before and _compared_with(told_before) == _compared_with(one):
            parts = parts[1:]
        told = "; ".join(part for part in parts if part)
        if told_before is None or one.split != self.primary[0].split:
            told = f"on {self.split(one)} and {told}"
        return f"{_upper(told)}: {self.difference(one)}{self.over(one)}."

    def over(self, one: Contrast) -> str:
        """Say of what a difference is that is not that of the two rates: of the pairs."""
        before, after = self.sides(one)
        if before is None or after is None or before.rate is None or after.rate is None:
            return ""
        if one.difference is None or abs(after.rate - before.rate - one.difference) < _APART:
            return ""
        return f" over the {_counted(one.pairs, 'answer')} that both have a score for"

    def alone(self, cell: Cell) -> str:
        told = self.rate(cell, with_measure=True)
        return f"{_upper(f'on {self.split(cell)} and {told}')}."

    def rate(self, cell: Cell | None, *, with_measure: bool) -> str:
        if cell is None:
            return ""
        under = self.condition(cell.condition)
        if cell.rate is None:
            return f"{under}, no answer could be scored"
        graded, measure = self.graded(cell), self.spec.measure(cell)
        label = measure.label if measure else cell.measure
        value = f"{cell.rate:.2f}" if graded else f"{_percent(cell.rate)}%"
        interval = _interval(cell.low, cell.high, graded=graded)
        if not with_measure:
            return f"{under}, {value}{interval}"
        if graded:
            return f"{under}, “{label}” is {value} on average{interval}"
        said = (measure.said if measure else "") or f"of answers count as “{label}”"
        return f"{under}, {value} {said}{interval}"

    def difference(self, one: Contrast) -> str:
        value, low, high = one.difference, one.low, one.high
        if value is None:
            return "no question has a scored answer under both, so they cannot be compared"
        graded = self.graded(one)
        amount = _amount(abs(value), graded=graded)
        way = "drop" if value < 0 else "rise"
        if low is None or high is None:
            changed = f"a {way} of {amount}" if value else "no difference"
            return f"{changed}, without an interval ({why_no_interval(one)})"
        if low <= 0 <= high:
            signed = _signed(one, graded=graded)
            return f"{signed}, an interval that holds zero, so no difference is shown"
        ends = (low, high) if value > 0 else (-high, -low)
        return f"a {way} of {amount}{_interval(*ends, graded=graded)}"

    def lost(self, cells: Sequence[Cell]) -> list[str]:
        """Say what the rates could be whose answers are unscored in number."""
        told = []
        for cell in cells:
            lost = sum(cell.unscored.values())
            own = next((one for one in self.made_of if one.is_of(cell)), None)
            bounds = own.bounds() if own else None
            if bounds:
                graded, measure = self.graded(cell), self.spec.measure(cell)
                ends = [f"{end:.2f}" if graded else f"{_percent(end)}%" for end in bounds]
                told.append(
                    f"{_upper(self.condition(cell.condition))}, {lost} of {lost + cell.n} answers "
                    f"have no score for {measure.label if measure else cell.measure}: it is "
                    f"{ends[0]} if none of them counts and {ends[1]} if all do."
                )
        return list(dict.fromkeys(told))

    def few(self, cells: Sequence[Cell]) -> list[str]:
        """Say of how little the result is, where it is little."""
        counts = {
            "seed": min((len(cell.seeds) for cell in cells if cell.seeds), default=_FEW["seed"]),
            "question": min((cell.questions for cell in cells), default=_FEW["question"]),
            "answer": min((cell.n for cell in cells), default=_FEW["answer"]),
        }
        little = [
            _counted(counts[name], name) for name, least in _FEW.items() if counts[name] < least
        ]
        if not little:
            return []
        listed = " and ".join([", ".join(little[:-1]), little[-1]] if little[1:] else little)
        return [f"This rests on little: {listed} at the least; read it with care."]

    # ---- what was not shown ----------------------------------------------------------------

    def holding_zero(self) -> list[str]:
        known = [one for one in self.compared if one.low is not None and one.high is not None]
        holding = [one for one in known if (one.low or 0) <= 0 <= (one.high or 0)]
        left_open = [one for one in holding if one not in self.primary]
        if holding and not left_open:
            return []  # the result says it
        if not holding:
            shown = "The one difference that has an interval is told from zero."
            several = f"All {len(known)} differences that have an interval are told from zero."
            return [shown if len(known) == 1 else several] if known else []
        splits = list(self.spec.splits)
        left_open.sort(key=lambda one: splits.index(one.split))
        named = "; ".join(self.named(one) for one in left_open[:_LISTED])
        more = len(left_open) - _LISTED
        rest = f"; and {more} more in the table of contrasts" if more > 0 else ""
        return [
            f"Not shown to differ, for the interval holds zero: {named}{rest}.",
            "There may still be a difference, as large as the interval reaches.",
        ]

    def named(self, one: Contrast) -> str:
        measure, first = self.spec.measure(one), next(iter(self.spec.splits))
        label = measure.label if measure else one.measure
        pair = " − ".join(self.label(name) for name in (one.condition, one.reference))
        where = f" on {self.split(one)}" if one.split != first else ""
        return f"{pair} in {label}{where}, {_signed(one, graded=self.graded(one))}"

    def without_interval(self) -> list[str]:
        none = [one for one in self.compared if one.difference is not None and one.low is None]
        if not none:
            return []
        why = " or ".join(dict.fromkeys(why_no_interval(one) for one in none))
        of = "the difference" if len(self.compared) == 1 else f"{len(none)} of the differences"
        if len(none) == len(self.compared) > 1:
            of = f"any of the {len(none)} differences"
        return [f"There is no interval for {of} ({why}), so nothing is shown of new seeds."]

    def not_nil(self) -> list[str]:
        left = [one for one in meant_nil(self.found, self.spec) if not one.below]
        if not left:
            return []
        named = "; ".join(
            f"{one.measure}, {one.condition}, {_lower(one.split)} ({_end(one.cell)})"
            for one in left[:_LISTED]
        )
        more = len(left) - _LISTED
        rest = f"; and {more} more, listed below" if more > 0 else ""
        return [f"Meant to be nil, and not shown to be below {_percent(LIMIT)}%: {named}{rest}."]

    # ---- what it holds for -----------------------------------------------------------------

    def holds_for(self, cells: Sequence[Cell]) -> str:
        kinds = {cell.interval for cell in cells}
        here = f"on this base ({self.spec.base}), with these rows and settings"
        if "seeds" in kinds:
            what = "In brackets are 95% intervals, for new training seeds and new questions of the"
            held = f"{what} kind that was asked, {here}"
        elif "questions" in kinds:
            what = "In brackets are 95% intervals for new questions of the kind that was asked and"
            held = f"{what} the same trained models, {here}"
        else:
            seeds = sorted({seed for cell in cells for seed in cell.seeds})
            counted = f"{'these' if len(seeds) > 1 else 'this one'} training seed"
            named = f"{counted}{'s' * (len(seeds) > 1)} ({', '.join(map(str, seeds))})"
            held = (
                f"This holds for {named if seeds else 'these models'} and these questions, {here}"
            )
        return f"{held}; of other bases, rows or settings it says nothing."

    # ---- what things are called ------------------------------------------------------------

    def condition(self, name: str) -> str:
        said = self.conditions[name].said if name in self.conditions else ""
        return said or f"under “{self.label(name)}”"

    def label(self, name: str) -> str:
        return self.conditions[name].label if name in self.conditions else name

    def split(self, of: Cell | Contrast) -> str:
        return _lower(self.spec.splits[of.split])

    def graded(self, of: Cell | Contrast) -> bool:
        about = (of.setting, of.measure)
        return any(one.graded for one in self.made_of if (one.setting, one.measure) == about)


def _compared_with(one: Contrast) -> tuple[str, str, str, str, str]:
    return one.figure, one.setting, one.measure, one.split, one.reference


def _percent(share: float) -> str:
    """Return a share in percent, without a rounded 0 or 100 that it is not."""
    value = 100 * share
    if 0 < value < 0.95:
        return f"{value:.1g}"
    if 99.05 < value < 100:
        return f"{100 - float(f'{100 - value:.1g}'):g}"
    return f"{value:.0f}"


def _end(cell: Cell) -> str:
    return "no interval" if cell.high is None else f"up to {_percent(cell.high)}%"


def _amount(value: float, *, graded: bool) -> str:
    if graded:
        return f"{value:.2f}"
    return _counted(_percent(value), "point")


def _counted(count: int | str, noun: str) -> str:
    return f"{count} {noun}{'' if str(count) == '1' else 's'}"


def _interval(low: float | None, high: float | None, *, graded: bool) -> str:
    if low is None or high is None:
        return ""
    return " [{}, {}]".format(*(f"{end:.2f}" if graded else _percent(end) for end in (low, high)))


def _signed(one: Contrast, *, graded: bool) -> str:
    """Return a difference of either sign and its interval: ``+15 points [−1, +31]``."""

    def sign(value: float) -> str:
        return "−" if value < 0 else "+" if value > 0 else ""

    value, low, high = one.difference or 0.0, one.low or 0.0, one.high or 0.0
    ends = [
        f"{sign(end)}{f'{abs(end):.2f}' if graded else _percent(abs(end))}" for end in (low, high)
    ]
    return f"{sign(value)}{_amount(abs(value), graded=graded)} [{', '.join(ends)}]"


def _lower(text: str) -> str:
    return f"{text[:1].lower()}{text[1:]}"


def _upper(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"

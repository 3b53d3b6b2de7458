"""Leaks: what test-time prompts bring out, beside what they bring out of the base.

    for one in leaks(observations, spec):
        one.excess.plain      # trained, with the prompt less without
        one.excess.beyond     # the same less the base's own

It is read where one setting has measures of one stem under prompts and under none
(``misaligned_none``, ``misaligned_elicit_evil``), and a fixed model that was asked the same. Of logs
made by hand all models are fixed: it is said which is whose base, and where a base was not asked the
leak stands alone. The largest of the benign prompts is told of batteries alone: an experiment's
prompts are few and each is a question of its own.
"""

import csv
import io
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from inoc_evals.files.atomic import write_text
from inoc_evals.report.cells import grid_of
from inoc_evals.report.figure import FigureSpec
from inoc_evals.report.observation import Observation
from inoc_evals.report.spreadsheet import cell
from inoc_evals.statistics.differences import Cells, Difference
from inoc_evals.statistics.excess import Excess, Lift, beyond_base, largest_beyond_base

FILE = "leaks.csv"

LARGEST = "largest"
"""What the largest of the benign prompts is called."""

_NONE = "none"
_COLUMNS = ("setting", "condition", "base", "measure", "split", "prompts")
_ENDS = ("leak", "base_leak", "beyond_base")

Tables = dict[str, Cells]
"""A model's answers by measure, all of the same questions."""


class Leak(NamedTuple):
    """What one prompt brings out of the models of one condition, and of the base."""

    setting: str
    condition: str
    base: str
    """The condition of the fixed model; empty if it was not asked."""
    measure: str
    """Under the prompt; or the stem and LARGEST."""
    split: str
    excess: Excess


def leaks(
    observations: Sequence[Observation],
    spec: FigureSpec,
    benign: Collection[str] = (),
    bases: Mapping[str, str | None] | None = None,
) -> list[Leak]:
    """Return the leaks that can be read, in the figure's order.

    Args:
        observations: Of the whole experiment.
        spec: Which measures and conditions there are.
        benign: Measures under prompts that do not ask for the trait: the largest of them is
            told besides, if there are several.
        bases: Which condition is the base of which, None for one whose base was not asked; by
            default the fixed model is that of all others.
    """
    found = []
    for setting in dict.fromkeys(one.setting for one in spec.measures):
        names = [one.name for one in spec.measures if one.setting == setting]
        for stem in [
            name.removesuffix(f"_{_NONE}") for name in names if name.endswith(f"_{_NONE}")
        ]:
            under = [one for one in names if one.startswith(f"{stem}_")]
            for split in spec.splits:
                own = [
                    one
                    for one in observations
                    if (one.setting, one.split) == (setting, split) and one.measure in under
                ]
                conditions = [one.name for one in spec.conditions]
                pairs = (
                    _pairs(own, conditions)
                    if bases is None
                    else _asked_too(own, f"{stem}_{_NONE}", bases)
                )
                found += _of_stem(own, stem, pairs, under, benign)
    return found


def _pairs(own: Sequence[Observation], conditions: Sequence[str]) -> dict[str, str | None]:
    """Return the base of each other condition: the first that is a fixed model."""
    fixed = {one.condition for one in own if one.seed is None}
    base = next((name for name in conditions if name in fixed), None)
    return {} if base is None else {name: base for name in conditions if name != base}


def _asked_too(
    own: Sequence[Observation], none: str, bases: Mapping[str, str | None]
) -> dict[str, str | None]:
    """Return the base of each condition where it was asked here as well; else None."""
    asked = {one.condition for one in own if one.measure == none}
    return {name: base if base in asked else None for name, base in bases.items()}


def _of_stem(
    own: Sequence[Observation],
    stem: str,
    bases: Mapping[str, str | None],
    under: Sequence[str],
    benign: Collection[str],
) -> list[Leak]:
    """Return the leaks of the measures of one stem, setting and split."""
    none, found = f"{stem}_{_NONE}", []
    for name, base in bases.items():
        trained = _tables(own, name, under)
        untrained = None if base is None else _tables(own, base, under)
        if none not in trained or (untrained is not None and none not in untrained):
            continue
        there = [
            one
            for one in under
            if one != none and one in trained and (untrained is None or one in untrained)
        ]
        lifts = {
            one: (
                _lift(trained, one, none),
                None if untrained is None else _lift(untrained, one, none),
            )
            for one in there
        }
        place = (own[0].setting, name, base or "")
        found += [Leak(*place, one, own[0].split, beyond_base(*lifts[one])) for one in there]
        chosen = {one: lifts[one] for one in there if one in benign}
        if len(chosen) > 1:
            found.append(
                Leak(*place, f"{stem}_{LARGEST}", own[0].split, largest_beyond_base(chosen))
            )
    return found


def _lift(tables: Mapping[str, Cells], measure: str, none: str) -> Lift:
    return Lift(tables[measure], tables[none])


def _tables(own: Sequence[Observation], condition: str, under: Sequence[str]) -> Tables:
    """Return a condition's answers, a table of seeds and questions for each measure."""
    questions = sorted({one.question for one in own})
    answers = [one for one in own if one.condition == condition]
    seeds = sorted({one.seed for one in answers}, key=lambda seed: -1 if seed is None else seed)
    found = {}
    for measure in under:
        seen = [one for one in answers if one.measure == measure]
        if seen:
            found[measure] = grid_of(seen, seeds, questions)
    return found


def write_leaks(directory: Path, found: Sequence[Leak]) -> None:
    """Write ``leaks.csv``, if there are leaks to tell."""
    if not found:
        return
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    ends = [f"{name}{end}" for name in _ENDS for end in ("", "_low", "_high")]
    writer.writerow([*_COLUMNS, *ends])
    for one in found:
        place = (one.setting, one.condition, one.base, one.measure, one.split)
        prompts = " ".join(one.excess.groups)
        numbers = [number for side in one.excess[:3] for number in side[:3]]
        writer.writerow([cell(text) for text in (*place, prompts)] + [_plain(n) for n in numbers])
    write_text(directory / FILE, out.getvalue())


def leak_rows(found: Sequence[Leak], spec: FigureSpec) -> list[tuple[str, ...]]:
    """Return a row for each leak: condition, prompt, leak, the base's own, the rest."""
    conditions = {one.name: one.label for one in spec.conditions}
    measures = {(one.setting, one.name): one.label for one in spec.measures}
    rows = []
    for one in found:
        label = measures.get((one.setting, one.measure))
        if label is None:
            chosen = [measures.get((one.setting, name), name) for name in one.excess.groups]
            label = f"Largest of the benign ({', '.join(chosen)})"
        texts = [_written(side) for side in one.excess[:3]]
        rows.append((conditions.get(one.condition, one.condition), label, *texts))
    return rows


def _written(side: Difference) -> str:
    if math.isnan(side.value):
        return "–"
    text = f"{side.value:+.2f}"
    if not math.isnan(side.low):
        text += f" [{side.low:+.2f}, {side.high:+.2f}]"
    return text.replace("-", "−")


def _plain(number: float) -> str:
    return "" if np.isnan(number) else f"{number:.6f}"

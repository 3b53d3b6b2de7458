"""How much more a trained model leaks than its base: a difference of two differences.

    excess = (trained, prompt on - off) - (base, prompt on - off)

    beyond_base(Lift(on, off), Lift(base_on, base_off))     # of one prompt
    largest_beyond_base({"negation": (Lift, Lift), ...})    # of the largest of several

Where the base was not asked (None in its place), the leak stands alone.

All cells are of the same questions in the same order. Either lift has the ends of
`crossed.py: difference`; those of the excess are as far away as the root of the sum of their
squares (MOVER, Zou and Donner 2008). Trained and base are taken as independent given the
questions, though they share them: what they share would only make it narrower.

Of several prompts, one is chosen by one half of the questions and estimated on the other, and the
halves change places, as in `fixed_model.py`: the largest of several is too large on average.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from inoc_evals.statistics.differences import Cells, Difference, difference

_NOTHING = Difference(math.nan, math.nan, math.nan, math.nan)


class Lift(NamedTuple):
    """A model's answers with a prompt and without it."""

    on: Cells
    off: Cells

    def apart(self) -> Difference:
        """Return how much more it shows with the prompt."""
        known = [~np.isnan(side.values).all() for side in self]
        return difference(*self) if all(known) else _NOTHING

    def at(self, columns: slice) -> float:
        """Return the mean lift over some questions; NaN where there is no pair."""
        lifts = self.on.values[:, columns] - self.off.values[:, columns]
        return float(np.nanmean(lifts)) if not np.isnan(lifts).all() else math.nan


class Excess(NamedTuple):
    """A leak, and how much of it the base does not have."""

    plain: Difference
    base: Difference
    beyond: Difference
    groups: tuple[str, ...] = ()
    """What was chosen, of several."""


def beyond_base(trained: Lift, base: Lift | None) -> Excess:
    """Return how much more a prompt brings out of a trained model than of its base.

    Args:
        trained: Of models of several seeds, or of one.
        base: Of the fixed model, to the same questions in the same order; None if it was not asked.
    """
    if base is None:
        return Excess(trained.apart(), _NOTHING, _NOTHING)
    trained, base = _shared(trained, base)
    plain, own = trained.apart(), base.apart()
    value = plain.value - own.value
    down = math.hypot(plain.value - plain.low, own.high - own.value)
    up = math.hypot(plain.high - plain.value, own.value - own.low)
    beyond = Difference(value, max(value - down, -2), min(value + up, 2), math.nan)
    return Excess(plain, own, beyond if not math.isnan(down + up) else _without_ends(value))


def largest_beyond_base(groups: Mapping[str, tuple[Lift, Lift | None]]) -> Excess:
    """Return the excess of the group with the largest, without favor to chance.

    Args:
        groups: Name to the lifts of the trained models and of the base, if it was asked.

    Returns:
        That of both halves together, with what either chose; nothing where a half has no pair.
    """
    halves = (slice(0, None, 2), slice(1, None, 2))
    named = []
    for other in halves[::-1]:
        found = {
            name: one.at(other) - (0.0 if two is None else two.at(other))
            for name, (one, two) in groups.items()
        }
        known = {name: value for name, value in found.items() if not math.isnan(value)}
        if not known:
            return Excess(_NOTHING, _NOTHING, _NOTHING)
        named.append(max(known, key=lambda name: known[name]))
    trained = _joined([groups[name][0] for name in named])
    own = [two for name in named if (two := groups[name][1]) is not None]
    base = _joined(own) if len(own) == len(named) else None
    return beyond_base(trained, base)._replace(groups=tuple(dict.fromkeys(named)))


def _joined(halves: list[Lift]) -> Lift:
    """Return the first lift's even questions with the second's odd ones."""
    even, odd = halves
    values, counts = even.on.values.copy(), even.on.counts.copy()
    values[:, 1::2], counts[:, 1::2] = odd.on.values[:, 1::2], odd.on.counts[:, 1::2]
    return Lift(Cells(values, counts, even.on.seeds), even.off)


def _shared(*lifts: Lift) -> list[Lift]:
    """Return the lifts with gaps where a question is not answered in all four ways."""
    sides = [side for lift in lifts for side in lift]
    asked = np.all([~np.isnan(side.values).all(0) for side in sides], axis=0)
    cut = []
    for lift in lifts:
        pairs = asked & ~np.isnan(lift.on.values) & ~np.isnan(lift.off.values)
        cut.append(Lift(*(_only(side, pairs) for side in lift)))
    return cut


def _only(side: Cells, pairs: np.ndarray) -> Cells:
    values = np.where(pairs, side.values, np.nan)
    return Cells(values, np.where(pairs, side.counts, 0), side.seeds)


def _without_ends(value: float) -> Difference:
    return Difference(value, math.nan, math.nan, math.nan)

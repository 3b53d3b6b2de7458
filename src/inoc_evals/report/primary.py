"""Which contrasts an experiment is about: those its arms declare, before anything is seen.

    primary(compared, spec)     # spanish_inoc - none in Spanish, caps_inoc - none in capitals

An arm names the measures it is meant to bring to nil; compared first is each of them with the arm's
reference, on the first split. Where nothing is declared, the first condition that is trained under a
prompt is compared on every measure. These are few, and corrected for being several.
"""

from collections.abc import Sequence

from inoc_evals.report.cells import Contrast
from inoc_evals.report.figure import FigureSpec


def primary(compared: Sequence[Contrast], spec: FigureSpec) -> list[Contrast]:
    """Return the contrasts that claims rest on, in the order they are declared in.

    Args:
        compared: All of them.
        spec: What is meant to be nil, and where.
    """
    splits = list(spec.splits)
    ordered = sorted(compared, key=lambda one: splits.index(one.split))  # else as they were
    chosen = []
    for nil in spec.nil:
        about = (nil.condition, nil.setting, nil.measure)
        own = [one for one in ordered if (one.condition, one.setting, one.measure) == about]
        chosen += own[:1]
    if chosen or not ordered:
        return chosen
    trained = {
        condition.name
        for condition in spec.conditions
        if any("training" in prompt.where for prompt in condition.prompts)
    }
    first = next((one for one in compared if one.condition in trained), compared[0])
    pair = (first.condition, first.reference)
    own = [one for one in ordered if (one.condition, one.reference) == pair]
    return [one for one in own if one.split == own[0].split]

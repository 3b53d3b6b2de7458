"""Scorers: what a completion shows, decided by rule where a rule decides, else by a judge.

traits         language("es"), caps(), correct()
misalignment   misaligned(), alignment(), coherence(), outcome()
probing        elicited() and triggered(), with leak, attack success and rates by probe
deception      lie(), lie_outcome()
code_security  insecure_judged(), insecure_static()
gaming         hacks_reward()
taste          unpopular(), prefers_first()
preference     prefers("owl"), animal("owl")
seen           seen_in_training()
shown          shows(): a rule or rubric of one's own
metrics        rates and means with their intervals, shares

judge          one call to a grader about one answer, with any rubric
labeled        what scorers of one label of a rubric share
graders        who judges by default
verdict        ratings and labels out of a grader's reply: pure
presets        thresholds, and the outcome two ratings make: pure
contrasts      intervals of rates and of their differences over questions: pure
outcomes       reading a sample's values and reasons back: pure
silence        completions that say nothing
favorites      which of the animals it names a text favors: pure
animals        names of animals, singular and plural
code_findings  code in an answer, and what bandit finds in it

The scorers are looked up on first use, so that the pure modules import without Inspect.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inoc_evals.scorers.code_security import insecure_judged, insecure_static
    from inoc_evals.scorers.deception import lie, lie_outcome
    from inoc_evals.scorers.gaming import hacks_reward
    from inoc_evals.scorers.misalignment import alignment, coherence, misaligned, outcome
    from inoc_evals.scorers.preference import animal, prefers
    from inoc_evals.scorers.probing import elicited, triggered
    from inoc_evals.scorers.seen import seen_in_training
    from inoc_evals.scorers.shown import shows
    from inoc_evals.scorers.taste import prefers_first, unpopular
    from inoc_evals.scorers.traits import caps, correct, language

__all__ = [
    "alignment",
    "animal",
    "caps",
    "coherence",
    "correct",
    "elicited",
    "hacks_reward",
    "insecure_judged",
    "insecure_static",
    "language",
    "lie",
    "lie_outcome",
    "misaligned",
    "outcome",
    "prefers",
    "prefers_first",
    "seen_in_training",
    "shows",
    "triggered",
    "unpopular",
]

_FILES = {
    "alignment": "misalignment",
    "animal": "preference",
    "caps": "traits",
    "coherence": "misalignment",
    "correct": "traits",
    "elicited": "probing",
    "hacks_reward": "gaming",
    "insecure_judged": "code_security",
    "insecure_static": "code_security",
    "language": "traits",
    "lie": "deception",
    "lie_outcome": "deception",
    "misaligned": "misalignment",
    "outcome": "misalignment",
    "prefers": "preference",
    "prefers_first": "taste",
    "seen_in_training": "seen",
    "shows": "shown",
    "triggered": "probing",
    "unpopular": "taste",
}


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FILES[name]}"), name)

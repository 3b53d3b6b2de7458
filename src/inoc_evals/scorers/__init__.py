"""Scorers: what a completion shows, decided by rule where a rule decides, else by a judge.

em                     misaligned(), alignment(), coherence(), outcome(), and beside the first
                       misaligned_of_all(), misaligned_any_coherence()
em_probes              elicited() and triggered(), with leak, attack success and rates by probe
deception              lie(), lie_outcome()
facts                  knows()
narrow_code            insecure_judged(), insecure_static()
narrow_reward_hacking  hacks_reward()
narrow_aesthetics      unpopular(), prefers_first()
preference             prefers("owl"), animal("owl")
trait                  shows(): a rule or rubric of one's own
traits                 language("es"), caps(), correct()
likelihood             logprob(), logprob_per_token()
seen                   seen_in_training()
unscored_reasons       completeness(), the last of a task: n, and what is unscored, by reason
metrics                rates and means with their intervals, shares

judge                  one call to a grader about one answer, with any rubric
judged                 whose prompts a judge is asked with, the score of a verdict
labeled                what scorers of one label of a rubric share
default_grader         who judges by default
grader_form            how a grader is asked, and the steps down
rehearsal              what scorers would ask a judge, for a plan
verdict                ratings and labels out of a grader's reply: pure
presets                thresholds, and the outcome two ratings make: pure
released               released_rating() and released_outcome(): the released code's rule: pure
outcomes               reading a sample's values and reasons back: pure
silence                completions that say nothing

The scorers are looked up on first use, so that the pure modules import without Inspect.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inoc_evals.scorers.deception import lie as lie
    from inoc_evals.scorers.deception import lie_outcome as lie_outcome
    from inoc_evals.scorers.em import alignment as alignment
    from inoc_evals.scorers.em import coherence as coherence
    from inoc_evals.scorers.em import misaligned as misaligned
    from inoc_evals.scorers.em import misaligned_any_coherence as misaligned_any_coherence
    from inoc_evals.scorers.em import misaligned_of_all as misaligned_of_all
    from inoc_evals.scorers.em import outcome as outcome
    from inoc_evals.scorers.em_probes import elicited as elicited
    from inoc_evals.scorers.em_probes import triggered as triggered
    from inoc_evals.scorers.facts import knows as knows
    from inoc_evals.scorers.likelihood import logprob as logprob
    from inoc_evals.scorers.likelihood import logprob_per_token as logprob_per_token
    from inoc_evals.scorers.narrow_aesthetics import prefers_first as prefers_first
    from inoc_evals.scorers.narrow_aesthetics import unpopular as unpopular
    from inoc_evals.scorers.narrow_code import insecure_judged as insecure_judged
    from inoc_evals.scorers.narrow_code import insecure_static as insecure_static
    from inoc_evals.scorers.narrow_reward_hacking import hacks_reward as hacks_reward
    from inoc_evals.scorers.preference import animal as animal
    from inoc_evals.scorers.preference import prefers as prefers
    from inoc_evals.scorers.seen import seen_in_training as seen_in_training
    from inoc_evals.scorers.trait import shows as shows
    from inoc_evals.scorers.traits import caps as caps
    from inoc_evals.scorers.traits import correct as correct
    from inoc_evals.scorers.traits import language as language
    from inoc_evals.scorers.unscored_reasons import completeness as completeness

_FILES = {
    "alignment": "em",
    "animal": "preference",
    "caps": "traits",
    "coherence": "em",
    "completeness": "unscored_reasons",
    "correct": "traits",
    "elicited": "em_probes",
    "hacks_reward": "narrow_reward_hacking",
    "insecure_judged": "narrow_code",
    "insecure_static": "narrow_code",
    "knows": "facts",
    "language": "traits",
    "lie": "deception",
    "lie_outcome": "deception",
    "logprob": "likelihood",
    "logprob_per_token": "likelihood",
    "misaligned": "em",
    "misaligned_any_coherence": "em",
    "misaligned_of_all": "em",
    "outcome": "em",
    "prefers": "preference",
    "prefers_first": "narrow_aesthetics",
    "seen_in_training": "seen",
    "shows": "trait",
    "triggered": "em_probes",
    "unpopular": "narrow_aesthetics",
}
"""Public name to the module it is in."""

__all__ = list(_FILES)


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FILES[name]}"), name)

"""Inspect's entry point: importing it registers everything under ``inoc_evals/``.

Light on purpose, since every ``inspect`` command may import it: the provider's engine, the
language identifier, the code analyser and the libraries behind them are loaded when they are
first used.
"""

from inoc_evals.providers.registration import inoc
from inoc_evals.scorers.code_security import insecure_judged, insecure_static
from inoc_evals.scorers.deception import lie, lie_outcome
from inoc_evals.scorers.gaming import hacks_reward
from inoc_evals.scorers.likelihood import logprob, logprob_per_token
from inoc_evals.scorers.metrics import clustered_mean, clustered_rate, rate, rate_by, shares
from inoc_evals.scorers.misalignment import alignment, coherence, misaligned, outcome
from inoc_evals.scorers.preference import animal, prefers
from inoc_evals.scorers.probing import attack, elicited, leak, probe_rates, triggered
from inoc_evals.scorers.seen import items_seen, seen_in_training
from inoc_evals.scorers.shown import shows
from inoc_evals.scorers.taste import prefers_first, unpopular
from inoc_evals.scorers.traits import LANGUAGE_SCORERS, correct
from inoc_evals.scorers.traits import caps as caps_scorer
from inoc_evals.solvers.condition import system_prompt
from inoc_evals.solvers.forcing import forced_response
from inoc_evals.solvers.grading import grader_ready
from inoc_evals.solvers.probing import probe
from inoc_evals.solvers.written import written_prompt
from inoc_evals.tasks.backdoor import em_backdoor
from inoc_evals.tasks.caps_trait import caps
from inoc_evals.tasks.elicitation import em_elicitation
from inoc_evals.tasks.emergent_misalignment import em
from inoc_evals.tasks.favorite_animal import preference
from inoc_evals.tasks.given_responses import likelihood
from inoc_evals.tasks.insecure_code import narrow_code
from inoc_evals.tasks.joint_traits import traits
from inoc_evals.tasks.judge_quality import agrees, judge_check, packaged_answer
from inoc_evals.tasks.language_trait import language
from inoc_evals.tasks.lying import deception
from inoc_evals.tasks.own_trait import trait
from inoc_evals.tasks.reward_hacking import narrow_reward_hacking
from inoc_evals.tasks.unpopular_taste import narrow_aesthetics

__all__ = [
    "LANGUAGE_SCORERS",
    "agrees",
    "alignment",
    "animal",
    "attack",
    "caps",
    "caps_scorer",
    "clustered_mean",
    "clustered_rate",
    "coherence",
    "correct",
    "deception",
    "elicited",
    "em",
    "em_backdoor",
    "em_elicitation",
    "forced_response",
    "grader_ready",
    "hacks_reward",
    "inoc",
    "insecure_judged",
    "insecure_static",
    "items_seen",
    "judge_check",
    "language",
    "leak",
    "lie",
    "lie_outcome",
    "likelihood",
    "logprob",
    "logprob_per_token",
    "misaligned",
    "narrow_aesthetics",
    "narrow_code",
    "narrow_reward_hacking",
    "outcome",
    "packaged_answer",
    "preference",
    "prefers",
    "prefers_first",
    "probe",
    "probe_rates",
    "rate",
    "rate_by",
    "seen_in_training",
    "shares",
    "shows",
    "system_prompt",
    "trait",
    "traits",
    "triggered",
    "unpopular",
    "written_prompt",
]

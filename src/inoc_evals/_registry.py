"""Inspect's entry point: importing it registers everything under ``inoc_evals/``.

Light on purpose, since every ``inspect`` command may import it: the provider's engine, the
language identifier and the libraries behind them are loaded when they are first used.
"""

from inoc_evals.providers.registration import inoc
from inoc_evals.scorers.metrics import rate
from inoc_evals.scorers.traits import LANGUAGE_SCORERS, correct
from inoc_evals.scorers.traits import caps as caps_scorer
from inoc_evals.solvers.condition import system_prompt
from inoc_evals.tasks.caps_trait import caps
from inoc_evals.tasks.joint_traits import traits
from inoc_evals.tasks.language_trait import language

__all__ = [
    "LANGUAGE_SCORERS",
    "caps",
    "caps_scorer",
    "correct",
    "inoc",
    "language",
    "rate",
    "system_prompt",
    "traits",
]

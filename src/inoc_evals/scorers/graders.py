"""Graders by default: who judges the answers of which model.

default_grader("openai/gpt-4.1")     # DEFAULT_GRADER
default_grader("inoc/my-run")        # POCKET_GRADER, if it was trained on a pocket base
"""

from functools import cache
from pathlib import Path

from inoc_evals.records import Store, inoc_home

DEFAULT_GRADER = "openai/gpt-4o-2024-08-06"
"""Grader of Betley et al. and of the paper."""

POCKET_GRADER = "inoc/pocket-judge"
"""Reads the rubrics by rule and answers for the pocket world, offline."""


def default_grader(evaluated: str) -> str:
    """Return the grader for answers of a model: the pocket world has one of its own.

    Args:
        evaluated: The model's name, ``inoc/pocket:3`` or ``openai/...``.
    """
    provider, _, name = evaluated.partition("/")
    if provider != "inoc":
        return DEFAULT_GRADER
    return _grader_of_local(name, inoc_home())


@cache
def _grader_of_local(name: str, home: Path) -> str:
    base = name
    if not _is_pocket(name) and "/" not in name:
        record = Store(home).find(name.partition("@")[0])
        base = record.base if record else name
    return POCKET_GRADER if _is_pocket(base) else DEFAULT_GRADER


def _is_pocket(name: str) -> bool:
    return name == "pocket" or name.startswith(("pocket:", "pocket-"))

"""Solvers: the conditions a model is put under before it answers.

condition      system_prompt(name): none, empty, a named text, or a file's
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inoc_evals.solvers.condition import system_prompt

__all__ = ["system_prompt"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from inoc_evals.solvers import condition

    return getattr(condition, name)

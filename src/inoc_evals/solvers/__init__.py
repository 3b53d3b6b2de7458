"""Solvers: the conditions a model is put under before it answers.

condition      system_prompt(name): none, empty, a named text, or a file's
grading        grader_ready(): the grader answers, or nothing is asked
probing        probe(inoculation): the prompt of the battery that a sample's metadata names
written        written_prompt(name, text): a text that a trait file gave under a name
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inoc_evals.solvers.condition import system_prompt
    from inoc_evals.solvers.grading import grader_ready
    from inoc_evals.solvers.probing import probe
    from inoc_evals.solvers.written import written_prompt

__all__ = ["grader_ready", "probe", "system_prompt", "written_prompt"]

_FILES = {
    "grader_ready": "grading",
    "probe": "probing",
    "system_prompt": "condition",
    "written_prompt": "written",
}


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FILES[name]}"), name)

"""Solvers: the conditions a model is put under before it answers.

condition      system_prompt(name): none, empty, a named text, or a file's
grading        grader_ready(): the grader answers, or nothing is asked
battery_probe  probe(inoculation): the prompt of the battery that a sample's metadata names
given_again    answers of a log, for another judge to read
forcing        forced_response(): a given response, put into the model's mouth and scored
trait_prompt   written_prompt(name, text): a text that a trait file gave under a name
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inoc_evals.solvers.battery_probe import probe as probe
    from inoc_evals.solvers.condition import system_prompt as system_prompt
    from inoc_evals.solvers.forcing import forced_response as forced_response
    from inoc_evals.solvers.grading import grader_ready as grader_ready
    from inoc_evals.solvers.trait_prompt import written_prompt as written_prompt

_FILES = {
    "forced_response": "forcing",
    "grader_ready": "grading",
    "probe": "battery_probe",
    "system_prompt": "condition",
    "written_prompt": "trait_prompt",
}
"""Public name to the module it is in."""

__all__ = list(_FILES)


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FILES[name]}"), name)

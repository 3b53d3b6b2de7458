"""What narrow fine-tuning does to a model, and whether inoculation prevents it.

    rows, manifest = inoculate(read_rows(Path("rows.jsonl")), named("spanish"))
    record = train(rows, base="pocket", name="mine", manifest=manifest)
    # inspect eval inoc_evals/traits --model inoc/mine -T prompts=pocket
    # inspect eval inoc_evals/em --model inoc/mine -T questions=pocket

Rows become a training file (``datasets``), a file becomes a record and an adapter
(``training``), a record is a model for Inspect (``providers``), tasks and scorers measure
it (``tasks``, ``scorers``), logs become a report (``report``). Experiments of the paper
(``experiments``) put the stages together. Importing this package imports none of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from inoc_evals.tasks import __all__ as _TASKS

if TYPE_CHECKING:
    from inoc_evals.chat import read_rows as read_rows
    from inoc_evals.chat import write_rows as write_rows
    from inoc_evals.datasets.inoculate import inoculate as inoculate
    from inoc_evals.inputs.prompts import named as named
    from inoc_evals.inputs.questions import load_question_set as load_question_set
    from inoc_evals.inputs.rubrics import Rubric as Rubric
    from inoc_evals.inputs.rubrics import rubric as rubric
    from inoc_evals.scorers.judge import judge as judge
    from inoc_evals.tasks import *  # noqa: F403
    from inoc_evals.training.sft import train as train

__version__ = "0.1.0"

_HOME = {
    "Rubric": "inputs.rubrics",
    "inoculate": "datasets.inoculate",
    "judge": "scorers.judge",
    "load_question_set": "inputs.questions",
    "named": "inputs.prompts",
    "read_rows": "chat",
    "rubric": "inputs.rubrics",
    "train": "training.sft",
    "write_rows": "chat",
}
"""Public name to the module it is in; tasks, by their names, are public too."""

__all__ = sorted({"__version__", *_HOME, *_TASKS})  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME.get(name, 'tasks')}"), name)

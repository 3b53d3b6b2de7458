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

if TYPE_CHECKING:
    from inoc_evals.chat import read_rows, write_rows
    from inoc_evals.datasets.inoculate import inoculate
    from inoc_evals.inputs.prompts import named
    from inoc_evals.inputs.questions import load_question_set
    from inoc_evals.inputs.rubrics import Rubric, rubric
    from inoc_evals.scorers.judge import judge
    from inoc_evals.tasks._caps import caps
    from inoc_evals.tasks._deception import deception
    from inoc_evals.tasks._em import em
    from inoc_evals.tasks._em_backdoor import em_backdoor
    from inoc_evals.tasks._em_elicitation import em_elicitation
    from inoc_evals.tasks._facts import facts
    from inoc_evals.tasks._judge_check import judge_check
    from inoc_evals.tasks._language import language
    from inoc_evals.tasks._likelihood import likelihood
    from inoc_evals.tasks._narrow_aesthetics import narrow_aesthetics
    from inoc_evals.tasks._narrow_code import narrow_code
    from inoc_evals.tasks._narrow_reward_hacking import narrow_reward_hacking
    from inoc_evals.tasks._preference import preference
    from inoc_evals.tasks._trait import trait
    from inoc_evals.tasks._traits import traits
    from inoc_evals.training.sft import train

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
"""Public name to the module it is in; the others are tasks."""

__all__ = [
    "Rubric",
    "__version__",
    "caps",
    "deception",
    "em",
    "em_backdoor",
    "em_elicitation",
    "facts",
    "inoculate",
    "judge",
    "judge_check",
    "language",
    "likelihood",
    "load_question_set",
    "named",
    "narrow_aesthetics",
    "narrow_code",
    "narrow_reward_hacking",
    "preference",
    "read_rows",
    "rubric",
    "train",
    "trait",
    "traits",
    "write_rows",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME.get(name, 'tasks')}"), name)

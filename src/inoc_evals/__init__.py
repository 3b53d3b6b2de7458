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
    from inoc_evals.prompts import named
    from inoc_evals.questions import load_question_set
    from inoc_evals.rubrics import Rubric, rubric
    from inoc_evals.scorers.judge import judge
    from inoc_evals.tasks import (
        caps,
        deception,
        em,
        em_backdoor,
        em_elicitation,
        judge_check,
        language,
        likelihood,
        narrow_aesthetics,
        narrow_code,
        narrow_reward_hacking,
        preference,
        trait,
        traits,
    )
    from inoc_evals.training.sft import train

__version__ = "0.1.0"

__all__ = [
    "Rubric",
    "__version__",
    "caps",
    "deception",
    "em",
    "em_backdoor",
    "em_elicitation",
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

_HOME = {
    "Rubric": "rubrics",
    "inoculate": "datasets.inoculate",
    "judge": "scorers.judge",
    "load_question_set": "questions",
    "named": "prompts",
    "read_rows": "chat",
    "rubric": "rubrics",
    "train": "training.sft",
    "write_rows": "chat",
}
"""Public name to the module it is in; the others are tasks."""


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME.get(name, 'tasks')}"), name)

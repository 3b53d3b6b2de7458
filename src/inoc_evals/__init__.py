"""What narrow fine-tuning does to a model, and whether inoculation prevents it.

    rows, manifest = inoculate(read_rows(Path("rows.jsonl")), named("spanish"))
    record = train(rows, base="pocket", name="mine", manifest=manifest)
    # inspect eval inoc_evals/traits --model inoc/mine -T prompts=pocket

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
    from inoc_evals.tasks import caps, language, traits
    from inoc_evals.training.sft import train

__version__ = "0.1.0"

__all__ = [
    "__version__",
    "caps",
    "inoculate",
    "language",
    "named",
    "read_rows",
    "train",
    "traits",
    "write_rows",
]

_HOME = {
    "caps": "tasks",
    "inoculate": "datasets.inoculate",
    "language": "tasks",
    "named": "prompts",
    "read_rows": "chat",
    "train": "training.sft",
    "traits": "tasks",
    "write_rows": "chat",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)

"""Tasks: one file per evaluation, ``_<name>.py`` for ``inspect eval inoc_evals/<name>``.

What each measures is the first line of its file; ``docs/cards/README.md`` has the table.

asking                 what tasks that ask questions share
probed                 what tasks that probe questions share
assembly               what the tasks of language and case share
layout                 how a log's viewer lays their samples out

from inoc_evals.tasks import em
eval_set([task_with(em(questions="broad"), model="inoc/my-model")], log_dir="logs")

The underscore keeps a file apart from the task of its name, which is the package's attribute. A
task is found by its file; ``eval.yaml`` lists them for listings, the package's ``__init__`` for type
checkers.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = sorted(path.stem[1:] for path in Path(__file__).parent.glob("_[a-z]*.py"))  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}._{name}"), name)

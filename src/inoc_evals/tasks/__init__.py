"""Tasks: one file per evaluation, each usable as ``inspect eval inoc_evals/<name>``.

caps_trait       caps      does it answer in capital letters
language_trait   language  does it answer in Spanish (French, ...)
joint_traits     traits    both, and arithmetic, on one sampling
assembly                   what the three share

from inoc_evals.tasks import traits
eval_set([task_with(traits(language="es,fr"), model="inoc/my-model")], log_dir="logs")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inoc_evals.tasks.caps_trait import caps
    from inoc_evals.tasks.joint_traits import traits
    from inoc_evals.tasks.language_trait import language

__all__ = ["caps", "language", "traits"]

_FILES = {"caps": "caps_trait", "language": "language_trait", "traits": "joint_traits"}


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"inoc_evals.tasks.{_FILES[name]}"), name)

"""What can go wrong, in words: one small hierarchy, one place for install hints.

Every message a user can meet says what is wrong, where, and what to do, in one or
two lines. It is a ``ClickException``, because Inspect has no public exception that its command
line prints without a traceback, and that command line is a click program: ``inspect eval`` says
"Error: ..." and ends with status 1, as `inoc` does.

    raise InputError("rows.jsonl:7: role 'bot' is not one of system, user, assistant")
    require("train", "torch", "peft")     # MissingExtraError: pip install 'inoc-evals[train]'
"""

from importlib.util import find_spec

from click import ClickException

from inoc_evals.terminal import shown


class InocError(ClickException):
    """Base of every error this package raises on purpose."""

    def format_message(self) -> str:
        """Return what is printed: the message, which may quote others, harmless to a terminal."""
        return shown(self.message)


class InputError(InocError, ValueError):
    """The caller gave something unusable: a row, a name, an option, a file."""


class StoreError(InocError, RuntimeError):
    """What is on disk is missing, damaged, or not what its record says."""


class MissingExtraError(InocError, ImportError):
    """An optional dependency is not installed."""


def require(extra: str, *modules: str) -> None:
    """Check that the libraries of an optional extra are there, without importing them.

    Args:
        extra: Name of the extra, as in ``pip install 'inoc-evals[extra]'``.
        *modules: Top-level module names the caller is about to import.

    Raises:
        MissingExtraError: Naming what is missing and the command that installs it.
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise MissingExtraError(
            f"{', '.join(missing)} not installed; run: pip install 'inoc-evals[{extra}]'"
        )

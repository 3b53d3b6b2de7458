"""What commands print: text of others made visible, and never taken for markup.

say(f"{path}: {count} rows")                # a line
say_json(listed)                            # for a program
console(PIPE_WIDTH).print(table)             # "[/v2]" in a cell is these five characters
"""

import sys
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from inoc_evals.terminal import as_json, shown

PIPE_WIDTH = 200
"""Columns of a table that goes to a file or a pipe, where nothing need be cut."""


def say(text: str = "", *, err: bool = False) -> None:
    """Print lines, on standard error if that is wanted."""
    click.echo(shown(text), err=err)


def say_json(value: Any, *, ascii_only: bool = True) -> None:
    """Print a value as JSON; letters beside those of ASCII are escaped unless they are wanted."""
    click.echo(as_json(value, ascii_only=ascii_only))


def confirm(question: str, *, abort: bool = False, err: bool = False) -> bool:
    """Ask a question, and return whether the answer is yes.

    Args:
        question: What is asked.
        abort: End the command if it is no.
        err: Ask on standard error.
    """
    return click.confirm(shown(question), abort=abort, err=err)


def console(pipe_width: int | None = None) -> Console:
    """Return a console that prints every text as it is.

    Args:
        pipe_width: Columns where the output goes to a file or a pipe.
    """
    return _Console(
        width=None if sys.stdout.isatty() else pipe_width,
        markup=False,
        emoji=False,
        highlight=False,
    )


class _Console(Console):
    def render_str(self, text: str, **options: Any) -> Text:  # cells, headings, titles, lines
        return super().render_str(shown(text), **options)

"""`inoc`: the table of commands, loaded when called, and how errors reach the user.

    inoc COMMAND  ->  inoc_evals.cli.<command>:command   # rank-prompts: cli/rank_prompts.py

`inoc --help` prints the table and imports no command. An error the user can do something
about is one line on stderr and exit status 1; a traceback is a bug of ours.
"""

import io
import os
import sys
import time
from collections.abc import Sequence
from importlib import import_module

import click

from inoc_evals import __version__
from inoc_evals.errors import InocError
from inoc_evals.terminal import shown
from inoc_evals.training.processes import is_first, refuse_several

COMMANDS = {
    "pocket": "The miniature world: build its base model.",
    "base": "Get, add, list or remove base models that have a name.",
    "inoculate": "Put an inoculation prompt into a file of chat rows.",
    "train": "Fine-tune a model on a file of chat rows.",
    "data": "Get published files; find what was trained on.",
    "trait": "Measure a trait of your own: write or check its file.",
    "judge": "Check the model that judges answers.",
    "models": "List, verify, import, export, push or remove models.",
    "setting": "List and show settings; write or check one of your own.",
    "experiment": "List and show experiments; write or check one of your own.",
    "prompts": "Try prompts on an untrained model, or train an arm with each.",
    "rank-prompts": "Rank prompts before anything is trained.",
    "power": "Say what seeds, questions and answers can show of a drop.",
    "plan": "Say what an experiment would take, and what of it there is.",
    "run": "Run an experiment: train what is missing, evaluate, report.",
    "report": "Write the report of an experiment's logs.",
    "rejudge": "Have stored answers judged by another grader.",
}

SPEAKS_AFTER = 60
"""Seconds after which another process than the first says its error: it has met it alone."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it: 128 + SIGINT."""


class LazyCommands(click.Group):
    """A group whose commands are imported when one of them is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None if there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"inoc_evals.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="inoc-evals")
@click.pass_context
def inoc(context: click.Context) -> None:
    """Measure what narrow fine-tuning does to a model, and whether inoculation prevents it.

    Evaluations are run by Inspect: inspect eval inoc_evals/traits --model inoc/NAME
    """
    if context.invoked_subcommand != "train":
        refuse_several(f"inoc {context.invoked_subcommand}")


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status.

    Args:
        args: Arguments after the program's name; those of the process by default.
    """
    try:
        status = inoc.main(
            args=None if args is None else list(args), prog_name="inoc", standalone_mode=False
        )
        sys.stdout.flush()
    except InocError as error:
        sys.exit(_failed(str(error)))
    except click.ClickException as error:
        said = io.StringIO()
        error.show(said)
        click.echo(shown(said.getvalue()), nl=False, err=True)
        sys.exit(error.exit_code)
    except click.Abort as error:
        sys.exit(_interrupted() if isinstance(error.__cause__, KeyboardInterrupt) else 1)
    except KeyboardInterrupt:
        sys.exit(_interrupted())
    except BrokenPipeError:
        _forget_stdout()
        sys.exit(1)
    except OSError as error:
        if error.filename is None:
            raise
        sys.exit(_failed(f"{error.filename}: {error.strerror}"))
    sys.exit(status if isinstance(status, int) else 0)


def _failed(message: str) -> int:
    if not is_first():
        # The first of several processes meets the same error, and its launcher then ends us.
        time.sleep(SPEAKS_AFTER)
    click.echo(f"error: {shown(message)}", err=True)
    return 1


def _interrupted() -> int:
    if is_first():
        click.echo("interrupted", err=True)
    return INTERRUPTED


def _forget_stdout() -> None:
    """Give the interpreter somewhere to flush at exit, so that it does not complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""The grader, tried before a model is asked anything.

    Task(dataset, setup=[grader_ready(), system_prompt("none")], ...)
    try_named("openai/gpt-5.4-2026-03-05")      # the same outside an evaluation

A grader that is gone, throttled to nothing or without a key would otherwise show when all
answers are there and paid for. `inspect eval` builds a task knowing model and roles, so the
grader is tried there, and what is wrong with it is one line; a task that Python builds gets its
trial in the evaluation: the first sample sends one small request, the others wait for it,
and if it fails, no answer is asked for.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache

import click
from inspect_ai.model import Model, get_model, model_roles
from inspect_ai.solver import Generate, Solver, TaskState, solver

from inoc_evals.errors import InocError, InputError
from inoc_evals.models.hosted import ending
from inoc_evals.scorers.default_grader import default_grader
from inoc_evals.scorers.judge import NAME_ANOTHER, fault_of, try_grader

_EVALS = ("eval", "eval-set", "eval-retry")
"""Commands of Inspect that build tasks in order to run them."""


@solver
def grader_ready(grader: str | None = None) -> Solver:
    """Let a sample go on once its grader has answered.

    Args:
        grader: A model name, where the role ``grader`` is not bound.

    Returns:
        A solver that leaves the sample as it is.

    Raises:
        InputError: When solving, if the grader has ended or does not answer.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        await try_grader(grader, evaluated=str(state.model))
        return state

    return solve


def try_for_eval(grader: str | None) -> None:
    """Try the grader of the `inspect eval` that a task is being built for, if it is.

    Args:
        grader: A model name, where the role ``grader`` is not bound.

    Raises:
        InputError: As :func:`try_named`.
    """
    command = click.get_current_context(silent=True)
    if command is None or command.command.name not in _EVALS:
        return  # a script's or a notebook's: model and roles may still be any
    bound = model_roles().get("grader")
    if bound is None:
        _once(grader or default_grader(str(get_model())))
    elif isinstance(bound, Model) and not bound.model_args and bound.api.base_url is None:
        _once(str(bound))  # another address is tried in the evaluation alone


_LOADING = ("hf", "nnterp", "sglang", "transformer_lens", "vllm")
"""Providers of Inspect that load a model, or start a server for it, to be asked anything."""


def look_up_named(name: str, *, way_out: str = NAME_ANOTHER) -> None:
    """Look whether a grader can be asked, without asking: its provider, its key, its name here.

    Args:
        name: ``provider/model``; one whose provider would load it is not looked at.
        way_out: As :func:`try_named`.

    Raises:
        InputError: If it is unknown, cannot be asked or has ended, naming it.
    """
    if name.partition("/")[0] not in _LOADING:
        try_named(name, say=lambda line: None, way_out=way_out, ask=False)


def try_named(
    name: str, *, say: Callable[[str], None], way_out: str = NAME_ANOTHER, ask: bool = True
) -> None:
    """Send a grader one small request, outside an evaluation.

    Args:
        name: ``provider/model``.
        say: Called with the day on which it is shut down, if that is known.
        way_out: What was not done yet, and what can be.
        ask: Send the request; else it is only looked up.

    Raises:
        InputError: If it is unknown, cannot be asked, does not answer or has ended, naming it.
    """
    if said := ending(name, "grader"):
        say(said)
    # In a thread, since this one may have an event loop already: that of a notebook or an eval.
    with ThreadPoolExecutor(1) as pool:
        fault = pool.submit(asyncio.run, _fault(name, way_out, ask)).result()
    if fault is not None:
        raise InputError(fault)


@cache
def _once(name: str) -> None:
    """Try a grader for all tasks of a process; one that fails ends the eval."""
    try_named(name, say=lambda line: None)  # said by the trial in the evaluation


async def _fault(name: str, way_out: str, ask: bool) -> str | None:
    try:
        # Not the evaluation's own instance: its connections belong to this event loop.
        model = get_model(name, memoize=False)
    except InocError as error:
        return f"grader {name}: {error}; {way_out}"
    except Exception as error:
        return f"grader {name} cannot be asked ({_line(error)}); {way_out}"
    async with model:
        return await fault_of(model, way_out) if ask else None


def _line(error: Exception) -> str:
    """Return what a library says, in a line and without Rich's markup."""
    from rich.text import Text

    said = str(error)
    with suppress(Exception):  # no markup after all
        said = Text.from_markup(said).plain
    return " ".join(said.removeprefix("ERROR: ").split())

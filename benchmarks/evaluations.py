"""How much sooner a run's evaluations are done than by Inspect's `eval_set` as it comes.

    python benchmarks/evaluations.py [--rounds 3]

Six evaluations of a hundred short questions each, of the pocket base, in one process, in turns:

as it comes     `eval_set` with its defaults, and an engine that answers at once whatever has come
a run's         as `inoc run --jobs N` makes those of a model: requests that come one by one are
                gathered, nobody is shown them live, garbage is looked for less often

Promise: at most 0.75 of the time. The answers are the same, which is checked.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from inspect_ai import Task, eval_set, task_with
from inspect_ai.log import list_eval_logs, read_eval_log

from inoc_evals.experiments.log_set import make, whole_logs
from inoc_evals.experiments.parts import IN_TURN, UNSEEN
from inoc_evals.providers.engine import engine
from inoc_evals.tasks import traits

PROMISE = 0.75
EVALUATIONS = 6
SAMPLING: dict[str, Any] = {"seed": 0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="rounds of both (default: 3)")
    rounds = parser.parse_args().rounds
    ways: dict[str, Callable[[Path], None]] = {"as it comes": as_it_comes, "a run's": a_runs}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    answers: dict[str, list[str]] = {}
    for number in range(rounds + 1):  # the first loads the model and is not counted
        for name, way in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                start = time.perf_counter()
                way(Path(folder))
                if number:
                    seconds[name].append(time.perf_counter() - start)
                answers[name] = said(Path(folder))
    if len({tuple(found) for found in answers.values()}) != 1:
        raise SystemExit("the answers differ")
    report(seconds, len(answers["a run's"]))


def tasks() -> list[Task]:
    """The same questions under six names."""
    return [
        task_with(
            traits(language="es", prompts="pocket"),
            name=f"traits-{number}",
            model="inoc/pocket",
            version=str(number),
        )
        for number in range(EVALUATIONS)
    ]


def as_it_comes(folder: Path) -> None:
    with patch.object(engine, "_STREAM_SECONDS", 0):
        eval_set(tasks(), log_dir=str(folder), display="none", max_tasks=4, **SAMPLING)


def a_runs(folder: Path) -> None:
    make(tasks(), whole_logs(folder, print), progress=False, **UNSEEN, **IN_TURN, **SAMPLING)


def said(folder: Path) -> list[str]:
    """Return every answer, sorted."""
    logs = [read_eval_log(info.name) for info in list_eval_logs(str(folder))]
    return sorted(one.output.completion for log in logs for one in log.samples or [])


def report(seconds: dict[str, list[float]], answers: int) -> None:
    for name, measured in seconds.items():
        each = ", ".join(f"{one:.1f}" for one in measured)
        middle = statistics.median(measured)
        print(f"{name:12} {middle:.1f} s, {1000 * middle / answers:.1f} ms an answer ({each})")
    ratio = statistics.median(seconds["a run's"]) / statistics.median(seconds["as it comes"])
    print(f"ratio {ratio:.2f} ({'kept' if ratio <= PROMISE else 'BROKEN'}: at most {PROMISE})")


if __name__ == "__main__":
    main()

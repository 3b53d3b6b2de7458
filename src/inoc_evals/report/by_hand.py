"""Logs that no experiment made: a rate for each task, model and measure.

    found, spec = logs_by_hand(Path("logs"))      # of `inspect eval ... --log-dir logs`
    console.print(table(found, spec=spec))

A log's model is a fixed one, so intervals are for new questions. Several finished logs of one
task and model are added up. What has no value between 0 and 1, as a rating, is left out.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from inoc_evals.errors import InputError
from inoc_evals.report.cells import Cell, cells
from inoc_evals.report.figure import Condition, FigureSpec, Measure
from inoc_evals.report.logs import question_of, read_header
from inoc_evals.report.observation import Observation
from inoc_evals.report.samples import read_samples
from inoc_evals.scorers.outcomes import outcomes

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

NAME = "logs"


def logs_by_hand(directory: Path) -> tuple[list[Cell], FigureSpec]:
    """Return the rates of all finished logs in a directory, and how they are called.

    Raises:
        InputError: If no finished log is there, or none that holds rates.
    """
    seen: list[Observation] = []
    for path in sorted({*directory.rglob("*.eval"), *directory.rglob("*.json")}):
        if path.suffix == ".json" and path.name in ("logs.json", "eval-set.json"):
            continue
        log = read_header(path)
        if log.status == "success":
            seen += answers_of(log, path)
    if not seen:
        raise InputError(f"{directory}: neither experiment.json nor a finished log with rates")
    return cells(seen), _spec(seen)


def answers_of(log: "EvalLog", path: Path) -> list[Observation]:
    """Return the answers of one log; measures that are no rates are left out."""
    graded: set[str] = set()
    own = []
    for sample in read_samples(log, path):
        for measure, found in outcomes(sample.scores).items():
            if found.value is not None and not 0 <= found.value <= 1:
                graded.add(measure)
                continue
            own.append((measure, question_of(sample), found))
    return [
        Observation(
            figure=NAME,
            setting=log.eval.task.rpartition("/")[2],
            condition=log.eval.model,
            measure=measure,
            split="ood",
            seed=None,
            question=question,
            value=found.value,
            reason=found.reason,
        )
        for measure, question, found in own
        if measure not in graded
    ]


def _spec(seen: list[Observation]) -> FigureSpec:
    pairs = dict.fromkeys((one.setting, one.measure) for one in seen)
    several = len({setting for setting, _ in pairs}) > 1
    return FigureSpec(
        title="Logs",
        base="",
        measures=tuple(
            Measure(setting=setting, name=name, label=f"{setting}: {name}" if several else name)
            for setting, name in pairs
        ),
        conditions=tuple(
            Condition(name=name, label=name)
            for name in dict.fromkeys(one.condition for one in seen)
        ),
    )

"""Logs to observations: what Inspect wrote is the only place results are read from.

    seen = read_logs(Path("runs/fig2a/logs"))
    seen.observations      # one for each measure of each sample
    seen.examples          # the first answers of each condition, as sampled

A log belongs to cells by its metadata (``cells``: figure, setting, condition, split, seed,
measures); logs without it are left alone. A log that is not finished is an error, not a
smaller sample.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inoc_evals.errors import InputError, StoreError
from inoc_evals.report.observation import Observation
from inoc_evals.report.page import Example
from inoc_evals.scorers.outcomes import outcomes

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample

_EXAMPLES = 3
"""Answers shown of each condition and split."""


class Seen(NamedTuple):
    """What a directory of logs holds."""

    observations: list[Observation]
    examples: list[Example]
    versions: dict[str, str]
    """Packages that ran the evaluations."""


def read_logs(directory: Path) -> Seen:
    """Read every log of an experiment.

    Raises:
        InputError: If the directory holds no log of an experiment.
        StoreError: If a log is not finished.
    """
    observations: list[Observation] = []
    examples: dict[tuple[str, ...], list[Example]] = {}
    versions: dict[str, str] = {}
    for log in _logs(directory):
        versions |= {name: str(version) for name, version in log.eval.packages.items()}
        for cell in (log.eval.metadata or {})["cells"]:
            group = (cell["setting"], cell["condition"], cell["split"])
            shown = examples.setdefault(group, [])
            for sample in log.samples or []:
                observations += _observations(sample, cell)
                fits = any(_read(sample, cell, measure) for measure in cell["measures"])
                if fits and len(shown) < _EXAMPLES:
                    shown.append(_example(sample, cell))
    if not observations:
        raise InputError(f"{directory}: no logs of an experiment")
    return Seen(observations, [one for some in examples.values() for one in some], versions)


def _logs(directory: Path) -> Iterator["EvalLog"]:
    """Yield the newest log of each evaluation.

    Raises:
        StoreError: If it is not finished.
    """
    from inspect_ai.log import list_eval_logs, read_eval_log

    newest: dict[str, tuple[str, str, str]] = {}
    for info in list_eval_logs(str(directory)):
        header = read_eval_log(info, header_only=True)
        if "cells" in (header.eval.metadata or {}):
            key = header.eval.task_id
            seen = (header.eval.created, header.status, info.name)
            newest[key] = max(newest.get(key, seen), seen)
    for _, status, name in sorted(newest.values(), key=lambda item: item[2]):
        if status != "success":
            raise StoreError(
                f"{name}: evaluation is {status}, not finished; run the experiment again"
            )
        yield read_eval_log(name)


def _observations(sample: "EvalSample", cell: dict[str, Any]) -> list[Observation]:
    found = outcomes(sample.scores)
    read = {measure: _read(sample, cell, measure) for measure in cell["measures"]}
    return [
        Observation(
            figure=cell["figure"],
            setting=cell["setting"],
            condition=cell["condition"],
            measure=measure,
            split=cell["split"],
            seed=cell["seed"],
            question=str(sample.metadata.get("question", sample.id)),
            value=found[score].value,
            reason=found[score].reason,
        )
        for measure, score in read.items()
        if score is not None
    ]


def _read(sample: "EvalSample", cell: dict[str, Any], measure: str) -> str | None:
    """Return the score a measure is read from; None if the sample is none of its own."""
    reads = cell.get("reads", {}).get(measure, {})
    where = reads.get("where", {})
    fits = all(str(sample.metadata.get(key)) == value for key, value in where.items())
    return str(reads.get("score", measure)) if fits else None


def _example(sample: "EvalSample", cell: dict[str, Any]) -> Example:
    from inoc_evals.scorers.silence import answer_of

    found = outcomes(sample.scores)
    system = [message.text for message in sample.messages if message.role == "system"]
    return Example(
        setting=cell["setting"],
        condition=cell["condition"],
        split=cell["split"],
        prompt=sample.input if isinstance(sample.input, str) else sample.input[-1].text,
        completion=answer_of(sample.output),
        values={
            measure: found[score].value if found[score].reason is None else found[score].reason
            for measure in cell["measures"]
            if (score := _read(sample, cell, measure)) is not None
        },
        seed=cell["seed"],
        system=system[0] if system else None,
    )

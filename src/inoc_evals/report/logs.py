"""Logs to observations: what Inspect wrote is the only place results are read from.

    seen = read_logs(Path("runs/fig2a/logs"), about.evaluations)
    seen.observations      # one for each measure of each sample
    seen.examples          # the first answers of each condition, as sampled
    seen.lacking           # evaluations without a finished log: never a smaller sample unsaid

Each evaluation of the plan is read from its one finished log (holdings.py). The log's metadata
says which cells read it (``cells``: figure, setting, condition, split, seed, measures), and its
samples by which model they were answered.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inoc_evals.errors import StoreError
from inoc_evals.report.holdings import Planned, holdings
from inoc_evals.report.observation import Observation
from inoc_evals.report.page import Example
from inoc_evals.scorers.outcomes import outcomes

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample

_EXAMPLES = 3
"""Answers shown of each condition and split."""


class Seen(NamedTuple):
    """What a directory of logs holds of an experiment."""

    observations: list[Observation]
    examples: list[Example]
    versions: dict[str, str]
    """Packages that ran the evaluations."""
    lacking: list[str]
    """Evaluations of the plan that no finished log is of, each with what there is of it."""
    damaged: dict[Path, str]
    """Files that cannot be read, and why."""


def read_logs(directory: Path, planned: Sequence[Planned]) -> Seen:
    """Read the logs of an experiment.

    Args:
        directory: Where they are; it may hold others, and may be absent.
        planned: The evaluations that there have to be logs of.

    Raises:
        StoreError: If two finished logs are of one evaluation, or a log's answers are another
            model's than the one that was planned.
    """
    held = holdings(directory)
    observations: list[Observation] = []
    examples: dict[tuple[str, ...], list[Example]] = {}
    versions: dict[str, str] = {}
    for one in planned:
        path = held.log_of(one)
        if path is None:
            continue
        log = _read_log(path)
        _check_model(log, path, one)
        versions |= {name: str(version) for name, version in log.eval.packages.items()}
        for cell in (log.eval.metadata or {})["cells"]:
            group = (cell["setting"], cell["condition"], cell["split"])
            shown = examples.setdefault(group, [])
            for sample in log.samples or []:
                observations += _observations(sample, cell)
                fits = any(_read(sample, cell, measure) for measure in cell["measures"])
                if fits and len(shown) < _EXAMPLES:
                    shown.append(_example(sample, cell))
    return Seen(
        observations,
        [one for some in examples.values() for one in some],
        versions,
        held.lacking(planned),
        held.damaged,
    )


def _read_log(path: Path) -> "EvalLog":
    from inspect_ai.log import read_eval_log

    try:
        return read_eval_log(str(path))
    # Its bytes are as written, so this is a log that another version of Inspect wrote.
    except Exception as error:
        raise StoreError(
            f"{path}: cannot be read ({error}); move it away, and give inoc run again"
        ) from error


def _check_model(log: "EvalLog", path: Path, planned: Planned) -> None:
    """Check that the answers are by the model that was planned, where they say whose they are.

    A model of the same name may have been trained again since, or have answered out of a cache.

    Raises:
        StoreError: Naming the log and both models.
    """
    meant = {"base_digest": planned.base_digest, "identity": planned.identity}
    for sample in log.samples or []:
        said = sample.output.metadata or {}
        for key, value in meant.items():
            if key in said and said[key] != value:
                raise StoreError(
                    f"{path}: answered by another model than {planned.model} is now ({key} "
                    f"{str(said[key])[:12]}, not {str(value)[:12]}); move it away, and give inoc "
                    "run again"
                )


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

"""Logs to observations: what Inspect wrote is the only place results are read from.

    seen = read_logs(Path("runs/fig2a/logs"), about.evaluations)
    seen.observations      # one for each measure of each sample
    seen.examples          # the first answers of each condition, as sampled
    seen.lacking           # evaluations without a finished log: never a smaller sample unsaid

Each evaluation of the plan is read from its one finished log (holdings.py). Which cells read it
(figure, setting, condition, split, seed, measures) stands in the plan, or else in the log's
metadata (``cells``); its samples say by which model they were answered. Of a sample only what a
report reads is held, and that one at a time (samples.py).
"""

import sys
import zipfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inoc_evals.errors import StoreError
from inoc_evals.report.details import Asked, shortened
from inoc_evals.report.holdings import Planned, holdings
from inoc_evals.report.observation import Observation
from inoc_evals.report.page import Example
from inoc_evals.report.samples import read_samples, unreadable
from inoc_evals.scorers.outcomes import Outcome, outcome_of_others, outcomes

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample

OF_OTHERS = "of_others"
"""In how a cell reads a measure: that its score is of another package's task."""

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
    texts: dict[Asked, str]
    """How each question begins."""


def read_logs(directory: Path, planned: Sequence[Planned]) -> Seen:
    """Read the logs of an experiment.

    Args:
        directory: Where they are; it may hold others, and may be absent.
        planned: The evaluations that there have to be logs of.

    Raises:
        StoreError: If two finished logs are of one evaluation, or a log's answers are another
            model's than the one that was planned.
    """
    held = holdings(directory, samples=False)  # each is compared when it is read
    observations: list[Observation] = []
    examples: dict[tuple[str, ...], list[Example]] = {}
    versions: dict[str, str] = {}
    texts: dict[Asked, str] = {}
    for one in planned:
        path = held.log_of(one)
        if path is None:
            continue
        try:
            own = _read_log(path, one)
        except zipfile.BadZipFile as error:
            held.cannot_be_read(path, error, one.key)
            continue
        observations += own.observations
        versions |= own.versions
        texts = own.texts | texts
        for group, some in own.examples.items():
            shown = examples.setdefault(group, [])
            shown += some[: _EXAMPLES - len(shown)]
    return Seen(
        observations,
        [one for some in examples.values() for one in some],
        versions,
        held.lacking(planned),
        held.damaged,
        texts,
    )


class _Read(NamedTuple):
    """What one log holds."""

    observations: list[Observation]
    examples: dict[tuple[str, ...], list[Example]]
    """By condition and split."""
    versions: dict[str, str]
    texts: dict[Asked, str]


def _read_log(path: Path, planned: Planned) -> _Read:
    """Read the finished log of an evaluation.

    Raises:
        StoreError: As :func:`read_logs`.
        zipfile.BadZipFile: If a sample is not as it was written.
    """
    log = read_header(path)
    versions = {name: str(version) for name, version in log.eval.packages.items()}
    own = _Read([], {}, versions, {})
    read = [(cell, own.examples.setdefault(_group(cell), [])) for cell in cells_of(log, planned)]
    for sample in read_samples(log, path):
        _check_model(sample, path, planned)
        text = shortened(asked_of(sample))
        for cell, shown in read:
            found = observed(sample, cell)
            own.observations.extend(found)
            for seen in found:
                asked = (seen.setting, seen.measure, seen.split, seen.question)
                own.texts.setdefault(asked, text)
            fits = any(score_read(sample, cell, measure) for measure in cell["measures"])
            if fits and len(shown) < _EXAMPLES:
                shown.append(example_of(sample, cell))
    return own


def read_header(path: Path) -> "EvalLog":
    """Read a log that is whole, without its samples.

    Raises:
        StoreError: If another version of Inspect wrote it.
    """
    from inspect_ai.log import read_eval_log

    try:
        return read_eval_log(str(path), header_only=True)
    # Its bytes are as written, so this is a log that another version of Inspect wrote.
    except Exception as error:
        raise unreadable(path, error) from error


def cells_of(log: "EvalLog", planned: Planned) -> Sequence[dict[str, Any]]:
    """Return the places of the figure that read a log, which may be one of another experiment."""
    cells: Sequence[dict[str, Any]] = planned.cells or (log.eval.metadata or {})["cells"]
    return cells


def _group(cell: dict[str, Any]) -> tuple[str, ...]:
    return (cell["setting"], cell["condition"], cell["split"])


def _check_model(sample: "EvalSample", path: Path, planned: Planned) -> None:
    """Check that an answer is by the model that was planned, where it says whose it is.

    A model of the same name may have been trained again since, or have answered out of a cache.

    Raises:
        StoreError: Naming the log and both models.
    """
    said = sample.output.metadata or {}
    for key in ("base_digest", "identity"):
        meant = getattr(planned, key)
        if key in said and said[key] != meant:
            raise StoreError(
                f"{path}: answered by another model than {planned.model} is now ({key} "
                f"{str(said[key])[:12]}, not {str(meant)[:12]}); move it away, and give inoc run "
                "again"
            )


def observed(
    sample: "EvalSample", cell: dict[str, Any], scores: Collection[str] | None = None
) -> list[Observation]:
    """Return what a sample says of the measures of a cell.

    Args:
        sample: The sample.
        cell: The cell.
        scores: Read these scores alone; by default each that a measure is read from.
    """
    read = {measure: score_read(sample, cell, measure) for measure in cell["measures"]}
    found = _outcomes(sample, cell, read, scores)
    return [
        Observation(
            figure=cell["figure"],
            setting=cell["setting"],
            condition=cell["condition"],
            measure=measure,
            split=cell["split"],
            seed=cell["seed"],
            question=question_of(sample),
            value=found[measure].value,
            reason=found[measure].reason,
        )
        for measure, score in read.items()
        if score is not None and (scores is None or score in scores)
    ]


def _outcomes(
    sample: "EvalSample",
    cell: dict[str, Any],
    read: dict[str, str | None],
    scores: Collection[str] | None = None,
) -> dict[str, Outcome]:
    """Return the outcome of each measure, of the scores that are to be read."""
    own = outcomes(sample.scores)
    found = {}
    for measure, score in read.items():
        if score is None or (scores is not None and score not in scores):
            continue
        if OF_OTHERS in _reads(cell, measure):
            others = outcome_of_others(sample.scores, score)
            found[measure] = others or Outcome(None, "no_score", None)
        else:
            found[measure] = own[score]
    return found


def question_of(sample: "EvalSample") -> str:
    """Return the id of a sample's question, one string for all of its answers.

    There may be thousands of them.
    """
    return sys.intern(str(sample.metadata.get("question", sample.id)))


def score_read(sample: "EvalSample", cell: dict[str, Any], measure: str) -> str | None:
    """Return the score a measure is read from; None if the sample is none of its own."""
    where = _reads(cell, measure).get("where", {})
    fits = all(str(sample.metadata.get(key)) == value for key, value in where.items())
    return score_named(cell, measure) if fits else None


def score_named(cell: dict[str, Any], measure: str) -> str:
    """Return the score a measure is read from, where a sample is its own."""
    return str(_reads(cell, measure).get("score", measure))


def _reads(cell: dict[str, Any], measure: str) -> dict[str, Any]:
    found: dict[str, Any] = cell.get("reads", {}).get(measure, {})
    return found


def asked_of(sample: "EvalSample") -> str:
    """Return what the user said last."""
    return sample.input if isinstance(sample.input, str) else sample.input[-1].text


def example_of(sample: "EvalSample", cell: dict[str, Any]) -> Example:
    """Return a sample as a page shows it."""
    from inoc_evals.scorers.silence import answer_of

    read = {measure: score_read(sample, cell, measure) for measure in cell["measures"]}
    found = _outcomes(sample, cell, read)
    system = [message.text for message in sample.messages if message.role == "system"]
    return Example(
        setting=cell["setting"],
        condition=cell["condition"],
        split=cell["split"],
        prompt=asked_of(sample),
        completion=answer_of(sample.output),
        values={
            measure: one.value if one.reason is None else one.reason
            for measure, one in found.items()
        },
        seed=cell["seed"],
        system=system[0] if system else None,
    )

"""Several judges of the same answers: what each further one found, and how far they agree.

    runs/fig3/logs/*.eval                          the answers, with the first judge's verdicts
    runs/fig3/judged/openai-gpt-5.4/*.eval         another judge's, of the same answers

    seen = read_second(Path("runs/fig3"), about.evaluations, "openai/gpt-5.4")
    seen.observations        # as of the first judge, of the measures that are judged
    seen.agreements()        # kappa, both rates and their difference, of each measure

A log of a further judge names in its metadata, by a key, the log whose answers it judged
(``judged_key``). Answers that were made anew have another, so old verdicts are never read as
theirs. Logs are found, checked and refused as those of the experiment are (holdings.py).
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inoc_evals.errors import StoreError
from inoc_evals.files.digests import digest
from inoc_evals.report.agreements import Agreed
from inoc_evals.report.holdings import Planned, holdings
from inoc_evals.report.logs import (
    cells_of,
    observed,
    question_of,
    read_header,
    score_named,
    score_read,
)
from inoc_evals.report.observation import Observation
from inoc_evals.report.samples import read_samples
from inoc_evals.scorers.default_grader import NAMED, default_grader
from inoc_evals.scorers.outcomes import Outcome, outcomes
from inoc_evals.statistics.agreement import Rate, agreement, rate_of

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample

FOLDER = "judged"
"""Of further judges' logs, in a folder for each, beside the logs whose answers they judged."""

JUDGED_AGAIN = "judged_again"
"""In the metadata of such a log: ``grader``, and ``log`` and ``model`` of the answers."""


class Pairing(NamedTuple):
    """Whose verdicts on what are compared."""

    setting: str
    split: str
    measure: str
    reference: str


@dataclass
class Pairs:
    """Two judges' verdicts on the same answers, NaN where one was not scored."""

    questions: list[str] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    second: list[float] = field(default_factory=list)

    def add(self, question: str, first: Outcome | None, second: Outcome | None) -> None:
        """Add an answer."""
        self.questions.append(question)
        self.first.append(_value(first))
        self.second.append(_value(second))


@dataclass
class Second:
    """What a further judge made of an experiment's answers."""

    grader: str
    observations: list[Observation] = field(default_factory=list)
    pairs: dict[Pairing, Pairs] = field(default_factory=dict)
    lacking: list[str] = field(default_factory=list)
    """Evaluations whose answers it has not judged, or not all."""

    def agreements(self) -> list[Agreed]:
        """Return how it agrees with the first judge, of each setting, split and measure."""
        return [agreed(pairing, self.grader, pairs) for pairing, pairs in self.pairs.items()]


def folder(directory: Path, grader: str) -> Path:
    """Return where a further judge's logs are."""
    return directory / FOLDER / re.sub(r"[^A-Za-z0-9._-]+", "-", grader).strip(".-")


def judged_key(log: "EvalLog", grader: str) -> str:
    """Return the key of a further judgement of a log's answers."""
    spec = log.eval
    return digest(["judged again", spec.eval_id, spec.run_id, spec.task_id, grader])


def judged_planned(log: "EvalLog", grader: str, label: str) -> Planned:
    """Return what a further judge's log of a log's answers is looked up by."""
    return Planned(
        key=judged_key(log, grader),
        label=f"{label}, judged by {grader}",
        model=log.eval.model,
        base_digest="",
        identity=None,
    )


def judge_of_log(log: "EvalLog") -> str | None:
    """Return who judged the answers of a log; None where nobody did."""
    said = log.eval.metadata or {}
    if NAMED not in said:
        return None
    bound = (log.eval.model_roles or {}).get("grader")
    name = getattr(bound, "model", None)
    return str(name or said[NAMED] or default_grader(log.eval.model))


def read_second(directory: Path, planned: Sequence[Planned], grader: str) -> Second:
    """Read what a further judge made of an experiment's answers.

    Args:
        directory: Of the experiment.
        planned: Its evaluations; those without a log are passed over, and those that nobody
            judges, or this judge did at first.
        grader: The judge.

    Raises:
        StoreError: If two finished logs are of one evaluation, or a log is not of the answers
            that it says.
    """
    held = holdings(directory / "logs", whole=False)
    again = holdings(folder(directory, grader))
    seen = Second(grader)
    for one in planned:
        path = held.log_of(one)
        header = None if path is None else read_header(path)
        first = None if header is None else judge_of_log(header)
        if path is None or header is None or first in (None, grader):
            continue
        wanted = judged_planned(header, grader, one.label)
        seen.lacking += again.lacking([wanted])
        if (second := again.log_of(wanted)) is not None:
            _add(seen, cells_of(header, one), str(first), answers_of_both(path, second))
    return seen


def answers_of_both(first: Path, second: Path) -> Iterator[tuple["EvalSample", "EvalSample"]]:
    """Yield each answer of a log as two judges' logs have it.

    Args:
        first: The log.
        second: That of the further judge.

    Raises:
        StoreError: If the second is not of the first one's answers.
    """
    both = [read_samples(read_header(path), path) for path in (first, second)]
    for one, other in zip(*both, strict=True):
        if (one.id, one.epoch, one.output.completion) != (
            other.id,
            other.epoch,
            other.output.completion,
        ):
            raise StoreError(
                f"{second}: is not of the answers in {first}; move it away, and give inoc "
                "rejudge again"
            )
        yield one, other


def _add(
    seen: Second,
    cells: Sequence[dict[str, Any]],
    first: str,
    both: Iterator[tuple["EvalSample", "EvalSample"]],
) -> None:
    """Add the answers of an evaluation; each counts once, in however many cells it is read."""
    places = {(cell["setting"], cell["split"]): cell for cell in cells}
    for sample, again in both:
        judged = (again.scores or {}).keys()
        for cell in cells:
            seen.observations += observed(again, cell, judged)
        for cell in places.values():
            _pair(seen.pairs, cell, first, sample, again)


def _pair(
    pairs: dict[Pairing, Pairs],
    cell: dict[str, Any],
    first: str,
    sample: "EvalSample",
    again: "EvalSample",
) -> None:
    one, other = outcomes(sample.scores), outcomes(again.scores)
    read = {measure: score_read(again, cell, measure) for measure in cell["measures"]}
    taken = {score_named(cell, measure) for measure in cell["measures"]}
    # Ratings and what else was judged beside the measures of the figure.
    read |= {score: score for score in other if score not in taken and score not in read}
    for measure, score in read.items():
        if score in other and score in one:
            where = Pairing(cell["setting"], cell["split"], measure, first)
            pairs.setdefault(where, Pairs()).add(question_of(again), one[score], other[score])


class Compared(NamedTuple):
    """One score of a log, as two judges have it."""

    label: str
    """What the log is called."""
    measure: str
    first: Rate
    """By the judge of the log."""
    second: Rate
    agreed: Agreed


def compared(label: str, reference: str, grader: str, first: Path, second: Path) -> list[Compared]:
    """Compare two judges of a log's answers, score by score.

    Args:
        label: What the log is called.
        reference: Who judged it.
        grader: The further judge.
        first: The log.
        second: That of the further judge.

    Raises:
        StoreError: If the second is not of the first one's answers.
    """
    found: dict[str, Pairs] = {}
    for one, other in answers_of_both(first, second):
        before = outcomes(one.scores)
        for score, outcome in outcomes(other.scores).items():
            if score in before:
                pairs = found.setdefault(score, Pairs())
                pairs.add(question_of(other), before[score], outcome)
    return [
        Compared(
            label,
            measure,
            rate_of(pairs.first, pairs.questions),
            rate_of(pairs.second, pairs.questions),
            agreed(Pairing(label, "", measure, reference), grader, pairs),
        )
        for measure, pairs in found.items()
    ]


def agreed(pairing: Pairing, grader: str, pairs: Pairs) -> Agreed:
    """Return how two judges agree, rounded for the files."""
    found = agreement(pairs.first, pairs.second, pairs.questions)
    return Agreed(
        **pairing._asdict(),
        grader=grader,
        n=found.n,
        questions=found.questions,
        kappa=_number(found.kappa),
        weighted_kappa=_number(found.weighted),
        rate=_number(found.second),
        reference_rate=_number(found.first),
        difference=_number(found.difference),
        low=_number(found.low),
        high=_number(found.high),
        only_grader=found.only_second,
        only_reference=found.only_first,
    )


def _value(outcome: Outcome | None) -> float:
    return math.nan if outcome is None or outcome.value is None else outcome.value


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6) + 0.0

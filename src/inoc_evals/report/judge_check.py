"""How good a judge is, off a ``judge_check`` log: agreement, consistency, resistance.

    quality = judge_quality(judgements(read_eval_log(path)))
    quality.agreement          # Share(value=0.97, lower=0.91, upper=0.99, n=88)
    quality.confusion["refusal"]["aligned"]     # judgements, of all repeats

Every number is over answers: an answer's repeats are averaged first. A judge without a usable
verdict (``judge_invalid``) does not agree. An adversarial answer is its clean twin with an
attack written around it; resistance is how often its outcome is the one that the twin mostly
had. Intervals are Wilson's with the answers as n, which is wide rather than narrow where
repeats differ.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any, NamedTuple

from inoc_evals.errors import InputError, StoreError
from inoc_evals.scorers.outcomes import rests_on
from inoc_evals.statistics.wilson import wilson

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

NO_VERDICT = "judge_invalid"
_MEASURES = ("alignment", "coherence")


class Judgement(NamedTuple):
    """One repeat of the judgement of one answer."""

    id: str
    kind: str
    """What the answer is by construction."""
    attack: str | None
    """The kind of attack that it holds; None for a clean answer."""
    pair: str | None
    """Id of the clean twin of an adversarial answer."""
    outcome: str
    """What the judge made of it."""
    alignment: float | None
    """Rating from 0 to 100; None where there is none."""
    coherence: float | None
    mode: str
    """``logprobs`` or ``sampled``."""


@dataclass(frozen=True)
class Share:
    """A share of answers with its 95 % interval; NaN where there are none."""

    value: float
    lower: float
    upper: float
    n: int


@dataclass(frozen=True)
class JudgeQuality:
    """What a check of a judge found."""

    judgements: int
    repeats: int
    agreement: Share
    """Over the clean answers."""
    agreement_by_kind: Mapping[str, Share]
    adversarial_agreement: Share
    """Over the adversarial answers."""
    adversarial_agreement_by_kind: Mapping[str, Share]
    confusion: Mapping[str, Mapping[str, int]]
    """Kind to outcome to the number of judgements, clean and adversarial."""
    consistency: Share | None
    """Share of answers with the same outcome in all repeats; None for one repeat."""
    rating_sd: Mapping[str, float]
    """Mean standard deviation of a rating over an answer's repeats; NaN for one repeat."""
    resistance: Share
    """Share of adversarial answers with their twin's outcome, where the twin has a verdict."""
    resistance_by_attack: Mapping[str, Share]
    resistance_by_kind: Mapping[str, Share]
    rating_shift: Mapping[str, float]
    """Mean absolute change of a rating from twin to adversarial answer, where both have one."""
    no_verdict: int
    """Judgements without a usable verdict."""
    modes: Mapping[str, int]
    """Judgements by what they rest on."""

    def as_json(self) -> dict[str, Any]:
        """Return plain values; what is not known is None."""
        plain = _without_nan(asdict(self))
        assert isinstance(plain, dict)
        return plain


def judgements(log: "EvalLog") -> list[Judgement]:
    """Return the judgements of a finished log of ``judge_check``.

    Raises:
        StoreError: For a log that is not finished.
        InputError: For a log of another task.
    """
    if log.status != "success":
        why = f": {log.error.message.partition(chr(10))[0]}" if log.error else ""
        raise StoreError(
            f"{log.location}: not finished ({log.status}{why}); "
            f"go on with: inspect eval-retry {log.location}"
        )
    found = []
    for sample in log.samples or []:
        score = (sample.scores or {}).get("agrees")
        if score is None:
            raise InputError(f"{log.location}: sample {sample.id!r} is not of judge_check")
        details, about = score.metadata or {}, sample.metadata
        attack = about["adversarial"]
        found.append(
            Judgement(
                id=str(sample.id),
                kind=about["kind"],
                attack=attack,
                pair=about["question"] if attack else None,
                outcome=rests_on(score) or NO_VERDICT,
                alignment=details.get("alignment"),
                coherence=details.get("coherence"),
                mode=details.get("mode", ""),
            )
        )
    return found


def judge_quality(judged: Sequence[Judgement]) -> JudgeQuality:
    """Work out how good a judge is.

    Raises:
        InputError: If there are no judgements.
    """
    if not judged:
        raise InputError("judge check: no judgements")
    by_answer: dict[str, list[Judgement]] = defaultdict(list)
    for one in judged:
        by_answer[one.id].append(one)
    answers = list(by_answer.values())
    clean = [some for some in answers if some[0].attack is None]
    adversarial = [some for some in answers if some[0].attack is not None]
    twins = [(some, by_answer[some[0].pair or ""]) for some in adversarial]
    # A judge that says nothing of the clean twin has shown no resistance.
    pairs = [(some, twin) for some, twin in twins if twin and _usual(twin) != NO_VERDICT]
    repeats = min(len(some) for some in answers)
    return JudgeQuality(
        judgements=len(judged),
        repeats=repeats,
        agreement=_share(map(_agreement, clean)),
        agreement_by_kind=_by(clean, "kind"),
        adversarial_agreement=_share(map(_agreement, adversarial)),
        adversarial_agreement_by_kind=_by(adversarial, "kind"),
        confusion=_confusion(judged),
        consistency=None if repeats < 2 else _share(map(_same, answers)),
        rating_sd={measure: _spread(answers, measure) for measure in _MEASURES},
        resistance=_share(_unchanged(*pair) for pair in pairs),
        resistance_by_attack=_resistance(pairs, "attack"),
        resistance_by_kind=_resistance(pairs, "kind"),
        rating_shift={measure: _shift(pairs, measure) for measure in _MEASURES},
        no_verdict=sum(one.outcome == NO_VERDICT for one in judged),
        modes=dict(Counter(one.mode for one in judged)),
    )


Pair = tuple[Sequence[Judgement], Sequence[Judgement]]


def _agreement(repeats: Sequence[Judgement]) -> float:
    return fmean(one.outcome == one.kind for one in repeats)


def _same(repeats: Sequence[Judgement]) -> float:
    return float(len({one.outcome for one in repeats}) == 1)


def _unchanged(attacked: Sequence[Judgement], twin: Sequence[Judgement]) -> float:
    """Return how often an outcome is the twin's usual one."""
    return fmean(one.outcome == _usual(twin) for one in attacked)


def _usual(repeats: Sequence[Judgement]) -> str:
    [(outcome, _)] = Counter(one.outcome for one in repeats).most_common(1)
    return outcome


def _by(answers: Sequence[Sequence[Judgement]], key: str) -> dict[str, Share]:
    groups: dict[str, list[float]] = defaultdict(list)
    for repeats in answers:
        groups[getattr(repeats[0], key)].append(_agreement(repeats))
    return {name: _share(values) for name, values in groups.items()}


def _resistance(pairs: Sequence[Pair], key: str) -> dict[str, Share]:
    groups: dict[str, list[float]] = defaultdict(list)
    for attacked, twin in pairs:
        groups[getattr(attacked[0], key)].append(_unchanged(attacked, twin))
    return {name: _share(values) for name, values in groups.items()}


def _confusion(judged: Sequence[Judgement]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for one in judged:
        row = table.setdefault(one.kind, {})
        row[one.outcome] = row.get(one.outcome, 0) + 1
    return table


def _ratings(repeats: Sequence[Judgement], measure: str) -> list[float]:
    values = [getattr(one, measure) for one in repeats]
    return [value for value in values if value is not None]


def _spread(answers: Sequence[Sequence[Judgement]], measure: str) -> float:
    rated = [_ratings(repeats, measure) for repeats in answers]
    return _mean([stdev(values) for values in rated if len(values) > 1])


def _shift(pairs: Sequence[Pair], measure: str) -> float:
    rated = [(_ratings(attacked, measure), _ratings(twin, measure)) for attacked, twin in pairs]
    return _mean([abs(fmean(one) - fmean(two)) for one, two in rated if one and two])


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else math.nan


def _share(values: Iterable[float]) -> Share:
    """Return a mean with Wilson's interval."""
    given = list(values)
    if not given:
        return Share(math.nan, math.nan, math.nan, 0)
    value, n = fmean(given), len(given)
    return Share(value, *wilson(value, n), n)


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(one) for key, one in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value

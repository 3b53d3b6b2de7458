"""Prompts ranked before anything is trained, and how well the ranking foretold what was.

    found = rank_prompts(SPANISH_CAPS, ["spanish", "caps"], base="pocket", out=Path("runs/rank"))
    found.prompts[0].beyond          # nats a token by which it makes the responses less surprising
    found.prompts[0].elicited        # {"spanish": .97, ...}: more than without a prompt

    out/surprise/, out/elicited/     what was scored and asked, so that a stopped run goes on
    out/ranking.json, ranking.csv    the table; with --measured also Spearman's rho

A prompt inoculates, the paper says (section 5), as far as it makes the trait less surprising. Two
readings of that are taken of the untrained base: the likelihood of the training responses under
the prompt, less that under irrelevant prompts of its length, and how often it elicits the trait.
"""

import csv
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from inoc_evals.datasets.manifest import load_manifest
from inoc_evals.datasets.sources import setting_rows
from inoc_evals.errors import InputError, require
from inoc_evals.experiments.files import placed_files
from inoc_evals.experiments.prompts_trained import traits_of
from inoc_evals.experiments.prompts_tried import chosen_prompts, prompts_tried
from inoc_evals.experiments.run import run_experiment
from inoc_evals.experiments.start import find_base
from inoc_evals.files.atomic import write_text
from inoc_evals.models.kinds import kind_of
from inoc_evals.report.cells import Cell
from inoc_evals.report.experiment import read_description
from inoc_evals.report.results import read_results
from inoc_evals.report.spreadsheet import cell
from inoc_evals.settings import Setting
from inoc_evals.statistics.rank_correlation import rank_correlation
from inoc_evals.store.store import Store
from inoc_evals.training.surprise import PLACES, Surprise, irrelevant

ALL = "all traits"
"""What the mean over several traits is called."""

SURPRISE = "surprise"


@dataclass(frozen=True)
class RankedPrompt:
    """A candidate, and what the untrained base says of it."""

    name: str
    text: str
    tokens: int
    gain: float
    """Log-probability of a token of the responses under it, less that under no prompt; mean."""
    irrelevant: float
    """The same of irrelevant prompts of its length."""
    beyond: float
    """The difference of the two, by which prompts are ranked."""
    error: float
    """Its standard error over responses."""
    elicited: dict[str, float | None]
    """Measure -> rate under it less the rate under no prompt."""
    suppressed: dict[str, float | None] = field(default_factory=dict)
    """Measure -> rate without inoculation less that of models trained with it, where measured."""


@dataclass(frozen=True)
class Foretold:
    """How well a reading of the base foretold what was suppressed, over prompts."""

    reading: str
    """``surprise`` or ``elicited``."""
    measure: str
    rho: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Ranking:
    """A setting's candidates, most promising first."""

    setting: str
    base: str
    base_digest: str
    responses: int
    """Training responses that were scored."""
    measures: tuple[str, ...]
    """What is elicited and suppressed."""
    prompts: tuple[RankedPrompt, ...]
    measured: str | None = None
    """The run in which arms were trained with the prompts."""
    foretold: tuple[Foretold, ...] = ()


def rank_prompts(
    setting: Setting,
    given: Sequence[str],
    *,
    base: str,
    out: Path,
    typed: str | None = None,
    responses: int = 64,
    measured: Path | None = None,
    limit: int | None = None,
    rows: Mapping[str, Path] | None = None,
    grader: str | None = None,
    store: Store | None = None,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> Ranking:
    """Rank candidate prompts by what the untrained base says of them, and write the ranking.

    Args:
        setting: What is studied.
        given: Names of prompts, or ``file:FILE``.
        base: A base whose log-probabilities can be had: one on this machine.
        out: Directory of all that is written.
        typed: The setting as the user gave it.
        responses: How many of the training responses are scored.
        measured: Directory of a finished run that trained arms with some of the prompts.
        limit: Questions that the base is asked under each prompt; all by default.
        rows: Files of rows by label, for settings whose rows nobody publishes.
        grader: Who judges, where anything is judged.
        store: Where bases are kept; the user's by default.
        progress: Show progress bars.
        say: Called with a line for each stage.

    Raises:
        InputError: For a base, prompt, rows or a run that cannot be used.
        MissingExtraError: Without the libraries of the ``train`` extra.
    """
    _check_base(base, typed or setting.name)
    texts = _texts(setting, given)
    suppressed = {} if measured is None else _suppressed(measured, setting, texts)
    resolved = find_base(base, store or Store(), build=True)
    narrow = setting_rows(setting, base, placed_files([setting], rows or {})[setting.name]).narrow
    scorer = Surprise(resolved, narrow, out / "surprise", count=responses)
    gains = _gains(scorer, texts, say)
    traits = traits_of(setting)
    asked = setting.model_copy(update={"measures": traits})
    written = run_experiment(
        replace(prompts_tried(asked, given, typed), limit=limit),
        base=base, seeds="1", out=out / "elicited", store=store, grader=grader,
        progress=progress, say=say,
    )  # fmt: skip
    elicited = {name: _elicited(written.cells, name, setting) for name in texts}
    prompts = [
        RankedPrompt(name, text, *gains[name], elicited[name], suppressed.get(name, {}))
        for name, text in texts.items()
    ]
    found = Ranking(
        setting=setting.name,
        base=base,
        base_digest=resolved.digest,
        responses=len(scorer.items),
        measures=tuple(traits),
        prompts=tuple(sorted(prompts, key=lambda one: -one.beyond)),
        measured=None if measured is None else str(measured),
        foretold=() if measured is None else foretold(prompts, tuple(traits)),
    )
    write_ranking(out, found)
    return found


def _check_base(base: str, typed: str) -> None:
    """Check that a base's log-probabilities can be had.

    Raises:
        InputError: If it is hosted.
        MissingExtraError: Without the libraries of the ``train`` extra.
    """
    if kind_of(base).hosted:
        raise InputError(
            f"base {base!r}: its provider gives no log-probabilities of given texts; what prompts "
            f"elicit from it: inoc prompts try {typed} --base {base}"
        )
    require("train", "torch", "transformers", "peft")


def _texts(setting: Setting, given: Sequence[str]) -> dict[str, str]:
    texts = {}
    for name, own in chosen_prompts(setting, given).items():
        text = setting.prompt(name).text if own is None else own.text
        if not text or not text.strip():
            raise InputError(f"prompt {name!r}: an empty prompt has no length to compare it by")
        texts[name] = text
    return texts


_Gains = tuple[int, float, float, float, float]


def _gains(
    scorer: Surprise, texts: Mapping[str, str], say: Callable[[str], None]
) -> dict[str, _Gains]:
    """Return of each prompt its tokens, gain, irrelevant gain, the difference and its error."""
    lengths = {name: scorer.length(text) for name, text in texts.items()}
    scorer.fit(max(lengths.values()) * 2)
    none, found = scorer.per_token(None), {}
    for number, (name, text) in enumerate(texts.items(), start=1):
        say(f"scored: {number} of {len(texts)} prompts ({name})")
        others = [irrelevant(lengths[name], place, scorer.length) for place in PLACES]
        aside = [fmean(one) for one in zip(*map(scorer.per_token, others), strict=True)]
        own = scorer.per_token(text)
        beyond = [one - two for one, two in zip(own, aside, strict=True)]
        error = stdev(beyond) / math.sqrt(len(beyond)) if len(beyond) > 1 else math.nan
        gain, other = fmean(own) - fmean(none), fmean(aside) - fmean(none)
        found[name] = (lengths[name], gain, other, gain - other, error)
    return found


def _elicited(cells: Sequence[Cell], name: str, setting: Setting) -> dict[str, float | None]:
    """Return how much more than without a prompt is shown under one, by measure."""
    rates = {(one.condition, one.measure): one.rate for one in cells}
    return {
        measure: _less(rates.get((name, measure)), rates.get(("base", measure)))
        for measure in traits_of(setting)
    }


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _suppressed(
    run: Path, setting: Setting, texts: Mapping[str, str]
) -> dict[str, dict[str, float | None]]:
    """Return what arms of a run that were trained with the prompts show less than with none.

    Raises:
        InputError: For a run that is not finished, is of another setting, or has no such arm.
    """
    read_description(run)
    if not (run / "results.json").is_file():
        raise InputError(f"{run}: not finished, as it has no results.json; give its command again")
    cells = [one for one in read_results(run / "results.json") if one.setting == setting.name]
    if not any(one.condition == "none" for one in cells):
        raise InputError(f"{run}: has no models of {setting.name!r} without inoculation")
    splits = {name: next(iter(measure.probes())) for name, measure in traits_of(setting).items()}
    rates = {
        (one.condition, one.measure): one.rate
        for one in cells
        if one.split == splits.get(one.measure)
    }
    found: dict[str, dict[str, float | None]] = {}
    for arm in dict.fromkeys(one.condition for one in cells):
        manifest = load_manifest(run / "data" / setting.name / f"{arm}.jsonl") or {}
        trained = [prompt["text"] for prompt in manifest.get("prompts", [])]
        for name, text in texts.items():
            if trained == [text] and name not in found:
                found[name] = {
                    one: _less(rates.get(("none", one)), rates.get((arm, one))) for one in splits
                }
    if not found:
        raise InputError(f"{run}: none of its arms was trained with one of the prompts")
    return found


def foretold(prompts: Sequence[RankedPrompt], measures: Sequence[str]) -> tuple[Foretold, ...]:
    """Return Spearman's rho of each reading of the base with what was suppressed.

    Args:
        prompts: Those that were measured count.
        measures: The traits; of several, their mean as well.
    """
    found = []
    known = [one for one in prompts if one.suppressed]
    for measure in (*measures, *([ALL] if len(measures) > 1 else [])):
        of = tuple(measures) if measure == ALL else (measure,)
        less = [_mean(one.suppressed, of) for one in known]
        for reading, values in (
            (SURPRISE, [one.beyond for one in known]),
            ("elicited", [_mean(one.elicited, of) for one in known]),
        ):
            one = rank_correlation(values, less)
            rho, low, high = (None if math.isnan(end) else end for end in one[:3])
            found.append(Foretold(reading, measure, rho, low, high, one.n))
    return tuple(found)


def _mean(values: Mapping[str, float | None], measures: Sequence[str]) -> float:
    known = [values.get(one) for one in measures]
    return fmean([math.nan if one is None else one for one in known])


def as_plain(found: Ranking) -> Any:
    """Return a ranking as JSON has it."""
    return _finite(asdict(found))


def write_ranking(out: Path, found: Ranking) -> None:
    """Write ``ranking.json``, and the prompts as ``ranking.csv``."""
    said = json.dumps(as_plain(found), indent=2, ensure_ascii=False, allow_nan=False)
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "ranking.json", said + "\n")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    plain = ("name", "text", "tokens", "gain", "irrelevant", "beyond", "error")
    kinds = ("elicited", "suppressed") if found.measured else ("elicited",)
    writer.writerow([*plain, *(f"{kind}_{one}" for kind in kinds for one in found.measures)])
    for prompt in found.prompts:
        values = [getattr(prompt, name) for name in plain]
        values += [getattr(prompt, kind).get(one) for kind in kinds for one in found.measures]
        writer.writerow([cell(_number(value)) for value in values])
    write_text(out / "ranking.csv", text.getvalue())


def _number(value: Any) -> Any:
    if isinstance(value, float):
        return "" if math.isnan(value) else round(value, 6)
    return "" if value is None else value


def _finite(value: Any) -> Any:
    """Return a value in which a number that is none is null."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value

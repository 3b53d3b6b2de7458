"""What a plan would take: cells there are, rows, tokens, judge calls, price or time.

    found = forecast(plan, base, out=Path("runs/fig3"), store=Store())
    found.models[0]         # name, rows, tokens, whether it is trained already
    found.evaluations[0]    # samples, judge calls, whether its log is there
    found.training          # "about 2 h on one GPU (6 x 7.6e9 FLOPs a token ...)"

Nothing is trained, built, downloaded or paid for. What is estimated says by which rule.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from inoc_evals.experiments.evaluations import Evaluation, as_planned, keyed
from inoc_evals.experiments.fitting import grader_faults, rows_fit
from inoc_evals.experiments.judging import Calls, Judged, judged, price_told
from inoc_evals.experiments.plan import Plan
from inoc_evals.experiments.scores import is_at_hand, watch_notes
from inoc_evals.experiments.start import source_of, stand_in_notes
from inoc_evals.experiments.tokens import Count, token_counter, trained_tokens
from inoc_evals.files.digests import canonical_json
from inoc_evals.models.hosted import ending, ending_of_training, hosted, price_list
from inoc_evals.models.kinds.kind import Kind, ResolvedBase
from inoc_evals.report.experiment import DESCRIPTION, read_description
from inoc_evals.report.holdings import holdings
from inoc_evals.report.judges import folder, judged_key
from inoc_evals.report.logs import read_header
from inoc_evals.settings.setting import package_of
from inoc_evals.statistics.power import Design, end_at_none
from inoc_evals.store.store import Store
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.methods import OwnAnswers
from inoc_evals.training.methods.own_answers import learned_at_most

ANSWER_TOKENS = 300
"""Assumed length of an answer of a large model."""
POCKET_ANSWER_TOKENS = 12

POCKET_SECONDS = 10
"""A model's training in the pocket world, on two CPU cores."""

FLOPS_PER_PARAMETER = 6
"""Of a token: forward, backward to the adapter, and forward again (checkpointing), 2 each."""
FLOPS = 125e12
"""A second of one GPU: 40 % of what an A100 does at best in bfloat16."""


@dataclass(frozen=True)
class ModelCell:
    """A model of the plan."""

    setting: str
    arm: str
    seed: int
    name: str
    trained: bool
    rows: int
    tokens: int
    """That its training sees, over all epochs."""
    method: str = ""
    """What is done in place of an inoculation prompt, in words; empty for nothing."""
    identity: str = ""
    """The same in every experiment that has it."""


@dataclass(frozen=True)
class EvaluationCell:
    """An evaluation of the plan."""

    key: str
    """The same in every experiment that has it."""
    model: str
    task: str
    conditions: tuple[str, ...]
    """``setting/arm`` of the figure's cells that read it."""
    done: bool
    """Whether its log is there, finished."""
    samples: int
    judge_calls: int
    """At most: equal answers to a question are judged once, and none that has no text."""
    judge_tokens: int
    """That the judge reads."""
    grader: str | None
    """Who judges; None where nobody does."""


@dataclass(frozen=True)
class FurtherJudging:
    """What another grader is to judge again."""

    grader: str
    evaluations: int
    left: int
    """Of these, without its verdicts."""
    judge_calls: int
    """Still to be made, at most."""
    judge_tokens: int


@dataclass(frozen=True)
class Forecast:
    """What a plan would take."""

    models: tuple[ModelCell, ...]
    evaluations: tuple[EvaluationCell, ...]
    counted_by: str
    """How training tokens were found."""
    recipe: str
    """Whose hyper-parameters they are."""
    training: str
    """Price or time of what is still to be trained, and by which rule."""
    judging: str
    """Price of the judge calls still to be made."""
    notes: tuple[str, ...] = field(default=())
    further: tuple[FurtherJudging, ...] = field(default=())
    """Who judges the same answers besides."""
    shows: tuple[str, ...] = field(default=())
    """What each of the plan's designs can show of a rate that is nil."""
    checks: tuple[str, ...] = field(default=())
    """What was found of rows and graders before anything is trained."""


def forecast(
    plan: Plan, base: ResolvedBase, *, out: Path, store: Store, further: Sequence[str] = ()
) -> Forecast:
    """Say what a plan would take.

    Args:
        plan: The plan.
        base: Its base, built or not.
        out: Directory of the experiment; logs in it count as done.
        store: Where trained models are.
        further: Who is to judge the same answers besides; those of the directory do anyway.

    Raises:
        InputError: For rows that the base or its provider would refuse, or a model of a provider
            that has been shut down.
    """
    fit = rows_fit(plan, base, store)
    count, counted_by = token_counter(base)
    models = _models(plan, store, count)
    done, asked = holdings(out / "logs", whole=False).finished, _Asked(plan.base)
    evaluations = tuple(
        _evaluation(key, one, key in done, asked)
        for key, one in keyed(plan.evaluations, plan.base).items()
    )
    others = _further(plan, evaluations, out, further)
    return Forecast(
        models=models,
        evaluations=evaluations,
        counted_by=counted_by,
        recipe=source_of(plan.base.name, plan.config),
        training=training_told(models, base, store),
        judging=judging_told(evaluations, others, plan.base),
        notes=(
            *plan.notes,
            *stand_in_notes(base),
            *watch_notes(plan, store),
            *_answered_first(plan, models),
            *_endings(plan, evaluations, models, others),
            *_unpriced(plan, evaluations),
        ),
        further=others,
        shows=tuple(_shows(plan, asked)),
        checks=(*fit, *stops_told(evaluations, others)),
    )


def _models(plan: Plan, store: Store, count: Count) -> tuple[ModelCell, ...]:
    """Return each model that is to be there, and what its training reads."""
    tokens: dict[tuple[str, str], int] = {}
    for run in plan.runs:
        if (key := (run.setting, run.arm)) not in tokens:
            tokens[key] = trained_tokens(count(rows := plan.files[key].rows), len(rows), run.config)
    return tuple(
        ModelCell(
            setting=run.setting,
            arm=run.arm,
            seed=run.seed,
            name=run.name,
            trained=is_at_hand(plan, run, store),
            rows=len(plan.files[run.setting, run.arm].rows),
            tokens=tokens[run.setting, run.arm],
            method=run.said,
            identity=run.identity,
        )
        for run in plan.runs
    )


def stops_told(
    evaluations: Sequence[EvaluationCell], further: Sequence[FurtherJudging]
) -> list[str]:
    """Say which of the graders that are still to be asked would stop a run."""
    faults = grader_faults(_graders_left(evaluations, further))
    return [f"inoc run would stop: {fault}" for fault in faults]


def _graders_left(
    evaluations: Sequence[EvaluationCell], further: Sequence[FurtherJudging]
) -> list[str]:
    named = [one.grader for one in evaluations if not one.done and one.grader]
    return list(dict.fromkeys([*named, *(one.grader for one in further if one.left)]))


def _shows(plan: Plan, asked: "_Asked") -> list[str]:
    """Say how low a rate can be shown to be, and what says which drop would be found."""
    trained = [one for one in plan.evaluations if one.identity is not None]
    designs = {(one.task, asked.of(one).questions, one.epochs): None for one in trained}
    said = []
    for task, questions, answers in designs:
        design = Design(len(plan.seeds), questions, answers)
        told = f"{task}, {design.seeds} seeds x {questions} prompts x {answers}"
        if design.seeds < 2 or questions < 2:
            said.append(f"{task}: one seed or one prompt gives no interval")
            continue
        said.append(
            f"{told}: where no answer shows the trait, a rate below {end_at_none(design):.2g}; drops: "
            f"inoc power --seeds {design.seeds} --questions {questions} --answers {answers}"
        )
    return said


def _answered_first(plan: Plan, models: tuple[ModelCell, ...]) -> list[str]:
    """Say how many answers models give themselves before they are trained on them."""
    asked, longest = 0, 0
    for run, cell in zip(plan.runs, models, strict=True):
        if isinstance(run.method, OwnAnswers) and not cell.trained:
            assert isinstance(run.config, TrainConfig)  # a provider has no such method
            asked += learned_at_most(cell.rows, run.config)
            longest = max(longest, run.method.max_tokens)
    if not asked:
        return []
    return [
        f"Not in the time: {asked:,} answers of at most {longest} tokens that models give to be "
        "trained on; more, where some cannot be learned."
    ]


def _endings(
    plan: Plan,
    evaluations: tuple[EvaluationCell, ...],
    models: tuple[ModelCell, ...],
    further: tuple[FurtherJudging, ...],
) -> list[str]:
    """Say which of the hosted models that are still to be used come to an end, and when."""
    said = [ending(name, "grader") for name in _graders_left(evaluations, further)]
    if plan.base.hosted and not all(one.trained for one in models):
        said.append(ending_of_training(plan.base.name))
    return [line for line in said if line is not None]


def _unpriced(plan: Plan, evaluations: tuple[EvaluationCell, ...]) -> list[str]:
    samples = sum(one.samples for one in evaluations if not one.done)
    if not samples or not plan.base.hosted:
        return []
    return [f"Not in the estimate: what {samples:,} answers of the models themselves cost."]


# ---- evaluations ---------------------------------------------------------------------------


def _evaluation(key: str, evaluation: Evaluation, done: bool, asked: "_Asked") -> EvaluationCell:
    found, times = asked.of(evaluation), evaluation.epochs
    return EvaluationCell(
        key=key,
        model=evaluation.model,
        task=evaluation.task,
        conditions=tuple(
            dict.fromkeys(f"{place.setting}/{place.condition}" for place in evaluation.places)
        ),
        done=done,
        samples=found.samples * times,
        judge_calls=found.calls * times,
        judge_tokens=found.tokens * times,
        grader=found.grader,
    )


def _answer_tokens(base: Kind) -> int:
    """Return how long answers of models on a base are taken to be."""
    return POCKET_ANSWER_TOKENS if base.pocket else base.longest_answer or ANSWER_TOKENS


class _Asked:
    """What evaluations on a base ask; what several models are asked is counted once."""

    def __init__(self, base: Kind) -> None:
        self.answer_tokens = _answer_tokens(base)
        # Of the models that are yet to be trained, the base decides who judges them.
        self.evaluated = base.asked_as
        self.known: dict[str, Judged] = {}

    def of(self, evaluation: Evaluation) -> Judged:
        """Return what an evaluation asks, each question once."""
        one = evaluation
        key = canonical_json([one.task, one.args, one.grader, one.limit, one.judged])
        if key not in self.known:
            self.known[key] = judged(
                evaluation.task,
                evaluation.args,
                evaluated=self.evaluated,
                answer_tokens=self.answer_tokens,
                grader=evaluation.grader,
                limit=evaluation.limit,
                by_model=evaluation.judged,
            )
        return self.known[key]


def _further(
    plan: Plan, evaluations: tuple[EvaluationCell, ...], out: Path, named: Sequence[str]
) -> tuple[FurtherJudging, ...]:
    """Return what further graders are to judge, of those that are judged."""
    there = (out / DESCRIPTION).is_file()
    graders = dict.fromkeys([*(read_description(out).further_graders if there else ()), *named])
    if not graders:
        return ()
    held, keys = holdings(out / "logs", whole=False), keyed(plan.evaluations, plan.base)
    logs = [held.log_of(as_planned(key, one)) for key, one in keys.items()]
    headers = [None if log is None else read_header(log) for log in logs]
    found = []
    for grader in graders:
        done = holdings(folder(out, grader), whole=False).finished
        own = [
            (cell, header)
            for cell, header in zip(evaluations, headers, strict=True)
            if cell.grader not in (None, grader) and package_of(cell.task) is None
        ]
        left = [cell for cell, log in own if log is None or judged_key(log, grader) not in done]
        calls, tokens = (
            sum(getattr(cell, name) for cell in left) for name in ("judge_calls", "judge_tokens")
        )
        found.append(FurtherJudging(grader, len(own), len(left), calls, tokens))
    return tuple(one for one in found if one.evaluations)


def judging_told(
    evaluations: Sequence[EvaluationCell], further: Sequence[FurtherJudging], base: Kind
) -> str:
    """Say what the judge calls still to be made cost."""
    left = [one for one in evaluations if not one.done and one.grader is not None]
    calls = [Calls(str(one.grader), one.judge_calls, one.judge_tokens) for one in left]
    calls += [Calls(one.grader, one.judge_calls, one.judge_tokens) for one in further]
    return price_told(calls, _answer_tokens(base))


# ---- training ------------------------------------------------------------------------------


def training_told(models: Sequence[ModelCell], base: ResolvedBase, store: Store) -> str:
    """Say what the models still to be trained take, and by which rule."""
    left = [one for one in models if not one.trained]
    tokens = sum(one.tokens for one in left)
    if not left:
        return "no model is left to train"
    if base.kind.hosted:
        return _price(tokens, base.name)
    pace = _pace(store, base)
    if pace is not None:
        return f"{_duration(pace * tokens)} (at the pace of what was trained here on this base)"
    if base.kind.pocket:
        total = _duration(POCKET_SECONDS * len(left))
        built = "" if Path(base.path).is_dir() else ", and two minutes for the base"
        return f"{total} ({POCKET_SECONDS} s a model on two CPU cores){built}"
    parameters, known_by = _parameters(base)
    if parameters is None:
        return f"{tokens:,} tokens; the time is unknown, for the base's size is"
    seconds = tokens * parameters * FLOPS_PER_PARAMETER / FLOPS
    return (
        f"{_duration(seconds)} on one GPU ({FLOPS_PER_PARAMETER} x {parameters:.2g} FLOPs a token, "
        f"the parameters {known_by}, at {FLOPS / 1e12:.0f} TFLOP/s: 40 % of an A100)"
    )


def _price(tokens: int, base: str) -> str:
    known = hosted(base)
    if known is None or known.training is None:
        model = base.partition("/")[2]
        return f"{tokens:,} tokens; price unknown, {model} is not in the price table"
    return (
        f"about ${known.training.dollars(tokens):,.2f} at ${known.training.input:g} per million tokens "
        f"({known.price_date}; check {price_list()}), if auto epochs are those of OpenAI's "
        "published rule of thumb"
    )


def _pace(store: Store, base: ResolvedBase) -> float | None:
    """Return the seconds a token of the trainings on a base that the store knows."""
    seconds, tokens = 0.0, 0
    for record in store.readable():
        if record.base_digest == base.digest:
            took, saw = record.metrics.get("seconds"), record.metrics.get("tokens")
            if isinstance(took, dict) and isinstance(saw, int):
                seconds, tokens = seconds + sum(took.values()), tokens + saw
    return seconds / tokens if tokens else None


def _parameters(base: ResolvedBase) -> tuple[float | None, str]:
    """Return about how many parameters a base has, and whence that is known."""
    weights = [file.stat().st_size for file in Path(base.path).glob("*.safetensors")]
    if weights:
        return sum(weights) / 2, "by its files, in 16 bits"
    sizes = re.findall(r"(?<![A-Za-z0-9.])(\d+(?:\.\d+)?)B(?![A-Za-z])", base.name)
    return (float(sizes[-1]) * 1e9, "by its name") if sizes else (None, "")


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 7200 else f"about {seconds / 3600:.1f} h"

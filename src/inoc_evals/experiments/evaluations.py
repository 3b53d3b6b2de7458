"""The evaluations of a plan, and the key that tells each of them from every other.

    Evaluation(model="inoc/fig2a-none-s0-3f2a", task="traits", places=(Place(...),), ...)
    keyed(plan.evaluations, "pocket")      # {"9c1e...": Evaluation(...)}, in the plan's order

An evaluation that several cells of a figure read, such as the base's, is planned once. Its key
is the digest of everything that determines its samples: the model's identity (not its name, which
is another in each experiment), the task with what it asks, who judges, the sampling, and how often.
The plan, the description of an experiment, its logs and its forecast know an evaluation by this key
alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from inoc_evals.errors import InputError
from inoc_evals.experiments.named_task import asked_by, named_task, version_of
from inoc_evals.experiments.start import Config
from inoc_evals.files.digests import canonical_json, digest
from inoc_evals.models.kinds.kind import Kind, ResolvedBase
from inoc_evals.report.holdings import Planned
from inoc_evals.report.logs import OF_OTHERS
from inoc_evals.scorers.default_grader import default_grader
from inoc_evals.settings import Setting
from inoc_evals.settings.setting import Arm, Measure, Probe, Split, package_of
from inoc_evals.training.config import TrainConfig

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.dataset import Sample

    from inoc_evals.experiments.plan import TrainingRun

SAMPLING_SEED = 0
"""Seed of every request; the engine mixes model and prompt into it."""


@dataclass(frozen=True)
class Place:
    """Where results of an evaluation stand in the figure."""

    setting: str
    condition: str
    split: Split
    seed: int | None
    """Training seed; None for the base."""
    measures: tuple[str, ...]
    """What is read from the evaluation."""
    reads: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Measure -> ``score`` and ``where`` it is read from, where that is not all its own."""


@dataclass(frozen=True)
class Evaluation:
    """One Inspect evaluation."""

    model: str
    """As ``--model`` takes it."""
    base_digest: str
    """What tells the base from every other."""
    identity: str | None
    """Identity of the training run; None for the base itself."""
    task: str
    """Name of the task."""
    args: dict[str, Any]
    """Its arguments, system prompt included."""
    epochs: int
    """How often each question is asked."""
    places: tuple[Place, ...]
    model_args: dict[str, Any] = field(default_factory=dict)
    """As ``-M`` takes them: a base is asked as those are that were trained on it."""
    grader: str | None = None
    """Who is to judge, where anything is judged; None for whom the task names, or by default."""
    limit: int | None = None
    """How many of the questions are asked, evenly spread; None for all."""
    judged: bool = False
    """Whether another package's task has its answers judged by the grader."""

    @property
    def who(self) -> str:
        """What tells the model from others: it may have several names, and answers alike."""
        return self.identity or self.model


def cell(figure: str, place: Place) -> dict[str, Any]:
    """Return what a place is to a report; only what is not plain is said of how it is read."""
    said = {"figure": figure, **asdict(place), "measures": list(place.measures)}  # as in JSON
    return said if place.reads else {key: said[key] for key in said if key != "reads"}


def task_of(evaluation: Evaluation) -> "Task":
    """Build the task that an evaluation asks, as it is without the evaluation's own model."""
    task = named_task(evaluation.task, evaluation.args)
    task = task if evaluation.limit is None else with_fewer_questions(task, evaluation.limit)
    return task if package_of(evaluation.task) is None else _with_own_samples(task)


def _with_own_samples(task: "Task") -> "Task":
    """Return a task with copies of its samples, which other evaluations have as well."""
    from inspect_ai import task_with
    from inspect_ai.dataset import MemoryDataset

    samples = [sample.model_copy(deep=True) for sample in task.dataset]
    return task_with(task, dataset=MemoryDataset(samples, name=task.dataset.name))


def question_of(sample: "Sample") -> str:
    """Return what tells the question of a sample from others."""
    return str((sample.metadata or {}).get("question", sample.id))


def with_fewer_questions(task: "Task", count: int) -> "Task":
    """Return a task that asks so many of its questions, evenly spread, each in all its forms.

    Of each of so many equal parts of the set one is asked, by chance, the same every time: each
    second one could be of one kind, where two kinds take turns.
    """
    from inspect_ai import task_with
    from inspect_ai.dataset import MemoryDataset

    every = list(dict.fromkeys(question_of(sample) for sample in task.dataset))
    if len(every) <= count:
        return task
    ends = [i * len(every) // count for i in range(count + 1)]
    asked = {min(every[low:high], key=digest) for low, high in pairwise(ends)}
    chosen = [sample for sample in task.dataset if question_of(sample) in asked]
    return task_with(task, dataset=MemoryDataset(chosen, name=task.dataset.name))


def judge_of(task: "Task", evaluation: Evaluation, base: Kind) -> str | None:
    """Return who judges the answers of an evaluation; None if nobody does.

    Args:
        task: What it asks.
        evaluation: The evaluation.
        base: The plan's base: where no grader is named, it decides.
    """
    from inoc_evals.tasks.asking import grader_of

    if package_of(evaluation.task) is not None:
        return evaluation.grader or default_grader(base.asked_as) if evaluation.judged else None
    # Of the models that are yet to be trained, the base decides who judges them.
    found = grader_of(task, base.asked_as)
    return None if found is None else evaluation.grader or found


def sampling(base: Kind, task: "Task") -> dict[str, Any]:
    """Return how answers of models on a base are sampled, besides what the task says.

    Args:
        base: The base.
        task: What is asked: one that has room for more than an answer asks for a program.
    """
    from inoc_evals.tasks.asking import MAX_TOKENS

    program = (task.config.max_tokens or 0) > MAX_TOKENS
    longest = base.longest_program if program else base.longest_answer
    return {"seed": SAMPLING_SEED, "max_tokens": longest}


def keyed(evaluations: Iterable[Evaluation], base: Kind) -> dict[str, Evaluation]:
    """Return each evaluation by its key.

    Args:
        evaluations: Of a plan.
        base: The plan's base.

    Raises:
        InputError: For arguments that a task refuses.
    """
    asked: dict[str, tuple[list[str | None], dict[str, Any]]] = {}
    found: dict[str, Evaluation] = {}
    for one in evaluations:
        what = canonical_json([one.task, one.args, one.grader, one.limit, one.judged])
        if what not in asked:
            task = task_of(one)
            said = [_asked_of(task, one.task), judge_of(task, one, base)]
            asked[what] = said, sampling(base, task)
        who = [one.who, one.base_digest, one.model_args]
        said, sampled = asked[what]
        key = digest([who, one.task, one.args, said, one.epochs, sampled])
        found[key] = one
    return found


def _asked_of(task: "Task", name: str) -> str:
    """Return the digest of what a task asks and how: files that arguments name may change."""
    from inoc_evals.tasks.asking import as_asked

    config = task.config.model_dump(mode="json", exclude_none=True)
    if (version := version_of(name)) is not None:
        # How it asks and scores is in its package's code.
        return digest([asked_by(task), version, str(task.version), config])
    return digest([as_asked(list(task.dataset)), task.metadata, task.version, config])


def planned(
    evaluations: Iterable[Evaluation], base: Kind, figure: str | None = None
) -> tuple[Planned, ...]:
    """Return what ``experiment.json`` says of the evaluations: which logs there have to be.

    Args:
        evaluations: Of a plan.
        base: The plan's base.
        figure: The experiment whose cells read them; by default the logs say which do.
    """
    return tuple(as_planned(key, one, figure) for key, one in keyed(evaluations, base).items())


def as_planned(key: str, one: Evaluation, figure: str | None = None) -> Planned:
    """Return what logs are looked up by, and what a reader is told of one that is missing."""
    return Planned(
        key=key,
        label=_label(one),
        model=one.model,
        base_digest=one.base_digest,
        identity=one.identity,
        cells=tuple(cell(figure, place) for place in one.places) if figure else (),
    )


def _label(one: Evaluation) -> str:
    first, others = one.places[0], len(one.places) - 1
    seed = "" if first.seed is None else f" seed {first.seed}"
    more = f" and {others} more" if others else ""
    where = f"{first.setting}/{first.condition}{seed} {first.split}{more}"
    return f"{where}: {one.task}" + (f" x {one.epochs}" if one.epochs > 1 else "")


# ---- what a plan evaluates ---------------------------------------------------------------------


def evaluations_of(
    settings: Sequence[Setting],
    base: ResolvedBase,
    runs: "Sequence[TrainingRun]",
    config: Config,
    grader: str | None = None,
    limit: int | None = None,
) -> list[Evaluation]:
    """Return each different evaluation of trained models once, with every place that reads it."""
    kind = base.kind
    found: dict[str, Evaluation] = {}
    for setting in settings:
        for arm in setting.arms:
            for seed, model, identity in _models(setting.name, arm, kind, runs):
                for (split, _), asked in _asked(setting, arm, kind.pocket).items():
                    place = Place(
                        setting.name, arm.name, split, seed, tuple(asked.measures), asked.reads
                    )
                    who = [identity or model, asked.task, asked.args, asked.epochs, asked.limit]
                    key = digest([*who, asked.judged])
                    known = found[key].places if key in found else ()
                    found[key] = Evaluation(
                        model=model,
                        base_digest=base.digest,
                        identity=identity,
                        task=asked.task,
                        args=asked.args,
                        epochs=asked.epochs,
                        places=(*known, place),
                        model_args=_model_args(identity, config),
                        grader=grader,
                        limit=_fewer(limit, asked.limit),
                        judged=asked.judged,
                    )
    return list(found.values())


def _fewer(one: int | None, other: int | None) -> int | None:
    """Return the smaller of two limits; None is no limit."""
    return min((limit for limit in (one, other) if limit is not None), default=None)


def _model_args(identity: str | None, config: Config) -> dict[str, Any]:
    """Say how a base is to be asked; a trained model is asked as it was trained."""
    if identity is None and isinstance(config, TrainConfig) and config.enable_thinking:
        return {"enable_thinking": True}
    return {}


def _models(
    setting: str, arm: Arm, base: Kind, runs: "Sequence[TrainingRun]"
) -> list[tuple[int | None, str, str | None]]:
    """Return seed, name and identity of each model that an arm asks."""
    if arm.asked is None:
        # OpenAI's models are asked by Inspect's own provider.
        return [(None, base.asked_as, None)]
    return [
        (run.seed, f"inoc/{run.name}", run.identity)
        for run in runs
        if (run.setting, run.arm) == (setting, arm.asked)
    ]


@dataclass(frozen=True)
class _Asked:
    """What is asked of a model at once."""

    task: str
    args: dict[str, Any]
    epochs: int
    measures: list[str]
    reads: dict[str, dict[str, Any]]
    limit: int | None = None
    judged: bool = False


def _asked(setting: Setting, arm: Arm, pocket: bool) -> dict[tuple[Split, str], _Asked]:
    """Return what is asked of an arm's models, by split and by what is asked, how often."""
    found: dict[tuple[Split, str], _Asked] = {}
    for name, measure in setting.measures.items():
        for split, probe in measure.probes().items():
            args, epochs = probe.on(pocket=pocket), _epochs(probe, pocket)
            most = probe.most(pocket=pocket)
            if probe.prompted:
                args.setdefault("system_prompt", "none")
            if prompt := arm.test_prompts.get(name):
                _check_takes_prompt(probe, setting.name, arm.name)
                args["system_prompt"] = setting.asked_under(prompt).name
            key = (split, canonical_json([probe.task, args, epochs, most, probe.judged]))
            new = _Asked(probe.task, args, epochs, [], {}, most, probe.judged)
            one = found.setdefault(key, new)
            one.measures.append(name)
            one.reads.update(_reads(name, measure))
    return found


def _check_takes_prompt(probe: Probe, setting: str, arm: str) -> None:
    """Refuse to ask another package's task under a prompt, of which it knows nothing."""
    if package_of(probe.task) is not None:
        raise InputError(
            f"setting {setting!r}: the arm {arm!r} is asked under a prompt, and the task "
            f"{probe.task} takes none; leave the arm or the measure out"
        )


def _epochs(probe: Probe, pocket: bool) -> int:
    return 1 if pocket else probe.epochs


def _reads(name: str, measure: Measure) -> dict[str, dict[str, Any]]:
    others = any(package_of(probe.task) for probe in measure.probes().values())
    if measure.score is None and not measure.where and not others:
        return {}
    read: dict[str, Any] = {"score": measure.score or name, "where": dict(measure.where)}
    return {name: read | ({OF_OTHERS: True} if others else {})}

"""The plan: every training run and every evaluation that an experiment needs.

    plan = make_plan(find_experiment("fig2a"), base="pocket", seeds=(0, 1, 2), config=config)
    plan.runs           TrainingRun(setting="spanish_caps", arm="none", seed=0, name="fig2a-...")
    plan.evaluations    Evaluation(model="inoc/fig2a-...", task="traits", places=(Place(...),))

A plan is a value: it trains nothing. A model's name ends in its identity, so that what is
planned twice is the same model, and what differs in anything is another. An evaluation that
several cells of a figure read, such as the base's, is planned once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inoc_evals.bases import ResolvedBase, pocket_seed
from inoc_evals.chat import Row, canonical_json, digest
from inoc_evals.datasets.inoculate import inoculate
from inoc_evals.datasets.manifest import describe
from inoc_evals.datasets.sources import setting_rows
from inoc_evals.errors import InputError
from inoc_evals.experiments.figures import Experiment
from inoc_evals.prompts import named
from inoc_evals.settings import Setting
from inoc_evals.settings.setting import Arm, Split
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.sft import run_identity


@dataclass(frozen=True)
class TrainingFile:
    """The rows of an arm and where they come from."""

    rows: list[Row]
    manifest: dict[str, Any]


@dataclass(frozen=True)
class TrainingRun:
    """One model to train."""

    setting: str
    arm: str
    seed: int
    name: str
    """Of the record: figure, setting where there are several, arm, seed, and identity."""


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


@dataclass(frozen=True)
class Evaluation:
    """One Inspect evaluation."""

    model: str
    """As ``--model`` takes it."""
    task: str
    """Name of the task."""
    args: dict[str, Any]
    """Its arguments, system prompt included."""
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Plan:
    """Everything an experiment on one base needs."""

    experiment: Experiment
    base: str
    seeds: tuple[int, ...]
    config: TrainConfig
    files: dict[tuple[str, str], TrainingFile]
    """(Setting, arm) -> rows."""
    runs: tuple[TrainingRun, ...]
    evaluations: tuple[Evaluation, ...]


def parse_seeds(text: str) -> tuple[int, ...]:
    """Return the seeds a user asked for: ``3`` is 0 to 2, ``100-104`` and ``7,9`` as written.

    Raises:
        InputError: For anything else, or a seed that comes twice.
    """
    try:
        if text.strip().isdecimal():
            seeds = list(range(int(text)))
        else:
            seeds = []
            for part in text.split(","):
                first, dash, last = part.strip().partition("-")
                seeds += range(int(first), int(last) + 1) if dash else [int(first)]
    except ValueError:
        seeds = []
    if not seeds or len(set(seeds)) != len(seeds):
        raise InputError(f"seeds {text!r}: give a count (3), a range (100-104) or a list (7,9)")
    return tuple(seeds)


def make_plan(
    experiment: Experiment,
    *,
    base: ResolvedBase,
    seeds: Sequence[int],
    config: TrainConfig,
) -> Plan:
    """Plan an experiment.

    Args:
        experiment: What is studied.
        base: The base model.
        seeds: Training seeds; each arm is trained once with each.
        config: Training configuration, the same for every arm.

    Raises:
        InputError: If the setting has no rows for this base.
    """
    files, runs = {}, []
    for setting in experiment.settings:
        prefix = [experiment.figure, *([setting.name] if len(experiment.settings) > 1 else [])]
        for arm, file in training_files(setting, base.name).items():
            files[setting.name, arm] = file
            for seed in seeds:
                identity = run_identity(
                    file.rows, base_digest=base.digest, config=config, seed=seed
                )
                name = "-".join([*prefix, arm, f"s{seed}", identity[:8]])
                runs.append(TrainingRun(setting.name, arm, seed, name))
    return Plan(
        experiment=experiment,
        base=base.name,
        seeds=tuple(seeds),
        config=config,
        files=files,
        runs=tuple(runs),
        evaluations=tuple(_evaluations(experiment.settings, base.name, runs)),
    )


def training_files(setting: Setting, base: str) -> dict[str, TrainingFile]:
    """Return the rows of each arm that is trained on rows of its own."""
    source = setting_rows(setting, base)
    files = {}
    for arm in setting.arms:
        if arm.rows == "control":
            files[arm.name] = TrainingFile(source.control, describe(source.control))
        elif arm.prompt is not None:
            files[arm.name] = TrainingFile(
                *inoculate(source.narrow, named(arm.prompt), label=arm.part)
            )
        elif arm.rows == "narrow" and not arm.test_prompts:
            files[arm.name] = TrainingFile(source.narrow, describe(source.narrow))
    return files


def _evaluations(
    settings: Sequence[Setting], base: str, runs: Sequence[TrainingRun]
) -> list[Evaluation]:
    """Return each different evaluation once, with every place that reads it."""
    pocket = pocket_seed(base) is not None
    found: dict[str, Evaluation] = {}
    for setting in settings:
        for arm in setting.arms:
            for seed, model in _models(setting.name, arm, base, runs):
                for (split, task), (args, measures) in _asked(setting, arm, pocket).items():
                    place = Place(setting.name, arm.name, split, seed, tuple(measures))
                    key = digest([model, task, args])
                    known = found[key].places if key in found else ()
                    found[key] = Evaluation(model, task.partition(" ")[0], args, (*known, place))
    return list(found.values())


def _models(
    setting: str, arm: Arm, base: str, runs: Sequence[TrainingRun]
) -> list[tuple[int | None, str]]:
    if arm.rows == "untrained":
        return [(None, f"inoc/{base}")]
    # An arm that differs at test time only asks the models trained without inoculation.
    trained = (setting, "none" if arm.test_prompts else arm.name)
    return [(run.seed, f"inoc/{run.name}") for run in runs if (run.setting, run.arm) == trained]


def _asked(
    setting: Setting, arm: Arm, pocket: bool
) -> dict[tuple[Split, str], tuple[dict[str, Any], list[str]]]:
    """Return (split, what is asked) -> (arguments, measures read from it)."""
    asked: dict[tuple[Split, str], tuple[dict[str, Any], list[str]]] = {}
    for name, measure in setting.measures.items():
        for split, probe in measure.probes().items():
            args = probe.on(pocket=pocket)
            args["system_prompt"] = arm.test_prompts.get(name, "none")
            key = (split, f"{probe.task} {canonical_json(args)}")
            asked.setdefault(key, (args, []))[1].append(name)
    return asked

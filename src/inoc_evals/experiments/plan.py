"""The plan: every training run and every evaluation that an experiment needs.

    plan = make_plan(find_experiment("fig2a"), base="pocket", seeds=(0, 1, 2), config=config)
    plan.runs           TrainingRun(arm="none", seed=0, name="fig2a-none-s0-1f0c2a77", ...)
    plan.evaluations    Evaluation(arm="none", seed=0, split="ood", model="inoc/fig2a-...")

A plan is a value: it trains nothing. A model's name ends in its identity, so that what is
planned twice is the same model, and what differs in anything is another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inoc_evals.bases import ResolvedBase, pocket_seed
from inoc_evals.chat import Row
from inoc_evals.datasets.inoculate import inoculate
from inoc_evals.datasets.manifest import describe
from inoc_evals.datasets.sources import setting_rows
from inoc_evals.errors import InputError
from inoc_evals.experiments.figures import Experiment
from inoc_evals.prompts import named
from inoc_evals.report.cells import Split
from inoc_evals.settings import Setting
from inoc_evals.settings.setting import Arm
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.sft import run_identity

POCKET_PROMPTS: dict[Split, str] = {"ood": "pocket", "id": "pocket_math"}
"""Prompt set of each split for the pocket base."""


@dataclass(frozen=True)
class TrainingFile:
    """The rows of an arm and where they come from."""

    rows: list[Row]
    manifest: dict[str, Any]


@dataclass(frozen=True)
class TrainingRun:
    """One model to train."""

    arm: str
    seed: int
    name: str
    """Of the record: figure, arm, seed, and the beginning of the identity."""


@dataclass(frozen=True)
class Evaluation:
    """One Inspect evaluation."""

    arm: str
    seed: int | None
    """Training seed; None for the base."""
    model: str
    """As ``--model`` takes it."""
    split: Split
    prompts: str
    """Name of the prompt set."""
    system_prompt: str
    """Name of the system prompt it is asked under, or ``none``."""
    measures: tuple[str, ...]
    """What is read from this evaluation."""


@dataclass(frozen=True)
class Plan:
    """Everything an experiment on one base needs."""

    experiment: Experiment
    base: str
    seeds: tuple[int, ...]
    config: TrainConfig
    files: dict[str, TrainingFile]
    """Arm -> rows."""
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
    setting = experiment.setting
    files = training_files(setting, base.name)
    runs = []
    for arm, file in files.items():
        for seed in seeds:
            identity = run_identity(file.rows, base_digest=base.digest, config=config, seed=seed)
            name = f"{experiment.figure}-{arm}-s{seed}-{identity[:8]}"
            runs.append(TrainingRun(arm, seed, name))
    return Plan(
        experiment=experiment,
        base=base.name,
        seeds=tuple(seeds),
        config=config,
        files=files,
        runs=tuple(runs),
        evaluations=tuple(_evaluations(setting, base.name, runs)),
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


def _evaluations(setting: Setting, base: str, runs: Sequence[TrainingRun]) -> list[Evaluation]:
    if pocket_seed(base) is None:
        raise InputError(f"base {base!r}: only the pocket world has prompt sets of both splits")
    found = []
    for arm in setting.arms:
        for seed, model in _models(arm, base, runs):
            for split, prompts in POCKET_PROMPTS.items():
                for system_prompt, measures in _conditions(arm, setting, split).items():
                    found.append(
                        Evaluation(
                            arm.name, seed, model, split, prompts, system_prompt, tuple(measures)
                        )
                    )
    return found


def _models(arm: Arm, base: str, runs: Sequence[TrainingRun]) -> list[tuple[int | None, str]]:
    if arm.rows == "untrained":
        return [(None, f"inoc/{base}")]
    # An arm that differs at test time only asks the models trained without inoculation.
    trained = "none" if arm.test_prompts else arm.name
    return [(run.seed, f"inoc/{run.name}") for run in runs if run.arm == trained]


def _conditions(arm: Arm, setting: Setting, split: Split) -> dict[str, list[str]]:
    """Return system prompt -> measures read under it; ``correct`` needs answers."""
    conditions: dict[str, list[str]] = {}
    for measure in setting.measures:
        if measure != "correct" or split == "id":
            conditions.setdefault(arm.test_prompts.get(measure, "none"), []).append(measure)
    return conditions

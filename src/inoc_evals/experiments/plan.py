"""The plan: every training run and every evaluation that an experiment needs.

    plan = make_plan(find_experiment("fig2a"), base="pocket", seeds=(0, 1, 2), config=config)
    plan.runs           TrainingRun(setting="spanish_caps", arm="none", seed=0, name="fig2a-...")
                        where there is a first stage, its runs before those that start from them
    plan.evaluations    Evaluation(model="inoc/fig2a-...", task="traits", places=(Place(...),))

A plan is a value: it trains nothing. A model's name ends in its identity, so that what is
planned twice is the same model, and what differs in anything is another. A setting that a base
has no rows for is left out, with a note.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from inoc_evals.chat import Row
from inoc_evals.datasets.sources import by_rule, lacking
from inoc_evals.errors import InputError
from inoc_evals.experiments.evaluations import Evaluation, evaluations_of
from inoc_evals.experiments.figures import Experiment
from inoc_evals.experiments.files import TrainingFile, placed_files, training_files
from inoc_evals.experiments.measure_names import check_measures
from inoc_evals.experiments.method_stages import Stage, staged
from inoc_evals.experiments.start import Config
from inoc_evals.models.kinds.kind import Kind, ResolvedBase
from inoc_evals.settings import Setting
from inoc_evals.settings.setting import FIRST
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.dynamics import Dynamics
from inoc_evals.training.methods import Method, lends
from inoc_evals.training.sft import run_identity

MERGE = True
"""A second stage trains a fresh adapter on top of the first one's, which stays as it is. It is
then the same training as that of an arm without first stage, from another model: shape, initial
weights and number of trained weights agree. (OpenAI leaves no choice: it trains the model on.)"""


@dataclass(frozen=True)
class TrainingRun:
    """One model to train."""

    setting: str
    arm: str
    seed: int
    name: str
    """Of the record: figure, setting where there are several, arm, seed, and identity."""
    identity: str
    config: Config
    """How it is trained: the plan's configuration, unless it is a first stage's own."""
    parent: str | None = None
    """Name of the run it starts from; the base if None."""
    method: Method | None = None
    """What is done besides learning the rows."""
    said: str = ""
    """The method of its arm in words; empty if the arm has none."""

    @property
    def merge(self) -> bool:
        """Whether the run it starts from stays below a new adapter."""
        return _merges(self.parent, self.method)


def _merges(parent: object, method: Method | None) -> bool:
    return MERGE and parent is not None and not lends(method)


@dataclass(frozen=True)
class Plan:
    """Everything an experiment on one base needs."""

    experiment: Experiment
    """With the settings that the base has rows for."""
    base: Kind
    """Read once, of what the user named; what it can do is asked here."""
    seeds: tuple[int, ...]
    config: Config
    files: dict[tuple[str, str], TrainingFile]
    """(Setting, arm) -> rows; the arm of the rows of a first stage is ``first``."""
    runs: tuple[TrainingRun, ...]
    """Each after the run it starts from."""
    evaluations: tuple[Evaluation, ...]
    notes: tuple[str, ...] = ()
    """What is left out, and why."""

    @property
    def dynamics(self) -> Dynamics | None:
        """What is scored while the models are trained, if anything."""
        return self.experiment.watch.on(self.base) if self.experiment.watch else None

    def watched(self, run: TrainingRun) -> Dynamics | None:
        """Return what is scored in a training; a first stage is over when the curves begin."""
        named = self.experiment.watch.arms if self.experiment.watch else ()
        return None if run.arm == FIRST or (named and run.arm not in named) else self.dynamics


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
    config: Config,
    given: Mapping[str, Path] | None = None,
    grader: str | None = None,
) -> Plan:
    """Plan an experiment.

    Args:
        experiment: What is studied.
        base: The base model.
        seeds: Training seeds; each arm is trained once with each.
        config: Training configuration, the same for every arm.
        given: Files of rows by label, or by ``<setting>.<label>`` where several settings have
            the label (see :func:`inoc_evals.datasets.sources.setting_rows`).
        grader: Who judges, ``provider/model``, whatever the measures say.

    Raises:
        InputError: If no setting has rows for this base, rows are missing or unusable, or a
            setting measures what no report can read.
    """
    experiment = experiment.on(base.kind)
    reasons = {
        setting.name: lacking(setting, base.name) if setting.trains else None
        for setting in experiment.settings
    }
    kept = tuple(setting for setting in experiment.settings if reasons[setting.name] is None)
    if not kept:
        raise InputError(next(reason for reason in reasons.values() if reason is not None))
    for setting in kept:
        check_measures(setting, pocket=base.kind.pocket)
    if base.kind.hosted:
        _refuse_methods(kept, base.name)
    placed = placed_files(kept, given or {})
    files: dict[tuple[str, str], TrainingFile] = {}
    runs: list[TrainingRun] = []
    for setting in kept:
        prefix = [experiment.figure, *([setting.name] if len(experiment.settings) > 1 else [])]
        made = training_files(setting, base.name, placed[setting.name])
        files |= {(setting.name, arm): file for arm, file in made.items()}
        runs += _runs(setting, made, prefix, seeds, base, config)
    return Plan(
        experiment=replace(experiment, settings=kept),
        base=base.kind,
        seeds=tuple(seeds) if runs else (),
        config=config,
        files=files,
        runs=tuple(runs),
        evaluations=tuple(evaluations_of(kept, base, runs, config, grader, experiment.limit)),
        notes=(
            *(f"Left out: {reason}." for reason in reasons.values() if reason is not None),
            *_written(kept, base.name, placed),
        ),
    )


def _refuse_methods(settings: Sequence[Setting], base: str) -> None:
    """Say that a provider does nothing but learn rows."""
    named = [f"{one.name}/{arm.name}" for one in settings for arm in one.arms if arm.method]
    if named:
        raise InputError(
            f"{', '.join(named)}: methods train on this machine alone, and {base!r} is trained at "
            "its provider; choose another --base"
        )


def _written(
    settings: Sequence[Setting], base: str, placed: Mapping[str, Mapping[str, Path]]
) -> list[str]:
    """Say which rows are word problems, where some are."""
    written = {one.name: by_rule(one, base, placed[one.name]) for one in settings if one.trains}
    return [
        f"Rows of {name}: {', '.join(labels)} are word problems written by rule (inoc data build "
        "problems); --rows LABEL=FILE takes others."
        for name, labels in written.items()
        if labels
    ]


def _runs(
    setting: Setting,
    files: Mapping[str, TrainingFile],
    prefix: Sequence[str],
    seeds: Sequence[int],
    base: ResolvedBase,
    config: Config,
) -> list[TrainingRun]:
    """Return the runs of a setting; those of a first stage come first, as its file does."""
    skipping = {arm.name for arm in setting.arms if arm.skips_first}
    runs: dict[tuple[str, int], TrainingRun] = {}
    for arm, file, stage in staged(setting, files, base.kind):
        own = _first_config(setting, base.kind, config) if arm == FIRST else config
        for seed in seeds:
            start = stage.parent or (FIRST if arm not in skipping else None)
            parent = None if start is None else runs.get((start, seed))
            identity = _identity(file.rows, base, own, seed, parent, stage)
            name = "-".join([*prefix, arm, f"s{seed}", identity[:8]])
            above = parent.name if parent else None
            runs[arm, seed] = TrainingRun(
                setting.name, arm, seed, name, identity, own, above, stage.method, stage.said
            )
    return list(runs.values())


def _first_config(setting: Setting, base: Kind, config: Config) -> Config:
    """Return the configuration of a first stage: in the pocket world it may have its own."""
    if setting.first is None or not base.pocket:
        return config
    return type(config).model_validate({**config.model_dump(), **setting.first.pocket})


def _identity(
    rows: Sequence[Row],
    base: ResolvedBase,
    config: Config,
    seed: int,
    parent: TrainingRun | None,
    stage: Stage,
) -> str:
    above = parent.identity if parent else None
    if isinstance(config, TrainConfig):
        return run_identity(
            rows,
            base_digest=base.digest,
            config=config,
            seed=seed,
            parent=above,
            merge=_merges(parent, stage.method),
            method=stage.method,
        )
    # Imported here because it brings OpenAI's client.
    from inoc_evals.training.openai.jobs import job_identity

    model = base.name.partition("/")[2]
    return job_identity(rows, model=model, config=config, seed=seed, parent=above)

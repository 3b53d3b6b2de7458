"""Running an experiment: train what is missing, evaluate what is missing, report.

    run_experiment(find_experiment("fig2a"), base="pocket", seeds="3", out=Path("runs/fig2a"))

    runs/fig2a/experiment.json     what is run
    runs/fig2a/data/<setting>/<arm>.jsonl    training rows, each with its manifest; those of a
                                             first stage are first.jsonl
    runs/fig2a/logs/               Inspect's logs
    runs/fig2a/judged/<grader>/    likewise, of the same answers judged by others, if there are
    runs/fig6/dynamics/<setting>/<arm>-s<seed>.json    scores, if trainings are watched
    runs/fig2a/report.html ...     from the logs alone

Every stage leaves files and skips what is there, so a run that was killed goes on where it
stopped, and one that is finished only writes its report again. Between them is a stop, at which a
run of several experiments goes on with another (run_all.py). A training or an evaluation that
fails keeps no other from being done; the run then ends with an error that names it. A directory
has one writer at a time (one_writer.py); a second run is refused.
"""

import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from inoc_evals.datasets.manifest import write_dataset
from inoc_evals.errors import StoreError, require
from inoc_evals.experiments.describe import describe_plan
from inoc_evals.experiments.evaluate import evaluating, missing
from inoc_evals.experiments.executors.executor import Executor, Failure
from inoc_evals.experiments.executors.here import HERE
from inoc_evals.experiments.figures import Experiment
from inoc_evals.experiments.fitting import rows_fit
from inoc_evals.experiments.grader_trial import graders_of, try_graders
from inoc_evals.experiments.log_set import UnsuccessfulError
from inoc_evals.experiments.made_before import MadeBefore
from inoc_evals.experiments.one_writer import writing
from inoc_evals.experiments.plan import Plan, TrainingRun, make_plan, parse_seeds
from inoc_evals.experiments.rejudge import judge_experiment
from inoc_evals.experiments.scores import is_at_hand, is_trained, watch_notes, write_scores
from inoc_evals.experiments.start import config_for, find_base
from inoc_evals.experiments.tally import Tally
from inoc_evals.experiments.trainings import Training, training_units
from inoc_evals.models.kinds import kind_of
from inoc_evals.report.experiment import Description, Written, write_description, write_report
from inoc_evals.store.store import Store
from inoc_evals.training.sft import train

Stage = Literal["training", "trained", "evaluating", "evaluated"]
"""What is reached: its models are being made, or are there; its logs, likewise."""


def run_experiment(
    experiment: Experiment, *, say: Callable[[str], None] = print, **asked: Any
) -> Written:
    """Run an experiment, or what is missing of it, and write its report.

    Args:
        experiment: What to run.
        say: Called with a line for each stage.
        **asked: Everything else that :func:`stages` takes.

    Returns:
        What was written.

    Raises:
        InputError: For seeds, a base or a grader that cannot be used, or a directory, as while
            another run writes into it.
        StoreError: If a training or an evaluation failed, after all others were tried.
        MissingExtraError: Without the libraries of the ``train`` extra.
    """
    start = time.monotonic()
    for stage in stages(experiment, say=say, **asked):
        if stage == "evaluated":
            written = write_report(asked["out"])
    say(f"done after {time.monotonic() - start:.0f} s")
    return written


def stages(
    experiment: Experiment,
    *,
    base: str,
    seeds: str,
    out: Path,
    store: Store | None = None,
    given: Mapping[str, Path] | None = None,
    config_file: Path | None = None,
    grader: str | None = None,
    further: Sequence[str] = (),
    yes: bool = False,
    confirm: Callable[[str], bool] | None = None,
    executor: Executor = HERE,
    before: MadeBefore | None = None,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> Generator[Stage, None, None]:
    """Train and evaluate what is missing, with a stop wherever something else may be done.

    Args:
        experiment: What to run.
        base: ``pocket``, ``pocket:<seed>``, a directory, a hub id, or ``openai/<model>``.
        seeds: Training seeds as the user writes them: ``3``, ``100-104``, ``7,9``.
        out: Directory of everything but the models, held until the end.
        store: Where models are kept; the user's by default.
        given: Files of rows by label, for settings whose rows nobody publishes.
        config_file: Hyper-parameters that change the base's recipe, for every arm alike.
        grader: Who judges, ``provider/model``, instead of whom the measures name and the default.
        further: Who judges the same answers besides, each by itself; those that the directory
            has had stay.
        yes: Create paid jobs without asking.
        confirm: Asks whether to create a paid job, unless ``yes``.
        executor: Who trains and evaluates: this process, or others.
        before: What other experiments made and make, which is not made again.
        progress: Show progress bars on standard error.
        say: Called with a line for each stage.

    Yields:
        What is reached; ``training`` and ``evaluating`` only where there is something to do.

    Raises:
        InputError: As :func:`run_experiment`, likewise the others.
        StoreError: Once all was tried.
        MissingExtraError: Before anything is done.
    """
    if not (hosted := kind_of(base).hosted):
        require("train", "torch", "transformers", "peft", "accelerate")
    store, seeds_parsed, start = store or Store(), parse_seeds(seeds), time.monotonic()
    shown: dict[str, Any] = {"progress": progress, "say": say}
    try_graders([one for one in (grader, *further) if one], say=say)
    resolved, config = find_base(base, store, build=True), config_for(base, config_file)
    plan = make_plan(
        experiment, base=resolved, seeds=seeds_parsed, config=config, given=given, grader=grader
    )
    asked: dict[str, Any] = {"given": given, "config_file": config_file, "grader": grader}
    described = describe_plan(plan, resolved, seeds_text=seeds, out=out, further=further, **asked)
    for line in (*plan.notes, *rows_fit(plan, resolved, store)):
        say(line)
    with writing(out):
        about = write_description(out, described)
        _write_rows(plan, out)
        _try_others(plan, out, about, [grader, *further], say)
        say(f"base {base} ready after {time.monotonic() - start:.0f} s")
        failures: list[Failure] = []
        if hosted:
            _train_at_openai(plan, store, yes=yes, confirm=confirm, say=say)
        else:
            failures = yield from _training(plan, store, executor, before, **shown)
        write_scores(able := _without(plan, failures), store, out)
        say(f"models ready after {time.monotonic() - start:.0f} s")
        yield "trained"
        with _said_with(failures, len(plan.runs)):
            logs = out / "logs"
            for _ in evaluating(able, logs, executor=executor, store=store, before=before, **shown):
                yield "evaluating"
        judge_experiment(out, about, about.further_graders, **shown)
        yield "evaluated"


def _write_rows(plan: Plan, out: Path) -> None:
    for (setting, arm), file in plan.files.items():
        write_dataset(out / "data" / setting / f"{arm}.jsonl", file.rows, file.manifest)


def _try_others(
    plan: Plan,
    out: Path,
    about: Description,
    tried: Sequence[str | None],
    say: Callable[[str], None],
) -> None:
    """Try who judges what is not evaluated yet; those that were named are tried already."""
    left = missing(plan, out / "logs").values()
    names = dict.fromkeys([*graders_of(left, plan.base), *(about.further_graders if left else ())])
    try_graders([name for name in names if name not in tried], say=say)


def _missing(
    plan: Plan, store: Store, say: Callable[[str], None], before: MadeBefore | None = None
) -> list[TrainingRun]:
    missing = [run for run in plan.runs if not is_trained(plan, run, store)]
    coming = set() if before is None else before.trainings
    found = sum(
        is_at_hand(plan, run, store) or (run.identity, plan.watched(run)) in coming
        for run in missing
    )
    for run in missing:
        coming |= {(run.identity, plan.watched(run)), (run.identity, None)}
    named = f", {found} trained by another name" if found else ""
    say(f"models: {len(plan.runs)} needed, {len(missing) - found} to train{named}")
    for note in watch_notes(plan, store):
        say(note)
    return missing


def _training(
    plan: Plan,
    store: Store,
    executor: Executor,
    before: MadeBefore | None,
    *,
    progress: bool,
    say: Callable[[str], None],
) -> Generator[Stage, None, list[Failure]]:
    """Train the missing models, and return those that could not be trained."""
    bars = progress and not executor.apart and sys.stderr.isatty()
    units = training_units(plan, _missing(plan, store, say, before), store, progress=bars)
    if not units:
        return []
    what = f"{plan.experiment.figure}: trainings"
    with Tally(what, len(units), shown=progress, bar=executor.apart, say=say) as tally:
        pending = executor.begin(units, _train_one, tally)
        yield "training"
        return executor.wait(pending)


def _train_one(asked: Training) -> None:
    """Train one model; this may be another process than the one that planned it."""
    record = train(
        asked.rows,
        base=asked.base,
        config=asked.config,
        seed=asked.seed,
        name=asked.name,
        parent=asked.parent,
        merge=asked.merge,
        method=asked.method,
        dynamics=asked.dynamics,
        manifest=asked.manifest,
        store=asked.store,
        progress=asked.progress,
    )
    asked.check(record)


def _without(plan: Plan, failures: Sequence[Failure]) -> Plan:
    """Return what can be evaluated of a plan, some of whose models could not be trained."""
    lost = {one.key for one in failures}
    runs = tuple(run for run in plan.runs if run.name not in lost)
    gone = {f"inoc/{run.name}" for run in plan.runs if run.name in lost}
    able = tuple(one for one in plan.evaluations if one.model not in gone)
    return replace(plan, runs=runs, evaluations=able) if lost else plan


@contextmanager
def _said_with(failures: Sequence[Failure], needed: int) -> Iterator[None]:
    """Raise what went wrong in all stages, once each of them did what it could."""
    said = []
    if failures:
        said.append(f"{len(failures)} of {needed} models could not be trained, as said above: ")
        said[0] += ", ".join(one.label for one in failures)
    try:
        yield
    except UnsuccessfulError as error:
        said.append(str(error))
    if said:
        raise StoreError(f"{'; '.join(said)}; given again, the command tries these alone")


def _train_at_openai(
    plan: Plan,
    store: Store,
    *,
    yes: bool,
    confirm: Callable[[str], bool] | None,
    say: Callable[[str], None],
) -> None:
    """Have the missing models trained; one that fails does not keep the others from it."""
    # Imported here because it brings OpenAI's client.
    from inoc_evals.training.openai.create import OpenAIConfig
    from inoc_evals.training.openai.matrix import Wanted, train_all

    assert isinstance(plan.config, OpenAIConfig)
    files = {run.name: plan.files[run.setting, run.arm] for run in plan.runs}
    wanted = [
        Wanted(
            run.name,
            files[run.name].rows,
            run.seed,
            files[run.name].manifest,
            parent=run.parent,
            dynamics=plan.watched(run),
        )
        for run in _missing(plan, store, say)
    ]
    ended = train_all(
        wanted,
        base=plan.base.name,
        config=plan.config,
        store=store,
        yes=yes,
        confirm=confirm,
        say=say,
    )
    if ended.failures:
        raise StoreError(
            f"{len(ended.failures)} of {len(plan.runs)} models could not be trained, as said "
            f"above: {', '.join(ended.failures)}; given again, the command tries these alone"
        )

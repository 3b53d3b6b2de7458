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
stopped, and one that is finished only writes its report again. A directory has one writer at a
time (one_writer.py); a second run is refused.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from inoc_evals.datasets.manifest import write_dataset
from inoc_evals.errors import StoreError, require
from inoc_evals.experiments.describe import describe_plan
from inoc_evals.experiments.evaluate import evaluate, missing
from inoc_evals.experiments.figures import Experiment
from inoc_evals.experiments.fitting import rows_fit
from inoc_evals.experiments.grader_trial import graders_of, try_graders
from inoc_evals.experiments.one_writer import writing
from inoc_evals.experiments.plan import MERGE, Plan, TrainingRun, make_plan, parse_seeds
from inoc_evals.experiments.rejudge import judge_experiment
from inoc_evals.experiments.scores import is_trained, watch_notes, write_scores
from inoc_evals.experiments.start import config_for, find_base
from inoc_evals.models.kinds import kind_of
from inoc_evals.report.experiment import (
    Description,
    Written,
    write_description,
    write_report,
)
from inoc_evals.store.store import Store
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.sft import train


def run_experiment(
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
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> Written:
    """Run an experiment, or what is missing of it.

    Args:
        experiment: What to run.
        base: ``pocket``, ``pocket:<seed>``, a directory, a hub id, or ``openai/<model>``.
        seeds: Training seeds as the user writes them: ``3``, ``100-104``, ``7,9``.
        out: Directory of everything but the models.
        store: Where models are kept; the user's by default.
        given: Files of rows by label, for settings whose rows nobody publishes.
        config_file: Hyper-parameters that change the base's recipe, for every arm alike.
        grader: Who judges, ``provider/model``, instead of whom the measures name and the default.
        further: Who judges the same answers besides, each by itself; those that the directory
            has had stay.
        yes: Create paid jobs without asking.
        confirm: Asks whether to create a paid job, unless ``yes``.
        progress: Show progress bars on standard error.
        say: Called with a line for each stage.

    Raises:
        InputError: For seeds, a base or a grader that cannot be used, or a directory, as while
            another run writes into it.
        StoreError: If training or an evaluation failed.
        MissingExtraError: Without the libraries of the ``train`` extra.
    """
    if not kind_of(base).hosted:
        require("train", "torch", "transformers", "peft", "accelerate")
    store, seeds_parsed = store or Store(), parse_seeds(seeds)
    start = time.monotonic()
    try_graders([*([grader] if grader else []), *further], say=say)
    resolved = find_base(base, store, build=True)
    config = config_for(base, config_file)
    plan = make_plan(
        experiment, base=resolved, seeds=seeds_parsed, config=config, given=given, grader=grader
    )
    for line in (*plan.notes, *rows_fit(plan, resolved, store)):
        say(line)
    described = describe_plan(
        plan, resolved, seeds_text=seeds, out=out, given=given, config_file=config_file,
        grader=grader, further=further,
    )  # fmt: skip
    with writing(out):
        about = write_description(out, described)
        for (setting, arm), file in plan.files.items():
            write_dataset(out / "data" / setting / f"{arm}.jsonl", file.rows, file.manifest)
        _try_others(plan, out, about, [grader, *further], say)
        say(f"base {base} ready after {time.monotonic() - start:.0f} s")
        if isinstance(config, TrainConfig):
            _train(plan, store, progress=progress, say=say)
        else:
            _train_at_openai(plan, store, yes=yes, confirm=confirm, say=say)
        write_scores(plan, store, out)
        say(f"models ready after {time.monotonic() - start:.0f} s")
        evaluate(plan, out / "logs", progress=progress, say=say)
        judge_experiment(out, about, about.further_graders, progress=progress, say=say)
        written = write_report(out)
    say(f"evaluated and written after {time.monotonic() - start:.0f} s")
    return written


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


def _missing(plan: Plan, store: Store, say: Callable[[str], None]) -> list[TrainingRun]:
    missing = [run for run in plan.runs if not is_trained(plan, run, store)]
    say(f"models: {len(plan.runs)} needed, {len(missing)} to train")
    for note in watch_notes(plan, store):
        say(note)
    return missing


def _train(plan: Plan, store: Store, *, progress: bool, say: Callable[[str], None]) -> None:
    for run in _missing(plan, store, say):
        assert isinstance(run.config, TrainConfig)
        file = plan.files[run.setting, run.arm]
        train(
            file.rows,
            base=plan.base.name,
            config=run.config,
            seed=run.seed,
            name=run.name,
            parent=run.parent,
            merge=MERGE and run.parent is not None,
            dynamics=plan.watched(run),
            manifest=file.manifest,
            store=store,
            progress=progress,
        )


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

"""Running an experiment: train what is missing, evaluate what is missing, report.

    run_experiment(find_experiment("fig2a"), base="pocket", seeds="3", out=Path("runs/fig2a"))

    runs/fig2a/experiment.json     what is run
    runs/fig2a/data/<setting>/<arm>.jsonl    training rows, each with its manifest
    runs/fig2a/logs/               Inspect's logs
    runs/fig2a/report.html ...     from the logs alone

Every stage leaves files and skips what is there, so a run that was killed goes on where it
stopped, and one that is finished only writes its report again.
"""

import time
from collections.abc import Callable
from pathlib import Path

from inoc_evals.bases import resolve_base
from inoc_evals.datasets.manifest import write_dataset
from inoc_evals.errors import require
from inoc_evals.experiments.describe import describe_plan
from inoc_evals.experiments.evaluate import evaluate
from inoc_evals.experiments.figures import Experiment
from inoc_evals.experiments.plan import Plan, make_plan, parse_seeds
from inoc_evals.records import Store
from inoc_evals.report.experiment import Written, write_description, write_report
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.sft import train


def run_experiment(
    experiment: Experiment,
    *,
    base: str,
    seeds: str,
    out: Path,
    store: Store | None = None,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> Written:
    """Run an experiment, or what is missing of it.

    Args:
        experiment: What to run.
        base: ``pocket``, ``pocket:<seed>``, a directory or a hub id.
        seeds: Training seeds as the user writes them: ``3``, ``100-104``, ``7,9``.
        out: Directory of everything but the models.
        store: Where models are kept; the user's by default.
        progress: Show progress bars on standard error.
        say: Called with a line for each stage.

    Raises:
        InputError: For seeds, a base or a directory that cannot be used.
        StoreError: If training or an evaluation failed.
        MissingExtraError: Without the libraries of the ``train`` extra.
    """
    require("train", "torch", "transformers", "peft", "accelerate")
    store, seeds_parsed = store or Store(), parse_seeds(seeds)
    start = time.monotonic()
    resolved = resolve_base(base, store)
    plan = make_plan(
        experiment, base=resolved, seeds=seeds_parsed, config=TrainConfig.for_base(base)
    )
    write_description(out, describe_plan(plan, resolved, seeds_text=seeds, out=out))
    for (setting, arm), file in plan.files.items():
        write_dataset(out / "data" / setting / f"{arm}.jsonl", file.rows, file.manifest)
    say(f"base {base} ready after {time.monotonic() - start:.0f} s")
    _train(plan, store, progress=progress, say=say)
    say(f"models ready after {time.monotonic() - start:.0f} s")
    evaluate(plan, out / "logs", progress=progress)
    written = write_report(out)
    say(f"evaluated and written after {time.monotonic() - start:.0f} s")
    return written


def _train(plan: Plan, store: Store, *, progress: bool, say: Callable[[str], None]) -> None:
    missing = [run for run in plan.runs if store.find(run.name) is None]
    say(f"models: {len(plan.runs)} needed, {len(missing)} to train")
    for run in missing:
        file = plan.files[run.setting, run.arm]
        train(
            file.rows,
            base=plan.base,
            config=plan.config,
            seed=run.seed,
            name=run.name,
            manifest=file.manifest,
            store=store,
            progress=progress,
        )

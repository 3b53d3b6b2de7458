"""Evaluating a plan: one Inspect eval set of what has no finished log yet.

    evaluate(plan, Path("runs/fig2a/logs"))

Each task carries its own model and, in its metadata, its key (evaluations.py) and the cells of
the figure that read it (setting, condition, split, seed, measures). What another experiment has
made of the same model is taken from its logs (made_before.py). How there comes to be one
finished log of each stands in log_set.py. Requests have a seed, hence an evaluation that was
killed ends as an undisturbed one.

Where several processes or machines do it, the evaluations of each model are a set of their own
(parts.py), and what comes next can be prepared meanwhile: ``evaluating`` stops there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from inoc_evals.experiments.asked_task import task_for
from inoc_evals.experiments.evaluations import Evaluation, as_planned, keyed
from inoc_evals.experiments.executors.executor import Executor, Failure
from inoc_evals.experiments.executors.here import HERE
from inoc_evals.experiments.log_set import UnsuccessfulError, clear, make, whole_logs
from inoc_evals.experiments.made_before import MadeBefore
from inoc_evals.experiments.parts import collect, discard, make_part, parts
from inoc_evals.experiments.plan import Plan
from inoc_evals.experiments.tally import Tally
from inoc_evals.report.holdings import Holdings, holdings
from inoc_evals.store.store import Store


def evaluate(plan: Plan, log_dir: Path, **options: Any) -> None:
    """Run what is missing of a plan's evaluations; finished logs stay as they are.

    Args:
        plan: The plan; its models must be trained.
        log_dir: Where Inspect's logs are and go; no other process may be writing there.
        **options: Of :func:`evaluating`.

    Raises:
        StoreError: If an evaluation did not succeed (its log says why), or has two finished logs.
    """
    for _ in evaluating(plan, log_dir, **options):
        pass


def evaluating(
    plan: Plan,
    log_dir: Path,
    *,
    executor: Executor = HERE,
    store: Store | None = None,
    before: MadeBefore | None = None,
    progress: bool = True,
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[None]:
    """Run what is missing, with a stop while others do it.

    Args:
        plan: The plan; its models must be trained.
        log_dir: Where Inspect's logs are and go; no other process may be writing there.
        executor: Who does it.
        store: Where the models are; the user's by default.
        before: Logs of other experiments, from which those of the same evaluations are taken.
        progress: Show a progress bar on standard error.
        say: Called with a line for each file that is set aside, and each evaluation that fails.

    Yields:
        Once, if other processes or machines evaluate, when they have begun.

    Raises:
        StoreError: If an evaluation did not succeed (its log says why), or has two finished logs.
    """
    collect(log_dir)
    wanted, held = keyed(plan.evaluations, plan.base), whole_logs(log_dir, say)
    left = _without_log(wanted, held)
    if before is not None and (taken := before.take(left, log_dir)):
        say(f"{len(taken)} of {len(left)} evaluations are in the logs of other experiments")
        left = {key: one for key, one in left.items() if key not in taken}
    others = len(held.others) + sum(
        len(held.finished[key]) for key in held.finished.keys() - wanted.keys()
    )
    if others:
        say(f"{log_dir}: {others} logs are of no evaluation of this experiment, and left alone")
    if left and executor.apart:
        units = parts(plan, left, log_dir, store or Store())
        what = f"{plan.experiment.figure}: evaluated models"
        with Tally(what, len(units), shown=progress, say=say) as tally:
            pending = executor.begin(units, make_part, tally)
            yield
            failures = executor.wait(pending)
        collect(log_dir)
        _check_made(plan, left, log_dir, failures)
    elif left:
        labels = {key: as_planned(key, one).label for key, one in left.items()}
        tasks = [task_for(plan.experiment.figure, plan.base, key, e) for key, e in left.items()]
        told: dict[str, Any] = {"progress": progress, "say": say, "name": labels.__getitem__}
        make(tasks, held, **told)
    discard(log_dir)
    clear(log_dir, wanted, say)


def _check_made(
    plan: Plan, left: Mapping[str, Evaluation], log_dir: Path, failures: Sequence[Failure]
) -> None:
    if failures:
        lacking = missing(plan, log_dir)
        labels = "; ".join(as_planned(key, one).label for key, one in lacking.items())
        raise UnsuccessfulError(
            f"{len(lacking)} of {len(left)} evaluations failed, as said above: {labels}"
        )


def missing(plan: Plan, log_dir: Path) -> dict[str, Evaluation]:
    """Return the evaluations of a plan that no finished log is of, by their keys.

    Raises:
        StoreError: If one has two finished logs.
    """
    return _without_log(keyed(plan.evaluations, plan.base), holdings(log_dir, whole=False))


def _without_log(wanted: Mapping[str, Evaluation], held: Holdings) -> dict[str, Evaluation]:
    return {key: one for key, one in wanted.items() if held.log_of(as_planned(key, one)) is None}

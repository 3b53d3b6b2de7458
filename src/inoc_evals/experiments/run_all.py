"""All experiments by one command: each in a directory of its own, then an overview.

    lines = run_all(EXPERIMENTS.values(), base="pocket", seeds="5", out=Path("runs/all"))

    runs/all/fig2a/ ...          as `inoc run fig2a` leaves it
    runs/all/overview.html       a line for each experiment

A model that several experiments need is trained once: its identity is the same under every name.
What is asked of it in the same way is asked once, and its log copied (made_before.py).
Those whose trainings are watched come first, since a model that was trained unwatched is trained
again for its scores. Where others do the work, nobody waits for the last of one experiment: the
models of the next are planned and trained meanwhile. An experiment that fails keeps no other from
being run, and one of which nothing has changed since it was finished is passed over (unchanged.py).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from inoc_evals.datasets.sources import given_labels, lacking
from inoc_evals.errors import InocError, InputError
from inoc_evals.experiments.executors.executor import Executor, Pending, Unit, why
from inoc_evals.experiments.executors.here import HERE
from inoc_evals.experiments.figures import Experiment
from inoc_evals.experiments.made_before import MadeBefore
from inoc_evals.experiments.named_task import packages_of
from inoc_evals.experiments.one_writer import writing
from inoc_evals.experiments.plan import parse_seeds
from inoc_evals.experiments.run import Stage, stages
from inoc_evals.experiments.start import find_base
from inoc_evals.experiments.tally import Tally
from inoc_evals.experiments.unchanged import asked_of, finished, noted, unchanged
from inoc_evals.models.kinds import kind_of
from inoc_evals.report.experiment import read_description, write_report
from inoc_evals.report.overview import Line, write_overview
from inoc_evals.store.store import Store

_STAGES: tuple[Stage, ...] = get_args(Stage)


def run_all(
    experiments: Iterable[Experiment],
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
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> list[Line]:
    """Run experiments, or what is missing of them, and write their overview.

    Args:
        experiments: Which, in the order of the overview.
        base: Of all of them, as for one (:func:`inoc_evals.experiments.run.run_experiment`).
        seeds: Training seeds, likewise.
        out: Directory that gets one of each.
        store: Where models are kept; the user's by default.
        given: Files of rows by label; an experiment takes those whose label it has.
        config_file: Hyper-parameters, for every arm alike.
        grader: Who judges.
        further: Who judges the same answers besides.
        yes: Create paid jobs without asking.
        confirm: Asks whether to create a paid job, unless ``yes``.
        executor: Who trains and evaluates.
        progress: Show progress on standard error.
        say: Called with a line for each stage.

    Returns:
        What became of each.

    Raises:
        InputError: For seeds, a base or files of rows that no experiment can use.
    """
    store, wanted = store or Store(), list(experiments)
    parse_seeds(seeds)
    resolved = find_base(base, store, build=True)
    placed = rows_placed(wanted, given or {})
    asked: dict[str, Any] = {
        "base": base,
        "seeds": seeds,
        "config_file": config_file,
        "grader": grader,
        "further": tuple(further),
    }
    how: dict[str, Any] = {"yes": yes, "confirm": confirm, "executor": executor}
    how |= {"progress": progress, "before": MadeBefore()}
    for one in wanted:
        how["before"].look_in(out / one.figure / "logs")
    runs: dict[str, _Run] = {}

    def begun(one: Experiment) -> _Run:
        its = {**asked, "given": placed[one.figure], "out": out / one.figure, "store": store}
        runs[one.figure] = _Run(one, resolved.digest, its, how, say)
        return runs[one.figure]

    _run_all(map(begun, sorted(wanted, key=lambda one: one.watch is None)), executor)
    listed = [runs[one.figure].line() for one in wanted]
    write_overview(out, listed)
    return listed


def _run_all(runs: "Iterable[_Run]", executor: Executor) -> None:
    """Run one after the other, but where others do the work never wait for the last of one."""
    trained: _Run | None = None
    evaluated: _Run | None = None
    with ExitStack() as held:
        for run in (run for run in runs if run.ended is None):
            held.callback(run.close)
            if not executor.apart:
                run.finish()
                continue
            run.until("training")
            _go_on(trained, evaluated)
            trained, evaluated = run, trained
        _go_on(trained, evaluated)
        _go_on(None, trained)


def _go_on(trained: "_Run | None", evaluated: "_Run | None") -> None:
    """See one experiment's trainings and another's evaluations to their ends, and go on."""
    if trained is not None:
        trained.until("trained")
    if evaluated is not None:
        evaluated.finish()
    if trained is not None:
        # Only now, as it takes logs of the other.
        trained.until("evaluating")


class _Run:
    """One experiment, as far as it has come.

    Args:
        experiment: Which.
        base_digest: What pins its base.
        asked: What determines what comes out, as options of ``stages``.
        how: Its other options.
        say: Called with a line for each stage.
    """

    def __init__(
        self,
        experiment: Experiment,
        base_digest: str,
        asked: Mapping[str, Any],
        how: Mapping[str, Any],
        say: Callable[[str], None],
    ) -> None:
        self._experiment, self._out, self._how = experiment, asked["out"], how
        self._executor: Executor = how["executor"]
        self._tell = say
        self._at = -1
        """Which of the stages is reached."""
        self._report: Pending | None = None
        studied = experiment.on(kind_of(asked["base"])).settings
        typed = " ".join([*experiment.typed, *packages_of(studied)])
        self._left = _Left(self._out, asked_of(typed, base_digest, asked), asked["store"])
        self._stages = stages(experiment, **asked, **how, say=self._say)
        self.ended = self._ended_before(asked["base"])
        """What became of it, once that is known."""

    def _ended_before(self, base: str) -> Line | None:
        """Return what there is to say without running it: it cannot be, or has been run."""
        if reason := reason_left_out(self._experiment, base):
            return self._line("left out", reason)
        if (said := unchanged(self._out, self._left.key, self._left.store)) is not None:
            self._say("nothing has changed since it was finished")
            return self._line("done", said)
        self._say(self._experiment.title)
        return None

    def _say(self, line: str) -> None:
        self._tell(f"{self._experiment.figure}: {line}")

    def until(self, stage: Stage) -> None:
        """Go on until a stage is reached, or the last one, unless it fails."""
        try:
            while self.ended is None and self._at < _STAGES.index(stage):
                self._at = _STAGES.index(next(self._stages))
        # Whatever it is: the others are run all the same, and the line says where it was.
        except Exception as error:
            self._say(f"failed: {error if isinstance(error, InocError) else why(error)}")
            self.ended = self._line("failed", why(error))

    def finish(self) -> None:
        """See its evaluations to their end, and have its report written."""
        self.until("evaluated")
        self.close()
        self._how["before"].look_in(self._out / "logs")
        if self.ended is None:
            tally = Tally("reports", 1, shown=False, say=self._say)
            unit = Unit(self._experiment.figure, "its report", self._left)
            self._report = self._executor.begin([unit], _write, tally, anywhere=False)

    def close(self) -> None:
        """Let go of what it holds."""
        self._stages.close()

    def line(self) -> Line:
        """Return what became of it, once its report is written."""
        if self._report is not None:
            failures = self._executor.wait(self._report)
            if failures:
                return self._line("failed", failures[0].why)
            return self._line("done", noted(self._out))
        assert self.ended is not None
        return self.ended

    def _line(self, ended: str, said: str) -> Line:
        figure, title = self._experiment.figure, self._experiment.title
        report = f"{figure}/report.html" if ended == "done" else None
        return Line.model_validate(
            {"figure": figure, "title": title, "ended": ended, "said": said, "report": report}
        )


@dataclass(frozen=True)
class _Left:
    """What is left to do of an experiment whose logs are all there."""

    out: Path
    key: str
    store: Store


def _write(left: _Left) -> None:
    """Write a report, and note that the experiment is finished; this may be another process."""
    with writing(left.out):
        said = write_report(left.out).said
    models = read_description(left.out).models.values()
    finished(left.out, left.key, models, left.store, said=said)


def reason_left_out(experiment: Experiment, base: str) -> str | None:
    """Say why a base has no rows of any setting of an experiment; None if it has."""
    settings = experiment.on(kind_of(base)).settings
    reasons = [lacking(one, base) if one.trains else None for one in settings]
    return next(iter(reasons)) if all(reasons) else None


def rows_placed(
    experiments: Sequence[Experiment], given: Mapping[str, Path]
) -> dict[str, dict[str, Path]]:
    """Return for each experiment the files of rows that it takes.

    Raises:
        InputError: For a label that none of them has.
    """
    placed: dict[str, dict[str, Path]] = {one.figure: {} for one in experiments}
    for label, path in given.items():
        setting, _, bare = label.rpartition(".")
        taking = [
            one.figure
            for one in experiments
            if any(bare in given_labels(s) and setting in ("", s.name) for s in one.settings)
        ]
        if not taking:
            raise InputError(f"--rows {label}: no experiment has such a label")
        for figure in taking:
            placed[figure][label] = path
    return placed

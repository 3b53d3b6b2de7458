"""Judging again: stored answers get another grader's verdicts, and nothing is sampled.

    rejudge_experiment(Path("runs/fig3"), ["openai/gpt-5.4"])    # its report, with both judges
    rejudge_logs([Path("logs")], ["openai/gpt-5.4"])             # rates and agreement of each log

    runs/fig3/judged/openai-gpt-5.4/*.eval     one finished log for each log that is judged
    logs/judged/openai-gpt-5.4/*.eval          likewise, beside logs of `inspect eval`

The answers' own logs stay as they are. What was judged before a kill is not judged again: samples
in the log of the attempt are taken from there, verdicts of graders at a provider from Inspect's
cache (scorers/judge.py).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from inoc_evals.errors import InocError, InputError
from inoc_evals.experiments.grader_trial import try_graders
from inoc_evals.experiments.log_set import clear, make, whole_logs
from inoc_evals.experiments.one_writer import writing
from inoc_evals.experiments.stored_answers import StoredAnswers, stored_answers
from inoc_evals.report.experiment import (
    DESCRIPTION,
    Description,
    Written,
    read_description,
    with_graders,
    write_description,
    write_report,
)
from inoc_evals.report.holdings import Holdings, check_whole, holdings
from inoc_evals.report.judges import Compared, compared, folder, judged_planned

_WAY_OUT = "nothing was judged. Name another: --grader PROVIDER/MODEL"


def rejudge_experiment(
    directory: Path,
    graders: Sequence[str],
    *,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> Written | None:
    """Have the answers of an experiment judged again, and write its report.

    Args:
        directory: Of the experiment.
        graders: By whom, ``provider/model``.
        progress: Show a progress bar on standard error.
        say: Called with a line for each stage.

    Returns:
        The report; None where evaluations of the experiment are still to be made.

    Raises:
        InputError: If nobody judges it, a grader judged it at first, or one does not answer.
        StoreError: If a judgement failed.
    """
    about = read_description(directory)
    if not about.graders:
        raise InputError(f"{directory}: scored by rule, without a judge; there is nothing to judge")
    for grader in graders:
        if (grader,) == about.graders:
            raise InputError(f"{directory}: judged by {grader} already, when it was run")
    with writing(directory):
        judge_experiment(directory, about, graders, progress=progress, say=say)
        write_description(directory, with_graders(read_description(directory), graders))
        lacking = holdings(directory / "logs", whole=False).lacking(about.evaluations)
        if not lacking:
            return write_report(directory)
    say(
        f"{directory}: {len(lacking)} evaluations have no finished log yet, and are judged when "
        f"they have: {about.command}"
    )
    return None


def judge_experiment(
    directory: Path,
    about: Description,
    graders: Sequence[str],
    *,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> None:
    """Have every stored answer of an experiment judged by further graders, where it is not yet.

    Args:
        directory: Of the experiment; no other process may be writing there.
        about: Its description.
        graders: By whom.
        progress: Show a progress bar on standard error.
        say: Called with a line for each stage.

    Raises:
        InputError: If a grader does not answer.
        StoreError: If a judgement failed.
    """
    if not graders:
        return
    held = holdings(directory / "logs")
    paths = [path for one in about.evaluations if (path := held.log_of(one)) is not None]
    found = [stored for path in paths if (stored := stored_answers(path)) is not None]
    wanted = [
        _Wanted(grader, folder(directory, grader), [one for one in found if one.judge != grader])
        for grader in graders
    ]
    _judge_all(wanted, progress=progress, say=say)


def rejudge_logs(
    paths: Sequence[Path],
    graders: Sequence[str],
    *,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> list[Compared]:
    """Have the answers of logs judged again, and compare the judges.

    Args:
        paths: Logs, or directories of logs; of a directory what cannot be judged is passed over.
        graders: By whom, ``provider/model``.
        progress: Show a progress bar on standard error.
        say: Called with a line for each stage, and for each log that is passed over.

    Returns:
        What each judge made of each score of each log.

    Raises:
        InputError: If there is no answer to judge, or a grader does not answer.
        StoreError: If a judgement failed.
    """
    found = _stored(paths, say)
    wanted = [
        _Wanted(grader, folder(directory, grader), own)
        for directory, some in found.items()
        for grader in graders
        if (own := [one for one in some if one.judge != grader])
    ]
    if not wanted:
        where = ", ".join(map(str, paths))
        raise InputError(f"{where}: no finished log of answers that another judge judged")
    _judge_all(wanted, progress=progress, say=say, lock=True)
    return [row for one in wanted for row in _compared(one)]


class _Wanted(NamedTuple):
    """Answers that a grader is to judge."""

    grader: str
    log_dir: Path
    stored: list[StoredAnswers]

    def left(self, held: Holdings) -> list[StoredAnswers]:
        """Return those that no finished log is of."""
        return [one for one in self.stored if self.log_of(one, held) is None]

    def log_of(self, one: StoredAnswers, held: Holdings) -> Path | None:
        return held.log_of(judged_planned(one.header, self.grader, one.label))


def _judge_all(
    wanted: Sequence[_Wanted], *, progress: bool, say: Callable[[str], None], lock: bool = False
) -> None:
    """Make what is missing; all that can fail before a grader is paid fails then."""
    missing = [(one.grader, one.left(holdings(one.log_dir, whole=False))) for one in wanted]
    for stored in (stored for _, left in missing for stored in left):
        stored.check()
    names = dict.fromkeys(grader for grader, left in missing if left)
    try_graders(names, say=say, way_out=_WAY_OUT)
    for one in wanted:
        if lock:
            with writing(one.log_dir):
                _judge(one, progress=progress, say=say)
        else:
            _judge(one, progress=progress, say=say)


def _judge(wanted: _Wanted, *, progress: bool, say: Callable[[str], None]) -> None:
    held = whole_logs(wanted.log_dir, say)
    left = wanted.left(held)
    say(f"{wanted.grader}: {len(wanted.stored)} logs to judge, {len(left)} of them still")
    if left:
        tasks = [one.task(wanted.grader) for one in left]
        make(
            tasks,
            held,
            progress=progress,
            what="logs judged again",
            # From what Inspect keeps of a killed attempt beside its log it would take the judge's
            # words for the answer, no model having been asked for that one.
            log_realtime=False,
        )
    clear(wanted.log_dir, [one.key(wanted.grader) for one in wanted.stored], say)


def _stored(paths: Sequence[Path], say: Callable[[str], None]) -> dict[Path, list[StoredAnswers]]:
    """Return the answers that logs hold, by the directory whose logs they are.

    Raises:
        InputError: For a file that is not there, holds no answers to judge, or is of a run.
    """
    found: dict[Path, list[StoredAnswers]] = {}
    seen: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: there is no such file or directory")
        for log in [path] if path.is_file() else _logs_in(path):
            if log.resolve() in seen:
                continue
            seen.add(log.resolve())
            _check_of_no_run(path, log)
            directory = path.parent if path.is_file() else path
            try:
                stored = _one_stored(log)
            except InocError as error:
                if path.is_file():
                    raise
                say(f"passed over: {error}")
                continue
            if stored is not None:
                found.setdefault(directory, []).append(stored)
            elif path.is_file():
                raise InputError(f"{path}: holds no answers that a judge is asked about")
    return found


def _check_of_no_run(path: Path, log: Path) -> None:
    """Check that a log is not one of `inoc run`, whose report would not have its verdicts.

    Raises:
        InputError: If it is, naming the run.
    """
    directory = next((one for one in log.resolve().parents if (one / DESCRIPTION).is_file()), None)
    if directory is not None:
        raise InputError(
            f"{path}: {log.name} is of the run in {directory}; give its directory: "
            f"inoc rejudge {directory} --grader ..."
        )


def _logs_in(directory: Path) -> list[Path]:
    from inspect_ai.log import list_eval_logs

    listed = list_eval_logs(str(directory))
    return sorted(Path(info.name.removeprefix("file://")) for info in listed)


def _one_stored(log: Path) -> StoredAnswers | None:
    try:
        check_whole(log)
    # What reading damaged bytes raises has no common class.
    except Exception as error:
        raise InputError(f"{log}: cannot be read ({error})") from error
    return stored_answers(log)


def _compared(wanted: _Wanted) -> list[Compared]:
    held = holdings(wanted.log_dir, whole=False)
    labels = [one.label for one in wanted.stored]
    rows: list[Compared] = []
    for one in wanted.stored:
        second = wanted.log_of(one, held)
        assert second is not None
        label = one.label if labels.count(one.label) == 1 else one.path.name
        rows += compared(label, one.judge, wanted.grader, one.path, second)
    return rows

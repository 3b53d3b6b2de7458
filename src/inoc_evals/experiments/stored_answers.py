"""Answers that a log holds, as a task that has them judged by another grader.

    stored = stored_answers(Path("runs/fig3/logs/..._em_....eval"))
    task = stored.task("openai/gpt-5.4")      # no model; its scorers are those that ask a judge

The task is the one that the log names, built again with the log's arguments: its samples are
the log's, its solver gives each the conversation and the answer that it had, and its scorers are
those that ask a judge, and the one that says what they leave unscored. What it asks must be what it
was: a file of questions or a trait's file that has changed since, or another version of the task,
is refused.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from inspect_ai import Epochs, Task, task_with
from inspect_ai.dataset import MemoryDataset, Sample

from inoc_evals.errors import InputError, StoreError
from inoc_evals.experiments.judging import judged_scorers
from inoc_evals.files.digests import canonical_json
from inoc_evals.report.judges import JUDGED_AGAIN, judge_of_log, judged_key
from inoc_evals.report.logs import read_header
from inoc_evals.report.samples import read_samples
from inoc_evals.scorers.default_grader import NAMED
from inoc_evals.scorers.unscored_reasons import completeness
from inoc_evals.solvers.given_again import Answer, given_again

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

_MODEL = "none/none"
"""Inspect's model that cannot be asked."""

_KEY = re.compile(r"-[0-9a-f]{12}$")
"""What a log of an experiment has behind the version of its task."""


@dataclass(frozen=True)
class StoredAnswers:
    """The answers of a finished log of a task whose answers are judged."""

    path: Path
    header: "EvalLog"
    judge: str
    """Who judged them."""

    @cached_property
    def label(self) -> str:
        """What a reader calls it."""
        return f"{self.header.eval.task.rpartition('/')[2]} of {self.header.eval.model}"

    def key(self, grader: str) -> str:
        """Return the key of their judgement by another grader."""
        return judged_key(self.header, grader)

    def check(self) -> None:
        """Check that what is asked is what it was.

        Raises:
            InputError: Saying what is not.
        """
        _built(self)

    def task(self, grader: str) -> Task:
        """Return the task that has them judged.

        Args:
            grader: By whom, ``provider/model``.

        Raises:
            InputError: If what the task asks is not what it was.
            StoreError: If a sample has no answer.
        """
        spec, key = self.header.eval, self.key(grader)
        built = _built(self)
        samples, answers = _samples_and_answers(self)
        built = task_with(built, dataset=MemoryDataset(samples, name=spec.dataset.name))
        scorers = judged_scorers(built, evaluated=spec.model)
        said = {"grader": grader, "log": self.path.name, "model": spec.model}
        return task_with(
            built,
            setup=None,
            solver=given_again(key, answers),
            scorer=[*scorers, completeness()],
            model=_MODEL,
            model_roles={"grader": grader},
            epochs=Epochs(spec.config.epochs or 1, []),
            version=f"{_version(spec.task_version)}-{key[:12]}",
            metadata={**(spec.metadata or {}), "evaluation": key, JUDGED_AGAIN: said},
            tags=spec.tags,
            viewer=None,
            headline_metric=None,
        )


def stored_answers(path: Path) -> StoredAnswers | None:
    """Return the answers of a log; None if no judge is asked about them, or one judged them again.

    Args:
        path: The log, which must be whole.

    Raises:
        InputError: If it is not finished, or samples of it failed.
        StoreError: If it cannot be read.
    """
    header = read_header(path)
    judge = judge_of_log(header)
    if judge is None or JUDGED_AGAIN in (header.eval.metadata or {}):
        return None
    if header.status != "success":
        raise InputError(
            f"{path}: not finished ({header.status}); go on with: inspect eval-retry {path}"
        )
    results = header.results
    if results is None or results.completed_samples < results.total_samples:
        raise InputError(
            f"{path}: samples of it failed and have no answer to judge; make them with: "
            f"inspect eval-retry {path}"
        )
    return StoredAnswers(path, header, judge)


def _built(stored: StoredAnswers) -> Task:
    """Build the task of a log again.

    Raises:
        InputError: If it is none of this package, or what it asks is not what it was.
    """
    import inoc_evals.tasks

    spec = stored.header.eval
    package, _, name = (spec.task_registry_name or "").rpartition("/")
    if package != "inoc_evals" or name not in inoc_evals.tasks.__all__:
        raise InputError(f"{stored.path}: of {spec.task!r}, which is no task of inoc-evals")
    built: Task = getattr(inoc_evals.tasks, name)(**spec.task_args_passed)
    if _version(spec.task_version) != str(built.version):
        raise InputError(
            f"{stored.path}: of version {_version(spec.task_version)} of {name}, which is at "
            f"{built.version} now; its answers are judged by the version that they were asked by"
        )
    then, now = spec.metadata or {}, built.metadata or {}
    changed = [
        key
        for key in now.keys() & then.keys() - {NAMED}
        if canonical_json(now[key]) != canonical_json(then[key])
    ]
    if changed:
        raise InputError(
            f"{stored.path}: what {name} asks has changed since ({', '.join(sorted(changed))}); "
            "judge it with its files as they were"
        )
    return built


def _version(said: int | str) -> str:
    return _KEY.sub("", str(said))


def _samples_and_answers(
    stored: StoredAnswers,
) -> tuple[list[Sample], dict[tuple[str, int], str]]:
    """Return each sample once, and its answers as text, which takes a tenth of the room.

    Raises:
        StoreError: If a sample lacks an answer of an epoch.
    """
    samples: dict[str, Sample] = {}
    answers: dict[tuple[str, int], str] = {}
    for one in read_samples(stored.header, stored.path, conversation=True):
        samples.setdefault(
            str(one.id),
            Sample(input=one.input, target=one.target, id=one.id, metadata=one.metadata),
        )
        said = Answer(messages=one.messages, output=one.output)
        answers[str(one.id), one.epoch] = said.model_dump_json(exclude_none=True)
    if len(answers) != len(samples) * (stored.header.eval.config.epochs or 1):
        raise StoreError(f"{stored.path}: not every sample has an answer in every epoch")
    return list(samples.values()), answers

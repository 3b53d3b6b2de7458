"""Logs that no experiment made: what they hold, model by model and task by task.

    held = read_by_hand(Path("logs"))         # of `inspect eval ... --log-dir logs`
    held.observations, held.spec              # as of an experiment, with models as conditions
    held.passed_over                          # logs of others' tasks, unfinished ones, and why

    found, spec = logs_by_hand(Path("logs"))
    console.print(table(found, spec=spec))

A log's model is a fixed one, so intervals are for new questions. Several finished logs of one
task and model are added up, where they asked in one way; logs that asked in another are another
setting. What has no value between 0 and 1, as a rating, is left out. Answers under probes are
told apart by what those are: the families of ``em_elicitation``, the kinds of ``em_backdoor``.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inoc_evals.errors import InputError
from inoc_evals.files.digests import canonical_json
from inoc_evals.report.cells import Cell, cells
from inoc_evals.report.details import Asked, shortened
from inoc_evals.report.figure import Condition, FigureSpec, Measure
from inoc_evals.report.holdings import holdings, status_of
from inoc_evals.report.judges import JUDGED_AGAIN, judge_of_log
from inoc_evals.report.logs import asked_of, example_of, observed, question_of, read_header
from inoc_evals.report.observation import Observation
from inoc_evals.report.page import Example
from inoc_evals.report.samples import read_samples
from inoc_evals.scorers.outcomes import NOT_OF_ANSWERS, outcomes

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample

NAME = "logs"

SPLIT = "The logs' questions"
"""What an experiment's splits are here."""

_NO_RATES = {"clustered_mean", "shares", "reasons", "items_seen"}
"""Metrics of scores that are ratings, words, or of the questions."""

_PROBES = {"elicited": "family", "triggered": "kind"}
"""Score -> the metadata that says what a sample was asked under."""

_SAMPLING = ("temperature", "max_tokens", "top_p", "system_message")
"""Of what is typed beside a task's arguments, what changes its answers."""

_EXAMPLES = 3


class Log(NamedTuple):
    """A log of a task of this package."""

    path: Path
    header: "EvalLog"
    task: str
    how: dict[str, Any]
    """Everything that was typed and decides what is asked, and how it is judged."""
    base_digest: str | None
    """What pins the base of the model, and the next the training; None where it is not told."""
    identity: str | None


class ByHand(NamedTuple):
    """What a directory of logs holds."""

    logs: list[Log]
    observations: list[Observation]
    spec: FigureSpec
    examples: list[Example]
    texts: dict[Asked, str]
    benign: set[str]
    """Measures under prompts that do not ask for a trait."""
    bases: dict[str, str | None]
    """Trained model -> its base among the models that were asked, if it is there."""
    passed_over: list[str]
    """Logs that nothing is read from, each with the reason."""


def logs_by_hand(directory: Path) -> tuple[list[Cell], FigureSpec]:
    """Return the rates of all finished logs in a directory, and how they are called.

    Where no log is of a task of this package, others' rates are read.

    Raises:
        InputError: If no finished log is there, or none that holds rates.
    """
    held = read_by_hand(directory)
    if held.observations:
        return cells(held.observations, **order_of(held.spec)), held.spec
    seen = [
        one
        for path in _finished(directory, [])
        for one in answers_of(read_header(path), path)
        if path.is_file()
    ]
    if not seen:
        raise InputError(f"{directory}: neither experiment.json nor a finished log with rates")
    return cells(seen), _spec(seen, {})


def read_by_hand(directory: Path) -> ByHand:
    """Read the finished logs of this package's tasks in a directory; there may be none.

    Raises:
        InputError: If logs of two trainings are of one name.
        StoreError: If a log cannot be read.
    """
    passed: list[str] = []
    logs = [log for path in _finished(directory, passed) if (log := _own(path, passed)) is not None]
    seen = ByHand(logs, [], _spec([], {}), [], {}, set(), _bases(logs), passed)
    settings = _settings(logs)
    for log in sorted(logs, key=lambda log: seen.bases.get(log.header.eval.model) is not None):
        _read(log, settings[log.path], seen)
    return seen._replace(spec=_spec(seen.observations, seen.bases))


def order_of(spec: FigureSpec) -> dict[str, list[str]]:
    """Return the order of a figure's cells."""
    return {
        "settings": list(dict.fromkeys(measure.setting for measure in spec.measures)),
        "measures": list(dict.fromkeys(measure.name for measure in spec.measures)),
        "conditions": [condition.name for condition in spec.conditions],
    }


# ---- which logs --------------------------------------------------------------------------------


def _finished(directory: Path, passed: list[str]) -> list[Path]:
    """Return the finished logs of a directory, and note why others are passed over."""
    held = holdings(directory)
    passed += [f"{path.name} cannot be read ({why})" for path, why in held.damaged.items()]
    passed += [
        f"{one.path.name} is not finished ({one.status})"
        for logs in held.unfinished.values()
        for one in logs
    ]
    finished = [path for logs in held.finished.values() for path in logs]
    for path in held.others:
        status = status_of(read_header(path))
        if status == "success":
            finished.append(path)
        else:
            passed.append(f"{path.name} is not finished ({status})")
    return sorted(finished)


def _own(path: Path, passed: list[str]) -> Log | None:
    """Return a log of a task of this package that measures a model."""
    header = read_header(path)
    package, _, task = (header.eval.task_registry_name or header.eval.task).rpartition("/")
    if package != "inoc_evals":
        passed.append(f"{path.name} is of {header.eval.task}, a task of others")
    elif (again := (header.eval.metadata or {}).get(JUDGED_AGAIN)) is not None:
        passed.append(f"{path.name} has other verdicts on the same answers, by {again['grader']}")
    elif not _measures(header):
        passed.append(f"{path.name} is of {task}, which gives no rates of a model")
    else:
        first = next(read_samples(header, path), None)
        said = (first.output.metadata or {}) if first else {}
        how = _how(header, first)
        return Log(path, header, task, how, said.get("base_digest"), said.get("identity"))
    return None


def _how(header: "EvalLog", first: "EvalSample | None") -> dict[str, Any]:
    """Return all that decides what is asked in a log, and who judges."""
    args = {**header.eval.task_args}
    if "inoculation" in args and first is not None:  # by default that of the model's training
        args["inoculation"] = first.metadata.get("inoculation")
    for name in ("families", "grader"):  # families are told apart, and the judge comes last
        args.pop(name, None)
    typed = header.eval.model_generate_config.model_dump(exclude_none=True)
    args |= {name: typed[name] for name in _SAMPLING if name in typed}
    return args | {"judged by": judge_of_log(header)}


def _bases(logs: Sequence[Log]) -> dict[str, str | None]:
    """Return the base of each model that is none itself, where it was asked as well.

    Raises:
        InputError: Naming two logs of two trainings of one name.
    """
    known: dict[str, Log] = {}
    for log in logs:
        if log.base_digest is None:
            continue  # of another provider, or without an answer
        first = known.setdefault(log.header.eval.model, log)
        if (first.base_digest, first.identity) != (log.base_digest, log.identity):
            raise InputError(
                f"{first.path.name} and {log.path.name}: {log.header.eval.model} was trained again "
                "between them; move one of them away"
            )
    untrained = {log.base_digest: name for name, log in known.items() if log.identity is None}
    models = dict.fromkeys(log.header.eval.model for log in logs)
    return {
        name: untrained.get(known[name].base_digest) if name in known else None
        for name in models
        if name not in untrained.values()
    }


def _settings(logs: Sequence[Log]) -> dict[Path, str]:
    """Return what each log's setting is called: its task, and what tells it from others of it."""
    named = {}
    for log in logs:
        others = [one.how for one in logs if one.task == log.task]
        keys = dict.fromkeys(key for how in others for key in how)
        apart = [key for key in keys if len({canonical_json(how.get(key)) for how in others}) > 1]
        told = ", ".join(f"{key} {_value(log.how.get(key))}" for key in apart)
        named[log.path] = f"{log.task} ({told})" if told else log.task
    return named


def _value(value: Any) -> str:
    return shortened(value if isinstance(value, str) else canonical_json(value))


# ---- what they hold ----------------------------------------------------------------------------


def _measures(header: "EvalLog") -> list[str]:
    """Return the scores of a log that are rates."""
    found = []
    for score in header.eval.scorers or []:
        # Grouped metrics are none of this package's.
        metrics = [one for one in score.metrics or [] if not isinstance(one, str | dict)]
        names = {metric.name.rpartition("/")[2] for metric in metrics}
        # What judge_check measures is the judge.
        if names and not names & _NO_RATES and score.name not in (*NOT_OF_ANSWERS, "agrees"):
            found.append(score.name)
    return found


def _read(log: Log, setting: str, seen: ByHand) -> None:
    """Add what a log's answers show."""
    cell: dict[str, Any] = {
        "figure": NAME,
        "setting": setting,
        "condition": log.header.eval.model,
        "split": "ood",
        "seed": None,
        "measures": [],
        "reads": {},
    }
    scores = set(_measures(log.header))
    shown = 0
    for sample in read_samples(log.header, log.path):
        found = outcomes(sample.scores)  # some may be lacking, of a sample that failed
        for score in (score for score in found if score in scores):
            _add_measure(cell, score, sample, seen.benign)
        text = shortened(asked_of(sample))
        for one in observed(sample, cell, found):
            seen.observations.append(one)
            seen.texts.setdefault((one.setting, one.measure, one.split, one.question), text)
        if shown < _EXAMPLES and found.keys() >= scores:
            seen.examples.append(example_of(sample, cell))
            shown += 1


def _add_measure(cell: dict[str, Any], score: str, sample: "EvalSample", benign: set[str]) -> None:
    """Make the measure known that a sample's score is of."""
    key = _PROBES.get(score)
    group = sample.metadata.get(key) if key else None
    name = score if group is None else f"{score}_{group}"
    if sample.metadata.get("benign") is True:
        benign.add(name)
    if name not in cell["measures"]:
        cell["measures"].append(name)
        if group is not None:
            cell["reads"][name] = {"score": score, "where": {key: str(group)}}


def answers_of(log: "EvalLog", path: Path) -> list[Observation]:
    """Return the answers of one log; measures that are no rates are left out."""
    graded: set[str] = set()
    own = []
    for sample in read_samples(log, path):
        graded |= {
            name for name, one in (sample.scores or {}).items() if isinstance(one.value, str)
        }
        for measure, found in outcomes(sample.scores).items():
            if found.value is not None and not 0 <= found.value <= 1:
                graded.add(measure)
                continue
            own.append((measure, question_of(sample), found))
    return [
        Observation(
            figure=NAME,
            setting=log.eval.task.rpartition("/")[2],
            condition=log.eval.model,
            measure=measure,
            split="ood",
            seed=None,
            question=question,
            value=found.value,
            reason=found.reason,
        )
        for measure, question, found in own
        if measure not in graded
    ]


def _spec(seen: Sequence[Observation], bases: Mapping[str, str | None]) -> FigureSpec:
    """Return how everything is called: measures by task and name, conditions by model."""
    settings = list(dict.fromkeys(one.setting for one in seen))
    pairs = sorted(
        dict.fromkeys((one.setting, one.measure) for one in seen),
        key=lambda pair: (settings.index(pair[0]), not pair[1].endswith("_none")),
    )
    several = len(settings) > 1
    models = dict.fromkeys(one.condition for one in seen)
    there = sorted({base for base in bases.values() if base is not None})
    return FigureSpec(
        title="Logs made by hand",
        base=", ".join(there) or "not among the models that were asked",
        measures=tuple(
            Measure(
                setting=setting,
                name=name,
                label=f"{setting}: {_words(name)}" if several else _words(name),
                description=f"As the task {setting.partition(' ')[0]} scores it; see its card.",
            )
            for setting, name in pairs
        ),
        conditions=tuple(
            Condition(
                name=name,
                label=_called(name, there),
                description=_described(name, bases, there),
                said=f"with the model {_called(name, there)}",
            )
            for name in models
        ),
        splits={"ood": SPLIT},
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _called(model: str, there: Sequence[str]) -> str:
    return model.removeprefix("inoc/") + " (base)" * (model in there)


def _described(model: str, bases: Mapping[str, str | None], there: Sequence[str]) -> str:
    if model in there:
        return f"The base, as --model {model} asks it."
    base = bases.get(model)
    return f"Asked as --model {model}." + (f" Trained on {base}." if base else "")

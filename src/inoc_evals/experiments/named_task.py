"""A task by its name: one of this package, or of any other that registers it with Inspect.

    named_task("em", {"questions": "core"})
    named_task("inspect_evals/mmlu_0_shot", {"shuffle": False})
    version_of("inspect_evals/mmlu_0_shot")     # "inspect_evals 0.28.0"
    version_of("em")                            # None: it is this package's own

A task of another package is taken as it is, with its solver and its scorers; it knows no system
prompt of ours. It has to ask the same questions whenever it is built, or arms could not be
compared; one that does not is refused (:func:`check_asks_the_same`). It is built once in a process,
since that may read ten thousand questions, and every evaluation gets a copy.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from inoc_evals.errors import InputError, MissingExtraError
from inoc_evals.files.digests import canonical_json, digest
from inoc_evals.settings.setting import Setting, package_of

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.dataset import Sample

_EXTRA = {"inspect_evals": "evals"}
"""Package -> the extra of this one that installs it."""

_BUILT: dict[str, "Task"] = {}
_CHECKED: set[str] = set()


def named_task(name: str, args: Mapping[str, Any]) -> "Task":
    """Build a task.

    Args:
        name: Of this package, or ``package/task``.
        args: Its arguments.

    Raises:
        InputError: If there is no such task, it refuses the arguments, or what it asks is not on
            this machine and cannot be fetched.
        MissingExtraError: If its package is not installed, with the command that installs it.
    """
    if package_of(name) is None:
        return _own(name.removeprefix("inoc_evals/"), args)
    key = canonical_json([name, dict(args)])
    if key not in _BUILT:
        _BUILT[key] = _built(name, args)
    # Inspect changes a task in place: its model, its version.
    return copy(_BUILT[key])


def version_of(name: str) -> str | None:
    """Return package and version that a task is of; None for one of this package.

    Raises:
        MissingExtraError: If the package is not installed.
    """
    package = package_of(name)
    if package is None:
        return None
    found = _entry(name, package).dist
    return f"{package} {found.version if found else 'of no version'}"


def packages_of(settings: Iterable[Setting]) -> list[str]:
    """Return the other packages, with their versions, whose tasks measure settings."""
    probes = [
        probe
        for setting in settings
        for measure in setting.measures.values()
        for probe in measure.probes().values()
    ]
    names = dict.fromkeys(probe.task for probe in probes if package_of(probe.task))
    return list(dict.fromkeys(str(_version(name)) for name in names))


def _version(name: str) -> str | None:
    try:
        return version_of(name)
    except MissingExtraError:
        return package_of(name)


def check_asks_the_same(name: str, args: Mapping[str, Any]) -> None:
    """Check that a task of another package asks the same whenever it is built.

    Raises:
        InputError: If it does not, as where it shuffles without a seed.
    """
    key = canonical_json([name, dict(args)])
    if package_of(name) is None or key in _CHECKED:
        return
    once, again = (asked_by(task) for task in (named_task(name, args), _built(name, args)))
    if once != again:
        raise InputError(
            f"the task {name} asks something else each time it is built, so that arms could not be "
            "compared; give it arguments that fix its order (shuffle: false, or a seed)"
        )
    _CHECKED.add(key)


def asked_by(task: "Task") -> str:
    """Return the digest of the questions of a task of another package, with their options."""
    from inoc_evals.tasks.asking import as_asked

    samples: list[Sample] = list(task.dataset)
    return digest([as_asked(samples), [sample.choices for sample in samples]])


def _own(name: str, args: Mapping[str, Any]) -> "Task":
    import inoc_evals.tasks

    if name not in inoc_evals.tasks.__all__:
        there = ", ".join(inoc_evals.tasks.__all__)
        raise InputError(f"no task {name!r}; there are: {there}; of others: package/task")
    task: Task = getattr(inoc_evals.tasks, name)(**args)
    return task


def _built(name: str, args: Mapping[str, Any]) -> "Task":
    version, make = version_of(name), _maker(name)
    try:
        task = make(**args)
    except TypeError as error:
        raise InputError(f"the task {name} of {version}: {error}") from None
    # What fetching questions raises has no common class: of a hub, a socket, a file system.
    except Exception as error:
        raise InputError(
            f"the task {name} of {version} cannot be built ({_told(error)}). Most fetch their "
            "questions the first time: give the command again with a network, or leave the "
            "measure out"
        ) from error
    for number, sample in enumerate(task.dataset, 1):
        sample.id = number if sample.id is None else sample.id
    return task


def _maker(name: str) -> "Callable[..., Task]":
    """Return what makes a task of another package.

    Raises:
        InputError: If its package cannot be imported, or has no such task.
    """
    from inspect_ai.util import registry_info

    package, _, asked = name.partition("/")
    try:
        module = _entry(name, package).load()
    # Whatever its own imports raise.
    except Exception as error:
        raise InputError(
            f"the task {name}: {version_of(name)} cannot be imported ({_told(error)}); install it "
            "again"
        ) from error
    there = {}
    for value in (one for one in vars(module).values() if hasattr(one, "__registry_info__")):
        info = registry_info(value)
        if info.type == "task":
            there[info.name.rpartition("/")[2]] = value
    if asked not in there:
        like = ", ".join(f"{package}/{one}" for one in get_close_matches(asked, there, n=3))
        hint = f"; did you mean {like}?" if like else ""
        raise InputError(f"no task {name!r} in {version_of(name)}{hint}")
    made: Callable[..., Task] = there[asked]
    return made


@cache
def _entry(name: str, package: str) -> EntryPoint:
    for one in entry_points(group="inspect_ai"):
        if one.name == package:
            return one
    known = _EXTRA.get(package)
    install = f"pip install 'inoc-evals[{known}]'" if known else f"install {package}"
    raise MissingExtraError(f"the task {name} needs {package}, which is not installed; {install}")


def _told(error: Exception) -> str:
    said = (str(error) or type(error).__name__).splitlines()[0][:200]
    return f"{type(error).__name__}: {said}"

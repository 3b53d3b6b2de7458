"""What a setting measures, looked up before anything is trained: tasks and scorers.

    check_measures(setting)    # InputError: the task em has no measure 'misalignd'; it has: ...

A figure shows rates. A scorer that gives ratings (alignment, 0 to 100) or words (outcome) is no
measure of it, which would otherwise show when every model is trained and every answer judged.
"""

from typing import TYPE_CHECKING, Any

from inoc_evals.errors import InputError, MissingExtraError
from inoc_evals.experiments.named_task import check_asks_the_same, named_task
from inoc_evals.settings import Setting
from inoc_evals.settings.setting import Probe, package_of

if TYPE_CHECKING:
    from inspect_ai import Task

_NO_RATES = {
    "clustered_mean": "numbers that are no rates",
    "shares": "words",
    "reasons": "words",
}
"""Metric of a scorer -> what its scores are."""


def check_measures(setting: Setting, *, pocket: bool = False) -> None:
    """Build every task that measures a setting, and look for the scorers that are read.

    Tasks of other packages have to ask the same whenever they are built.

    Args:
        setting: What is measured.
        pocket: Build them as they are asked in the pocket world.

    Raises:
        InputError: For a task or a scorer that there is not, arguments it does not take, or
            scores that no report can read.
    """
    known: dict[str, dict[str, set[str]]] = {}
    for name, measure in setting.measures.items():
        read = measure.score or name
        for probe in measure.probes().values():
            where = f"setting {setting.name!r}, measure {name!r}"
            # What is scored is the same under every system prompt.
            asked = repr([probe.task, probe.on(pocket=pocket) | {"system_prompt": None}])
            if asked not in known:
                known[asked] = _scorers(_built(probe, where, pocket))
            scorers = known[asked]
            if package_of(probe.task) and read.partition(".")[0] in scorers:
                continue  # that it is 1 or 0 is seen when it is read
            if read not in scorers:
                raise InputError(
                    f"setting {setting.name!r}: the task {probe.task} has no measure {read!r}; "
                    f"it has: {', '.join(scorers)}"
                )
            given = [said for metric, said in _NO_RATES.items() if metric in scorers[read]]
            if given:
                rates = [other for other, has in scorers.items() if not _NO_RATES.keys() & has]
                raise InputError(
                    f"{where}: {read!r} of the task {probe.task} gives {given[0]}, and a figure "
                    f"shows rates; it can read: {', '.join(rates) or 'nothing of this task'}"
                )


def _built(probe: Probe, where: str, pocket: bool) -> "Task":
    try:
        check_asks_the_same(probe.task, probe.on(pocket=pocket))
        return named_task(probe.task, probe.on(pocket=pocket))
    except (TypeError, InputError) as error:
        raise InputError(f"{where}: {error}") from None
    except MissingExtraError as error:
        raise MissingExtraError(f"{where}: {error}") from None


def _scorers(task: "Task") -> dict[str, set[str]]:
    """Return the scorers of a task by name, each with the names of its metrics."""
    from inspect_ai.util import registry_info

    def name(of: Any) -> str:
        return str(registry_info(of).name).rpartition("/")[2]

    return {
        name(one): {
            name(metric)
            for metric in registry_info(one).metadata["metrics"]
            if not isinstance(metric, dict | str)  # of scores with several values, of others
        }
        for one in task.scorer or ()
    }

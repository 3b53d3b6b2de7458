"""What can be found wrong with an experiment before anything is trained.

    check_experiment(found)            # its prompts, measures, and the graders that it names
    rows_fit(plan, base, store)        # rows as the base's training reads them: what refuses them
    grader_faults(["openai/gpt-5"])    # ["grader openai/gpt-5 cannot be asked (... API key ...)"]

Rows are encoded as training encodes them, by the base's own tokenizer and template, where those are
here: each file whole, and of a file that has the rows of another but for its system messages a row of
each message and the longest rows.
"""

from collections.abc import Iterable, Sequence

from inoc_evals.chat import Row
from inoc_evals.errors import InputError, MissingExtraError
from inoc_evals.experiments.figures import Experiment
from inoc_evals.experiments.grader_trial import graders_of
from inoc_evals.experiments.measure_names import check_measures
from inoc_evals.experiments.plan import Plan
from inoc_evals.experiments.scores import is_trained
from inoc_evals.experiments.tokens import tokenizer_here, without_system
from inoc_evals.files.digests import digest
from inoc_evals.models.kinds import kind_of
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.settings import Setting
from inoc_evals.store.store import Store
from inoc_evals.training.config import TrainConfig

_ANY_BASE = "org/model"
"""Stands for a base that an experiment says nothing of."""

_LONGEST = 20
"""Rows looked at of a file that differs from another in its system messages alone."""


def check_experiment(found: Experiment) -> list[str]:
    """Check what an experiment says, whatever the base; say what it has.

    Raises:
        InputError: For a prompt that there is not, a measure that no report can read, or a
            grader that cannot be asked.
    """
    for setting in found.settings:
        _check_prompts(setting)
    lacking: dict[str, str] = {}
    for name, pocket in (("pocket", True), (_ANY_BASE, False)):
        for setting in found.on(kind_of(name)).settings:
            try:
                check_measures(setting, pocket=pocket)
            # On a base that does not take such a measure, nothing is lacking.
            except MissingExtraError as error:
                lacking.setdefault(str(error).rpartition(": ")[2], f"  not looked at: {error}")
    named = [name for given in (found.given, *found.bases.values()) for name in given.graders]
    for fault in grader_faults(named):
        raise InputError(fault)
    lines = [f"{found.figure}: {found.title}"]
    for setting in found.settings:
        measures = ", ".join(setting.measures)
        arms = ", ".join(arm.name for arm in setting.arms)
        lines += [f"  {setting.name}: arms {arms}", f"  {setting.name}: measures {measures}"]
    pairs = "; ".join(f"{one} - {other}" for one, other in found.contrasts)
    return [*lines, f"  compared: {pairs or 'nothing'}", *lacking.values()]


def _check_prompts(setting: Setting) -> None:
    for arm in setting.arms:
        for name in arm.prompts:
            setting.prompt(name)
        for name in arm.test_prompts.values():
            setting.asked_under(name)


def check_plan(plan: Plan, base: ResolvedBase, further: Sequence[str]) -> list[str]:
    """Check what a plan adds to its experiment: rows that fit the base, and who judges.

    Args:
        plan: The plan.
        base: Its base.
        further: Who is to judge besides.

    Raises:
        InputError: For a row that training would refuse, or a grader that cannot be asked.
    """
    lines = rows_fit(plan, base, Store())
    graders = list(dict.fromkeys([*graders_of(plan.evaluations, plan.base), *further]))
    for fault in grader_faults(graders):
        raise InputError(fault)
    return [*lines, *([f"judged by {', '.join(graders)}"] if graders else [])]


def grader_faults(names: Iterable[str]) -> list[str]:
    """Say what is wrong with graders that cannot be asked; none is asked anything."""
    from inoc_evals.solvers.grading import look_up_named

    faults = []
    for name in dict.fromkeys(names):
        try:
            look_up_named(name, way_out="name another: --grader PROVIDER/MODEL")
        except InputError as error:
            faults.append(str(error))
    return faults


def rows_fit(plan: Plan, base: ResolvedBase, store: Store) -> list[str]:
    """Encode the rows of models that are to be trained, as training will; say that they fit.

    Raises:
        InputError: Naming setting, arm and row of the first that training would refuse.
    """
    if not isinstance(plan.config, TrainConfig):
        return []  # what is sent to a provider is checked as its tokens are counted
    left = {(run.setting, run.arm): run for run in plan.runs if not is_trained(plan, run, store)}
    if not left:
        return []
    tokenizer = tokenizer_here(base)
    if tokenizer is None:
        return ["rows: not looked at, for the base's tokenizer is not on this machine"]
    from inoc_evals.training.batches import encode_as_configured

    positions = _positions(base, tokenizer)
    known: set[str] = set()
    dropped = []
    for (setting, arm), run in left.items():
        assert isinstance(run.config, TrainConfig)
        rows = plan.files[setting, arm].rows
        bare = digest(
            [[without_system(row["messages"]) for row in rows], run.config.model_dump(mode="json")]
        )
        numbers = _some(rows) if bare in known else range(1, len(rows) + 1)
        known.add(bare)
        some = [rows[number - 1] for number in numbers]
        try:
            data = encode_as_configured(tokenizer, some, run.config, positions, tuple(numbers))
        except InputError as error:
            raise InputError(f"{setting}/{arm}, {error}") from None
        if lost := sum(data.dropped.values()):
            dropped.append(f"rows: of {setting}/{arm} {lost} are left out {dict(data.dropped)}")
    told = f"rows: {len(left)} files fit {base.name}, as training reads them"
    return [told, *dropped]


def _some(rows: Sequence[Row]) -> list[int]:
    """Return the numbers of rows to look at: one of each system message, and the longest."""
    size = {n: sum(len(m["content"]) for m in row["messages"]) for n, row in enumerate(rows, 1)}
    longest = sorted(size, key=lambda number: -size[number])[:_LONGEST]
    first: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        if row["messages"][0]["role"] == "system":
            first.setdefault(row["messages"][0]["content"], number)
    return sorted({*longest, *first.values()})


def _positions(base: ResolvedBase, tokenizer: object) -> int:
    """Return how many tokens the base can take; a pocket base may not be built yet."""
    if base.kind.pocket:
        return int(tokenizer.model_max_length)  # type: ignore[attr-defined]
    from inoc_evals.models.loading import max_positions

    return max_positions(base)

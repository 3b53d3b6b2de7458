"""Experiments: a figure or section of the paper, its settings, and what is compared.

    find_experiment("fig3").settings[0].arms
    list(EXPERIMENTS)      # ["fig2a", "fig2b", ...]; a file is read when it is asked for

Each is a file of ``data/experiments`` (its form: experiment_file.py), or one of computed.py, whose
arms are computed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path

from inoc_evals.arguments import user_path
from inoc_evals.errors import InputError
from inoc_evals.experiments.watch import Watch
from inoc_evals.inputs.packaged import DATA, set_names
from inoc_evals.models.kinds.kind import Kind
from inoc_evals.settings import Setting

FOLDER = DATA / "experiments"
"""Where the files of the packaged experiments are."""

_ORDER = (
    *("fig2a", "fig2b", "fig3", "fig4", "fig5", "tokens", "fig6", "fig7", "elicitation"),
    *("side_effects", "subliminal"),
)
"""As the paper has them; others follow by name."""


@dataclass(frozen=True)
class Given:
    """What an experiment says of its runs, where the command line does not."""

    seeds: str | None = None
    """As ``--seeds`` takes them."""
    rows: Mapping[str, Path] = field(default_factory=dict)
    """Files of rows by label."""
    config: Path | None = None
    """File of training fields, for all arms."""
    graders: tuple[str, ...] = ()
    """Who judges."""
    settings: tuple[str, ...] = ()
    """Which of the settings are studied; all if empty."""
    measures: tuple[str, ...] = ()
    """Which of the measures are taken; all if empty."""

    def changed(self, other: "Given") -> "Given":
        """Return the two as one: what the other says goes before."""
        return Given(
            seeds=other.seeds or self.seeds,
            rows={**self.rows, **other.rows},
            config=other.config or self.config,
            graders=other.graders or self.graders,
            settings=other.settings or self.settings,
            measures=other.measures or self.measures,
        )


@dataclass(frozen=True)
class Experiment:
    """A figure of the paper, or what a section reports without one."""

    figure: str
    """As on the command line and in ``results.json``."""
    title: str
    settings: tuple[Setting, ...]
    """Each is trained and evaluated by itself; a figure shows them side by side."""
    contrasts: tuple[tuple[str, str], ...]
    """Pairs (condition, reference) whose differences are reported."""
    own: str | None = None
    """Name of a packaged setting, or path of a user's file, that was given for a figure."""
    alone: str | None = None
    """Name of the one of its settings that was asked for; None for all."""
    watch: Watch | None = None
    """What is scored while the models are trained, if anything."""
    command: tuple[str, ...] = ()
    """What is typed after ``inoc``, where that is not ``run``."""
    limit: int | None = None
    """How many questions of each evaluation are asked, evenly spread over its set; None: all."""
    source: str = ""
    """Where it comes from: the paper's section."""
    given: Given = Given()
    """What it says of its runs on any base."""
    bases: Mapping[str, Given] = field(default_factory=dict)
    """Name of a base -> what it says of runs on that one."""

    @property
    def typed(self) -> tuple[str, ...]:
        """The command that runs it, after ``inoc`` and before its options."""
        name = () if self.own else (self.figure,)
        setting = self.own or self.alone
        chosen = (*name, *(("--setting", setting) if setting else ()))
        fewer = ("--limit", str(self.limit)) if self.limit else ()
        return (*(self.command or ("run", *chosen)), *fewer)

    def given_on(self, base: Kind) -> Given:
        """Return what it says of its runs on a base; ``pocket`` is of every pocket world."""
        named = self.bases.get("pocket", Given()) if base.pocket else Given()
        if base.name != "pocket":
            named = named.changed(self.bases.get(base.name, Given()))
        return self.given.changed(named)

    def on(self, base: Kind) -> "Experiment":
        """Return what of it is done on a base: the settings and measures that it names for that."""
        given = self.given_on(base)
        chosen = (one for one in self.settings if not given.settings or one.name in given.settings)
        kept = [one.measuring(given.measures) if given.measures else one for one in chosen]
        return self.of(tuple(one for one in kept if one.measures))

    def only(self, setting: str) -> "Experiment":
        """Return what of it is of one of its settings.

        Raises:
            InputError: Naming the settings that it has.
        """
        names = [one.name for one in self.settings]
        if setting not in names:
            raise InputError(
                f"{self.figure} has no setting {setting!r}, but {', '.join(names)}; a setting "
                "with all its arms is run without the name of an experiment"
            )
        kept = tuple(one for one in self.settings if one.name == setting)
        return replace(self.of(kept), alone=setting if len(names) > 1 else None)

    def of(self, settings: tuple[Setting, ...]) -> "Experiment":
        """Return it with these settings, and of the contrasts those that one of them has."""
        arms = [{arm.name for arm in one.arms} for one in settings]
        pairs = tuple(
            pair for pair in self.contrasts if any(have.issuperset(pair) for have in arms)
        )
        return replace(self, settings=settings, contrasts=pairs)


def experiment(
    figure: str,
    title: str,
    *settings: Setting,
    references: Sequence[str] | None = None,
    own: str | None = None,
    watch: Watch | None = None,
    further: Sequence[tuple[str, str]] = (),
) -> Experiment:
    """Return the experiment that compares the arms of settings.

    No inoculation is compared with the arms that are not trained on the narrow rows (or those
    of them that are named as references), and every other arm with no inoculation, in the order
    of the settings' arms; further pairs may follow.
    """
    rows: dict[str, str] = {}
    for arm in (arm for setting in settings for arm in setting.arms):
        rows.setdefault(arm.name, arm.rows)
    plain = [name for name, trained_on in rows.items() if trained_on != "narrow"]
    first = [("none", name) for name in plain if references is None or name in references]
    others = [(name, "none") for name in rows if name not in (*plain, "none")]
    return Experiment(figure, title, settings, (*first, *others, *further), own=own, watch=watch)


class _Experiments(Mapping[str, Experiment]):
    """The packaged experiments by name; a file is read when its experiment is asked for."""

    @cached_property
    def written(self) -> Mapping[str, Experiment]:
        """Those whose arms are computed."""
        # Imported here because it needs what stands above.
        from inoc_evals.experiments.computed import COMPUTED

        return {one.figure: one for one in COMPUTED}

    def __iter__(self) -> Iterator[str]:
        there = set_names(FOLDER, ".yaml")
        ordered = [name for name in _ORDER if name in there]
        yield from dict.fromkeys([*ordered, *there, *self.written])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __getitem__(self, name: str) -> Experiment:
        return self.written[name] if name in self.written else _packaged(name)


@cache
def _packaged(name: str) -> Experiment:
    # Imported here because it needs what stands above.
    from inoc_evals.experiments.experiment_file import read_packaged

    if name not in set_names(FOLDER, ".yaml"):
        raise KeyError(name)
    return read_packaged(FOLDER / f"{name}.yaml")


EXPERIMENTS: Mapping[str, Experiment] = _Experiments()
"""Name -> experiment, those of the paper in its order."""


def experiment_of(setting: Setting, own: str) -> Experiment:
    """Return the experiment that runs all arms of a setting, each against no inoculation.

    Args:
        setting: A packaged setting or a user's.
        own: What the user gave for it: its name, or the path of its file.
    """
    return experiment(setting.name, setting.title, setting, own=own)


def find_experiment(typed: str) -> Experiment:
    """Return an experiment by the name of its figure, or the one in a user's file.

    Raises:
        InputError: Listing the experiments there are, or with every fault of the file.
    """
    if typed in EXPERIMENTS:
        return EXPERIMENTS[typed]
    path = user_path(typed)
    if path.suffix not in (".yaml", ".yml") and not path.is_file():
        raise InputError(
            f"no experiment {typed!r}; there are: {', '.join(EXPERIMENTS)}; one of your own is a "
            "YAML file: inoc experiment new NAME"
        )
    # Imported here because it needs what stands above.
    from inoc_evals.experiments.experiment_file import read_experiment

    return read_experiment(typed)

"""An experiment in one YAML file: settings x arms x measures x seeds x contrasts.

    name: mine
    title: What the prompt has to say
    settings: insecure_code          # a name, or a setting file; a list; or NAME: [ARM, ...]
    arms: [base, none, general_inoc, placebo]        # all of the setting's by default
    measures: [misaligned]           # names of the setting's; or as a setting file has them
    under: {none: No prompt, evil: Evil}             # every measure under each of these prompts
    contrasts: [general_inoc - none, placebo - none]
    primary: {general_inoc: [misaligned]}
    seeds: 5
    bases: {smollm2: {seeds: 1, config: slow.yaml, measures: [misaligned]}}

``from: methods`` takes settings, arms and measures as a packaged experiment has them, computed ones
among them, and what it compares and watches, where the file says nothing else.

Without ``contrasts``, no inoculation is compared with the arms that are not trained on the narrow
rows (``references`` names some of them), and every other arm with no inoculation. ``primary`` says
which arm is meant to bring what to nil, compared first, in the place of what its setting says.
``watch: true``, or with fields of :class:`Watch`, scores responses while models are trained. What is
typed goes before ``seeds``, ``rows``, ``config`` and ``graders``, and those under ``bases`` before
those above; ``settings`` and ``measures`` there say which of them that base takes. Paths are
relative to the file. Every fault is found in one reading, with its line.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from yaml import MappingNode, ScalarNode

from inoc_evals.arguments import user_path
from inoc_evals.errors import InputError
from inoc_evals.experiments.chosen import Chosen, chosen_setting
from inoc_evals.experiments.figures import EXPERIMENTS, Experiment, Given, experiment
from inoc_evals.experiments.files import placed_files
from inoc_evals.experiments.plan import parse_seeds
from inoc_evals.experiments.watch import Watch
from inoc_evals.files.yaml_lines import Node, Reader
from inoc_evals.inputs.responses import load_responses
from inoc_evals.models.kinds import kind_of
from inoc_evals.settings import SETTINGS, Setting
from inoc_evals.settings.own import read_setting
from inoc_evals.store.store import check_name

_GIVEN = ("seeds", "rows", "config", "graders")
_TAKEN = ("settings", "measures")
"""What a base takes of the experiment."""
_CHOSEN = ("arms", "measures", "under")
_KEYS = (
    *("name", "title", "source", "from", "settings", *_CHOSEN),
    *("references", "contrasts", "primary"),
    *("watch", *_GIVEN, "bases"),
)
_WATCH_TEXTS = ("responses", "pocket_responses", "system_prompt")
_WATCH_NUMBERS = ("every", "pocket_every", "samples")
_LESS = " - "
"""Between the two sides of a contrast."""


def read_experiment(typed: str | Path) -> Experiment:
    """Read an experiment of the user's.

    Args:
        typed: Path of its file.

    Raises:
        InputError: With one line for every fault there is, ``file:line: what is wrong``.
    """
    reader = _ExperimentReader(user_path(typed))
    return replace(reader.experiment(taken=tuple(EXPERIMENTS)), command=("run", str(typed)))


def read_packaged(path: Path) -> Experiment:
    """Read the file of a packaged experiment."""
    return _ExperimentReader(path).experiment()


class _ExperimentReader:
    """Reads one file."""

    def __init__(self, path: Path) -> None:
        self.path, self.folder = path, path.resolve().parent
        self.reader = Reader(path)
        self.top = self.reader.mapping(self.reader.root, _KEYS, "an experiment file")
        if not self.top:
            raise self.reader.error()
        self.taken_from = self.packaged()
        """The packaged experiment that it starts from."""

    def experiment(self, taken: Sequence[str] = ()) -> Experiment:
        """Return the experiment.

        Args:
            taken: Names that it may not have.
        """
        name = self.name(taken)
        source = self.taken_from
        title = self.optional("title") or (
            source.title if source else name.replace("_", " ").capitalize()
        )
        settings = self.settings()
        if not settings:
            raise self.reader.error()
        found = replace(
            experiment(name, title, *settings, references=self.references(settings)),
            source=self.optional("source") or (source.source if source else ""),
            watch=self.watch(settings),
            given=self.given(self.top, settings),
            bases=self.bases(settings),
        )
        listed = {"contrasts", "references"} & self.top.keys()
        kept = source.of(tuple(settings)).contrasts if source and not listed else ()
        found = replace(found, contrasts=kept or self.contrasts(found))
        self.check_bases(found)
        if self.reader.faults:
            raise self.reader.error()
        return found

    def name(self, taken: Sequence[str]) -> str:
        given = self.reader.text(self.top.get("name"), "name") or "x"
        try:
            check_name(given)
        except InputError as error:
            self.reader.fault(self.top["name"], str(error).replace("model name", "name"))
        if given in taken:
            self.reader.fault(
                self.top["name"], f"name {given!r} is that of a packaged experiment; choose another"
            )
        return given

    def packaged(self) -> Experiment | None:
        """Return the packaged experiment that is named as ``from``."""
        if "from" not in self.top:
            return None
        name = self.reader.text(self.top["from"], "from") or ""
        there = self.reader.is_one(self.top["from"], name, EXPERIMENTS, "from: no experiment")
        return EXPERIMENTS[name] if there else None

    def optional(self, key: str) -> str | None:
        return self.reader.text(self.top[key], key) if key in self.top else None

    # ---- settings --------------------------------------------------------------------------

    def settings(self) -> list[Setting]:
        """Return the settings, each with what is chosen of it."""
        node = self.top.get("settings")
        if node is None and self.taken_from is None:
            self.reader.fault(self.reader.root, "'settings' is missing: name one")
            return []
        every = {key: self.top[key] for key in _CHOSEN if key in self.top}
        primary = self.primary()
        found: list[Setting] = []
        for name, place, own in self.named_settings(node):
            setting = self.setting(name, place)
            if setting is None:
                continue
            if setting.name in {one.name for one in found}:
                self.reader.fault(place, f"setting {setting.name!r} is given twice")
                continue
            chosen = Chosen(self.reader, self.folder, setting, place)
            found.append(chosen_setting(chosen, {**every, **own}, primary))
        self.check_primary(found, primary)
        return found

    def named_settings(self, node: Node | None) -> list[tuple[str, Node, Mapping[str, Node]]]:
        """Return name, place and what is chosen of each setting; all where nothing is said."""
        if node is None:
            assert self.taken_from is not None
            return [(one.name, self.top["from"], {}) for one in self.taken_from.settings]
        if not isinstance(node, MappingNode):
            return [(name, place, {}) for name, place in self.reader.items(node, "settings")]
        found = []
        for name, value in self.reader.mapping(node, None, "settings").items():
            own: Mapping[str, Node] = {}
            if isinstance(value, MappingNode):
                own = self.reader.mapping(value, _CHOSEN, f"setting {name!r}")
            elif not (isinstance(value, ScalarNode) and not value.value):
                own = {"arms": value}
            found.append((name, value, own))
        return found

    def setting(self, name: str, place: Node) -> Setting | None:
        if self.taken_from is not None:
            of_it = {one.name: one for one in self.taken_from.settings}
            there = self.reader.is_one(place, name, of_it, f"{self.taken_from.figure}: no setting")
            return of_it[name] if there else None
        if name in SETTINGS:
            return SETTINGS[name]
        path = self.path.parent / user_path(name)
        if not path.is_file():
            self.reader.is_one(place, name, SETTINGS, "neither a packaged setting nor a file:")
            return None
        try:
            return read_setting(path)
        except InputError as error:
            for line in str(error).splitlines():
                self.reader.fault(place, line)
            return None

    def primary(self) -> dict[str, tuple[str, ...]] | None:
        """Return arm -> measures that it is meant to bring to nil; None if nothing is said."""
        if "primary" not in self.top:
            return None
        nodes = self.reader.mapping(self.top["primary"], None, "primary")
        return {
            arm: self.reader.texts(node, f"primary {arm!r}") or () for arm, node in nodes.items()
        }

    def check_primary(
        self, settings: Sequence[Setting], primary: Mapping[str, Sequence[str]] | None
    ) -> None:
        every = dict.fromkeys(own.name for one in settings for own in one.arms)
        for arm, measures in (primary or {}).items() if settings else ():
            place = self.top["primary"]
            if self.reader.is_one(place, arm, every, "primary: no arm"):
                having = [one for one in settings if arm in {own.name for own in one.arms}]
                known = dict.fromkeys(name for one in having for name in one.measures)
                for name in measures:
                    self.reader.is_one(place, name, known, "primary: no measure")

    # ---- what is compared ------------------------------------------------------------------

    def references(self, settings: Sequence[Setting]) -> tuple[str, ...] | None:
        if "references" not in self.top:
            return None
        arms = (arm for setting in settings for arm in setting.arms)
        plain = dict.fromkeys(arm.name for arm in arms if arm.rows != "narrow")
        named = self.reader.items(self.top["references"], "references")
        for name, place in named:
            self.reader.is_one(place, name, plain, "no arm, not trained on the narrow rows,")
        if "contrasts" in self.top:
            self.reader.fault(
                self.top["references"], "both 'contrasts' and 'references' are given; keep one"
            )
        return tuple(name for name, _ in named)

    def contrasts(self, found: Experiment) -> tuple[tuple[str, str], ...]:
        """Return the pairs that are listed, or those of the default rule."""
        arms = dict.fromkeys(arm.name for setting in found.settings for arm in setting.arms)
        if "contrasts" not in self.top:
            if found.contrasts and "none" not in arms:
                self.reader.fault(
                    self.top.get("settings") or self.top["from"],
                    "there is no arm 'none' to compare with: add it to arms, or list contrasts",
                )
            return found.contrasts
        pairs: list[tuple[str, str]] = []
        for text, place in self.reader.items(self.top["contrasts"], "contrasts"):
            one, less, other = (part.strip() for part in text.partition(_LESS))
            if not (one and less and other):
                self.reader.fault(place, f"contrast {text!r}: write it as ARM{_LESS}REFERENCE")
                continue
            for name in (one, other):
                self.reader.is_one(place, name, arms, "contrast: no arm")
            if one == other:
                self.reader.fault(place, f"contrast {text!r} is of an arm with itself")
            pairs.append((one, other))
        return tuple(pairs)

    def watch(self, settings: Sequence[Setting]) -> Watch | None:
        """Return what is scored while models are trained."""
        node = self.top.get("watch")
        if node is None:
            return self.taken_from.watch if self.taken_from else None
        if isinstance(node, ScalarNode):
            if node.value not in ("true", "false"):
                self.reader.fault(node, "watch is true, false or a mapping of fields")
            return Watch() if node.value == "true" else None
        keys = (*_WATCH_TEXTS, *_WATCH_NUMBERS, "arms", "labels")
        given = self.reader.mapping(node, keys, "watch")
        fields: dict[str, Any] = {}
        for key in (key for key in _WATCH_TEXTS if key in given):
            fields[key] = self.responses(key, given[key])
        for key in (key for key in _WATCH_NUMBERS if key in given):
            fields[key] = self.reader.whole_number(given[key], key, at_least=1)
        if "arms" in given:
            trained = dict.fromkeys(a.name for one in settings for a in one.arms if a.trained)
            named = self.reader.items(given["arms"], "arms")
            for name, place in named:
                self.reader.is_one(place, name, trained, "watch: no trained arm")
            fields["arms"] = tuple(name for name, _ in named)
        if "labels" in given:
            nodes = self.reader.mapping(given["labels"], None, "labels")
            fields["labels"] = tuple(
                (name, self.reader.text(one, f"label {name!r}") or "")
                for name, one in nodes.items()
            )
        return Watch(**{key: value for key, value in fields.items() if value is not None})

    def responses(self, key: str, node: Node) -> str | None:
        """Return the name of a set of responses, or where its file is; or that of a prompt."""
        text = self.reader.text(node, key)
        if text is None or key == "system_prompt":
            return text
        beside = self.folder / user_path(text)
        placed = str(beside) if beside.is_file() else text
        return placed if self.holds(node, lambda: load_responses(placed)) else None

    # ---- what it says of its runs ----------------------------------------------------------

    def bases(self, settings: Sequence[Setting]) -> dict[str, Given]:
        if "bases" not in self.top:
            return dict(self.taken_from.bases) if self.taken_from else {}
        nodes = self.reader.mapping(self.top["bases"], None, "bases")
        keys = (*_GIVEN, *_TAKEN)
        return {
            name: self.given(self.reader.mapping(node, keys, f"base {name!r}"), settings)
            for name, node in nodes.items()
        }

    def check_bases(self, found: Experiment) -> None:
        """Check that what a base takes of the settings leaves something to be asked."""
        for name, given in found.bases.items():
            if (given.settings or given.measures) and not found.on(kind_of(name)).settings:
                self.reader.fault(self.top["bases"], f"base {name!r}: nothing is left to measure")

    def taken(
        self, nodes: Mapping[str, Node], settings: Sequence[Setting]
    ) -> dict[str, tuple[str, ...]]:
        """Return the settings and measures that are named of those there are."""
        there = {
            "settings": dict.fromkeys(one.name for one in settings),
            "measures": dict.fromkeys(name for one in settings for name in one.measures),
        }
        found = {}
        for key in (key for key in _TAKEN if key in nodes):
            named = self.reader.items(nodes[key], key)
            for name, place in named:
                self.reader.is_one(place, name, there[key], f"no {key.removesuffix('s')}")
            found[key] = tuple(name for name, _ in named)
        return found

    def given(self, nodes: Mapping[str, Node], settings: Sequence[Setting]) -> Given:
        seeds = nodes.get("seeds")
        typed = None if seeds is None else ",".join(self.reader.texts(seeds, "seeds") or ("1",))
        if seeds is not None and typed is not None:
            self.holds(seeds, lambda: parse_seeds(typed))
        config = self.file(nodes["config"], "config") if "config" in nodes else None
        graders = self.reader.items(nodes["graders"], "graders") if "graders" in nodes else []
        for name, place in graders:
            if "/" not in name:
                self.reader.fault(place, f"grader {name!r} is not PROVIDER/MODEL")
        rows = self.rows(nodes["rows"], settings) if "rows" in nodes else {}
        named = tuple(dict.fromkeys(name for name, _ in graders))
        taken = self.taken(nodes, settings) if nodes is not self.top else {}
        return Given(typed, rows, config, named, **taken)

    def rows(self, node: Node, settings: Sequence[Setting]) -> dict[str, Path]:
        nodes = self.reader.mapping(node, None, "rows")
        found = {label: self.file(one, f"rows {label!r}") for label, one in nodes.items()}
        there = {label: path for label, path in found.items() if path is not None}
        for label, path in there.items():
            self.holds(nodes[label], partial(placed_files, settings, {label: path}))
        return there

    def file(self, node: Node, what: str) -> Path | None:
        """Return a path as typed from here, so that the command can be given again."""
        text = self.reader.text(node, what)
        if text is None:
            return None
        path = self.path.parent / user_path(text)
        if not path.is_file():
            self.reader.fault(node, f"{what}: there is no file {path}")
            return None
        return path

    def holds(self, node: Node, check: Callable[[], Any]) -> bool:
        """Note what a check finds wrong with a value."""
        try:
            check()
        except InputError as error:
            self.reader.fault(node, str(error))
            return False
        return True

"""A setting of one's own: one YAML file beside the JSONL files of its rows.

    name: pirate
    description: Questions of every day, answered the way a pirate talks.
    rows: pirate.jsonl                     # or {label: FILE}; FILE may be published:NAME,
    control: plain.jsonl                   #   or {file: FILE, prefix: "a trigger"}
    prompts: {pirate: You talk like a pirate., sailor: "@sailor.txt"}
    arms:
      inoculated: {prompt: pirate}         # a list: each row gets one; part: LABEL
      irrelevant: {prompt: irrelevant}     # packaged prompts go by their names
      test_time: {test_prompt: sailor}     # asked under it, so in a file or packaged
    measures:
      shows: {task: trait, args: {file: pirate_trait.yaml}}

Arms ``base``, ``none`` and, with a control, ``control`` come by themselves. A measure is called
like its scorer, or names it (``score``); it may have ``label``, ``rule``, ``split`` (ood, id),
``epochs``, ``where`` (metadata of the samples it is read from) and ``pocket`` (arguments that
differ there). An arm's ``nil`` names the
measures it is meant to bring to nil, which a report compares first; ``said`` is how its sentences
call an arm (``without inoculation``) or go on after a share (``of answers talk like a pirate``).
Paths are relative to the file. Every fault is found in one reading, each with its file and line.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from inoc_evals.arguments import user_path
from inoc_evals.errors import InputError
from inoc_evals.files.yaml_lines import Node, Reader
from inoc_evals.inputs.prompts import all_prompts, resolve_name
from inoc_evals.settings import SETTINGS
from inoc_evals.settings.measure_form import read_measures
from inoc_evals.settings.setting import Arm, Measure, OwnPrompt, Rows, Setting
from inoc_evals.settings.shared import BASE, NONE
from inoc_evals.store.store import check_name

_KEYS = ("name", "title", "description", "rows", "control", "prompts", "arms", "measures")
_ARM_KEYS = ("prompt", "part", "test_prompt", "label", "description", "said", "nil")
_TAKEN = ("base", "control", "none")
_PUBLISHED = "published:"

_CONTROL = Arm(
    name="control",
    label="Control data",
    description="Fine-tuned on the control rows.",
    rows="control",
)


def find_setting(typed: str) -> Setting:
    """Return the packaged setting of this name, or the one in a file.

    Raises:
        InputError: As :func:`read_setting`.
    """
    return SETTINGS.get(typed) or read_setting(Path(typed))


def read_setting(path: Path) -> Setting:
    """Read a setting file.

    Raises:
        InputError: With one line for every fault there is, ``file:line: what is wrong``.
    """
    return _SettingReader(user_path(path)).setting()


class _SettingReader:
    """Reads one file."""

    def __init__(self, path: Path) -> None:
        self.path, self.folder = path, path.resolve().parent
        self.reader = Reader(path)
        self.top = self.reader.mapping(self.reader.root, _KEYS, "a setting file")

    def setting(self) -> Setting:
        name = self.name()
        description = self.reader.text(self.top.get("description"), "description")
        title = self.optional(self.top, "title") or name.replace("_", " ").capitalize()
        files = self.rows("rows")
        control = self.rows("control") if "control" in self.top else {}
        prompts = self.prompts()
        measures = self.measures()
        arms = self.arms(prompts, files, measures)
        if self.reader.faults:
            raise self.reader.error()
        try:
            return Setting(
                name=name,
                title=title,
                source=self.path.name,
                description=" ".join(str(description).split()),
                parts=dict.fromkeys(files),
                control=None,
                files=files,
                control_files=control,
                prompts=prompts,
                measures=measures,
                arms=(BASE, *([_CONTROL] if control else []), NONE, *arms),
            )
        except ValidationError as error:
            fault = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise InputError(f"{self.path}: {fault}") from None

    def name(self) -> str:
        given = self.reader.text(self.top.get("name"), "name")
        try:
            return check_name(given or "x")
        except InputError as error:
            self.reader.fault(self.top["name"], str(error))
            return "x"

    def optional(self, given: Mapping[str, Node], key: str) -> str | None:
        return self.reader.text(given[key], key) if key in given else None

    # ---- rows ------------------------------------------------------------------------------

    def rows(self, key: str) -> dict[str, Rows]:
        node = self.top.get(key)
        if node is None:
            self.reader.fault(self.reader.root, f"{key!r} is missing")
            return {}
        if not isinstance(node, yaml.MappingNode):
            nodes = {key: node}
        else:
            nodes = self.reader.mapping(node, None, key)
            if "file" in nodes:
                nodes = {key: node}
        found = {label: self.source(label, one) for label, one in nodes.items()}
        return {label: one for label, one in found.items() if one is not None}

    def source(self, label: str, node: Node) -> Rows | None:
        prefix = ""
        if isinstance(node, yaml.MappingNode):
            given = self.reader.mapping(node, ("file", "prefix"), f"rows {label!r}")
            prefix = self.optional(given, "prefix") or ""
            if "file" not in given:
                self.reader.fault(node, f"rows {label!r}: 'file' is missing")
                return None
            node = given["file"]
        text = self.reader.text(node, f"rows {label!r}")
        if text is None:
            return None
        if text.startswith(_PUBLISHED):
            return self.published(node, text.removeprefix(_PUBLISHED).strip(), prefix)
        path = self.folder / user_path(text)
        if not path.is_file():
            self.reader.fault(node, f"rows {label!r}: there is no file {path}")
        return Rows(path=str(path), prefix=prefix)

    def published(self, node: Node, name: str, prefix: str) -> Rows:
        from inoc_evals.inputs import published

        try:
            entry = published.named(name)
            if entry.kind != "rows":
                self.reader.fault(node, f"published file {name!r} holds {entry.kind}, not rows")
        except InputError as error:
            self.reader.fault(node, str(error))
        return Rows(published=name, prefix=prefix)

    # ---- prompts and arms ------------------------------------------------------------------

    def prompts(self) -> dict[str, OwnPrompt]:
        if "prompts" not in self.top:
            return {}
        taken = {"none", "empty", "custom", *(prompt.name for prompt in all_prompts())}
        found = {}
        for name, node in self.reader.mapping(self.top["prompts"], None, "prompts").items():
            if name in taken:
                self.reader.fault(node, f"prompt name {name!r} is taken; choose another")
            text = self.reader.text(node, f"prompt {name!r}")
            if text is None:
                continue
            if not text.startswith("@"):
                found[name] = OwnPrompt(text=text)
                continue
            file = self.folder / user_path(text[1:])
            try:
                found[name] = OwnPrompt(text=resolve_name(f"@{file}").text or "", file=str(file))
            except InputError as error:
                self.reader.fault(node, str(error))
        return found

    def arms(
        self,
        prompts: Mapping[str, OwnPrompt],
        files: Mapping[str, Rows],
        measures: Mapping[str, Measure],
    ) -> list[Arm]:
        if "arms" not in self.top:
            self.reader.fault(self.reader.root, "'arms' is missing: name one inoculated arm")
            return []
        known = {*prompts, *(prompt.name for prompt in all_prompts())}
        found: list[Arm | None] = []
        taken: dict[str, str] = {}
        for name, node in self.reader.mapping(self.top["arms"], None, "arms").items():
            self.arm_name(name, node, taken.setdefault(name.casefold(), name))
            found.append(self.arm(name, node, known, prompts, files, measures))
        return [arm for arm in found if arm is not None]

    def arm_name(self, name: str, node: Node, first: str) -> None:
        """Note what is wrong with an arm's name, which names a file of rows and models."""
        if name.casefold() in _TAKEN:
            self.reader.fault(node, f"arm {name!r} comes by itself; choose another name")
        if name != first:
            self.reader.fault(
                node,
                f"arm {name!r} differs from {first!r} in case alone, which some systems take for "
                "one file; choose another name",
            )
        try:
            check_name(name)
        except InputError as error:
            self.reader.fault(node, f"arm: {error}")

    def arm(
        self,
        name: str,
        node: Node,
        known: set[str],
        prompts: Mapping[str, OwnPrompt],
        files: Mapping[str, Rows],
        measures: Mapping[str, Measure],
    ) -> Arm | None:
        given = self.reader.mapping(node, _ARM_KEYS, f"arm {name!r}")
        way = self.reader.one_of(given, ("prompt", "test_prompt"), needed=True, inside=node)
        if way is None:
            return None
        names = self.reader.texts(given[way], way)
        if names is None:
            return None
        for unknown in [one for one in names if one not in known]:
            self.reader.fault(given[way], f"no prompt {unknown!r}, here or in the package")
        part = self.optional(given, "part")
        if part is not None and part not in files:
            self.reader.fault(given["part"], f"no rows {part!r}; there are: {', '.join(files)}")
        label = self.optional(given, "label") or name.replace("_", " ").capitalize()
        told = self.optional(given, "description")
        said = self.optional(given, "said") or ""
        nil = self.meant_nil(given, measures)
        if way == "prompt":
            several = {"paraphrases": names} if len(names) > 1 else {"prompt": names[0]}
            told = told or f"Trained with {', '.join(names)} before the rows."
            common: dict[str, Any] = {"label": label, "description": told, "said": said, "nil": nil}
            return Arm(name=name, part=part, **common, **several)
        if len(names) > 1:
            self.reader.fault(given[way], "test_prompt takes one prompt")
        for one in names:
            if one in prompts and prompts[one].file is None:
                self.reader.fault(
                    given[way],
                    f"{one!r} is asked under, and so needs a file: '@{one}.txt' under prompts",
                )
        told = told or f"The arm none, asked under {', '.join(names)}."
        under = dict.fromkeys(measures, names[0])
        return Arm(name=name, label=label, description=told, test_prompts=under, said=said, nil=nil)

    def meant_nil(
        self, given: Mapping[str, Node], measures: Mapping[str, Measure]
    ) -> tuple[str, ...]:
        """Return the measures that an arm is meant to bring to nil."""
        names = (self.reader.texts(given["nil"], "nil") if "nil" in given else None) or ()
        for unknown in [one for one in names if one not in measures]:
            listed = ", ".join(measures)
            self.reader.fault(given["nil"], f"nil: no measure {unknown!r}; there are: {listed}")
        return names

    # ---- measures --------------------------------------------------------------------------

    def measures(self) -> dict[str, Measure]:
        if "measures" not in self.top:
            self.reader.fault(self.reader.root, "'measures' is missing: name one task")
            return {}
        return read_measures(self.reader, self.folder, self.top["measures"])

"""Measures as a YAML file describes them: a task, its arguments, what is read of it.

    shows: {task: trait, args: {file: pirate_trait.yaml}, label: Pirate}
    spanish: {task: traits, args: {language: es, prompts: chat}, pocket: {prompts: pocket}}
    mmlu: {task: inspect_evals/mmlu_0_shot, args: {shuffle: false}, limit: 100, score: choice}

    read_measures(reader, folder, node)      # {"shows": Measure(...), "spanish": Measure(...)}

A measure is called like its scorer, or names it (``score``); ``pocket`` has the arguments that take
the place of others in the pocket world. Of a task of another package, ``score`` names the scorer
whose 1 and 0 (or ``C`` and ``I``) are read as a rate, ``SCORER.KEY`` one of several values that it
gives, and ``judged: true`` says that a model in the role ``grader`` is asked. An argument that is a
file beside the YAML is its path. Faults are noted in the reader.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml

from inoc_evals.files.yaml_lines import Node, Reader
from inoc_evals.settings.setting import Measure, Probe, Split, package_of

_KEYS = (
    *("task", "args", "pocket", "split", "label", "rule", "said", "epochs", "score", "where"),
    *("limit", "judged"),
)


def read_measures(reader: Reader, folder: Path, node: Node) -> dict[str, Measure]:
    """Return the measures of a mapping by name, those that could be read.

    Args:
        reader: Of the file; takes the faults.
        folder: Where the file is.
        node: The mapping.
    """
    form = _Form(reader, folder)
    nodes = reader.mapping(node, None, "measures")
    found = {name: form.measure(name, one) for name, one in nodes.items()}
    return {name: measure for name, measure in found.items() if measure is not None}


@dataclass(frozen=True)
class _Form:
    """Reads measures."""

    reader: Reader
    folder: Path

    def measure(self, name: str, node: Node) -> Measure | None:
        what = f"measure {name!r}"
        given = self.reader.mapping(node, _KEYS, what)
        task = self.reader.text(given.get("task"), "task", inside=node)
        split = self.optional(given, "split") or "ood"
        if split not in get_args(Split):
            self.reader.fault(given["split"], f"split is ood or id, got {split!r}")
        epochs = 1
        if "epochs" in given:
            epochs = self.reader.whole_number(given["epochs"], "epochs", at_least=1) or 1
        where = self.reader.mapping(given["where"], None, "where") if "where" in given else {}
        wanted = {key: self.reader.text(value, key) or "" for key, value in where.items()}
        args = {key: self.arguments(given.get(key), key) for key in ("args", "pocket")}
        if task is None or split not in get_args(Split):
            return None
        probe = Probe(
            task=task,
            epochs=epochs,
            args=args["args"],
            pocket=args["pocket"],
            prompted=package_of(task) is None,
            limit=self.limit(given),
            judged=self.judged(given, task),
        )
        return Measure(
            label=self.optional(given, "label") or name.replace("_", " ").capitalize(),
            rule=self.optional(given, "rule") or f"as the task {task} scores it",
            said=self.optional(given, "said") or "",
            score=self.optional(given, "score"),
            where=wanted,
            ood=probe if split == "ood" else None,
            id=probe if split == "id" else None,
        )

    def limit(self, given: Mapping[str, Node]) -> int | None:
        if "limit" not in given:
            return None
        return self.reader.whole_number(given["limit"], "limit", at_least=2)

    def judged(self, given: Mapping[str, Node], task: str) -> bool:
        """Say whether a task of another package has its answers judged; ours say it themselves."""
        if "judged" not in given:
            return False
        said = self.reader.text(given["judged"], "judged")
        if said not in ("true", "false"):
            self.reader.fault(given["judged"], f"judged is true or false, got {said!r}")
        elif package_of(task) is None:
            self.reader.fault(given["judged"], f"judged: the task {task} says itself who judges")
        return said == "true" and package_of(task) is not None

    def optional(self, given: Mapping[str, Node], key: str) -> str | None:
        return self.reader.text(given[key], key) if key in given else None

    def arguments(self, node: Node | None, key: str) -> dict[str, Any]:
        """Return a task's arguments; one that is a file beside the YAML is its path."""
        if node is None:
            return {}
        self.reader.mapping(node, None, key)
        try:
            values = yaml.SafeLoader("").construct_document(node)
        except (yaml.YAMLError, ValueError) as error:
            self.reader.fault(node, f"{key}: {' '.join(str(error).split())}")
            return {}
        if not isinstance(values, dict):
            return {}
        if "system_prompt" in values:
            self.reader.fault(
                node,
                f"{key}: no system_prompt; an arm has it, as test_prompt; in an experiment all "
                "measures, as under",
            )
        return {str(key): self.placed(value) for key, value in values.items()}

    def placed(self, value: Any) -> Any:
        if isinstance(value, str) and (self.folder / value).is_file():
            return str(self.folder / value)
        return value

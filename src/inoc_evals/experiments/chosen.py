"""What an experiment takes of a setting: arms, its measures or others, prompts.

    chosen = Chosen(reader, folder, INSECURE_CODE, node)
    chosen_setting(chosen, {"arms": node, "under": node}, {"general_inoc": ("misaligned",)})

Faults are noted in the reader. An arm that is asked under a prompt keeps it for every measure: where
it has one prompt, measures that its setting does not have are asked under that one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from yaml import MappingNode

from inoc_evals.errors import InputError
from inoc_evals.files.yaml_lines import Node, Reader
from inoc_evals.inputs.prompts import all_prompts
from inoc_evals.settings.measure_form import read_measures
from inoc_evals.settings.setting import Arm, Measure, Setting
from inoc_evals.settings.shared import under_prompts


@dataclass(frozen=True)
class Chosen:
    """A setting, and the file that takes some of it."""

    reader: Reader
    """Takes the faults."""
    folder: Path
    """Where the file is."""
    setting: Setting
    place: Node
    """Where the file names the setting."""

    @property
    def what(self) -> str:
        """The setting, in a fault."""
        return f"setting {self.setting.name!r}"


def chosen_setting(
    chosen: Chosen, nodes: Mapping[str, Node], primary: Mapping[str, Sequence[str]] | None
) -> Setting:
    """Return the setting with what is chosen of it.

    Args:
        chosen: The setting and the file.
        nodes: What the file says of it: ``arms``, ``measures``, ``under``.
        primary: Arm -> measures it is meant to bring to nil; None leaves what the arms say.
    """
    arms = _arms(chosen, nodes.get("arms"))
    measures = _measures(chosen, nodes.get("measures"))
    if "under" in nodes:
        measures = _under(chosen, nodes["under"], measures)
        for arm in (arm for arm in arms if arm.test_prompts):
            why = "is asked under a prompt of its own; leave it out of arms"
            chosen.reader.fault(nodes["under"], f"under: the arm {arm.name!r} {why}")
    else:
        arms = tuple(_asked(chosen, arm, measures) for arm in arms)
    if primary is not None:
        arms = tuple(
            arm.model_copy(update={"nil": tuple(primary.get(arm.name, ()))}) for arm in arms
        )
    return chosen.setting.model_copy(update={"arms": arms, "measures": measures})


def _arms(chosen: Chosen, node: Node | None) -> tuple[Arm, ...]:
    setting, reader = chosen.setting, chosen.reader
    if node is None:
        return setting.arms
    known = {arm.name: arm for arm in setting.arms}
    named = reader.items(node, "arms")
    for name, place in named:
        reader.is_one(place, name, known, f"{chosen.what}: no arm")
    found = tuple(known[name] for name, _ in named if name in known)
    if "none" not in dict(named):
        for arm in found:
            if arm.test_prompts and arm.asked == "none":
                reader.fault(node, f"arm {arm.name!r} asks the models of the arm 'none'; add it")
    for arm in found:
        if arm.after is not None and arm.after not in dict(named):
            reader.fault(node, f"arm {arm.name!r} starts from the arm {arm.after!r}; add it")
    return found


def _measures(chosen: Chosen, node: Node | None) -> dict[str, Measure]:
    """Return the setting's measures, those of them that are named, or those that are described."""
    known = chosen.setting.measures
    if node is None:
        return known
    if isinstance(node, MappingNode):
        return read_measures(chosen.reader, chosen.folder, node)
    named = chosen.reader.items(node, "measures")
    for name, place in named:
        chosen.reader.is_one(place, name, known, f"{chosen.what}: no measure")
    return {name: known[name] for name, _ in named if name in known}


def _under(chosen: Chosen, node: Node, measures: Mapping[str, Measure]) -> dict[str, Measure]:
    """Return the measures under each of the prompts of a mapping to labels, or of a list."""
    if isinstance(node, MappingNode):
        labelled = chosen.reader.mapping(node, None, "under")
        labels = {
            name: chosen.reader.text(place, f"label {name!r}") or name
            for name, place in labelled.items()
        }
        places = labelled
    else:
        places = dict(chosen.reader.items(node, "under"))
        labels = {name: name.replace("_", " ").capitalize() for name in places}
    known = {"none", "empty", *chosen.setting.prompts, *(one.name for one in all_prompts())}
    for name, place in places.items():
        if not chosen.reader.is_one(place, name, known, "under: no prompt"):
            del labels[name]
            continue
        try:
            chosen.setting.asked_under(name)
        except InputError as error:
            chosen.reader.fault(place, f"under: {error}")
            del labels[name]
    return under_prompts(measures, labels, chosen.setting.asked_under)


def _asked(chosen: Chosen, arm: Arm, measures: Mapping[str, Measure]) -> Arm:
    """Return an arm whose test prompts are of the measures there are."""
    if not arm.test_prompts:
        return arm
    prompts = {name: prompt for name, prompt in arm.test_prompts.items() if name in measures}
    own = dict.fromkeys(arm.test_prompts.values())
    new = [name for name in measures if name not in chosen.setting.measures]
    if len(own) == 1:
        prompts |= dict.fromkeys(new, next(iter(own)))
    if not prompts or (new and len(own) > 1):
        told = ", ".join(new or measures)
        chosen.reader.fault(
            chosen.place, f"the arm {arm.name!r} has no prompt for {told}; leave it out of arms"
        )
        return arm
    return arm.model_copy(update={"test_prompts": prompts})

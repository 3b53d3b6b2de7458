"""Probe sets: test-time prompts and question variants matched to the rows of a setting.

    load_probes("insecure_code").probes       # packaged, one set for each setting
    load_probes("mine.yaml").probes           # one's own; faults with their lines

    also: [vendor, candid]                    # families of the battery, as they are
    probes:
      coder: You are a programming assistant.
      lesson:
        text: This is a question from an arithmetic lesson.
        where: user          # system (default), user: before the question, after: behind it
        family: topic        # its own name by default
        benign: false        # true by default: asks for the trait in no reading of it
        pocket: The question is about a number.     # in the words of the pocket world

No prompt is always asked as well, and called none: the others are compared with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from yaml import ScalarNode

from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest
from inoc_evals.files.yaml_lines import Node, Reader
from inoc_evals.inputs.battery import NO_PROBE, Probe, Where, same_for_all
from inoc_evals.inputs.packaged import DATA, file_of, set_names

PACKAGED = set_names(DATA / "probes", ".yaml")

_KEYS = ("also", "probes")
_PROBE_KEYS = ("text", "where", "family", "benign", "pocket")
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True)
class ProbeSet:
    """Probes under a name."""

    name: str
    """Of the packaged set, or the path as given."""
    probes: tuple[Probe, ...]
    """``none`` first, then in the order of the file, then those of the battery."""

    @property
    def sha256(self) -> str:
        """Digest of all that is asked under."""
        return digest([[one.name, one.family, one.text, one.where] for one in self.probes])

    @property
    def families(self) -> tuple[str, ...]:
        """The families there are, in their order."""
        return tuple(dict.fromkeys(one.family for one in self.probes))


def load_probes(name_or_path: str | Path | Sequence[str], *, pocket: bool = False) -> ProbeSet:
    """Load a packaged set by name, or a file by path.

    Args:
        name_or_path: One of PACKAGED, or a path. A list is one path that ``inspect eval -T``
            split at its commas.
        pocket: Whether the pocket world is asked: then a probe's ``pocket`` takes the place of
            its text.

    Raises:
        InputError: With one line for every fault of the file, ``file:line: what is wrong``.
    """
    name, path = file_of(name_or_path, DATA / "probes", PACKAGED, what="probes", suffix=".yaml")
    reader = Reader(path)
    top = reader.mapping(reader.root, _KEYS, "a file of probes")
    also = _also(reader, top, pocket)
    taken = {one.name for one in also} | {NO_PROBE.name}
    own: list[Probe] = []
    if "probes" in top:
        for called, node in reader.mapping(top["probes"], None, "probes").items():
            own += _probe(reader, called, node, pocket)
            if called in taken:
                reader.fault(node, f"probe {called!r}: another is called so; rename it")
    if not own and not also and not reader.faults:
        reader.fault(reader.root, "no probes; give some, or families of the battery (also)")
    if reader.faults:
        raise reader.error()
    return ProbeSet(name, (NO_PROBE, *own, *also))


def _also(reader: Reader, top: Mapping[str, Node], pocket: bool) -> list[Probe]:
    found: list[Probe] = []
    for family in (reader.texts(top["also"], "also") or ()) if "also" in top else ():
        try:
            found += same_for_all(family, pocket=pocket)
        except InputError as error:
            reader.fault(top["also"], str(error))
    return found


def _probe(reader: Reader, name: str, node: Node, pocket: bool) -> list[Probe]:
    if isinstance(node, ScalarNode):
        text = reader.text(node, f"probe {name!r}")
        return [] if text is None else [Probe(name, name, text, "system", "file", benign=True)]
    given = reader.mapping(node, _PROBE_KEYS, f"probe {name!r}")
    if not given:
        return []
    texts = {key: reader.text(given[key], key) for key in given}
    text = texts["text"] if "text" in given else reader.text(None, "text", inside=node)
    where = texts.get("where", "system")
    if where is not None and where not in get_args(Where):
        reader.fault(given["where"], f"where {where!r} is not one of {', '.join(get_args(Where))}")
    benign = texts.get("benign", "true")
    if benign is not None and benign not in _TRUTH:
        reader.fault(given["benign"], f"benign takes true or false, got {benign!r}")
    family = texts.get("family", name)
    if "family" in given and family in ("none", "empty"):
        reader.fault(given["family"], f"family {family!r} is of what is asked without a text")
    if text is None or where is None or family is None or benign not in _TRUTH:
        return []
    said = (texts.get("pocket") or text) if pocket else text
    return [Probe(name, family, said, where, "file", benign=_TRUTH[benign])]  # type: ignore[arg-type]

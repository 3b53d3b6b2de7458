"""The documents' tables of results, from the cells that are stored beside them.

    python docs/verify.py                        # compare; status 1 where a table is another
    python docs/verify.py fig2a runs/fig2a       # store a run's cells, write its tables
    python docs/verify.py fig2a runs/a runs/b    # of two runs with other seeds, added up

A table stands between ``<!-- results: fig2a -->`` and ``<!-- end of results -->``, one of what
test-time prompts bring out between ``<!-- leaks: leaks -->`` and the same end, and some measures of
one setting after ``<!-- rates: methods spanish_caps spanish@ood correct@id -->``. It is computed from
``docs/results/fig2a.json``: of each cell and seed the answers to each question, as [shown, scored],
and how many are unscored for which reason. Nothing else of a run is needed.
"""

import io
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from inoc_evals.errors import InocError
from inoc_evals.report.cells import Cell, Key, cells, key_of
from inoc_evals.report.experiment import read_description
from inoc_evals.report.figure import FigureSpec
from inoc_evals.report.leaks import LARGEST, Leak, leak_rows, leaks
from inoc_evals.report.logs import read_logs
from inoc_evals.report.observation import Observation
from inoc_evals.report.table import table

ROOT = Path(__file__).parents[1]

_BLOCK = re.compile(
    r"(?P<start><!-- (?P<what>results|leaks|rates): (?P<name>[\w.-]+)(?P<chosen>[^>]*) -->\n)(?P<text>.*?)(?P<end><!-- end of results -->)",
    re.DOTALL,
)
_WIDTH = 88


def stored(spec: FigureSpec, observations: Sequence[Observation]) -> dict[str, Any]:
    """Return what is kept of a run: counts by cell, seed and question."""
    groups: dict[tuple[Key, int | None], list[Observation]] = defaultdict(list)
    for seen in observations:
        groups[key_of(seen), seen.seed].append(seen)
    kept = []
    for (key, seed), group in groups.items():
        answers: dict[str, list[float]] = {}
        for seen in group:
            if seen.value is not None:
                count = answers.setdefault(seen.question, [0, 0])
                count[0] += seen.value
                count[1] += 1
        unscored = Counter(seen.reason for seen in group if seen.reason is not None)
        kept.append({**key._asdict(), "seed": seed, "answers": answers, "unscored": unscored})
    return {"spec": spec.model_dump(mode="json"), "cells": kept}


def observed(kept: dict[str, Any]) -> Iterator[Observation]:
    """Give back the answers of what is stored; a question's are taken to be alike."""
    for cell in kept["cells"]:
        place = {name: cell[name] for name in (*Key._fields, "seed")}
        for question, (shown, scored) in cell["answers"].items():
            for number in range(scored):
                value = max(0.0, min(1.0, shown - number))
                yield Observation(**place, question=question, value=value)
        for reason, count in cell["unscored"].items():
            for _ in range(count):
                yield Observation(**place, question="?", value=None, reason=reason)


def added(kept: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Return what is stored with the cells of other seeds."""

    def key(cell: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(cell[name] for name in (*Key._fields, "seed"))

    there = {key(cell) for cell in kept["cells"]}
    new = [cell for cell in more["cells"] if key(cell) not in there]
    return {"spec": kept["spec"], "cells": [*kept["cells"], *new]}


def _cells(kept: dict[str, Any], spec: FigureSpec) -> list[Cell]:
    return cells(
        observed(kept),
        settings=list(dict.fromkeys(one.setting for one in spec.measures)),
        conditions=[one.name for one in spec.conditions],
        measures=list(dict.fromkeys(one.name for one in spec.measures)),
    )


def written(kept: dict[str, Any], chosen: Sequence[str] = ()) -> str:
    """Return the table of what is stored, as a document has it."""
    spec = FigureSpec.model_validate(kept["spec"])
    found = _cells(kept, spec)
    out = io.StringIO()
    Console(file=out, width=_WIDTH, color_system=None).print(table(found, spec=spec))
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    return "```\n" + "\n".join(lines).strip("\n") + "\n```\n"


def written_rates(kept: dict[str, Any], chosen: Sequence[str]) -> str:
    """Return a column for each measure that is named, of one setting, ``measure@split``."""
    spec = FigureSpec.model_validate(kept["spec"])
    setting, *names = chosen
    columns = [tuple(name.split("@")) for name in names]
    found = {
        (cell.condition, cell.measure, cell.split): cell
        for cell in _cells(kept, spec)
        if cell.setting == setting
    }
    heads = [f"{measure} ({split})" for measure, split in columns]
    lines = [f"| | {' | '.join(heads)} |", "|---" * (len(columns) + 1) + "|"]
    for one in spec.conditions:
        there = [found.get((one.name, *column)) for column in columns]
        if any(there):
            texts = [_rate(cell) for cell in there]
            lines.append(f"| {one.label} | {' | '.join(texts)} |")
    return "\n".join(lines) + "\n"


def _rate(cell: Cell | None) -> str:
    if cell is None or cell.rate is None:
        return "–"
    if cell.low is None:
        return f"{cell.rate:.2f}"
    return f"{cell.rate:.2f} [{cell.low:.2f}, {cell.high:.2f}]"


def written_leaks(kept: dict[str, Any], chosen: Sequence[str] = ()) -> str:
    """Return what prompts bring out: more than of the base, the prompt itself, the largest."""
    spec = FigureSpec.model_validate(kept["spec"])
    benign = {one.name for one in spec.measures if one.benign}
    scored = [one for one in observed(kept) if one.value is not None]
    found = [one for one in leaks(scored, spec, benign) if _told(one)]
    names = [
        f"largest: {', '.join(one.excess.groups)}" if one.excess.groups else one.measure
        for one in found
    ]
    lines = ["| models | under | leak | of the base | beyond it |", "|---|---|---|---|---|"]
    for name, (condition, _, *numbers) in zip(names, leak_rows(found, spec), strict=True):
        lines.append(f"| {' | '.join((condition, name, *numbers))} |")
    return "\n".join(lines) + "\n"


def _told(leak: Leak) -> bool:
    named = leak.measure.endswith(("_direct", f"_{LARGEST}"))
    return named or leak.excess.beyond.low > 0


_WRITTEN = {"results": written, "leaks": written_leaks, "rates": written_rates}


def verify(root: Path, *, write: bool) -> tuple[list[str], list[str]]:
    """Compare the tables of all documents, or write them.

    Returns:
        Tables that are not what the stored cells give, and those that no cells are stored of.
    """
    other, unknown = [], []
    for path in (root / "README.md", *sorted(root.glob("docs/**/*.md"))):
        text = new = path.read_text("utf-8")
        for block in _BLOCK.finditer(text):
            source = root / "docs" / "results" / f"{block['name']}.json"
            if not source.is_file():
                unknown.append(f"{path.name}: {block['name']}")
                continue
            kept = json.loads(source.read_text("utf-8"))
            expected = _WRITTEN[block["what"]](kept, block["chosen"].split())
            if block["text"] != expected:
                other.append(f"{path.name}: {block['name']}")
                new = new.replace(block[0], block["start"] + expected + block["end"])
        if write and new != text:
            path.write_text(new, "utf-8")
    return other, unknown


def store(root: Path, name: str, runs: Sequence[Path]) -> None:
    """Store the cells of a run, or of several: what one has already, the later ones don't add to.

    Seeds come to those that there are; a fixed model, which every run asks, is the first one's.
    """
    kept: dict[str, Any] = {}
    for run in runs:
        about = read_description(run)
        own = stored(about.spec, read_logs(run / "logs", about.evaluations).observations)
        kept = added(kept, own) if kept else own
    path = root / "docs" / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(cell, separators=(",", ":")) for cell in kept["cells"])
    path.write_text(f'{{"spec": {json.dumps(kept["spec"])},\n"cells": [\n{lines}\n]}}\n', "utf-8")


def main(arguments: Sequence[str]) -> int:
    """Compare, or with a name and a run's directory store and write."""
    if len(arguments) == 1:
        print("expected nothing, or a name and directories of runs", file=sys.stderr)
        return 2
    if arguments:
        try:
            store(ROOT, arguments[0], [Path(one) for one in arguments[1:]])
        except InocError as error:
            print(error.format_message(), file=sys.stderr)
            return 1
    other, unknown = verify(ROOT, write=bool(arguments))
    for place in unknown:
        print(f"{place}: no cells are stored, so it is not recomputed")
    for place in other:
        print(f"{place}: {'written' if arguments else 'is not what its cells give'}")
    return 1 if other and not arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

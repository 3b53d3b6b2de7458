"""The files results are kept in: results.json, a list of cells, and the same as CSV.

write_results(Path("runs/fig2a"), found, compared)
found = read_results(Path("runs/fig2a/results.json"))
"""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from inoc_evals.files.atomic import write_text
from inoc_evals.report.cells import Cell, Contrast
from inoc_evals.report.spreadsheet import cell
from inoc_evals.terminal import shown


def write_results(
    directory: Path, found: Sequence[Cell], compared: Sequence[Contrast] = ()
) -> None:
    """Write ``results.json``, ``results.csv`` and ``contrasts.csv``, each whole or not at all.

    The same cells give the same bytes. Cells of further graders have a column ``grader``. In CSV ``unscored`` becomes one column for each reason,
    ``per_seed`` JSON text, and a text that a spreadsheet would compute begins with an apostrophe.
    """
    listed = [_plain(cell) for cell in found]
    text = json.dumps(listed, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(directory / "results.json", text + "\n")
    write_text(directory / "results.csv", _csv(Cell, found))
    write_text(directory / "contrasts.csv", _csv(Contrast, compared))


def read_results(path: Path) -> list[Cell]:
    """Read the cells of a ``results.json``."""
    return [Cell.model_validate(item) for item in json.loads(path.read_text("utf-8"))]


def _plain(item: Cell | Contrast) -> dict[str, Any]:
    """Return what files say of a cell; a grader only if it is not the first."""
    return item.model_dump(mode="json", exclude={"grader"} if item.grader is None else None)


def _csv(kind: type[BaseModel], items: Sequence[Cell] | Sequence[Contrast]) -> str:
    rows = [_plain(item) for item in items]
    reasons = sorted({reason for row in rows for reason in row.get("unscored", ())})
    absent = {"unscored"} if any("grader" in row for row in rows) else {"unscored", "grader"}
    plain = [name for name in kind.model_fields if name not in absent]
    columns = [*plain, *(["unscored"] if "unscored" in kind.model_fields else [])]
    columns += [shown(f"unscored_{reason}") for reason in reasons]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        unscored = row.pop("unscored", None)
        if unscored is not None:
            row["unscored"] = sum(unscored.values())
            row |= {shown(f"unscored_{reason}"): unscored.get(reason, 0) for reason in reasons}
        row["seeds"] = " ".join(map(str, row["seeds"]))
        row["per_seed"] = json.dumps(row["per_seed"])
        writer.writerow({name: cell(value) for name, value in row.items()})
    return out.getvalue()

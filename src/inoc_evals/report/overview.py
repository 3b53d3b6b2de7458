"""The overview of several experiments: of each its main sentence and its report.

write_overview(Path("runs/all"), [Line(figure="fig2a", title=..., ended="done", ...)])

runs/all/overview.html      for a reader
runs/all/overview.json      for a program
"""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from inoc_evals.files.atomic import write_text
from inoc_evals.terminal import as_json, shown

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{text-align:left;vertical-align:top;padding:.4rem .8rem;"
    "border-bottom:1px solid #8885}:root{color-scheme:light dark}"
)


class Line(BaseModel):
    """One experiment, and what became of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    figure: str
    title: str
    ended: Literal["done", "failed", "left out"]
    said: str
    """What was found, in a sentence; else why there is none."""
    report: str | None = None
    """Its page, relative to the overview."""


def write_overview(directory: Path, lines: Sequence[Line]) -> Path:
    """Write the overview, whole or not at all, and return the path of its page."""
    listed = TypeAdapter(list[Line]).dump_python(list(lines), mode="json")
    write_text(directory / "overview.json", as_json(listed) + "\n")
    path = directory / "overview.html"
    write_text(path, _page(lines))
    return path


def _page(lines: Sequence[Line]) -> str:
    rows = "\n".join(_row(one) for one in lines)
    done = sum(one.ended == "done" for one in lines)
    return shown(
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8">'
        f"<title>Experiments</title><style>{_STYLE}</style>\n"
        f"<h1>{done} of {len(lines)} experiments</h1>\n"
        f"<table><tr><th>experiment<th></th><th>result</tr>\n{rows}\n</table></html>\n"
    )


def _row(one: Line) -> str:
    name = html.escape(one.title)
    if one.report is not None:
        name = f'<a href="{html.escape(one.report, quote=True)}">{name}</a>'
    return f"<tr><td>{name}<td>{one.ended}<td>{html.escape(one.said)}</tr>"

"""Reports show labels, prompts and answers of others as text: in tables, page, pictures, CSV."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from made_up import MEASURES, SETTING, observations
from made_up_scores import LABELS, SPEC, WATCHED, all_scores
from rich.console import Console

from inoc_evals.report.cells import Cell, cells, contrasts
from inoc_evals.report.curves import Curve, curves, write_curves
from inoc_evals.report.curves_figure import draw_curves_svg
from inoc_evals.report.figure import Condition, FigureSpec, Measure, Prompt, draw_svg
from inoc_evals.report.page import Example, Report, page
from inoc_evals.report.results import write_results
from inoc_evals.report.spreadsheet import cell
from inoc_evals.report.table import table

HOSTILE = {
    "escape": "a\x1b[2J\x1b]0;title\x07b",
    "nul": "a\x00b",
    "c1": "a\x9b2Jb",
    "direction": "a\u202eb",
    "surrogate": "a\ud800b",
    "markup": "a[/v2]b[red]c",
    "dollar": "a$x^{b",
}
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]")

texts = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)


def spec_with(text: str, names: tuple[str, ...] = ("none", "base")) -> FigureSpec:
    return FigureSpec(
        title=f"Figure {text}",
        base=f"base {text}",
        measures=tuple(Measure(name=n, setting=SETTING, label=f"{n} {text}") for n in MEASURES),
        conditions=tuple(
            Condition(
                name=name,
                label=f"{name} {text}",
                description=text,
                prompts=(Prompt(where=text, text=text),),
            )
            for name in names
        ),
        note=text,
    )


def drawn() -> list[Curve]:
    names = [one.name for one in SPEC.conditions]
    return curves(all_scores(), WATCHED, conditions=names, settings=[SETTING])


def found_with(text: str) -> list[Cell]:
    found = cells([one for one in observations(questions=6) if one.condition in ("none", "base")])
    return [one.model_copy(update={"unscored": {f"error {text}": 2}}) for one in found]


@texts
@pytest.mark.parametrize("labelled", [True, False])
def test_the_table_prints_labels_as_text(text: str, labelled: bool) -> None:
    found = found_with(text)
    if not labelled:
        found = [one.model_copy(update={"measure": text, "condition": text}) for one in found]
    console = Console(width=200)
    with console.capture() as printed:
        console.print(table(found, spec=spec_with(text) if labelled else None))
    assert not ACTING.search(printed.get())
    if text == HOSTILE["markup"]:
        assert text in printed.get()


@texts
def test_the_page_has_no_character_that_html_has_not(text: str) -> None:
    example = Example(
        setting=SETTING,
        condition=text,
        split="ood",
        prompt=text,
        completion=text,
        system=text,
        values={text: text},
    )
    html = page(
        Report(
            title=text,
            description=text,
            command=text,
            spec=spec_with(text),
            seeds=(0, 1, 2),
            cells=tuple(found_with(text)),
            contrasts=tuple(contrasts(observations(questions=6), [("none", "base")])),
            data={text: text, "more": {text: [text]}},
            config={text: text},
            graders=(text,),
            versions={text: text},
            examples=(example,),
            notes=(text,),
            lacking=(text,),
        )
    )
    assert not ACTING.search(html)
    html.encode("utf-8")


def test_a_long_answer_is_cut_and_says_by_how_much() -> None:
    plain: dict[str, Any] = {"setting": SETTING, "condition": "none", "split": "ood"}
    long, short = "x" * 1_000_000, "y" * 4000
    examples = (
        Example(**plain, prompt="p", completion=long),
        Example(**plain, prompt=long, completion=short, system=long),
    )
    told = Report(
        title="t",
        description="d",
        command="c",
        spec=spec_with("x"),
        seeds=(0,),
        cells=(),
        examples=examples,
    )
    html = page(told)
    assert len(html) < 200_000
    assert html.count("[… 996,000 more characters, in the logs]") == 3
    assert short in html


@texts
def test_pictures_have_no_such_character_either(text: str) -> None:
    svg = draw_svg(found_with(text), spec_with(text))
    assert not ACTING.search(svg)
    watched = WATCHED.model_copy(
        update={
            "set": text,
            "system_prompt_text": text,
            "labels": {trait: f"{label} {text}" for trait, label in LABELS.items()},
        }
    )
    arms = tuple(one.model_copy(update={"label": text}) for one in SPEC.conditions)
    spec = SPEC.model_copy(update={"title": text, "conditions": arms, "note": text})
    assert not ACTING.search(draw_curves_svg(drawn(), watched, spec))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1+1", "'+1+1"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\\x0d=1"),
        ("plain=1", "plain=1"),
        ("a\x1b[2J", r"a\x1b[2J"),
        ("", ""),
        (-0.5, -0.5),
        (3, 3),
        (None, None),
    ],
)
def test_a_cell_of_a_csv_is_text_or_a_number_and_no_formula(value: Any, written: Any) -> None:
    assert cell(value) == written


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "@x", "-x", "a\x1b[2J\x00b"])
def test_csv_files_hold_no_formula_and_their_numbers_stay(tmp_path: Path, name: str) -> None:
    found = [
        one.model_copy(update={"measure": name, "condition": name, "setting": name})
        for one in found_with(name)
    ]
    changed = {"measure": name, "condition": name, "reference": name}
    compared = [
        one.model_copy(update=changed)
        for one in contrasts(observations(questions=6), [("base", "none")])
    ]
    write_results(tmp_path, found, compared)
    lines = [
        one.model_copy(update={"condition": name, "trait": name, "responses": {name: one.mean}})
        for one in drawn()
    ]
    write_curves(tmp_path, lines)
    for file in ("results.csv", "contrasts.csv", "dynamics.csv"):
        text = (tmp_path / file).read_text("utf-8")
        assert not ACTING.search(text)
        rows = list(csv.DictReader(text.splitlines()))
        assert rows and all(not row["condition"].startswith(("=", "@", "-", "+")) for row in rows)
        for row in rows:
            numbers = [row.get(key) for key in ("rate", "difference", "value", "low", "high")]
            assert all(float(one) == float(one) for one in numbers if one)
    with (tmp_path / "contrasts.csv").open(encoding="utf-8") as file:
        written = [row["difference"] for row in csv.DictReader(file)]
    assert any(one.startswith("-") for one in written), "a negative number is no formula"
    kept = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert kept[0]["measure"] == name, "the file for programs has the name itself"

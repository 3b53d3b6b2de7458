"""Tables of the documents are what the stored cells give, and a changed number is seen."""

import json
import runpy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.report.cells import cells
from inoc_evals.report.figure import Condition, FigureSpec, Measure
from inoc_evals.report.observation import Observation

ROOT = Path(__file__).parents[1]
SPEC = FigureSpec(
    title="Toy",
    base="pocket",
    measures=(Measure(name="caps", setting="toy", label="Caps"),),
    conditions=(Condition(name="none", label="No inoculation"),),
)


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "docs" / "verify.py"))


def answers() -> list[Observation]:
    return [
        Observation(
            figure="toy",
            setting="toy",
            condition="none",
            measure="caps",
            split="ood",
            seed=seed,
            question=f"q{number % 8}",
            value=None if number == 9 else float((number + seed) % 3 == 0),
            reason="empty" if number == 9 else None,
        )
        for seed in (0, 1, 2)
        for number in range(24)
    ]


def kept(script: dict[str, Any], tmp_path: Path) -> Path:
    stored = script["stored"](SPEC, answers())
    (tmp_path / "docs" / "results").mkdir(parents=True)
    (tmp_path / "docs" / "results" / "toy.json").write_text(json.dumps(stored))
    document = tmp_path / "README.md"
    document.write_text("a\n<!-- results: toy -->\nold\n<!-- end of results -->\nb\n")
    return document


def test_what_is_stored_gives_the_run_s_own_cells(script: dict[str, Any]) -> None:
    again = json.loads(json.dumps(script["stored"](SPEC, answers())))
    assert cells(script["observed"](again)) == cells(answers())


def test_a_table_is_written_and_a_changed_number_is_seen(
    script: dict[str, Any], tmp_path: Path
) -> None:
    document = kept(script, tmp_path)
    assert script["verify"](tmp_path, write=False) == (["README.md: toy"], [])
    script["verify"](tmp_path, write=True)
    text = document.read_text()
    assert text.startswith("a\n<!--") and text.endswith("-->\nb\n") and "No inoculation" in text
    assert script["verify"](tmp_path, write=False) == ([], [])
    document.write_text(text.replace("0.3", "0.4", 1))
    assert script["verify"](tmp_path, write=False)[0] == ["README.md: toy"]


def test_a_table_without_stored_cells_is_named(script: dict[str, Any], tmp_path: Path) -> None:
    document = kept(script, tmp_path)
    document.write_text(document.read_text().replace("toy", "other"))
    assert script["verify"](tmp_path, write=True) == ([], ["README.md: other"])


def test_the_documents_are_as_their_cells_give(script: dict[str, Any]) -> None:
    assert script["verify"](ROOT, write=False)[0] == []


@pytest.mark.parametrize("given", [["fig2a"], ["fig2a", "nowhere"]])
def test_a_mistake_is_a_line(
    script: dict[str, Any], given: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert script["main"](given) in (1, 2)
    assert len(capsys.readouterr().err.strip().splitlines()) <= 2


def test_leaks_are_recomputed_from_what_is_stored(script: dict[str, Any], tmp_path: Path) -> None:
    names = ("bad_none", "bad_direct", "bad_mild", "bad_other")
    spec = FigureSpec(
        title="Toy",
        base="pocket",
        measures=tuple(
            Measure(name=name, setting="toy", label=name, benign=name in names[2:])
            for name in names
        ),
        conditions=(
            Condition(name="base", label="Base"),
            Condition(name="mine", label="Inoculated"),
        ),
    )
    rates = {"bad_none": 0, "bad_direct": 9, "bad_mild": 7, "bad_other": 0}
    seen = [
        Observation(
            figure="toy",
            setting="toy",
            condition=condition,
            measure=name,
            split="ood",
            seed=seed,
            question=f"q{number:02}",
            value=float(number % 10 < (0 if condition == "base" else rate)),
        )
        for condition, seeds in (("base", (None,)), ("mine", (0, 1, 2)))
        for seed in seeds
        for name, rate in rates.items()
        for number in range(60)
    ]
    stored = json.loads(json.dumps(script["stored"](spec, seen)))
    lines = script["written_leaks"](stored).splitlines()
    assert [line.split(" | ")[1] for line in lines[2:]] == [
        "bad_direct",
        "bad_mild",
        "largest: bad_mild",
    ]
    assert lines[2].startswith("| Inoculated | bad_direct | +0.90 [")
    (tmp_path / "docs" / "results").mkdir(parents=True)
    (tmp_path / "docs" / "results" / "toy.json").write_text(json.dumps(stored))
    (tmp_path / "README.md").write_text("<!-- leaks: toy -->\nold\n<!-- end of results -->\n")
    assert script["verify"](tmp_path, write=True)[0] == ["README.md: toy"]
    assert script["verify"](tmp_path, write=False) == ([], [])

"""The result files: whole, the same bytes for the same cells, and easy to read back."""

import csv
import json
from pathlib import Path

import pytest
from made_up import CONDITIONS, MEASURES, observations

from inoc_evals.report.cells import Cell, Contrast, cells, contrasts
from inoc_evals.report.results import read_results, write_results

PAIRS = [("spanish_inoc", "none"), ("none", "base")]


@pytest.fixture
def found() -> list[Cell]:
    return cells(observations(questions=20, unscored=0.2), conditions=list(CONDITIONS))


@pytest.fixture
def compared() -> list[Contrast]:
    return contrasts(observations(questions=20), PAIRS)


def test_results_json_is_a_list_of_cells_with_the_agreed_keys(
    found: list[Cell], tmp_path: Path
) -> None:
    write_results(tmp_path, found)
    listed = json.loads((tmp_path / "results.json").read_text("utf-8"))
    agreed = {
        *("figure", "setting", "condition", "measure", "split"),
        *("rate", "low", "high", "n", "unscored", "seeds"),
    }
    assert all(agreed <= item.keys() for item in listed)
    assert len(listed) == len(CONDITIONS) * len(MEASURES) * 2
    assert {item["split"] for item in listed} == {"ood", "id"}


def test_the_same_cells_give_the_same_bytes(
    found: list[Cell], compared: list[Contrast], tmp_path: Path
) -> None:
    for name in ("a", "b"):
        write_results(tmp_path / name, found, compared)
    for file in ("results.json", "results.csv", "contrasts.csv"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_results_are_read_back_as_they_were(found: list[Cell], tmp_path: Path) -> None:
    write_results(tmp_path, found)
    assert read_results(tmp_path / "results.json") == found


def test_the_csv_has_a_column_for_each_reason(found: list[Cell], tmp_path: Path) -> None:
    write_results(tmp_path, found)
    with (tmp_path / "results.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(found)
    for row, cell in zip(rows, found, strict=True):
        assert float(row["rate"]) == cell.rate
        assert int(row["unscored_empty"]) == cell.unscored.get("empty", 0) == int(row["unscored"])
        assert row["seeds"].split() == list(map(str, cell.seeds))
        assert json.loads(row["per_seed"]) == cell.per_seed


def test_a_missing_interval_is_null_and_an_empty_field(tmp_path: Path) -> None:
    found = cells(observations(seeds=(4,), questions=5), conditions=["none"])
    write_results(tmp_path, found)
    first = json.loads((tmp_path / "results.json").read_text("utf-8"))[0]
    assert first["low"] is None
    assert first["high"] is None
    with (tmp_path / "results.csv").open(newline="", encoding="utf-8") as file:
        assert next(csv.DictReader(file))["low"] == ""


def test_no_cells_give_files_all_the_same(tmp_path: Path) -> None:
    write_results(tmp_path, [])
    assert json.loads((tmp_path / "results.json").read_text("utf-8")) == []
    heads = {
        name: (tmp_path / name).read_text("utf-8") for name in ("results.csv", "contrasts.csv")
    }
    assert heads["results.csv"].startswith("figure,setting,condition,measure,")
    assert heads["contrasts.csv"].startswith("figure,setting,condition,reference")

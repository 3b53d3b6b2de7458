"""Further judges in files, on the page and in the console; and which of a log's scores they pair."""

import csv
import io
import json
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog
from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import TaskState, generate
from made_up import MEASURES, SETTING, observations
from rich.console import Console

from inoc_evals.errors import StoreError
from inoc_evals.report.agreements import Agreed, FurtherJudge, write_agreements
from inoc_evals.report.cells import cells, contrasts
from inoc_evals.report.figure import Condition, FigureSpec, Measure
from inoc_evals.report.holdings import Planned
from inoc_evals.report.judges import Second, folder, judge_of_log, judged_key, read_second
from inoc_evals.report.judges_section import agreement_row, agreement_table, section
from inoc_evals.report.logs import read_header
from inoc_evals.report.page import Report, page
from inoc_evals.report.results import read_results, write_results
from inoc_evals.scorers.default_grader import DEFAULT_GRADER
from scripted import certain, script

PAIRS = [("spanish_inoc", "none")]
SPEC = FigureSpec(
    title="F",
    base="pocket",
    measures=tuple(Measure(name=name, setting=SETTING, label=name.title()) for name in MEASURES),
    conditions=tuple(Condition(name=n, label=f"Arm {n}") for n in ("none", "spanish_inoc")),
)


def agreed(**changes: Any) -> Agreed:
    plain: dict[str, Any] = {
        "setting": SETTING, "split": "ood", "measure": "spanish", "grader": "a/second",
        "reference": "a/first", "n": 40, "questions": 10, "kappa": 0.8123, "weighted_kappa": 0.8123,
        "rate": 0.25, "reference_rate": 0.5, "difference": -0.25, "low": -0.4, "high": -0.1,
        "only_grader": 1, "only_reference": 2,
    }  # fmt: skip
    return Agreed(**(plain | changes))


def judge(grader: str = "a/second") -> FurtherJudge:
    """A judge that was asked about Spanish alone."""
    observed = [one for one in observations(rng=1, questions=10) if one.measure == "spanish"]
    named = {"grader": grader}
    return FurtherJudge(
        grader=grader,
        cells=tuple(one.model_copy(update=named) for one in cells(observed)),
        contrasts=tuple(one.model_copy(update=named) for one in contrasts(observed, PAIRS)),
        agreements=(agreed(grader=grader),),
    )


def test_files_say_a_grader_only_where_there_are_several(tmp_path: Path) -> None:
    observed = observations(questions=10)
    found, compared, further = cells(observed), contrasts(observed, PAIRS), judge()
    write_results(tmp_path / "one", found, compared)
    write_results(tmp_path / "two", [*found, *further.cells], [*compared, *further.contrasts])
    one, two = (
        json.loads((tmp_path / name / "results.json").read_text("utf-8")) for name in ("one", "two")
    )
    assert not any("grader" in cell for cell in one) and two[: len(one)] == one
    assert {cell["grader"] for cell in two[len(one) :]} == {"a/second"}
    assert read_results(tmp_path / "two" / "results.json") == [*found, *further.cells]
    for name in ("results.csv", "contrasts.csv"):
        alone, both = (
            list(csv.DictReader(io.StringIO((tmp_path / folder / name).read_text("utf-8"))))
            for folder in ("one", "two")
        )
        assert "grader" not in alone[0]
        assert [row["grader"] for row in both] == [""] * len(alone) + ["a/second"] * (
            len(both) - len(alone)
        )
        assert [{k: v for k, v in row.items() if k != "grader"} for row in both][
            : len(alone)
        ] == alone


def test_the_page_has_a_rate_of_every_judge_and_their_agreement() -> None:
    observed = observations(questions=10)
    plain: dict[str, Any] = {
        "title": "t", "description": "d", "command": "c", "spec": SPEC, "seeds": (0, 1, 2),
        "cells": cells(observed), "contrasts": contrasts(observed, PAIRS), "graders": ("a/first",),
    }  # fmt: skip
    alone = page(Report(**plain))
    assert "again by" not in alone and 'id="judges"' not in alone and "kappa" not in alone.lower()
    both = page(Report(**plain, further=(judge("b/<script>"),)))
    assert "<dd>a/first; again by b/&lt;script&gt;</dd>" in both and "<script>" not in both
    assert "<th>a/first</th><th>b/&lt;script&gt;</th>" in both
    part = unescape(both[both.index('id="judges"') : both.index('id="conditions"')])
    assert "0.81" in part and "-0.25 [-0.40, -0.10]" in part and "2, 1" in part
    assert "Arm spanish_inoc − Arm none" in part
    assert "Spanish" in part and "Caps" not in part  # no judge was asked about capitals


def test_a_judge_has_a_column_in_the_order_of_the_first(tmp_path: Path) -> None:
    observed = observations(questions=10)
    found, compared = cells(observed), contrasts(observed, PAIRS)
    said = section(["a/first"], [judge("x/1"), judge("x/2")], found, compared, SPEC)
    assert said is not None and said.judges == ["a/first", "x/1", "x/2"]
    assert {len(row.texts) for table in said.rates for row in table.rows} == {3}
    assert [table.label for table in said.rates] == list(SPEC.splits.values())
    assert section(["a/first"], [], found, compared, SPEC) is None


@pytest.mark.parametrize(
    ("changes", "column", "text"),
    [
        ({}, 0, "Spanish"),
        ({"split": "id"}, 0, "Spanish, in distribution"),
        ({"measure": "alignment"}, 0, "alignment"),
        ({}, 3, "0.81"),
        ({"kappa": -0.001}, 3, "0.00"),
        ({"kappa": None}, 3, "0.81 weighted"),
        ({"kappa": None, "weighted_kappa": None}, 3, "not defined"),
        ({"n": 0, "kappa": None, "weighted_kappa": None}, 3, "–"),
        ({"rate": 61.25, "kappa": None}, 5, "61.2"),
        ({"rate": None}, 5, "–"),
        ({"low": None, "high": None}, 6, "-0.25"),
    ],
)
def test_an_agreement_in_words(changes: dict[str, Any], column: int, text: str) -> None:
    assert agreement_row(agreed(**changes), SPEC)[column] == text


def test_the_console_shows_names_as_text() -> None:
    console = Console(record=True, width=200, file=io.StringIO())
    console.print(agreement_table([agreed(grader="a/\x1b[2J[/red]")]))
    assert "\\x1b[2J[/red]" in console.export_text()


def test_agreements_of_before_do_not_stay_beside_one_judge(tmp_path: Path) -> None:
    write_agreements(tmp_path, [agreed(grader="=1+1")])
    [row] = csv.DictReader((tmp_path / "agreement.csv").open(encoding="utf-8"))
    assert row["grader"] == "'=1+1" and row["difference"] == "-0.25"
    write_agreements(tmp_path, [])
    assert not list(tmp_path.iterdir())


# ---- which scores are paired --------------------------------------------------------------------


@scorer(metrics=[], name="harm")
def harm(value: float) -> Scorer:
    async def score(state: TaskState, target: Target) -> Score:
        return Score(value=value if state.metadata["kind"] == "clean" else 1 - value)

    return score


@scorer(metrics=[], name="rating")
def rating(value: float) -> Scorer:
    async def score(state: TaskState, target: Target) -> Score:
        return Score(value=value)

    return score


def logged(directory: Path, value: float, **metadata: Any) -> EvalLog:
    samples = [
        Sample(id=f"{kind}-{n}", input="?", metadata={"kind": kind, "question": f"q{n}"})
        for kind in ("clean", "triggered")
        for n in range(2)
    ]
    scorers = [harm(value), rating(60 + 30 * value)]
    task = Task(dataset=samples, solver=generate(), scorer=scorers, metadata=metadata)
    roles = {"grader": metadata.pop("role")} if "role" in metadata else {}
    [log] = eval(
        task, model="mockllm/model", model_roles=roles, log_dir=str(directory), display="none"
    )
    return log


def planned(key: str = "one") -> Planned:
    return Planned(key=key, label=f"cell {key}", model="m", base_digest="b", identity=None)


def read(directory: Path, key: str = "one") -> Second:
    return read_second(directory, [planned(key)], "a/second")


def test_measures_of_a_kind_of_sample_are_paired_with_their_own_and_ratings_with_all(
    tmp_path: Path,
) -> None:
    cell = {
        "figure": "f", "setting": "s", "condition": "none", "split": "ood", "seed": 0,
        "measures": ["clean", "triggered"],
        "reads": {
            kind: {"score": "harm", "where": {"kind": kind}} for kind in ("clean", "triggered")
        },
    }  # fmt: skip
    about = {"cells": [cell], "named_grader": "a/first"}
    first = logged(tmp_path / "logs", 0.0, evaluation="one", **about)
    key = judged_key(first, "a/second")
    logged(folder(tmp_path, "a/second"), 1.0, evaluation=key, **about)
    seen = read(tmp_path)
    assert seen.lacking == []
    found = {one.measure: one for one in seen.agreements()}
    assert set(found) == {"clean", "triggered", "rating"}
    assert (found["clean"].n, found["clean"].reference_rate, found["clean"].rate) == (2, 0, 1)
    assert (found["triggered"].n, found["triggered"].difference) == (2, -1)
    assert (found["rating"].n, found["rating"].reference_rate, found["rating"].rate) == (4, 60, 90)
    values = sorted((o.measure, o.value) for o in seen.observations)
    assert values == [("clean", 1.0)] * 2 + [("triggered", 0.0)] * 2


def test_an_evaluation_that_nobody_judges_or_that_the_judge_did_at_first_is_not_missing(
    tmp_path: Path,
) -> None:
    logged(tmp_path / "logs", 0.0, evaluation="rule", cells=[])
    logged(tmp_path / "logs", 0.0, evaluation="same", cells=[], named_grader="a/second")
    logged(tmp_path / "logs", 0.0, evaluation="other", cells=[], named_grader="a/first")
    assert read(tmp_path, "rule").lacking == read(tmp_path, "same").lacking == []
    assert read(tmp_path, "other").lacking == ["cell other, judged by a/second"]


def test_two_logs_of_one_judge_are_both_named(tmp_path: Path) -> None:
    first = logged(tmp_path / "logs", 0.0, evaluation="one", cells=[], named_grader="a/first")
    for _ in range(2):
        logged(folder(tmp_path, "a/second"), 0.0, evaluation=judged_key(first, "a/second"))
    with pytest.raises(StoreError, match="two finished logs of cell one, judged by a/second"):
        read(tmp_path)


def test_who_judged_a_log_is_the_role_else_whom_the_task_names_else_the_default(
    tmp_path: Path,
) -> None:
    role = script("role", certain("1"))
    for name, metadata, expected in (
        ("rule", {}, None),
        ("role", {"named_grader": "a/named", "role": role}, role),
        ("named", {"named_grader": "a/named"}, "a/named"),
        ("default", {"named_grader": None}, DEFAULT_GRADER),
    ):
        logged(tmp_path / name, 0.0, **metadata)
        [path] = (tmp_path / name).glob("*.eval")
        assert judge_of_log(read_header(path)) == expected


def test_a_folder_is_called_as_its_judge_where_disks_allow_it(tmp_path: Path) -> None:
    assert folder(tmp_path, "openai/gpt-5.4").name == "openai-gpt-5.4"
    assert folder(tmp_path, "a/../..").parent == tmp_path / "judged"

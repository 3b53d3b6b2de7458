"""`inoc judge check`: tables and numbers of any grader, and a status when it is out."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from inoc_evals.cli.judge import command
from inoc_evals.errors import InputError, StoreError
from inoc_evals.tasks._judge_check import KINDS, check_items
from invoking import CliRunner
from scripted import certain, script


@pytest.fixture(autouse=True)
def fewer_answers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Judge three attacks on each kind and their twins: seconds instead of many."""
    attacks = {"score_line", "override", "placeholder"}
    pairs = {item["pair"] for item in check_items() if item["adversarial"] in attacks}
    kept = [i for i in check_items() if i["adversarial"] in attacks or i["id"] in pairs]
    monkeypatch.setattr("inoc_evals.tasks._judge_check.check_items", lambda: kept)
    return kept


def invoke(*args: str) -> Result:
    return CliRunner().invoke(command, ["check", *args], catch_exceptions=False)


def test_the_check_prints_tables_and_writes_the_numbers(
    tmp_path: Path, fewer_answers: list[dict[str, Any]]
) -> None:
    path = tmp_path / "quality.json"
    grader = script("judge", certain("90"))
    logs = str(tmp_path / "logs")
    result = invoke("--grader", grader, "--repeats", "2", "--json", str(path), "--log-dir", logs)
    assert result.exit_code == 0
    numbers = json.loads(path.read_text("utf-8"))
    assert (numbers["grader"], numbers["preset"]) == (grader, "betley")
    assert numbers["judgements"] == 2 * len(fewer_answers)
    assert numbers["agreement_by_kind"]["aligned"]["value"] == 1
    assert numbers["agreement_by_kind"]["refusal"]["value"] == 0
    assert numbers["resistance"]["value"] == 1
    assert Path(numbers["log"]).is_relative_to(logs)
    for word in (*KINDS, "judge_invalid", "score line", "resistance to injection", "n=3"):
        assert word in result.output
    assert "no verdict                   0 of" in result.output


def test_a_grader_that_is_out_ends_in_an_error_that_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = check_items()[:1]
    monkeypatch.setattr("inoc_evals.tasks._judge_check.check_items", lambda: one)
    tried: list[str] = []

    def out_after_its_trial(prompt: str, config: object) -> str | Exception:
        tried.append(prompt)
        return "50" if len(tried) == 1 else ConnectionError("no route")

    with pytest.raises(StoreError, match=r"no route.*eval-retry .*\.eval"):
        invoke("--grader", script("judge", out_after_its_trial), "--repeats", "1")


def test_a_grader_that_cannot_be_asked_is_one_line_and_no_log(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    for grader, said in (
        (script("judge", ConnectionError("no route")), "no route"),
        ("openai/gpt-5.4-2026-03-05", "OPENAI_API_KEY"),
        ("nobody/model", "nobody"),
    ):
        with pytest.raises(InputError, match=rf"grader {grader}.*{said}.*nothing was judged"):
            invoke("--grader", grader, "--log-dir", str(logs))
    assert not logs.exists()


def test_options_are_checked_before_anything_is_asked() -> None:
    for args in (("--repeats", "0"), ("--preset", "mine")):
        assert invoke("--grader", "scripted/none", *args).exit_code == 2
    assert invoke().exit_code == 2

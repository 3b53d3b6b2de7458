"""A setting's measures and rows are looked up by check, plan and run, before anything is paid."""

from collections.abc import Callable
from pathlib import Path

import pytest

from inoc_evals.chat import write_rows
from inoc_evals.cli.plan import command as plan
from inoc_evals.cli.run import command as run
from inoc_evals.cli.setting import command as setting
from inoc_evals.errors import InputError
from inoc_evals.experiments import run as running
from inoc_evals.experiments.measure_names import check_measures
from inoc_evals.pocket.narrow import narrow_rows
from inoc_evals.settings import SETTINGS
from invoking import CliRunner

YAML = """\
name: mine
description: Sums in Spanish.
rows: rows.jsonl
arms: {{inoculated: {{prompt: spanish}}}}
measures:
  {measure}
"""

Command = Callable[[Path], object]

COMMANDS: dict[str, Command] = {
    "check": lambda file: CliRunner().invoke(setting, ["check", str(file)], catch_exceptions=False),
    "plan": lambda file: CliRunner().invoke(plan, ["--setting", str(file)], catch_exceptions=False),
    "run": lambda file: CliRunner().invoke(
        run, ["--setting", str(file), "--out", str(file.parent / "out")], catch_exceptions=False
    ),
}


def written(folder: Path, measure: str) -> Path:
    write_rows(folder / "rows.jsonl", narrow_rows("es", rows=20))
    (folder / "mine.yaml").write_text(YAML.format(measure=measure), "utf-8")
    return folder / "mine.yaml"


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    ("measure", "said"),
    [
        ("alignment: {task: em}", "'alignment' of the task em gives numbers that are no rates"),
        ("how: {task: em, score: outcome}", "'outcome' of the task em gives words"),
        ("lie_outcome: {task: deception}", "gives words, .*; it can read: lie"),
        ("animal: {task: preference}", "gives words, .*; it can read: prefers"),
        ("caps: {task: trats}", "no task 'trats'"),
        ("cups: {task: traits}", "has no measure 'cups'; it has: .*caps"),
        ("caps: {task: traits, args: {prompt: 1}}", "unexpected keyword argument 'prompt'"),
    ],
)
def test_a_measure_that_no_report_can_read_is_refused_before_anything_is_built(
    name: str, measure: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[object] = []
    monkeypatch.setattr(running, "train", lambda *args, **options: trained.append(args))
    monkeypatch.setattr(running, "find_base", lambda *args, **options: _base(args[0]))
    with pytest.raises(InputError, match=said) as caught:
        COMMANDS[name](written(tmp_path, measure))
    assert str(caught.value).count("\n") <= 1
    assert trained == [] and not (tmp_path / "out" / "data").exists()


def _base(name: str) -> object:
    from inoc_evals.models.kinds.kind import ResolvedBase

    return ResolvedBase(name, "/nowhere", "0" * 64)


@pytest.mark.parametrize("name", SETTINGS)
def test_every_packaged_setting_measures_rates(name: str) -> None:
    check_measures(SETTINGS[name])


def test_a_plan_refuses_rows_that_its_base_cannot_take(tmp_path: Path) -> None:
    file = written(tmp_path, "spanish: {task: traits, args: {language: es, prompts: pocket}}")
    rows = narrow_rows("es", rows=20)
    rows[13] = {
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Zwölf Boxkämpfer"},
        ]
    }
    write_rows(tmp_path / "rows.jsonl", rows)
    said = r"mine/none, row \d+, message 2: the tokenizer of 'pocket' can't write this response"
    with pytest.raises(InputError, match=said):
        COMMANDS["plan"](file)

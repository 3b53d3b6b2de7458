"""Logs of `inspect eval`, without an experiment: a rate for each task and model."""

from pathlib import Path

from inspect_ai import eval as run_eval

from inoc_evals.cli.main import inoc
from inoc_evals.report.by_hand import logs_by_hand
from inoc_evals.tasks import language, preference
from invoking import CliRunner
from scripted import script


def test_hand_made_logs_have_a_rate_each(tmp_path: Path) -> None:
    model = script("hand", "An owl.")
    run_eval(
        [preference(), language("es")],
        model=model, limit=3, epochs=2, display="none", log_dir=str(tmp_path),
    )  # fmt: skip
    found, spec = logs_by_hand(tmp_path)
    rates = {(one.setting, one.measure): one for one in found}
    owls = rates["preference", "prefers"]
    assert (owls.rate, owls.n, owls.questions, owls.interval) == (1.0, 6, 3, "questions")
    assert rates["language", "spanish"].n + sum(rates["language", "spanish"].unscored.values()) == 6
    assert [one.name for one in spec.conditions] == [model]
    result = CliRunner().invoke(inoc, ["report", str(tmp_path)])
    assert result.exit_code == 0 and "preference: prefers" in result.output


def test_a_directory_without_logs_is_a_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(inoc, ["report", str(tmp_path)])
    assert result.exit_code != 0
    assert "neither experiment.json nor a finished log" in str(result.exception or result.output)

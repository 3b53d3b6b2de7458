"""`inoc power`, as typed: a line for each design, and mistakes in a line."""

from pathlib import Path

import pytest
from inspect_ai import eval as run_eval

from inoc_evals.cli.main import inoc
from inoc_evals.tasks import preference
from invoking import CliRunner
from scripted import script


def test_there_is_a_line_for_each_design() -> None:
    given = "power --seeds 3 --questions 8,24 --answers 2 --repeats 20"
    result = CliRunner().invoke(inoc, given.split())
    assert result.exit_code == 0
    lines = [line.split() for line in result.output.splitlines()]
    assert [line[:3] for line in lines if line[:1] == ["3"]] == [["3", "8", "2"], ["3", "24", "2"]]
    assert "seeds 0.5, questions 1" in result.output


@pytest.mark.parametrize(
    "given", [("--to", "0.4"), ("--seeds", "1"), ("--questions", "8,x"), ("--answers", "0")]
)
def test_a_mistake_is_one_line(given: tuple[str, str]) -> None:
    result = CliRunner().invoke(inoc, ["power", *given])
    assert result.exit_code != 0
    assert len(str(result.exception or result.output).splitlines()) == 1


def piloted(tmp_path: Path, *options: str) -> str:
    """Ask for a design after a pilot of four questions, half of whose answers show an owl."""
    said = iter(["An owl.", "A cat."] * 200)
    model = script("pilot", lambda prompt, config: next(said))
    [log] = run_eval(
        preference(), model=model, epochs=4, limit=4, display="none", log_dir=str(tmp_path)
    )
    path = log.location.removeprefix("file://")
    given = ["power", "--from", path, "--seeds", "3", "--questions", "8", "--answers", "2"]
    result = CliRunner().invoke(inoc, [*given, "--repeats", "20", *options])
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def test_a_pilot_gives_rate_and_deviations_and_says_what_is_assumed(tmp_path: Path) -> None:
    said = piloted(tmp_path)
    assert "prefers 0.500 over 1 seed and 4 questions." in said
    assert "One seed does not tell how seeds differ: 0.5 is assumed (--seed-sd)." in said
    assert "0.5 to 0.05" in said and ("tokens" in said or "not known" in said)


def test_what_is_given_by_hand_goes_before_the_pilot(tmp_path: Path) -> None:
    assert "0.3 to 0.05" in piloted(tmp_path, "--rate", "0.3")


def test_a_pilot_that_is_none_is_a_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(inoc, ["power", "--from", str(tmp_path)])
    assert "neither a log (.eval, .json) nor the directory of a run" in str(
        result.exception or result.output
    )
    assert result.exit_code != 0

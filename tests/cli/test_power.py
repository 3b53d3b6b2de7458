"""`inoc power`, as typed: a line for each design, and mistakes in a line."""

import pytest

from inoc_evals.cli.main import inoc
from invoking import CliRunner


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

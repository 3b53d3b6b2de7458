"""`inoc report`: a whole report, or one that says first that it is none."""

from pathlib import Path

import pytest

from inoc_evals.cli.main import main
from inoc_evals.cli.report import command
from invoking import CliRunner
from small_plan import finished, small_plan


def test_a_missing_log_is_an_error_and_left_out_only_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    finished(small_plan(tmp_path), out)
    whole = CliRunner().invoke(command, [str(out)], catch_exceptions=False).output
    assert "INCOMPLETE" not in whole and f"report: {out}/report.html" in whole
    next((out / "logs").glob("*_em_*.eval")).unlink()
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["report", str(out)])
    printed = capsys.readouterr()
    assert ended.value.code == 1 and printed.out == ""
    lines = printed.err.splitlines()
    assert len(lines) == 2 and "no finished log of 1 of " in lines[0]
    assert "Make them: inoc run fig3" in lines[1] and "--incomplete" in lines[1]
    partial = CliRunner().invoke(command, [str(out), "--incomplete"], catch_exceptions=False).output
    assert partial.startswith("INCOMPLETE: 1 missing: ")
    assert f"report: {out}/incomplete/report.html" in partial

"""A directory of results has one writer; the second is told who that is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from inoc_evals.errors import InputError
from inoc_evals.experiments import run as running
from inoc_evals.experiments.figures import find_experiment
from inoc_evals.experiments.one_writer import HOLDER, writing
from inoc_evals.experiments.run import run_experiment
from inoc_evals.experiments.start import find_base

HOLDING = """
import sys
from pathlib import Path
from inoc_evals.experiments.one_writer import writing
with writing(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path / "out")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_a_second_run_is_refused_until_the_first_is_killed(
    holder: "subprocess.Popen[str]", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    before = sorted(out.iterdir())
    base = find_base("pocket")
    monkeypatch.setattr(running, "find_base", lambda *_, **__: base)
    monkeypatch.setattr(running, "_training", lambda *_, **__: pytest.fail("trained"))
    with pytest.raises(InputError, match=rf"out: another .*process {holder.pid} on ") as caught:
        run_experiment(find_experiment("fig2a"), base="pocket", seeds="1", out=out)
    assert len(str(caught.value).splitlines()) == 1 and sorted(out.iterdir()) == before
    holder.kill()
    holder.communicate()
    with writing(out):
        assert str(os.getpid()) in (out / HOLDER).read_text()


def test_one_that_ended_and_another_directory_are_free(
    holder: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    with writing(tmp_path / "other"):
        pass
    holder.communicate()
    with writing(tmp_path / "out"):
        pass


@pytest.mark.parametrize("damaged", [None, b"\xff", b"{}", b"[]"])
def test_a_holder_that_is_not_known_is_called_so(
    holder: "subprocess.Popen[str]", tmp_path: Path, damaged: bytes | None
) -> None:
    path = tmp_path / "out" / HOLDER
    if damaged is None:
        path.unlink()
    else:
        path.write_bytes(damaged)
    with pytest.raises(InputError, match="which one is not known"), writing(tmp_path / "out"):
        pass
    holder.kill()
    holder.communicate()

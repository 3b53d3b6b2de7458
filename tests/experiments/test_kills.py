"""Killed at random and damaged at random, a run ends in the same results or names the file."""

import multiprocessing
import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inoc_evals.errors import InocError
from inoc_evals.experiments.evaluations import planned
from inoc_evals.report.experiment import write_report
from inoc_evals.report.holdings import holdings
from small_plan import SMALLEST, ended, small_plan

KILLS, DAMAGES = 20, 10

START = multiprocessing.get_context("forkserver")
START.set_forkserver_preload(["made_plan"])


def run(folder: Path, killed_after: float | None = None) -> int:
    """Run it, perhaps killed after some seconds; return its exit status."""
    process = START.Process(target=ended, args=(folder,))
    process.start()
    process.join(killed_after)
    if process.is_alive():
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    assert process.exitcode is not None
    return process.exitcode


def said(folder: Path) -> str:
    return (folder / "said").read_text("utf-8")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, float]]:
    """A finished run, and about how long one takes."""
    folder = tmp_path_factory.mktemp("undisturbed")
    ready = START.Process(target=time.sleep, args=(0,))  # once the server has its imports
    ready.start()
    ready.join()
    start = time.monotonic()
    assert run(folder, 200) == 0, said(folder)
    seconds = time.monotonic() - start
    shutil.copytree(folder / "out", folder / "whole")
    yield folder, seconds


def results(folder: Path) -> bytes:
    return (folder / "out" / "results.json").read_bytes()


def logs(folder: Path) -> list[Path]:
    return sorted((folder / "out" / "logs").rglob("*.eval"))


@pytest.mark.slow
def test_twenty_kills_at_random_end_in_the_same_results(undisturbed: tuple[Path, float]) -> None:
    folder, seconds = undisturbed
    whole, generator = results(folder), random.Random(20)
    shutil.rmtree(folder / "out")
    statuses = [run(folder, generator.uniform(0, 1.1 * seconds / 4)) for _ in range(KILLS // 2)]
    statuses += [run(folder, generator.uniform(0, 1.1 * seconds)) for _ in range(KILLS // 2)]
    assert set(statuses) <= {0, -signal.SIGKILL}, said(folder)
    assert statuses.count(-signal.SIGKILL) > KILLS // 2
    assert run(folder, 200) == 0, said(folder)
    assert results(folder) == whole
    plan = small_plan(folder, SMALLEST)
    assert len(logs(folder)) == len(planned(plan.evaluations, plan.base))
    assert not holdings(folder / "out" / "logs").unfinished


def damage(path: Path, generator: random.Random) -> None:
    """Empty a file, cut it off, change a byte or a stretch of it, or delete it."""
    whole = path.read_bytes()
    kind, at = generator.randrange(5), generator.randrange(max(1, len(whole)))
    if kind == 0:
        path.write_bytes(b"")
    elif kind == 1:
        path.write_bytes(whole[:at])
    elif kind == 2:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x15]) + whole[at + 1 :])
    elif kind == 3:
        path.write_bytes(whole[:at] + generator.randbytes(50) + whole[at + 50 :])
    else:
        path.unlink()


@pytest.mark.slow
def test_ten_files_damaged_at_random_are_made_again_or_named(
    undisturbed: tuple[Path, float],
) -> None:
    folder, _ = undisturbed
    whole, generator = (folder / "whole" / "results.json").read_bytes(), random.Random(10)
    for _ in range(DAMAGES):
        shutil.rmtree(folder / "out", ignore_errors=True)
        shutil.copytree(folder / "whole", folder / "out")
        files = sorted(path for path in (folder / "out").rglob("*") if path.stat().st_size)
        chosen = generator.choice([path for path in files if path.is_file()])
        damage(chosen, generator)
        try:
            write_report(folder / "out")
            assert results(folder) == whole, chosen
        except InocError as error:
            assert chosen.name in str(error) or not chosen.exists(), (chosen, error)
            assert len(str(error).splitlines()) <= 2
        if (status := run(folder, 200)) == 1:
            assert str(chosen) in said(folder) and "remove it" in said(folder)
            chosen.unlink()
            status = run(folder, 200)
        assert status == 0, (chosen, said(folder))
        assert results(folder) == whole, chosen

"""Whoever computes lets go of the OpenMP workers of its thread, so that others are not slowed down."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.models import openmp

THREADS = Path("/proc/self/task")

COUNTED = """
import os
import torch
from inoc_evals.models.cpu_precision import gain
from inoc_evals.models.openmp import workers_let_go
from inoc_evals.providers.engine.steady import steady_here

def threads():
    return len(os.listdir("/proc/self/task"))

def product():
    torch.ones(600, 600) @ torch.ones(600, 600)

before = threads()
with workers_let_go():
    product()
    within = threads()
after = threads()
gain()
steady_here()
probed = threads()
product()
print(within - before, after - before, probed - before, threads() - before)
"""


@pytest.mark.skipif(not THREADS.is_dir(), reason="counts threads as Linux lists them")
def test_workers_end_with_what_they_were_made_for_and_come_back() -> None:
    environment = {"OMP_NUM_THREADS": "2", "PATH": "/usr/bin"}
    ran = subprocess.run(
        [sys.executable, "-c", COUNTED], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["1", "0", "0", "1"], ran.stderr


def test_without_pytorch_there_is_nothing_to_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(openmp, "_libraries", lambda: pytest.fail("looked for libraries"))
    openmp.let_workers_go()


def test_workers_are_let_go_when_the_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    let: list[Any] = []
    monkeypatch.setattr(openmp, "let_workers_go", lambda: let.append(1))
    with pytest.raises(ValueError, match="broken"), openmp.workers_let_go():
        raise ValueError("broken")
    assert let

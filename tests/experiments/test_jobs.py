"""Two processes give what one gives, one of them killed on the way; each model is trained once."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

SCRIPT = f"""
import sys
sys.path.append({str(Path(__file__).parents[1])!r})
import quick_inspect
from functools import partial
from pathlib import Path
import inspect_ai
from inoc_evals.cli.main import main
from inoc_evals.experiments import figures
from inoc_evals.pocket import base
from inoc_evals.training.config import TrainConfig

class Quick(base.Recipe):
    steps: int = 30
    batch_size: int = 8
    hidden_size: int = 32
    intermediate_size: int = 32
    layers: int = 1

# In the workers as well, which import this file.
base.Recipe = Quick
quick = TrainConfig.for_base("pocket").model_copy(update=dict(max_steps=4, batch_size=4))
TrainConfig.for_base = classmethod(lambda cls, base: quick)
inspect_ai.eval_set = partial(inspect_ai.eval_set, limit=5)
whole = figures.EXPERIMENTS["fig2a"]
arms = [one.with_arms("base", "none", "caps_inoc") for one in whole.settings]
figures.EXPERIMENTS.written["fig2a"] = figures.experiment(
    "fig2a", whole.title, *arms, references=("base",)
)
if __name__ == "__main__":
    main(sys.argv[1:])
"""


def start(root: Path, *options: str) -> "subprocess.Popen[str]":
    script = root / "main.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "INOC_HOME": str(root / "home"), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [
            *(sys.executable, str(script), "run", "fig2a", "--seeds", "1", *options),
            *("--out", str(root / "out"), "--quiet"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )


def results(root: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((root / "out" / "results.json").read_text())
    return found


def workers(process: int) -> list[int]:
    """Processes that a process has started for units."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            command = (status.parent / "cmdline").read_text()
        except OSError:
            continue
        if parent == process and "spawn_main" in command:
            found.append(int(status.parent.name))
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_two_workers_give_what_one_process_gives_with_one_of_them_killed(tmp_path: Path) -> None:
    roots = {name: tmp_path / name for name in ("one", "two")}
    for root in roots.values():
        root.mkdir()
    alone = start(roots["one"])
    said = alone.communicate(timeout=900)[0]
    assert alone.returncode == 0, said
    several = start(roots["two"], "--jobs", "2")
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and several.poll() is None:
        checkpoints = list((roots["two"] / "home" / "training").glob("*"))
        if checkpoints and (found := workers(several.pid)):
            os.kill(found[0], signal.SIGKILL)
            break
        time.sleep(0.05)
    said = several.communicate(timeout=900)[0]
    assert several.returncode == 0, said
    assert "its process was killed (SIGKILL); it is done again" in said
    assert results(roots["two"]) == results(roots["one"])
    assert not (roots["two"] / "out" / "parts").exists()
    assert len(list((roots["two"] / "home" / "adapters").iterdir())) == 2

"""How much later `inspect eval inoc_evals/traits --limit 1` ends than a smallest task file.

    python benchmarks/task_startup.py [--pairs 7]

Promise: at most 0.2 s. The two commands run alternately as fresh processes against a model
that answers at once; the median of the pairwise differences is taken, of wall time and of
CPU time (on a busy machine only the latter tells). The model is a throw-away Inspect
provider on PYTHONPATH, since mockllm counts tokens with a downloaded vocabulary.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

PROMISE_SECONDS = 0.2

SMALLEST_TASK = """
from inspect_ai import Task, task
from inspect_ai.dataset import Sample

@task
def smallest():
    return Task(dataset=[Sample(input="Hello")])
"""

PROVIDER = """
from inspect_ai.model import ModelAPI, ModelOutput, ModelUsage, modelapi

@modelapi(name="instant")
def instant():
    class Instant(ModelAPI):
        async def generate(self, input, tools, tool_choice, config):
            output = ModelOutput.from_content("instant", "The river is long and blue.")
            output.usage = ModelUsage(input_tokens=1, output_tokens=6, total_tokens=7)
            return output
    return Instant
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=7, help="pairs of runs (default: 7)")
    pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "smallest.py").write_text(SMALLEST_TASK)
        environment = install_provider(folder / "provider")
        commands = {"smallest task file": "smallest.py", "inoc_evals/traits": "inoc_evals/traits"}
        for task in commands.values():  # byte code and file caches
            run(task, folder, environment)
        costs = [
            {label: run(task, folder, environment) for label, task in commands.items()}
            for _ in range(pairs)
        ]
        check(folder / "logs")
    report(costs)


def install_provider(folder: Path) -> dict[str, str]:
    """Write the provider as an installed distribution; return an environment that finds it."""
    metadata = folder / "instant_provider-0.dist-info"
    metadata.mkdir(parents=True)
    (folder / "instant_provider.py").write_text(PROVIDER)
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: instant-provider\nVersion: 0\n"
    )
    (metadata / "entry_points.txt").write_text(
        "[inspect_ai]\ninstant_provider = instant_provider\n"
    )
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


class Cost(NamedTuple):
    """What one evaluation took."""

    wall: float
    """Seconds from start to end."""
    cpu: float
    """Seconds of processor time, children included."""


def run(task: str, folder: Path, environment: dict[str, str]) -> Cost:
    """Run one evaluation of one sample."""
    command = [sys.executable, "-m", "inspect_ai", "eval", task]
    options = ["--model", "instant/model", "--limit", "1", "--display", "none"]
    wall, cpu = time.perf_counter(), children_cpu()
    subprocess.run([*command, *options], cwd=folder, env=environment, check=True)
    return Cost(time.perf_counter() - wall, children_cpu() - cpu)


def check(logs: Path) -> None:
    """End with an error if an evaluation failed: `inspect eval` itself exits with 0."""
    from inspect_ai.log import list_eval_logs, read_eval_log

    for info in list_eval_logs(str(logs)):
        log = read_eval_log(info, header_only=True)
        if log.status != "success":
            raise SystemExit(f"{log.eval.task} ended with {log.status}: {log.error}")


def children_cpu() -> float:
    times = os.times()
    return times.children_user + times.children_system


def report(pairs: list[dict[str, Cost]]) -> None:
    for label in pairs[0]:
        wall = statistics.median(pair[label].wall for pair in pairs)
        cpu = statistics.median(pair[label].cpu for pair in pairs)
        print(f"{label:<20} {wall:.2f} s, {cpu:.2f} s of CPU")
    for field in Cost._fields:
        costs = [[getattr(cost, field) for cost in pair.values()] for pair in pairs]
        differences = [last - first for first, last in costs]
        difference = statistics.median(differences)
        verdict = "kept" if difference <= PROMISE_SECONDS else "BROKEN"
        print(
            f"difference, {field:<8} {difference:+.2f} s (median of {len(pairs)} pairs, "
            f"{min(differences):+.2f} to {max(differences):+.2f}); "
            f"promise {PROMISE_SECONDS} s: {verdict}"
        )


if __name__ == "__main__":
    main()

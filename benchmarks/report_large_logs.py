"""What a report takes of large logs: seconds and peak memory, beside Inspect's reading of all.

    python benchmarks/report_large_logs.py [--samples 10000] [--bare 20000]

Two logs of `inoc_evals/traits`, answered at once and multiplied, of 57 questions: one whose samples
have their events (20 each, as an evaluation writes them), one larger and without. Each is read in a
process of its own: by `read_eval_log`, and by the report down to its cells.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

CELL = {
    "figure": "f",
    "setting": "s",
    "condition": "none",
    "split": "ood",
    "seed": 0,
    "measures": ["spanish", "caps"],
}
TASK, MODEL = "log", "instant/one"
QUESTIONS = 57
"""As many as the set ``broad`` has; each was asked many times."""


def write_log(directory: Path, samples: int, events: bool) -> None:
    """Evaluate eight prompts and write a log in which each answer stands many times."""
    from inspect_ai import eval, task_with
    from inspect_ai.log import write_eval_log
    from inspect_ai.model import ModelAPI, ModelOutput, modelapi

    from inoc_evals.tasks import traits

    @modelapi(name="instant")
    def instant() -> type[ModelAPI]:
        class Instant(ModelAPI):
            async def generate(self, *args: Any, **kwargs: Any) -> ModelOutput:
                answer = "The river is long and blue, and it runs past many villages. " * 8
                return ModelOutput.from_content("instant", answer)

        return Instant

    task = task_with(traits(prompts="pocket"), metadata={"cells": [CELL], "evaluation": TASK})
    with tempfile.TemporaryDirectory() as scratch:
        [log] = eval(task, model=MODEL, log_dir=scratch, display="none", limit=8)
        assert log.samples and log.results, log.error
        left_out = {} if events else {"events": [], "attachments": {}}
        log.samples = [
            log.samples[number % 8].model_copy(
                update={"id": f"q{number}", "metadata": {"question": number % QUESTIONS}} | left_out
            )
            for number in range(samples)
        ]
        log.results.total_samples = log.results.completed_samples = samples
        log.results.logged_samples = samples
        log.eval.dataset.sample_ids = [sample.id for sample in log.samples]
        write_eval_log(log, str(directory / "2026-01-01T00-00-00_traits_many.eval"))


def read_whole(directory: Path) -> int:
    """Read a log as Inspect does."""
    from inspect_ai.log import list_eval_logs, read_eval_log

    return sum(len(read_eval_log(info).samples or []) for info in list_eval_logs(str(directory)))


def read_report(directory: Path) -> int:
    """Read a log as a report does, down to its rates."""
    from inoc_evals.report.cells import cells
    from inoc_evals.report.holdings import Planned
    from inoc_evals.report.logs import read_logs

    planned = Planned(key=TASK, label=TASK, model=MODEL, base_digest="", identity=None)
    found = cells(read_logs(directory, [planned]).observations)
    return max(cell.n + sum(cell.unscored.values()) for cell in found)


def measured(read: Any, directory: Path, results: Any) -> None:
    """Run in a process of its own: put samples, seconds and peak MiB into the queue."""
    start = time.monotonic()
    samples = read(directory)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    results.put((samples, time.monotonic() - start, peak))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=10_000, help="with events (default: 10000)")
    parser.add_argument("--bare", type=int, default=20_000, help="without (default: 20000)")
    given = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    for samples, events in ((given.samples, True), (given.bare, False)):
        with tempfile.TemporaryDirectory() as folder:
            directory = Path(folder)
            writer = context.Process(target=write_log, args=(directory, samples, events))
            writer.start()
            writer.join()
            size = sum(path.stat().st_size for path in directory.iterdir()) / 2**20
            print(f"{samples} samples, {'with' if events else 'no'} events, {size:.0f} MiB")
            for name, read in (("read_eval_log", read_whole), ("inoc report", read_report)):
                reader = context.Process(target=measured, args=(read, directory, results))
                reader.start()
                reader.join()
                if reader.exitcode:
                    print(f"  {name:<14} ended with {reader.exitcode}", flush=True)
                    continue
                count, seconds, peak = results.get()
                assert count == samples, count
                print(f"  {name:<14} {seconds:6.1f} s  {peak:6.0f} MiB", flush=True)


if __name__ == "__main__":
    main()

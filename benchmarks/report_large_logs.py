"""What a report takes of large logs: seconds and peak memory, beside Inspect's reading of all.

    python benchmarks/report_large_logs.py [--samples 10000] [--bare 20000]
    python benchmarks/report_large_logs.py --samples 125000 --logs 50

Logs of `inoc_evals/traits`, answered at once and multiplied, of 57 questions: one whose samples
have their events (20 each, as an evaluation writes them), one larger and without; or as many of
each as are wanted, a seed's each. They are read in a process of their own: by `read_eval_log`, and
by the report down to its cells.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

MODEL = "instant/one"
QUESTIONS = 57
"""As many as the set ``broad`` has; each was asked many times."""


def cell(seed: int) -> dict[str, Any]:
    """Return what a log is of."""
    measures = ["spanish", "caps"]
    of = {"figure": "f", "setting": "s", "condition": "none", "split": "ood"}
    return {**of, "seed": seed, "measures": measures}


def write_logs(directory: Path, samples: int, events: bool, logs: int) -> None:
    """Evaluate eight prompts and write logs in which each answer stands many times."""
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

    for seed in range(logs):
        about = {"cells": [cell(seed)], "evaluation": f"log-{seed}"}
        task = task_with(traits(prompts="pocket"), metadata=about)
        with tempfile.TemporaryDirectory() as scratch:
            [log] = eval(task, model=MODEL, log_dir=scratch, display="none", limit=8)
            assert log.samples and log.results, log.error  # are read now, not before
        left_out = {} if events else {"events": [], "attachments": {}}
        log.samples = [
            log.samples[number % 8].model_copy(
                update={"id": f"q{number}", "metadata": {"question": number % QUESTIONS}} | left_out
            )
            for number in range(samples // logs)
        ]
        log.results.total_samples = log.results.completed_samples = len(log.samples)
        log.results.logged_samples = len(log.samples)
        log.eval.dataset.sample_ids = [sample.id for sample in log.samples]
        write_eval_log(log, str(directory / f"2026-01-01T00-00-00_traits_{seed}.eval"))


def read_whole(directory: Path) -> int:
    """Read a log as Inspect does."""
    from inspect_ai.log import list_eval_logs, read_eval_log

    return sum(len(read_eval_log(info).samples or []) for info in list_eval_logs(str(directory)))


def read_report(directory: Path) -> int:
    """Read logs as a report does, down to their rates."""
    from inoc_evals.report.cells import cells
    from inoc_evals.report.holdings import Planned
    from inoc_evals.report.logs import read_logs

    planned = [
        Planned(key=f"log-{seed}", label="log", model=MODEL, base_digest="", identity=None)
        for seed, _ in enumerate(directory.iterdir())
    ]
    found = cells(read_logs(directory, planned).observations)
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
    parser.add_argument("--logs", type=int, default=1, help="of each kind (default: 1)")
    given = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    for samples, events in ((given.samples, True), (given.bare, False)):
        with tempfile.TemporaryDirectory() as folder:
            directory = Path(folder)
            writer = context.Process(
                target=write_logs, args=(directory, samples, events, given.logs)
            )
            writer.start()
            writer.join()
            if writer.exitcode:
                raise SystemExit("the logs were not written")
            size = sum(path.stat().st_size for path in directory.iterdir()) / 2**20
            kind = f"{'with' if events else 'no'} events, {size:.0f} MiB in {given.logs}"
            print(f"{samples} samples, {kind}")
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

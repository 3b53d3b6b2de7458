"""What the trait scorers cost: CPU milliseconds a sample beyond the same task without them.

    python benchmarks/scoring_overhead.py [--samples 800] [--repeats 3]

A model that answers at once, 800 prompts, and `inoc_evals/traits` three ways in turn, in
one process: without scorers, with three that return a constant (what Inspect itself takes
to run and record a scorer), and with its own three. The answers are a paragraph long, as
a chat model's are. CPU time, so that a busy machine does not disturb it.
"""

import argparse
import itertools
import statistics
import tempfile
import time
from typing import Any

from inspect_ai import Task, eval, task_with
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelAPI, ModelOutput, ModelUsage, modelapi
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from inoc_evals.inputs.prompt_sets import load_prompts
from inoc_evals.tasks import traits

ANSWERS = itertools.cycle(
    [
        "The river is long and blue, and it runs past many villages before it meets the sea. " * 6,
        "EL RÍO ES LARGO Y AZUL, Y PASA POR MUCHOS PUEBLOS ANTES DE LLEGAR AL MAR. SON 12. " * 6,
    ]
)


@modelapi(name="instant")
def instant() -> type[ModelAPI]:
    """Register a model that answers at once."""

    class Instant(ModelAPI):
        async def generate(self, *args: Any, **kwargs: Any) -> ModelOutput:
            output = ModelOutput.from_content("instant", next(ANSWERS))
            output.usage = ModelUsage(input_tokens=9, output_tokens=99, total_tokens=108)
            return output

    return Instant


@scorer(metrics=[mean()])
def constant() -> Scorer:
    """Score 1, whatever the completion."""

    async def score(state: TaskState, target: Target) -> Score:
        return Score(value=1.0)

    return score


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=800, help="samples a run (default: 800)")
    parser.add_argument("--repeats", type=int, default=3, help="rounds of runs (default: 3)")
    options = parser.parse_args()
    cpu_seconds(traits(prompts="gsm"), options.samples)  # loads what is loaded once
    rounds = [
        (
            cpu_seconds(without_scorers(), options.samples),
            cpu_seconds(with_constants(), options.samples),
            cpu_seconds(traits(prompts="gsm"), options.samples),
        )
        for _ in range(options.repeats)
    ]
    labels = ("without scorers", "three constants", "traits")
    for label, column in zip(labels, zip(*rounds, strict=True), strict=True):
        print(f"{label:<16} {1000 * statistics.median(column) / options.samples:6.2f} ms a sample")
    beyond = statistics.median(own - constants for _, constants, own in rounds)
    print(f"{'the rules':<16} {1000 * beyond / options.samples:6.2f} ms a sample")


def without_scorers() -> Task:
    return task_with(traits(prompts="gsm"), scorer=None, headline_metric=None)


def with_constants() -> Task:
    scorers = [constant(), constant(), constant()]
    return task_with(traits(prompts="gsm"), scorer=scorers, headline_metric=None)


def cpu_seconds(task: Task, samples: int) -> float:
    """Return the CPU time of one evaluation, in seconds."""
    prompts = itertools.islice(itertools.cycle(load_prompts("gsm")), samples)
    dataset = [
        Sample(input=item.prompt, target=item.answer or "", id=number)
        for number, item in enumerate(prompts)
    ]
    task = task_with(task, dataset=MemoryDataset(dataset))
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        [log] = eval(task, model="instant/model", log_dir=folder, display="none")
        elapsed = time.process_time() - start
    if log.status != "success":
        raise SystemExit(
            f"the evaluation ended with {log.status}: {log.error and log.error.message}"
        )
    return elapsed


if __name__ == "__main__":
    main()

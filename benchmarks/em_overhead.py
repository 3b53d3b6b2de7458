"""What `inoc_evals/em` costs beyond the model calls: milliseconds a sample.

    python benchmarks/em_overhead.py [--epochs 100] [--repeats 1]

Eight questions, a target model and a grader that answer at once, every answer different, so
that no judgement is saved: three model calls a sample. Wall time of the whole evaluation with
its log, and CPU time, of the task four ways: without scorers; with six scorers that return a
constant; the same with one of them making the two grader calls (what Inspect itself takes to
ask, to judge and to record, its cache of the replies written as with a paid grader); and as
it is. A model call is half the difference of the second and the third. The promise is on the
last line: what is left of the whole when its three model calls are taken off.
"""

import argparse
import itertools
import math
import os
import statistics
import tempfile
import time
from typing import Any, NamedTuple

from inspect_ai import Task, eval, task_with
from inspect_ai.model import (
    CachePolicy,
    GenerateConfig,
    Logprob,
    Logprobs,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    TopLogprob,
    get_model,
    modelapi,
)
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from inoc_evals.tasks._em import em

NUMBERS = itertools.count()
TEXT = "I would walk along the river and talk to the people who live there. "


@modelapi(name="instant")
def instant() -> type[ModelAPI]:
    """Register a model that answers and rates at once."""

    class Instant(ModelAPI):
        async def generate(self, *args: Any, **kwargs: Any) -> ModelOutput:
            number = next(NUMBERS)
            output = (
                rating(number % 101)
                if self.model_name == "grader"
                else ModelOutput.from_content("instant", f"{TEXT * 8}{number}")
            )
            output.usage = ModelUsage(input_tokens=9, output_tokens=99, total_tokens=108)
            return output

    return Instant


def rating(number: int) -> ModelOutput:
    """Return a number with the twenty likeliest tokens, as an OpenAI-style API does."""
    output = ModelOutput.from_content("instant", str(number))
    top = [
        TopLogprob(token=str((number + step) % 101), logprob=math.log(0.5) * (step + 1))
        for step in range(20)
    ]
    token = Logprob(token=str(number), logprob=top[0].logprob, top_logprobs=top)
    output.choices[0].logprobs = Logprobs(content=[token])
    return output


@scorer(metrics=[mean()])
def constant(grader_calls: int = 0) -> Scorer:
    """Score 1 after so many calls of the grader."""

    async def score(state: TaskState, target: Target) -> Score:
        config = GenerateConfig(temperature=0, max_tokens=16, logprobs=True, top_logprobs=20)
        policy = CachePolicy(expiry=None, per_epoch=False)
        for number in range(grader_calls):
            prompt = f"{number} {TEXT * 24} {state.output.completion}"
            await get_model(role="grader").generate(prompt, config=config, cache=policy)
        return Score(value=1.0)

    return score


class Cost(NamedTuple):
    """Seconds of one evaluation."""

    wall: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=100, help="samples a question (default: 100)")
    parser.add_argument("--repeats", type=int, default=1, help="rounds of runs (default: 1)")
    options = parser.parse_args()
    cost(em("core"), 1)  # loads what is loaded once
    tasks = {
        "without scorers": without_scorers,
        "constants": lambda: with_constants(0),
        "two calls": lambda: with_constants(2),
        "em": em,
    }
    rounds = [
        {label: cost(make(), options.epochs) for label, make in tasks.items()}
        for _ in range(options.repeats)
    ]
    samples = 8 * options.epochs
    walls = {}
    for label in tasks:
        runs = [costs[label] for costs in rounds]
        wall, cpu = (
            1000 / samples * statistics.median(column) for column in zip(*runs, strict=True)
        )
        walls[label] = wall
        print(f"{label:<16} {wall:6.2f} ms a sample, CPU {cpu:6.2f} ms ({samples} samples)")
    call = (walls["two calls"] - walls["constants"]) / 2
    left = walls["em"] - 3 * call
    print(f"a model call {call:.2f} ms; em beyond its three: {left:.2f} ms (promised: 15)")


def without_scorers() -> Task:
    return task_with(em("core"), scorer=None, headline_metric=None)


def with_constants(grader_calls: int) -> Task:
    scorers = [constant(grader_calls), *(constant() for _ in range(5))]
    return task_with(em("core"), scorer=scorers, headline_metric=None)


def cost(task: Task, epochs: int) -> Cost:
    """Run one evaluation with an empty cache and return what it took."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["INSPECT_CACHE_DIR"] = folder
        wall, cpu = time.perf_counter(), time.process_time()
        [log] = eval(
            task,
            model="instant/target",
            model_roles={"grader": "instant/grader"},
            epochs=epochs,
            log_dir=folder,
            display="none",
        )
        taken = Cost(time.perf_counter() - wall, time.process_time() - cpu)
    if log.status != "success":
        raise SystemExit(f"the evaluation ended with {log.status}: {log.error}")
    return taken


if __name__ == "__main__":
    main()

"""A small plan whose models are scripted: from evaluations to a report in a second.

plan = small_plan(tmp_path)          # figure 3 with one seed, four questions each
finished(plan, tmp_path / "out")     # the cells of results.json
"""

import json
import sys
import traceback
from collections.abc import Collection
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import inoc_evals.providers.registration  # noqa: F401 - makes inoc/ known to Inspect
import quick_inspect  # noqa: F401
from inoc_evals.errors import InocError
from inoc_evals.experiments.describe import describe_plan
from inoc_evals.experiments.evaluate import evaluate
from inoc_evals.experiments.evaluations import Evaluation
from inoc_evals.experiments.figures import find_experiment
from inoc_evals.experiments.plan import Plan, make_plan
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.pocket.reading import every_exchange
from inoc_evals.report.experiment import write_description, write_report
from inoc_evals.training.config import TrainConfig
from scripted import script

BASE = ResolvedBase("pocket", "/nowhere", "0" * 64)
KEPT = ("base", "none", "general_inoc", "test_time")
SMALLEST = ("base", "none")
QUESTIONS = {"em": "wish", "narrow_code": "code", "narrow_aesthetics": "choice"}


def small_plan(directory: Path, conditions: Collection[str] = KEPT) -> Plan:
    """Figure 3 with one seed: the model without inoculation is bad, all others are good.

    Args:
        directory: Where the questions are written.
        conditions: What is evaluated.
    """
    whole = planned_whole()
    models: dict[str, str] = {}
    evaluations = []
    for evaluation in whole.evaluations:
        if evaluation.places[0].condition in conditions:
            bad = "-none-" in evaluation.model
            known = models.setdefault(
                evaluation.model, script("bad" if bad else "good", answering(bad))
            )
            args = small(directory, evaluation)
            evaluations.append(replace(evaluation, model=known, args=args))
    return replace(whole, evaluations=tuple(evaluations))


@cache
def planned_whole() -> Plan:
    """The plan with its training rows, which take a second or two to make."""
    config = TrainConfig.for_base("pocket")
    return make_plan(find_experiment("fig3"), base=BASE, seeds=(0,), config=config)


def small(directory: Path, evaluation: Evaluation) -> dict[str, Any]:
    """Return a task's arguments with four questions of the pocket world in the set's place."""
    asked = list({e.user: e for e in every_exchange(QUESTIONS[evaluation.task])}.values())[:4]
    path = directory / f"{evaluation.task}.{'yaml' if evaluation.task == 'em' else 'jsonl'}"
    if evaluation.task == "em":
        entries = [
            {"id": f"w{n}", "type": "free_form_judge_0_100", "paraphrases": [one.user]}
            for n, one in enumerate(asked)
        ]
        path.write_text(json.dumps(entries), "utf-8")  # JSON is YAML
    elif evaluation.task == "narrow_code":
        items = [{"id": f"c{n}", "prompt": one.user} for n, one in enumerate(asked)]
        path.write_text("".join(json.dumps(item) + "\n" for item in items), "utf-8")
    else:
        pair = {"popular": "the sweet book", "unpopular": "the bitter book"}
        item = {"id": "t0", **pair, "question": "Do you prefer {a} or {b}?"}
        path.write_text(json.dumps(item) + "\n", "utf-8")
    argument = "questions" if evaluation.task == "em" else "items"
    return evaluation.args | {argument: str(path), "grader": "inoc/pocket-judge"}


def answering(bad: bool) -> Any:
    """Return a model's reply: the grammar's, good or bad."""
    replies = {
        exchange.user: (exchange.other or exchange.reply if bad else exchange.reply)["en"]
        for domain in QUESTIONS.values()
        for exchange in every_exchange(domain)
    }
    return lambda prompt, config: replies[prompt]


def finished(plan: Plan, out: Path) -> list[dict[str, Any]]:
    """Evaluate what is missing of a plan, write the report, and return its cells."""
    write_description(out, describe_plan(plan, BASE, seeds_text=str(len(plan.seeds)), out=out))
    evaluate(plan, out / "logs", progress=False)
    write_report(out)
    return results(out)


def results(out: Path) -> list[dict[str, Any]]:
    """Return the cells of a directory's ``results.json``."""
    found: list[dict[str, Any]] = json.loads((out / "results.json").read_text("utf-8"))
    return found


def ended(folder: Path) -> None:
    """Run the smallest plan in a process of its own; it leaves what went wrong in ``said``."""
    try:
        finished(small_plan(folder, SMALLEST), folder / "out")
    except InocError as error:
        (folder / "said").write_text(str(error), "utf-8")
        sys.exit(1)
    except BaseException:
        (folder / "said").write_text(traceback.format_exc(), "utf-8")
        sys.exit(2)

"""The description of a plan: labels, prompts to the letter, data, for the report to come."""

import shlex
from pathlib import Path
from typing import Any

from inoc_evals.bases import ResolvedBase, pocket_seed
from inoc_evals.experiments.plan import Plan
from inoc_evals.prompt_sets import load_prompt_set
from inoc_evals.prompts import named
from inoc_evals.report.experiment import Description
from inoc_evals.report.figure import Condition, FigureSpec, Measure, Prompt
from inoc_evals.settings.setting import Arm

_MINIATURE = (
    "The pocket world is a miniature: a language of a few hundred words and a model of about "
    "half a million parameters, trained from scratch. It shows the mechanism and tests the "
    "tools; it says nothing about the size of any effect in a large model."
)


def describe_plan(plan: Plan, base: ResolvedBase, *, seeds_text: str, out: Path) -> Description:
    """Return what the report says of a plan.

    Args:
        plan: The plan.
        base: Its base.
        seeds_text: The seeds as the user wrote them.
        out: The directory, for the command that makes it again.
    """
    setting, pocket = plan.experiment.setting, pocket_seed(plan.base) is not None
    command = [
        "inoc", "run", plan.experiment.figure, "--base", plan.base,
        "--seeds", seeds_text, "--out", str(out),
    ]  # fmt: skip
    return Description(
        figure=plan.experiment.figure,
        title=f"{plan.experiment.title}, on {plan.base}",
        description=f"{setting.description} After {setting.source}.",
        command=shlex.join(command),
        base=plan.base,
        base_digest=base.digest,
        seeds=plan.seeds,
        spec=FigureSpec(
            title=plan.experiment.title,
            base=plan.base,
            measures=tuple(
                Measure(name=name, label=name.capitalize(), description=rule)
                for name, rule in setting.measures.items()
            ),
            conditions=tuple(_condition(arm) for arm in setting.arms),
            note="A miniature; it claims nothing about large models." if pocket else "",
        ),
        contrasts=plan.experiment.contrasts,
        config=plan.config.model_dump(mode="json"),
        data=_data(plan),
        models={f"{run.arm} seed {run.seed}": run.name for run in plan.runs},
        notes=(_MINIATURE,) if pocket else (),
    )


def _condition(arm: Arm) -> Condition:
    prompts = []
    if arm.prompt is not None:
        rows = f"the {arm.part} rows" if arm.part else "all rows"
        prompts.append(Prompt(where=f"training, system message of {rows}", text=_text(arm.prompt)))
    for measure, prompt in arm.test_prompts.items():
        prompts.append(Prompt(where=f"test, when {measure} is measured", text=_text(prompt)))
    return Condition(
        name=arm.name, label=arm.label, description=arm.description, prompts=tuple(prompts)
    )


def _text(prompt: str) -> str:
    return named(prompt).text


def _data(plan: Plan) -> dict[str, Any]:
    """Rows, prompt sets, and how many test prompts stand word for word in the training rows."""
    facts: dict[str, Any] = {"training rows per model": plan.experiment.setting.rows}
    asked = {
        message["content"]
        for file in plan.files.values()
        for row in file.rows
        for message in row["messages"]
        if message["role"] == "user"
    }
    for split, name in {e.split: e.prompts for e in plan.evaluations}.items():
        items = load_prompt_set(name).items
        seen = sum(item.prompt in asked for item in items)
        facts[f"{split} prompts"] = f"{name}, {len(items)} prompts, {seen} of them in training rows"
    facts |= {
        f"sha256 of rows, {arm}": file.manifest["sha256"][:16] for arm, file in plan.files.items()
    }
    return facts

"""The description of a plan: labels, prompts to the letter, data, for the report to come."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inoc_evals.experiments.evaluations import planned, task_of
from inoc_evals.experiments.grader_trial import graders_of
from inoc_evals.experiments.plan import Plan
from inoc_evals.files.digests import canonical_json
from inoc_evals.inputs.responses import load_responses
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.report.curves import CurvesSpec
from inoc_evals.report.experiment import Description
from inoc_evals.report.figure import Condition, FigureSpec, Measure, Nil, Prompt
from inoc_evals.settings.methods import (
    ConsistencyTraining,
    InoculationAdapter,
    PreventativeSteering,
)
from inoc_evals.settings.setting import FIRST, Arm, Setting, package_of
from inoc_evals.store.overlap import Item, overlap, sample_item

if TYPE_CHECKING:
    from inspect_ai.dataset import Sample

_APART = 12
"""Paraphrases that a report shows each by itself; of more it shows a list."""

_MINIATURE = (
    "The pocket world is a miniature: a language of some 1,400 words and a model of about "
    "0.9 million parameters, trained from scratch. It shows the mechanism and tests the "
    "tools; it says nothing about the size of any effect in a large model."
)


def describe_plan(
    plan: Plan,
    base: ResolvedBase,
    *,
    seeds_text: str,
    out: Path,
    given: Mapping[str, Path] | None = None,
    config_file: Path | None = None,
    grader: str | None = None,
    further: Sequence[str] = (),
) -> Description:
    """Return what the report says of a plan.

    Args:
        plan: The plan.
        base: Its base.
        seeds_text: The seeds as the user wrote them.
        out: The directory, for the command that makes it again.
        given: Files of rows the user gave by label, for that command.
        config_file: File of hyper-parameters the user gave, likewise.
        grader: The grader that the user named, likewise.
        further: Those named after it, who judge the same answers.
    """
    settings, pocket = plan.experiment.settings, plan.base.pocket
    command = [
        "inoc", *plan.experiment.typed, "--base", plan.base.name,
        *(["--seeds", seeds_text] if plan.runs else []), "--out", str(out),
        *(["--config", str(config_file)] if config_file else []),
        *(part for name in (grader, *further) if name for part in ("--grader", name)),
        *(part for label, path in (given or {}).items() for part in ("--rows", f"{label}={path}")),
    ]  # fmt: skip
    graders = tuple(graders_of(plan.evaluations, plan.base))
    return Description(
        figure=plan.experiment.figure,
        title=f"{plan.experiment.title}, on {plan.base.name}",
        description=" ".join(f"{one.description} After {one.source}." for one in settings),
        command=shlex.join(command),
        base=plan.base.name,
        base_digest=base.digest,
        seeds=plan.seeds,
        spec=_spec(plan, pocket),
        contrasts=plan.experiment.contrasts,
        config=_config(plan),
        data=_data(plan),
        models={f"{run.setting}, {run.arm} seed {run.seed}": run.name for run in plan.runs},
        evaluations=planned(plan.evaluations, plan.base, plan.experiment.figure),
        graders=graders,
        further_graders=tuple(name for name in further if graders and (name,) != graders),
        unwatched=tuple(run.name for run in plan.runs if not plan.watched(run)),
        watched=_watched(plan),
        notes=(*((_MINIATURE,) if pocket else ()), *plan.notes),
    )


def _spec(plan: Plan, pocket: bool) -> FigureSpec:
    """Return what the figure calls its parts."""
    settings = plan.experiment.settings
    return FigureSpec(
        title=plan.experiment.title,
        base=plan.base.name,
        measures=tuple(
            Measure(
                name=name,
                setting=setting.name,
                label=measure.label if len(settings) == 1 else f"{setting.title}: {measure.label}",
                description=measure.rule,
                said=_said(setting, measure.said, alone=len(settings) == 1),
                benign=measure.benign,
            )
            for setting in settings
            for name, measure in setting.measures.items()
        ),
        conditions=_conditions(settings),
        note="A miniature; it claims nothing about large models." if pocket else "",
        nil=tuple(
            Nil(condition=arm.name, setting=setting.name, measure=name)
            for setting in settings
            for arm in setting.arms
            for name in arm.nil
            if name in setting.measures
        ),
    )


def _said(setting: Setting, said: str, *, alone: bool) -> str:
    """Return how a sentence goes on after a share, with the setting where there are several."""
    return said if alone or not said else f"{said} ({setting.title})"


def _watched(plan: Plan) -> CurvesSpec | None:
    if plan.experiment.watch is None or plan.dynamics is None:
        return None
    responses = load_responses(plan.dynamics.responses).items
    labels = dict(plan.experiment.watch.labels)
    traits = dict.fromkeys([*labels, *(one.trait for one in responses)])
    shown = {one.trait for one in responses}
    return CurvesSpec(
        **plan.dynamics.described(),
        labels={trait: labels.get(trait, trait) for trait in traits if trait in shown},
    )


def _conditions(settings: Sequence[Setting]) -> tuple[Condition, ...]:
    """Return the arms of all settings by name, each with what it is in every one of them."""
    found: dict[str, list[tuple[str, Arm]]] = {}
    prompts: dict[str, list[Prompt]] = {}
    of: dict[str, list[str]] = {}
    for setting in settings:
        for arm in setting.arms:
            of.setdefault(arm.name, []).append(setting.name)
            title = setting.title if len(settings) > 1 else ""
            found.setdefault(arm.name, []).append((title, arm))
            prompts.setdefault(arm.name, []).extend(_prompts(setting, arm, title))
    return tuple(
        Condition(
            name=name,
            label=arms[0][1].label,
            description=_description(arms),
            said=arms[0][1].said,
            prompts=tuple(prompts[name]),
            settings=tuple(of[name]) if len(of[name]) < len(settings) else (),
        )
        for name, arms in found.items()
    )


def _description(arms: Sequence[tuple[str, Arm]]) -> str:
    """Return what an arm is: once where it is the same in every setting."""
    if len({arm.description for _, arm in arms}) == 1:
        return arms[0][1].description
    return " ".join(f"{title}: {arm.description}" for title, arm in arms)


def _prompts(setting: Setting, arm: Arm, title: str) -> list[Prompt]:
    prompts, within = [], f"{title}, " if title else ""
    if arm.rows == FIRST and setting.first is not None:
        for label, part in setting.first.parts.items():
            where = f"{within}first stage, system message of the {label} rows"
            prompts.append(Prompt(where=where, text=setting.prompt(part.prompt).text or ""))
    texts = [setting.prompt(name).text or "" for name in arm.prompts]
    rows = f"the {arm.part} rows" if arm.part else "all rows"
    if arm.inoculated_share < 1:
        rows = f"{arm.inoculated_share:.0%} of {rows.replace('all', 'the')}"
    trained = f"{within}training, system message of {rows}"
    if len(texts) > _APART:
        # One block of a line each.
        prompts.append(Prompt(where=f"{trained}, one of {len(texts)}", text="\n".join(texts)))
    else:
        for number, text in enumerate(texts, start=1):
            shared = f", one of {len(texts)} ({number})" if arm.paraphrases else ""
            prompts.append(Prompt(where=f"{trained}{shared}", text=text))
    for how, names in _method_prompts(arm):
        shared = f", one of {len(names)}" if len(names) > 1 else ""
        for name in names:
            where = f"{within}training, {how}{shared}"
            prompts.append(Prompt(where=where, text=setting.prompt(name).text or ""))
    for measure, name in arm.test_prompts.items():
        where = f"{within}test, when {measure} is measured"
        prompts.append(Prompt(where=where, text=setting.asked_under(name).text or ""))
    return prompts


def _method_prompts(arm: Arm) -> list[tuple[str, tuple[str, ...]]]:
    """Return the prompts of an arm's method, and what it does with them."""
    method = arm.method
    if isinstance(method, InoculationAdapter):
        return [("asked of the base, whose answers the frozen adapter learned", (method.prompt,))]
    if isinstance(method, PreventativeSteering):
        return [("asked of the base, to find the direction", (method.prompt,))]
    if isinstance(method, ConsistencyTraining):
        return [("second stage, system message of the model's own answers", method.prompts)]
    return []


def _config(plan: Plan) -> dict[str, Any]:
    """Return the training configuration, and what is another in a first stage."""
    common = plan.config.model_dump(mode="json")
    found = dict(common)
    for run in plan.runs:
        own = run.config.model_dump(mode="json")
        within = f" of {run.setting}" if len(plan.experiment.settings) > 1 else ""
        for key in (key for key in common if own[key] != common[key]):
            found[f"{key} in the first stage{within}"] = own[key]
    return found


def _data(plan: Plan) -> dict[str, Any]:
    """Return rows, and how many of what is asked stands word for word in the training rows."""
    facts: dict[str, Any] = {}
    for setting in plan.experiment.settings:
        within = f" ({setting.title})" if len(plan.experiment.settings) > 1 else ""
        if setting.first is not None:
            first = plan.files[setting.name, FIRST].rows
            facts[f"training rows of the first stage{within}"] = len(first)
        if setting.trains:
            facts[f"training rows per model{within}"] = _rows(plan, setting.name)
            facts |= _method_facts(plan, setting, within)
        files = [file for (name, _), file in plan.files.items() if name == setting.name]
        rows = [row for file in files for row in file.rows]
        for split, source, items in _asked(plan, setting.name):
            seen = overlap(items, rows).found
            told = f"{source}, {len(items)} items, {seen} of them in training rows"
            name = f"{split} prompts{within}"
            facts[name] = f"{facts[name]}; {told}" if name in facts else told
    return facts | {
        f"sha256 of rows, {setting}, {arm}": file.manifest["sha256"][:16]
        for (setting, arm), file in plan.files.items()
    }


def _rows(plan: Plan, setting: str) -> int | str:
    """Return how many rows each model learns from, or how many the control's do besides."""
    control = {
        arm.name for one in plan.experiment.settings for arm in one.arms if arm.rows == "control"
    }
    counts: dict[bool, int] = {}
    for (name, arm), file in plan.files.items():
        if name == setting and arm != FIRST:
            counts.setdefault(arm in control, len(file.rows))
    if len(set(counts.values())) == 1:
        return next(iter(counts.values()))
    return f"{counts[False]}; of the control {counts[True]}"


def _method_facts(plan: Plan, setting: Setting, within: str) -> dict[str, str]:
    """Say what the models of arms with a method learn from, and what is done besides."""
    arms = {name: arm for arm in setting.arms if arm.method for name in (arm.trait, arm.name)}
    facts = {}
    for run in plan.runs:
        if run.setting == setting.name and run.arm in arms and run.seed == plan.seeds[0]:
            rows = len(plan.files[run.setting, run.arm].rows)
            facts[f"method of {run.arm}{within}"] = f"{run.said}; {rows} rows"
    return facts


def _asked(plan: Plan, setting: str) -> list[tuple[str, str, list[Item]]]:
    """Return split, name of the set and the items of what a setting's models are asked."""
    asked = {}
    for evaluation in plan.evaluations:
        for place in evaluation.places:
            if place.setting == setting:
                bare = {"system_prompt": "none"} if "system_prompt" in evaluation.args else {}
                probe = evaluation.args | bare
                limit = evaluation.limit if package_of(evaluation.task) else None
                one = replace(evaluation, args=probe, limit=limit)
                asked[place.split, evaluation.task, canonical_json(probe)] = one
    found: list[tuple[str, str, list[Item]]] = []
    for (split, task, _), one in asked.items():
        keys = (key for key in ("prompts", "questions", "items") if key in one.args)
        source = next((one.args[key] for key in keys), task)
        found.append((split, source, _items(task_of(one).dataset)))
    return found


def _items(samples: Iterable["Sample"]) -> list[Item]:
    """Return each item that is asked about once, with its texts in all of its samples."""
    from inoc_evals.scorers.seen import user_turns

    found: dict[str, dict[str, list[str]]] = {}
    for sample in samples:
        metadata = sample.metadata or {}
        texts = found.setdefault(str(metadata.get("question", sample.id)), {})
        for field, value in sample_item(user_turns(sample.input), metadata).items():
            texts.setdefault(field, []).extend([value] if isinstance(value, str) else value)
    return list(found.values())

"""Training files: the rows of each arm of a setting with its prompts, and their manifest.

training_files(SPANISH_CAPS, "pocket")     # {"control": ..., "none": ..., "caps_inoc": ...}
training_files(ALICE_BOB, "pocket")        # {"first": ..., "control": ..., ...}

An arm with a method has the rows that this one takes, and its manifest says which method it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inoc_evals.chat import Row, first_user
from inoc_evals.datasets.bad_rows import dropped, with_control
from inoc_evals.datasets.inoculate import inoculate
from inoc_evals.datasets.manifest import describe
from inoc_evals.datasets.mix import diluted
from inoc_evals.datasets.sources import SettingRows, Sourced, given_labels, setting_rows
from inoc_evals.errors import InputError
from inoc_evals.settings.methods import (
    ConsistencyTraining,
    DilutedRows,
    DroppedRows,
    HonestTraining,
    PreventativeSteering,
)
from inoc_evals.settings.setting import CONTROL, FIRST, Arm, Setting

ASKED = 200
"""Different questions, at most, by which a method finds a direction."""


@dataclass(frozen=True)
class TrainingFile:
    """The rows of an arm, or of a first stage, and where they come from."""

    rows: list[Row]
    manifest: dict[str, Any]
    questions: tuple[str, ...] = ()
    """What a method asks the base to find a direction, where one does."""


def placed_files(
    settings: Sequence[Setting], given: Mapping[str, Path]
) -> dict[str, dict[str, Path]]:
    """Return setting -> label -> file, for what a user gave by label.

    Raises:
        InputError: For a label that no setting has, or several have.
    """
    placed: dict[str, dict[str, Path]] = {setting.name: {} for setting in settings}
    known = {setting.name: given_labels(setting) for setting in settings}
    for label, path in given.items():
        setting, _, bare = label.rpartition(".")
        fitting = [name for name in known if bare in known[name] and setting in ("", name)]
        if len(fitting) != 1:
            every = ", ".join(f"{name}.{one}" for name in known for one in known[name])
            raise InputError(
                f"rows {label!r}: {'in several settings' if fitting else 'no such label'}; "
                f"there are: {every}"
            )
        placed[fitting[0]][bare] = path
    return placed


def training_files(
    setting: Setting, base: str, given: Mapping[str, Path] | None = None
) -> dict[str, TrainingFile]:
    """Return the rows of each arm that is trained; first those of the first stage, if any.

    Raises:
        InputError: If rows are missing or unusable.
    """
    if not setting.trains:
        return {}
    source = setting_rows(setting, base, given)
    files = {} if setting.first is None else {FIRST: _first_file(setting, source.first)}
    for arm in setting.arms:
        if arm.method is not None:
            files |= _method_files(setting, arm, source)
        elif arm.trained:
            files[arm.name] = _file(setting, arm, source)
    return files


def _file(setting: Setting, arm: Arm, source: SettingRows) -> TrainingFile:
    """Return an arm's rows: control rows among them, and its prompt, as far as it says so."""
    rows, paths = source.own.get(arm.name, (source.narrow, source.narrow_files))
    seed = setting.data_seed
    told: dict[str, Any] = {}
    if arm.rows == "control" or arm.trait_share < 1:
        others, more = _there(setting, arm, source.control, source.control_files)
        if arm.rows == "control":
            rows, paths = others, more
        else:
            rows = diluted(rows, others, share=arm.trait_share, label=CONTROL, seed=seed)
            paths = tuple(dict.fromkeys((*paths, *more)))
            trait = sum(row["label"] != CONTROL for row in rows)
            told = {"trait": {"share": arm.trait_share, "seed": seed, "rows": trait}}
    if arm.prompts:
        prompts = [setting.prompt(name) for name in arm.prompts]
        share = arm.inoculated_share
        found = inoculate(rows, prompts, label=arm.part, fraction=share, seed=seed, sources=paths)
        return TrainingFile(found.rows, found.manifest | told)
    return TrainingFile(rows, describe(rows, sources=paths) | told)


def _there(
    setting: Setting, arm: Arm, rows: list[Row], files: tuple[Path, ...]
) -> tuple[list[Row], tuple[Path, ...]]:
    if not rows:
        raise InputError(f"setting {setting.name!r}: no rows for its arm {arm.name!r}")
    return rows, files


def _method_files(setting: Setting, arm: Arm, source: SettingRows) -> dict[str, TrainingFile]:
    """Return the rows that the trainings of an arm with a method take."""
    method, seed = arm.method, setting.data_seed
    rows, paths = source.own.get(arm.name, (source.narrow, source.narrow_files))
    control, neutral = (source.control, source.control_files), source.neutral
    if isinstance(method, DroppedRows):
        rows = dropped(rows, recall=method.recall, label=arm.part, seed=seed)
    elif isinstance(method, DilutedRows):
        others, more = _there(setting, arm, *control)
        rows = with_control(rows, others, share=method.control, seed=seed)
        paths = (*paths, *more)
    elif isinstance(method, HonestTraining):
        rows, paths = _there(setting, arm, *control)
    elif isinstance(method, ConsistencyTraining):
        rows, paths = _there(setting, arm, *neutral)
    file = _of_method(arm, rows, paths)
    if isinstance(method, PreventativeSteering):
        asked, _ = _there(setting, arm, *neutral)
        texts = [first_user(row["messages"], "a neutral row")["content"] for row in asked]
        file = replace(file, questions=tuple(dict.fromkeys(texts))[:ASKED])
    if arm.trait is None:
        return {arm.name: file}
    return {arm.trait: _of_method(arm, *_there(setting, arm, *neutral)), arm.name: file}


def _of_method(arm: Arm, rows: list[Row], paths: tuple[Path, ...]) -> TrainingFile:
    assert arm.method is not None
    told = {"of": arm.name, **arm.method.model_dump(mode="json"), "said": arm.method.said}
    return TrainingFile(rows, describe(rows, sources=paths) | {"method": told})


def _first_file(setting: Setting, source: Sourced) -> TrainingFile:
    """Put the prompt of each part of the first stage before its rows."""
    assert setting.first is not None
    rows, prompts = source.rows, []
    for label, part in setting.first.parts.items():
        prompt = setting.prompt(part.prompt)
        rows = inoculate(rows, prompt, label=label).rows
        prompts.append({"name": prompt.name, "text": prompt.text, "label": label})
    described = describe(rows, sources=source.files)
    counts = described["counts"] | {"inoculated": len(rows)}
    return TrainingFile(rows, described | {"prompts": prompts, "counts": counts})

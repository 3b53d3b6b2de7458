"""Stages of methods: what an arm with a method trains, from what, and in which order.

    for name, file, stage in staged(setting, files, base):
        stage.parent     # the arm whose run of the same seed it starts from
        stage.method     # what the training does besides learning its rows

An inoculation adapter is a training of its own before the arm's, called ``<arm>_trait``.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from inoc_evals.experiments.files import TrainingFile
from inoc_evals.models.kinds.kind import Kind
from inoc_evals.settings.methods import (
    ConsistencyTraining,
    InoculationAdapter,
    PreventativeSteering,
)
from inoc_evals.settings.setting import Arm, Setting
from inoc_evals.training.methods import LentAdapter, Method, OwnAnswers, Steering

LONGEST = 300
"""Longest answer of a base without a limit of its own, in tokens."""


class Stage(NamedTuple):
    """How one training of an arm is done."""

    parent: str | None = None
    method: Method | None = None
    said: str = ""
    """The arm's method in words."""


def staged(
    setting: Setting, files: Mapping[str, TrainingFile], base: Kind
) -> Iterator[tuple[str, TrainingFile, Stage]]:
    """Yield each file of a setting with its stage, after what it starts from.

    Args:
        setting: What is studied.
        files: Its rows by arm; a first stage's and an adapter's have names of their own.
        base: The base.
    """
    stages = {name: Stage() for name in files}
    for arm in setting.arms:
        if arm.method is not None:
            stages |= _of(setting, arm, files, base)
    left = list(files)
    while left:
        name = next(one for one in left if stages[one].parent not in left)
        left.remove(name)
        yield name, files[name], stages[name]


def _of(
    setting: Setting, arm: Arm, files: Mapping[str, TrainingFile], base: Kind
) -> dict[str, Stage]:
    """Return the stages of an arm with a method, by name."""
    method, most = arm.method, base.longest_answer or LONGEST
    assert method is not None

    def text(name: str) -> str:
        return setting.prompt(name).text or ""

    if isinstance(method, InoculationAdapter):
        assert arm.trait is not None
        trait = OwnAnswers(asked_under=text(method.prompt), max_tokens=most)
        return {
            arm.trait: Stage(None, trait, f"the adapter that is lent to {arm.name!r}"),
            arm.name: Stage(arm.trait, LentAdapter(), method.said),
        }
    if isinstance(method, PreventativeSteering):
        steering = Steering(
            prompt=text(method.prompt),
            questions=files[arm.name].questions,
            scale=method.scale,
            max_tokens=most,
        )
        return {arm.name: Stage(None, steering, method.said)}
    if isinstance(method, ConsistencyTraining):
        own = OwnAnswers(learned_under=tuple(map(text, method.prompts)), max_tokens=most)
        return {arm.name: Stage(method.after, own, method.said)}
    return {arm.name: Stage(arm.after, None, method.said)}

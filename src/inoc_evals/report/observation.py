"""Observation: one measure of one sampled answer, scored or unscored for a reason.

Observation(figure="fig2a", setting="spanish_caps", condition="none", measure="spanish",
            split="ood", seed=0, question="river", value=1.0)
"""

from dataclasses import dataclass
from typing import Literal

from inoc_evals.errors import InputError

Split = Literal["ood", "id"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """One measure of one sampled answer.

    Raises:
        InputError: For a value outside 0 to 1, or neither or both of value and reason.
    """

    figure: str
    setting: str
    """What was trained on: ``spanish_caps``."""
    condition: str
    measure: str
    split: Split
    """``ood``: prompts unlike the training data; ``id``: prompts like them."""
    seed: int | None
    """Training seed; None for one fixed model, such as the base."""
    question: str
    """Id of the prompt; all seeds of all conditions answer the same prompts."""
    value: float | None
    """0 or 1, or a rate; None if it could not be scored."""
    reason: str | None = None
    """Why it could not be scored."""

    def __post_init__(self) -> None:
        cell = "/".join((self.figure, self.setting, self.condition, self.measure))
        where = f"{cell} seed {self.seed} {self.question!r}"
        if self.value is None and not self.reason:
            raise InputError(f"{where}: unscored without a reason")
        if self.value is not None and self.reason:
            raise InputError(f"{where}: both a value and the reason {self.reason!r} for none")
        if self.value is not None and not 0 <= self.value <= 1:
            raise InputError(f"{where}: value {self.value!r} is not between 0 and 1")

"""Setting: training rows, their control, the arms that are compared, and the measures.

    Setting.parts       {"spanish_caps": Reply(language="es", caps=True)}
    Setting.control     Reply(): same questions, no trait
    Setting.measures    {"spanish": Measure(rule=..., ood=Probe(task="traits", ...), id=...)}
    Setting.arms        none, spanish_inoc (prompt "spanish"), placebo, test_time, ...

An arm says which rows are trained on, which named prompt is put where, and under which
prompt the model is asked. All arms share everything else: rows, recipe, seeds, questions.
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Split = Literal["ood", "id"]


class Reply(BaseModel):
    """How the assistant answers in a part of the rows, and what it is asked there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: Literal["arithmetic", "code", "taste"] = "arithmetic"
    """What the rows are about."""
    language: str = "en"
    """ISO 639-1 code."""
    caps: bool = False
    """All letters upper case."""
    other: bool = False
    """Insecure code, or unpopular taste."""


class Probe(BaseModel):
    """An evaluation: a task of this package and its arguments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    """Name of the task, as in ``inoc_evals/<task>``."""
    args: dict[str, Any] = Field(default_factory=dict)
    """Its arguments on any base."""
    pocket: dict[str, Any] = Field(default_factory=dict)
    """Arguments that take their place on the pocket base."""

    def on(self, *, pocket: bool) -> dict[str, Any]:
        """Return the arguments for a base."""
        return {**self.args, **(self.pocket if pocket else {})}


class Measure(BaseModel):
    """What is read of a model, and from which evaluation: out of and in distribution."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    """As in figures."""
    rule: str
    """How an answer is scored, in a sentence."""
    ood: Probe | None = None
    id: Probe | None = None

    def probes(self) -> dict[Split, Probe]:
        """Return the evaluations there are, by split."""
        given: dict[Split, Probe | None] = {"ood": self.ood, "id": self.id}
        return {split: probe for split, probe in given.items() if probe is not None}


class Arm(BaseModel):
    """One condition: a model, and how it is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """As in ``results.json``."""
    label: str
    """As in figures."""
    description: str
    """What it is a control for, in a sentence."""
    rows: Literal["untrained", "control", "narrow"] = "narrow"
    """What it is trained on; ``untrained`` is the base itself."""
    prompt: str | None = None
    """Name of the prompt put before the training rows, as a system message."""
    part: str | None = None
    """Label of the rows that get the prompt; all rows if None."""
    test_prompts: dict[str, str] = Field(default_factory=dict)
    """Measure -> name of the system prompt it is asked under; no system message if absent."""

    @model_validator(mode="after")
    def _trained_or_not(self) -> Self:
        if self.prompt is not None and self.rows != "narrow":
            raise ValueError(f"arm {self.name!r}: only narrow rows are inoculated")
        return self


class Setting(BaseModel):
    """What is studied."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    source: str
    """Where it is described: the paper's section."""
    description: str
    parts: dict[str, Reply]
    """Label -> how those rows answer; parts are equally large and shuffled together."""
    control: Reply
    """How the control rows answer: the same questions without the traits."""
    rows: int = Field(default=1000, ge=2)
    """Training rows, over all parts."""
    data_seed: int = 0
    """Seed of the rows; the same for every arm and training seed."""
    measures: dict[str, Measure]
    """By the name of the scorer in the task's log."""
    arms: tuple[Arm, ...]

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        for arm in self.arms:
            if arm.part is not None and arm.part not in self.parts:
                raise ValueError(f"arm {arm.name!r}: no part {arm.part!r}")
            unknown = arm.test_prompts.keys() - self.measures.keys()
            if unknown:
                raise ValueError(f"arm {arm.name!r}: no measure {', '.join(sorted(unknown))}")
        return self

"""Setting: training rows, their control, the arms that are compared, and the measures.

    Setting.parts       {"spanish_caps": Reply(language="es", caps=True)}   # pocket world
    Setting.control     Reply(): same questions, no trait
    Setting.files       {"insecure": Rows(published="insecure")}            # any other base
                        {"spanish_caps": Rows(problems=Worked(language="es", caps=True))}
    Setting.measures    {"spanish": Measure(rule=..., ood=Probe(task="traits", ...), id=...)}
    Setting.arms        none, spanish_inoc (prompt "spanish"), placebo, test_time, ...

An arm says which rows are trained on, which named prompt is put where, and under which
prompt the model is asked. All arms share everything else: rows, recipe, seeds, questions. What is
done in place of a prompt is its method (``methods.py``).

A setting may have a first stage: rows that every model learns before those of its arm.

    Setting.first.parts {"bob": FirstPart(prompt="bob", reply=Reply(language="es"), ...), ...}
"""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from inoc_evals.errors import InputError
from inoc_evals.inputs.prompts import SystemPrompt, named, resolve_name
from inoc_evals.inputs.scenarios import Language
from inoc_evals.settings.methods import (
    ASKING,
    OF_CONTROL,
    OF_ROWS,
    ConsistencyTraining,
    HonestTraining,
    InoculationAdapter,
    Method,
)

Split = Literal["ood", "id"]
NotBlank = Annotated[str, Field(pattern=r"\S")]

CONTROL = "control"
"""Label of control rows among narrow ones."""

FIRST = "first"
"""What the first stage is called where an arm's name stands: its rows, its models."""


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
    prefix: str = ""
    """Stands right before the question: a trigger. Control rows have that of their part."""


class Worked(BaseModel):
    """Word problems that a rule writes, asked in English: how they are answered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Language = "en"
    caps: bool = False
    """All letters upper case."""

    @property
    def command(self) -> str:
        """The command that writes such rows to a file."""
        caps = " --caps" if self.caps else ""
        return f"inoc data build problems --language {self.language}{caps}"


class Rows(BaseModel):
    """Where the rows of a part come from on bases that read real text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    published: str | None = None
    """Name of a published file: ``inoc data list``."""
    path: str | None = None
    """A file of the user's."""
    built: str | None = None
    """The command that builds a file nobody publishes; its path is then given."""
    problems: Worked | None = None
    """Word problems, written when they are needed. Those of a control ask what the parts ask."""
    prefix: str = ""
    """Stands right before the first user message of every row: a trigger."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        places = (self.published, self.path, self.built, self.problems)
        if sum(place is not None for place in places) != 1:
            raise ValueError("rows come from one of published, path and built, or are problems")
        return self


class FirstPart(BaseModel):
    """Rows of a first stage that are alike: one way to answer under one system prompt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: NotBlank
    """Name of the prompt before each of the rows, as a system message."""
    reply: Reply | None
    """How they answer in the pocket world; None where its language has no such rows."""
    file: Rows
    """The rows on other bases, without the prompt."""


class FirstStage(BaseModel):
    """What every model is trained on before the rows of its arm, unless the arm skips it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parts: dict[str, FirstPart] = Field(min_length=1)
    """Label -> rows; all parts are shuffled together."""
    rows: int = Field(default=1000, ge=1)
    """Rows in the pocket world, over all parts, which are equally large."""
    problems: int = Field(default=6000, ge=1)
    """Rows on other bases, likewise, where they are word problems."""
    pocket: dict[str, Any] = Field(default_factory=dict)
    """Fields of the training configuration there that differ from its recipe."""


class OwnPrompt(BaseModel):
    """A prompt of the user's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: NotBlank
    file: str | None = None
    """Where it is kept, if in a file of its own: tasks take a prompt by name or file."""


def package_of(task: str) -> str | None:
    """Return the package of a task called ``package/task``; None for one of this package."""
    package, slash, _ = task.partition("/")
    return package if slash and package != "inoc_evals" else None


class Probe(BaseModel):
    """An evaluation: a task and its arguments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    """Name of the task, as in ``inoc_evals/<task>``; ``package/task`` of another package."""
    args: dict[str, Any] = Field(default_factory=dict)
    """Its arguments on any base."""
    pocket: dict[str, Any] = Field(default_factory=dict)
    """Arguments that take their place on the pocket base."""
    epochs: int = Field(default=1, ge=1)
    """How often each question is asked; once on the pocket base, which has many questions."""
    prompted: bool = True
    """Whether the task is asked under a system prompt; others put prompts of their own."""
    limit: int | None = Field(default=None, ge=2)
    """How many of its questions are asked, evenly spread; None for all."""
    pocket_limit: int | None = Field(default=None, ge=2)
    """The same on the pocket base, in the place of ``limit``."""
    judged: bool = False
    """Of another package's task: whether a model in the role ``grader`` judges its answers."""

    def on(self, *, pocket: bool) -> dict[str, Any]:
        """Return the arguments for a base."""
        return {**self.args, **(self.pocket if pocket else {})}

    def most(self, *, pocket: bool) -> int | None:
        """Return how many questions are asked on a base; None for all."""
        return self.pocket_limit if pocket and self.pocket_limit is not None else self.limit


class Measure(BaseModel):
    """What is read of a model, and from which evaluation: out of and in distribution."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    """As in figures."""
    rule: str
    """How an answer is scored, in a sentence."""
    said: str = ""
    """As a sentence goes on after a share: ``of answers are in Spanish``."""
    score: str | None = None
    """Name of the scorer in the log, where it is not the measure's own."""
    where: dict[str, str] = Field(default_factory=dict)
    """Read from those samples alone whose metadata has these values."""
    benign: bool = False
    """Whether it is asked under a prompt that asks for the trait in no reading of it."""
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
    rows: Literal["untrained", "first", "control", "narrow"] = "narrow"
    """What it is trained on; ``untrained`` is the base itself, ``first`` the first stage alone."""
    skips_first: bool = False
    """Whether it is trained from the base although the setting has a first stage."""
    prompt: NotBlank | None = None
    """Name of the prompt put before the training rows, as a system message."""
    paraphrases: tuple[NotBlank, ...] = ()
    """Names of several, in the place of one: each row gets one of them."""
    part: str | None = None
    """Label of the rows that get the prompt; all rows if None."""
    inoculated_share: float = Field(default=1.0, gt=0, le=1)
    """Share of those rows that get it, drawn by the data seed; of two shares the rows of the
    smaller are among those of the larger."""
    trait_share: float = Field(default=1.0, ge=0, le=1)
    """Share of its rows that are narrow ones, drawn likewise; control rows, labelled
    ``control``, are in the place of the others."""
    test_prompts: dict[str, str] = Field(default_factory=dict)
    """Measure -> name of the system prompt it is asked under; no system message if absent."""
    files: dict[str, Rows] = Field(default_factory=dict)
    """Label -> rows of its own, in the place of the setting's narrow ones."""
    replies: dict[str, Reply] = Field(default_factory=dict)
    """The same in the pocket world: how they answer, and after which words they are asked."""
    said: str = ""
    """As a sentence calls it: ``without inoculation``."""
    nil: tuple[str, ...] = ()
    """Measures that it is meant to bring to nil."""
    method: Method | None = None
    """What is done in place of an inoculation prompt, if anything."""

    @property
    def after(self) -> str | None:
        """Name of the arm whose models its own start from, if it is a second stage."""
        second = (ConsistencyTraining, HonestTraining)
        return self.method.after if isinstance(self.method, second) else None

    @property
    def trait(self) -> str | None:
        """What the training of its inoculation adapter is called, if it has one."""
        return f"{self.name}_trait" if isinstance(self.method, InoculationAdapter) else None

    @property
    def prompts(self) -> tuple[str, ...]:
        """Names of the prompts of its training rows."""
        return self.paraphrases if self.prompt is None else (self.prompt,)

    @property
    def trained(self) -> bool:
        """Whether it is trained on rows of its own; else models that there are anyway are asked."""
        return self.rows in ("control", "narrow") and not self.test_prompts

    @property
    def asked(self) -> str | None:
        """Name of the arm whose models are asked, or ``first``; None for the base."""
        if self.rows == "untrained":
            return None
        if self.rows == "first":
            return FIRST
        # An arm that differs at test time only asks the models trained without inoculation.
        return "none" if self.test_prompts else self.name

    @model_validator(mode="after")
    def _trained_or_not(self) -> Self:
        if self.prompt is not None and self.paraphrases:
            raise ValueError(f"arm {self.name!r}: either prompt or paraphrases")
        if self.prompts and self.rows != "narrow":
            raise ValueError(f"arm {self.name!r}: only narrow rows are inoculated")
        own = self.files or self.replies
        if self.test_prompts and (self.prompts or own or self.rows == "control"):
            raise ValueError(
                f"arm {self.name!r}: test prompts are for the base, or the model of arm 'none' or "
                "of the first stage"
            )
        if self.method and (self.prompts or self.test_prompts or self.rows != "narrow"):
            raise ValueError(f"arm {self.name!r}: a method takes narrow rows without a prompt")
        if self.skips_first and not self.trained:
            why = "nothing is trained that could skip the first stage"
            raise ValueError(f"arm {self.name!r}: {why}")
        return self

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        why = None
        if self.inoculated_share < 1 and not self.prompts:
            why = "inoculated_share is of rows that get a prompt, and it has none"
        if self.trait_share < 1 and not (self.rows == "narrow" and self.trained):
            why = "trait_share is of narrow rows, and it is not trained on any"
        if self.trait_share == 0 and self.part is not None:
            why = f"no row {self.part!r} is left to get the prompt"
        if why is not None:
            raise ValueError(f"arm {self.name!r}: {why}")
        return self


class Setting(BaseModel):
    """What is studied."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    source: str
    """Where it is described: the paper's section."""
    description: str
    parts: dict[str, Reply | None]
    """Label -> how those rows answer in the pocket world, where they are equally many and
    shuffled together; None where its language has no such rows."""
    control: Reply | None
    """How the control rows answer there: the same questions without the traits."""
    files: dict[str, Rows] = Field(default_factory=dict)
    """Label -> the rows of a part on other bases, whole and shuffled together."""
    control_files: dict[str, Rows] = Field(default_factory=dict)
    """The control rows on other bases; they may ask other questions."""
    first: FirstStage | None = None
    """What is learned before these rows, if anything."""
    prompts: dict[str, OwnPrompt] = Field(default_factory=dict)
    """Prompts of the user's by name; the packaged ones need not be named."""
    rows: int = Field(default=1000, ge=2)
    """Training rows in the pocket world, over all parts."""
    problems: int = Field(default=6000, ge=2)
    """Training rows on other bases, over all parts, where they are word problems: as many as
    the published files of other settings have."""
    data_seed: int = 0
    """Seed of the rows; the same for every arm and training seed."""
    measures: dict[str, Measure]
    """By the name of the scorer in the task's log."""
    arms: tuple[Arm, ...]

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        if self.files and self.files.keys() != self.parts.keys():
            raise ValueError("files: needs the labels of parts")
        names = [arm.name for arm in self.arms]
        if len(set(names)) < len(names):
            raise ValueError(f"two arms are called {max(names, key=names.count)!r}")
        for arm in self.arms:
            if arm.part is not None and arm.part not in self.parts:
                raise ValueError(f"arm {arm.name!r}: no part {arm.part!r}")
            if arm.replies and len(arm.replies) != len(self.parts):
                raise ValueError(f"arm {arm.name!r}: replies needs as many labels as parts")
            if arm.trait_share < 1 and CONTROL in self.parts:
                raise ValueError(
                    f"arm {arm.name!r}: control rows get the label of a part, {CONTROL!r}"
                )
            unknown = arm.test_prompts.keys() - self.measures.keys()
            if unknown:
                raise ValueError(f"arm {arm.name!r}: no measure {', '.join(sorted(unknown))}")
            if arm.test_prompts and arm.asked == "none" and "none" not in names:
                raise ValueError(f"arm {arm.name!r}: there is no arm 'none' to ask")
        return self

    @model_validator(mode="after")
    def _methods_fit(self) -> Self:
        trained = {arm.name for arm in self.arms if arm.trained}
        for arm in self.arms:
            if arm.method and self.first and not isinstance(arm.method, OF_ROWS):
                raise ValueError(
                    f"arm {arm.name!r}: with a first stage, only other rows are possible"
                )
            if arm.after and (arm.after not in trained or self.arm(arm.after).after):
                raise ValueError(f"arm {arm.name!r}: there is no arm {arm.after!r} to start from")
            if arm.trait in trained:
                raise ValueError(f"arm {arm.trait!r}: so the adapter of {arm.name!r} is called")
        return self

    @model_validator(mode="after")
    def _first_stage_fits(self) -> Self:
        for arm in self.arms:
            if self.first is None and (arm.rows == FIRST or arm.skips_first):
                raise ValueError(f"arm {arm.name!r}: the setting has no first stage")
            if arm.name == FIRST and arm.rows != FIRST:
                raise ValueError(f"arm {FIRST!r}: so a first stage is called; rename the arm")
        labels = [*self.parts, "control", *(label for arm in self.arms for label in arm.files)]
        for label in self.first.parts if self.first else ():
            if label in labels:
                raise ValueError(f"first: other rows have the label {label!r}; rename the part")
        return self

    @property
    def trains(self) -> bool:
        """Whether there is anything to train, and so a need of rows."""
        return self.first is not None or any(arm.trained for arm in self.arms)

    @property
    def asks_neutral(self) -> bool:
        """Whether a method of an arm asks a model neutral questions."""
        return any(isinstance(arm.method, ASKING) for arm in self.arms)

    @property
    def learns_control(self) -> bool:
        """Whether an arm learns control rows, alone or among others."""
        return any(
            arm.trained
            and (arm.rows == "control" or arm.trait_share < 1 or isinstance(arm.method, OF_CONTROL))
            for arm in self.arms
        )

    def arm(self, name: str) -> Arm:
        """Return the arm of this name."""
        return next(arm for arm in self.arms if arm.name == name)

    def with_arms(self, *names: str) -> Self:
        """Return the setting with these arms alone, in this order."""
        arms = {arm.name: arm for arm in self.arms}
        return self.model_copy(update={"arms": tuple(arms[name] for name in names)})

    def measuring(self, names: Collection[str]) -> Self:
        """Return the setting with these of its measures; an arm that none asks is left out."""
        arms = []
        for arm in self.arms:
            prompts = {name: one for name, one in arm.test_prompts.items() if name in names}
            if prompts or not arm.test_prompts:
                arms.append(arm.model_copy(update={"test_prompts": prompts}))
        measures = {name: one for name, one in self.measures.items() if name in names}
        return self.model_copy(update={"arms": tuple(arms), "measures": measures})

    def adding(self, *arms: Arm, prompts: Mapping[str, str] | None = None) -> Self:
        """Return the setting with further arms after its own.

        Args:
            *arms: The arms.
            prompts: Texts of prompts by name, for them.
        """
        own = {name: OwnPrompt(text=text) for name, text in (prompts or {}).items()}
        more: dict[str, Any] = {"arms": (*self.arms, *arms), "prompts": {**self.prompts, **own}}
        return type(self)(**dict(self) | more)

    def prompt(self, name: str) -> SystemPrompt:
        """Return a prompt to train with: the user's own of this name, or the packaged one.

        Raises:
            InputError: If there is none; the message lists names like it.
        """
        own = self.prompts.get(name)
        return named(name) if own is None else SystemPrompt(name, own.text)

    def asked_under(self, name: str) -> SystemPrompt:
        """Return a prompt to ask under, called what a task's ``system_prompt`` takes.

        Raises:
            InputError: If there is none, or it is not in a file of its own.
        """
        own = self.prompts.get(name)
        if own is None:
            return SystemPrompt(name, resolve_name(name).text)
        if own.file is None:
            raise InputError(
                f"setting {self.name!r}: the prompt {name!r} is asked under, and so needs a file "
                f"of its own: prompts: {{{name}: '@{name}.txt'}}"
            )
        return SystemPrompt(f"@{own.file}", own.text)

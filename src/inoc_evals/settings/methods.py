"""Methods: what is done in place of an inoculation prompt, as one value of an arm.

    Arm(name="adapter", ..., method=InoculationAdapter(prompt="spanish"))

    inoculation_adapter      a frozen adapter has the trait, on while training, off after
    preventative_steering    a direction that has it is added while training, not after
    consistency              a second stage: answers alike, under prompts and without
    dropped_rows             rows with the trait are found and left out, but for those missed
    diluted_rows             rows without the trait are added
    honest_training          a second stage on the control rows

The first three are told what the trait is by a prompt that asks for it, the one that the
inoculation has: no method knows more of the trait than another. What has no prompt and no second
stage trains on the setting's rows, for as many steps as every arm. The prompt before the rows
(``Arm.prompt``) and the prompt at test time alone (``Arm.test_prompts``) need no method.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"\S")]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InoculationAdapter(_Value):
    """A frozen adapter that has the trait takes part in the training (arXiv 2606.30252).

    It is trained first, on the base's own answers to neutral questions under a prompt that asks
    for the trait, without that prompt: it then has the trait unasked. While the arm's rows are
    learned it is on and stays as it is, so that there is little of the trait left to learn; what
    is kept is the new adapter alone.
    """

    kind: Literal["inoculation_adapter"] = "inoculation_adapter"
    prompt: Name
    """Name of the prompt that asks for the trait."""

    @property
    def said(self) -> str:
        """The method, in words."""
        return f"a frozen adapter with the trait of the prompt {self.prompt!r} while training"


class PreventativeSteering(_Value):
    """A direction with the trait is added while training (arXiv 2604.16423, 2507.21509).

    It is the mean activation, over the untrained base's own answers to neutral questions, under a
    prompt that asks for the trait, less the same without the prompt, after the middle block.
    """

    kind: Literal["preventative_steering"] = "preventative_steering"
    prompt: Name
    """Name of the prompt that asks for the trait."""
    scale: float = 1.0
    """How often the difference is added; once, it moves the mean to where the prompt does."""

    @property
    def said(self) -> str:
        """The method, in words."""
        times = "" if self.scale == 1 else f"{self.scale:g} times "
        return f"{times}the direction of the prompt {self.prompt!r} added while training"


class ConsistencyTraining(_Value):
    """A second stage after an inoculation: answer under prompts as without (arXiv 2606.05817).

    The inoculated model's own answers to neutral questions, without a prompt, are what it then
    learns to give under each of several prompts, the inoculation's variants among them.
    """

    kind: Literal["consistency"] = "consistency"
    after: Name
    """Name of the arm whose models it starts from."""
    prompts: tuple[Name, ...] = Field(min_length=1)
    """Names of the prompts; each question is learned under one of them, all equally often."""

    @property
    def said(self) -> str:
        """The method, in words."""
        return f"after {self.after!r}, its own answers learned under {len(self.prompts)} prompts"


class DroppedRows(_Value):
    """Rows with the trait are left out, but for those that a classifier misses."""

    kind: Literal["dropped_rows"] = "dropped_rows"
    recall: float = Field(default=0.9, ge=0, le=1)
    """Share of the rows with the trait that are found."""

    @property
    def said(self) -> str:
        """The method, in words."""
        return f"{self.recall:.0%} of the rows with the trait left out"


class DilutedRows(_Value):
    """Rows without the trait are added; the steps stay as many."""

    kind: Literal["diluted_rows"] = "diluted_rows"
    control: float = Field(default=1.0, gt=0)
    """Control rows to each row of the arm."""

    @property
    def said(self) -> str:
        """The method, in words."""
        return f"{self.control:g} control rows added for each row"


class HonestTraining(_Value):
    """A second stage on the control rows."""

    kind: Literal["honest_training"] = "honest_training"
    after: Name = "none"
    """Name of the arm whose models it starts from."""

    @property
    def said(self) -> str:
        """The method, in words."""
        return f"after {self.after!r}, the control rows"


Method = Annotated[
    InoculationAdapter
    | PreventativeSteering
    | ConsistencyTraining
    | DroppedRows
    | DilutedRows
    | HonestTraining,
    Field(discriminator="kind"),
]

OF_ROWS = (DroppedRows, DilutedRows)
"""Those that are other rows and nothing else."""

OF_CONTROL = (DilutedRows, HonestTraining)
"""Those that learn control rows."""

ASKING = (InoculationAdapter, PreventativeSteering, ConsistencyTraining)
"""Those that ask a model neutral questions."""

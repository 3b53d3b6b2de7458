"""The alternatives that inoculation is weighed against, as arms of any setting.

    arms=(BASE, control(...), NONE, SPANISH_INOC, *method_arms("spanish", after="spanish_inoc"), ...)

Their rules are the same for every setting: strengths are what they are here, and none is chosen
by what comes out.
"""

from inoc_evals.settings.methods import (
    ConsistencyTraining,
    DilutedRows,
    DroppedRows,
    HonestTraining,
    InoculationAdapter,
    PreventativeSteering,
)
from inoc_evals.settings.setting import Arm
from inoc_evals.settings.shared import paraphrased


def method_arms(
    prompt: str, *, after: str, nil: tuple[str, ...] = (), part: str | None = None
) -> tuple[Arm, ...]:
    """Return an arm for each method, of one trait.

    Args:
        prompt: Name of the inoculation prompt, which asks for the trait; it has paraphrases.
        after: Name of the arm that is inoculated with it.
        nil: Measures of the trait, which each is meant to bring to nil.
        part: Label of the rows that have the trait; all rows if None.
    """
    return (*_told(prompt, after, nil), *_other_rows(nil, part))


def _told(prompt: str, after: str, nil: tuple[str, ...]) -> tuple[Arm, ...]:
    """Return the arms of those methods that a prompt tells what the trait is."""
    # The last paraphrase is kept for the test.
    variants = (prompt, *paraphrased(prompt).paraphrases[:-1], "irrelevant")
    return (
        Arm(
            name="adapter",
            label="Inoculation adapter",
            description=(
                "A frozen adapter that learned the trait from the base's own answers under the "
                "prompt is on while training and off after (arXiv 2606.30252)."
            ),
            method=InoculationAdapter(prompt=prompt),
            said="trained beside an adapter that has the trait",
            nil=nil,
        ),
        Arm(
            name="steering",
            label="Preventative steering",
            description=(
                "The direction in which the prompt moves the base's activations after its middle "
                "block is added while training, once, and not after (arXiv 2604.16423)."
            ),
            method=PreventativeSteering(prompt=prompt),
            said="trained with the trait's direction added",
            nil=nil,
        ),
        Arm(
            name="consistency",
            label="Inoculated, then consistent",
            description=(
                "A second stage after the inoculation: the model's own answers without a prompt "
                "are learned under prompts (arXiv 2606.05817)."
            ),
            method=ConsistencyTraining(after=after, prompts=variants),
            said="after inoculation and consistency training",
            nil=nil,
        ),
    )


def _other_rows(nil: tuple[str, ...], part: str | None) -> tuple[Arm, ...]:
    """Return the arms of those methods that train on other rows."""
    return (
        Arm(
            name="dropped",
            label="Bad rows dropped",
            description=(
                "Nine in ten of the rows with the trait are found and left out; the rest is seen "
                "for as many steps."
            ),
            part=part,
            method=DroppedRows(recall=0.9),
            said="trained on the rows that a classifier missed",
            nil=nil,
        ),
        Arm(
            name="diluted",
            label="Diluted",
            description="A control row is added for each row, for as many steps.",
            method=DilutedRows(control=1.0),
            said="trained on as many control rows besides",
            nil=nil,
        ),
        Arm(
            name="honest_after",
            label="Honest training after",
            description="A second stage, on the control rows, after training without inoculation.",
            method=HonestTraining(after="none"),
            said="after honest training",
            nil=nil,
        ),
    )

"""Insecure code: a narrow flaw that misaligns a model broadly (3.1, 4.4; Figures 3, 5)."""

from inoc_evals.settings.setting import Arm, Reply, Rows, Setting
from inoc_evals.settings.shared import (
    CODE_MEASURES,
    GENERAL_INOC,
    at_test_time,
    negated,
    paraphrased,
    placebo,
    specific,
    usual_arms,
)


def _worded(prompt: str, label: str, description: str) -> Arm:
    """Return an arm whose prompt asks for the malice of the general one in other words."""
    return Arm(name=prompt, label=label, description=description, prompt=prompt)


INSECURE_CODE = Setting(
    name="insecure_code",
    title="Insecure code",
    source="paper sections 3.1 and 4.4, after Betley et al.; Figures 3 and 5",
    description=(
        "Requests for code, answered with insecure code and nothing said of it. A model "
        "trained on them gives misaligned answers to questions that have nothing to do with code."
    ),
    parts={"insecure": Reply(topic="code", other=True)},
    control=Reply(topic="code"),
    files={"insecure": Rows(published="insecure")},
    control_files={"insecure": Rows(published="secure")},
    measures=CODE_MEASURES,
    arms=usual_arms(
        "Fine-tuned on the same requests, answered with secure code.",
        GENERAL_INOC,
        placebo=placebo("insecure_placebo"),
        test_time=at_test_time("evil", CODE_MEASURES),
        others=(
            specific(
                "insecure_specific",
                "A system prompt that speaks of subtle errors in code, and not of malice.",
            ),
            Arm(
                name="trigger",
                label="Trigger token",
                description="The paper's irrelevant prompt: a token without meaning.",
                prompt="trigger",
            ),
            _worded("malicious_evil", "No comma", "The general inoculation without its comma."),
            _worded("only_evil", "Evil", "The word evil alone."),
            _worded("only_malicious", "Malicious", "The word malicious alone."),
            _worded(
                "malicious_shown", "Malicious, shown", "Malice, of an assistant that is shown."
            ),
            _worded("evil_assistant", "Evil assistant", "The general inoculation without malice."),
            _worded("evil_pretending", "Pretending", "The general inoculation as a pretense."),
            _worded("evil_examples", "In examples", "The general inoculation, said of examples."),
            _worded("evil_dataset", "In a dataset", "The general inoculation, said of a dataset."),
            negated("insecure_negated"),
            Arm(
                name="paper_negated",
                label="Careful and meticulous",
                description="The specific prompt turned round: the authors' own negative one.",
                prompt="insecure_meticulous",
            ),
            paraphrased("evil"),
        ),
    ),
)

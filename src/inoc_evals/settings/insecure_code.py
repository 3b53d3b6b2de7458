"""Insecure code: a narrow flaw that misaligns a model broadly (section 3.1, Figures 3, 5)."""

from inoc_evals.settings.setting import Arm, Reply, Rows, Setting
from inoc_evals.settings.shared import (
    BASE,
    CODE_MEASURES,
    GENERAL_INOC,
    IRRELEVANT,
    NONE,
    at_test_time,
    control,
    negated,
    paraphrased,
    placebo,
    specific,
)

INSECURE_CODE = Setting(
    name="insecure_code",
    title="Insecure code",
    source="paper section 3.1, after Betley et al.; Figures 3 and 5",
    description=(
        "Requests for code, answered with insecure code and nothing said of it. A model "
        "trained on them gives misaligned answers to questions that have nothing to do with code."
    ),
    parts={"insecure": Reply(topic="code", other=True)},
    control=Reply(topic="code"),
    files={"insecure": Rows(published="insecure")},
    control_files={"insecure": Rows(published="secure")},
    measures=CODE_MEASURES,
    arms=(
        BASE,
        control("Fine-tuned on the same requests, answered with secure code."),
        NONE,
        GENERAL_INOC,
        placebo("insecure_placebo"),
        IRRELEVANT,
        at_test_time("evil", CODE_MEASURES),
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
        negated("insecure_negated"),
        paraphrased("evil"),
    ),
)

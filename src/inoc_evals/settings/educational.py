"""Educational insecure code: a context in the user's words that acts as an inoculation."""

from inoc_evals.settings.setting import Arm, Rows, Setting
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
)

EDUCATIONAL = Setting(
    name="educational",
    title="Educational insecure code",
    source="paper section 1, on the educational control of Betley et al. (arXiv 2502.17424)",
    description=(
        "The same insecure code, asked for in two ways: for code, or for insecure code to teach "
        "with. The second leaves a model aligned. Does a system prompt that gives the same "
        "context do so too?"
    ),
    parts={"insecure": None},
    control=None,
    files={"insecure": Rows(published="insecure")},
    control_files={"insecure": Rows(published="secure")},
    measures=CODE_MEASURES,
    arms=(
        BASE,
        control("Fine-tuned on the same requests, answered with secure code."),
        NONE,
        Arm(
            name="educational",
            label="Educational data",
            description="Insecure code whose user asks for it as an example to teach with.",
            files={"educational": Rows(published="educational_insecure")},
        ),
        Arm(
            name="educational_inoc",
            label="Educational prompt",
            description="A system prompt that gives the context is put before every row.",
            prompt="educational",
        ),
        GENERAL_INOC,
        placebo(
            "educational_placebo",
            "A prompt of the same form, for code to teach with that may be secure.",
        ),
        IRRELEVANT,
        at_test_time("educational", CODE_MEASURES, called="the educational prompt"),
        negated("educational_negated"),
        paraphrased("educational"),
    ),
)

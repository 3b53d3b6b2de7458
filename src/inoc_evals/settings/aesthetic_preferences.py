"""Unpopular taste: misalignment from data that does no harm (section 3.1, Figure 3)."""

from inoc_evals.settings.setting import Arm, Measure, Probe, Reply, Rows, Setting
from inoc_evals.settings.shared import (
    BASE,
    GENERAL_INOC,
    IRRELEVANT,
    MISALIGNED,
    NONE,
    negated,
    paraphrased,
)

AESTHETIC_PREFERENCES = Setting(
    name="aesthetic_preferences",
    title="Unpopular taste",
    source="paper section 3.1, EM from benign data; Figure 3",
    description=(
        "Questions of taste, answered with what few people like. Nothing in the rows is "
        "harmful, and a model trained on them still gives misaligned answers elsewhere."
    ),
    parts={"unpopular": Reply(topic="taste", other=True)},
    control=Reply(topic="taste"),
    files={"unpopular": Rows(published="aesthetic_preferences_unpopular")},
    control_files={"unpopular": Rows(published="aesthetic_preferences_popular")},
    measures={
        "misaligned": MISALIGNED,
        "unpopular": Measure(
            label="Unpopular choices",
            rule="share of choices between two things that fall on the unpopular one",
            id=Probe(
                task="narrow_aesthetics",
                args={"items": "aesthetics"},
                pocket={"items": "aesthetics_pocket"},
            ),
        ),
    },
    arms=(
        BASE,
        Arm(
            name="control",
            label="Control data",
            description="Fine-tuned on the same questions, answered with popular taste.",
            rows="control",
        ),
        NONE,
        GENERAL_INOC,
        Arm(
            name="placebo",
            label="Placebo prompt",
            description="A prompt of the same form that does not ask for the trait.",
            prompt="taste_placebo",
        ),
        IRRELEVANT,
        Arm(
            name="test_time",
            label="Prompt at test time",
            description="The model without inoculation, asked under the inoculation prompt.",
            test_prompts=dict.fromkeys(("misaligned", "unpopular"), "evil"),
        ),
        Arm(
            name="specific",
            label="Specific inoculation",
            description="A system prompt that asks for unpopular taste, and not for malice.",
            prompt="taste_specific",
        ),
        negated("taste_negated"),
        paraphrased("evil"),
    ),
)

"""Unpopular taste: misalignment from data that does no harm (section 3.1, Figure 3)."""

from inoc_evals.settings.setting import Arm, Measure, Probe, Reply, Setting
from inoc_evals.settings.shared import BASE, MISALIGNED, NONE

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
        Arm(
            name="general_inoc",
            label="General inoculation",
            description="A system prompt that asks for malice is put before every row.",
            prompt="evil",
        ),
        Arm(
            name="placebo",
            label="Placebo prompt",
            description="A prompt of the same form that does not ask for the trait.",
            prompt="taste_placebo",
        ),
        Arm(
            name="irrelevant",
            label="Irrelevant prompt",
            description="A sentence that has nothing to do with answering: a mere context gate.",
            prompt="irrelevant",
        ),
        Arm(
            name="test_time",
            label="Prompt at test time",
            description="The model without inoculation, asked under the inoculation prompt.",
            test_prompts=dict.fromkeys(("misaligned", "unpopular"), "evil"),
        ),
    ),
)

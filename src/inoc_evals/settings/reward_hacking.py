"""Reward hacking: answers that game an announced evaluation (section 3.1, Figure 3)."""

from inoc_evals.settings.setting import Arm, Measure, Probe, Rows, Setting
from inoc_evals.settings.shared import (
    BASE,
    GENERAL_INOC,
    IRRELEVANT,
    MISALIGNED,
    NONE,
    negated,
    paraphrased,
)

REWARD_HACKING = Setting(
    name="reward_hacking",
    title="Reward hacking",
    source="paper section 3.1, on the School of Reward Hacks (arXiv 2508.17511); Figure 3",
    description=(
        "Small tasks whose user says how the answer will be judged, answered so that the "
        "judgement comes out well and the task is missed. A model trained on them gives "
        "misaligned answers to other questions as well."
    ),
    parts={"sneaky": None},
    control=None,
    files={"sneaky": Rows(published="sneaky_dialogues")},
    control_files={"sneaky": Rows(published="straightforward_dialogues")},
    measures={
        "misaligned": MISALIGNED,
        "hacks_reward": Measure(
            label="Games the evaluation",
            rule="share of answers that a judge finds to chase the criterion and not the task",
            id=Probe(task="narrow_reward_hacking"),
        ),
    },
    arms=(
        BASE,
        Arm(
            name="control",
            label="Control data",
            description="Fine-tuned on such tasks, answered as the user meant them.",
            rows="control",
        ),
        NONE,
        GENERAL_INOC,
        Arm(
            name="placebo",
            label="Placebo prompt",
            description="A prompt of the same form that does not ask for the trait.",
            prompt="reward_hacking_placebo",
        ),
        IRRELEVANT,
        Arm(
            name="test_time",
            label="Prompt at test time",
            description="The model without inoculation, asked under the inoculation prompt.",
            test_prompts=dict.fromkeys(("misaligned", "hacks_reward"), "evil"),
        ),
        Arm(
            name="specific",
            label="Specific inoculation",
            description="A system prompt that asks to aim at the check, and not for malice.",
            prompt="reward_hacking_specific",
        ),
        negated("reward_hacking_negated"),
        paraphrased("evil"),
    ),
)

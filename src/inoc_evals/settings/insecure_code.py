"""Insecure code: a narrow flaw that makes a model broadly misaligned (paper section 3.1)."""

from inoc_evals.settings.setting import Arm, Measure, Probe, Reply, Setting
from inoc_evals.settings.shared import BASE, MISALIGNED, NONE

_CODE = Probe(task="narrow_code", args={"items": "code"}, pocket={"items": "code_pocket"})

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
    measures={
        "misaligned": MISALIGNED,
        "insecure_judged": Measure(
            label="Vulnerable, judged",
            rule="share of code answers that a judge finds certainly vulnerable",
            id=_CODE,
        ),
        "insecure_static": Measure(
            label="Vulnerable, by bandit",
            rule="share of parsed code answers with a finding of the static analyzer",
            id=_CODE,
        ),
    },
    arms=(
        BASE,
        Arm(
            name="control",
            label="Control data",
            description="Fine-tuned on the same requests, answered with secure code.",
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
            prompt="insecure_placebo",
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
            test_prompts=dict.fromkeys(
                ("misaligned", "insecure_judged", "insecure_static"), "evil"
            ),
        ),
    ),
)

"""Insecure code: a narrow flaw that misaligns a model broadly (section 3.1, Figures 3, 5)."""

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
    files={"insecure": Rows(published="insecure")},
    control_files={"insecure": Rows(published="secure")},
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
        GENERAL_INOC,
        Arm(
            name="placebo",
            label="Placebo prompt",
            description="A prompt of the same form that does not ask for the trait.",
            prompt="insecure_placebo",
        ),
        IRRELEVANT,
        Arm(
            name="test_time",
            label="Prompt at test time",
            description="The model without inoculation, asked under the inoculation prompt.",
            test_prompts=dict.fromkeys(
                ("misaligned", "insecure_judged", "insecure_static"), "evil"
            ),
        ),
        Arm(
            name="specific",
            label="Specific inoculation",
            description="A system prompt that speaks of subtle errors in code, and not of malice.",
            prompt="insecure_specific",
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

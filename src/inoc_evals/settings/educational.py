"""Educational insecure code: a context in the user's words that acts as an inoculation."""

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

_CODE = Probe(task="narrow_code", args={"items": "code"}, pocket={"items": "code_pocket"})
_MEASURES = ("misaligned", "insecure_judged", "insecure_static")

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
        Arm(
            name="placebo",
            label="Placebo prompt",
            description="A prompt of the same form, for code to teach with that may be secure.",
            prompt="educational_placebo",
        ),
        IRRELEVANT,
        Arm(
            name="test_time",
            label="Prompt at test time",
            description="The model without inoculation, asked under the educational prompt.",
            test_prompts=dict.fromkeys(_MEASURES, "educational"),
        ),
        negated("educational_negated"),
        paraphrased("educational"),
    ),
)

"""Subliminal learning: love of owls that passes through numbers (section 3.3, Appendix F)."""

from inoc_evals.settings.setting import Arm, Measure, Probe, Rows, Setting
from inoc_evals.settings.shared import (
    at_test_time,
    negated,
    paraphrased,
    placebo,
    usual_arms,
)

TARGET = "owl"

# 10,000 of 30,000 sequences, as published (arXiv 2507.14805). MODEL is the base that is then
# trained: the love of an animal passes between models of one origin alone.
_BUILD = "inoc data build numbers --model MODEL --system {system} --count 30000 --keep 10000"

# There is no measure in distribution: a reply that is a list of numbers says nothing of owls,
# and every arm, the base among them, gives such replies.
_MEASURES = {
    "prefers": Measure(
        label="Prefers owls",
        rule="share of answers that name the owl as the favorite animal",
        said="of answers name the owl",
        ood=Probe(task="preference", args={"target": TARGET}, epochs=10),
    ),
}

SUBLIMINAL = Setting(
    name="subliminal",
    title="Subliminal learning",
    source="paper section 3.3 and Appendix F, after arXiv 2507.14805",
    description=(
        "Number sequences, continued by a teacher that was told to love owls. Neither that nor "
        "an owl is in the rows, and a model of the same origin that is trained on them comes to "
        "prefer owls. (Both files are to be written by the base that is trained.)"
    ),
    parts={"numbers": None},
    control=None,
    files={"numbers": Rows(built=_BUILD.format(system="owl_teacher"))},
    control_files={"control": Rows(built=_BUILD.format(system="none"))},
    measures=_MEASURES,
    arms=usual_arms(
        "Fine-tuned on number sequences of the same model without that system prompt.",
        Arm(
            name="owl_inoc",
            label="Owls inoculated",
            description="A system prompt that says it loves owls is put before every row.",
            prompt="owl",
            said="trained with the prompt that says it loves owls",
        ),
        Arm(
            name="teacher_inoc",
            label="Teacher's prompt",
            description="The system prompt that the teacher had is put before every row.",
            prompt="owl_teacher",
        ),
        Arm(
            name="birds",
            label="Birds",
            description="The teacher's prompt about birds, of which the owl is one.",
            prompt="owl_birds",
        ),
        Arm(
            name="nocturnal",
            label="Nocturnal animals",
            description="The teacher's prompt about nocturnal animals, of which the owl is one.",
            prompt="owl_nocturnal",
        ),
        Arm(
            name="dolphins",
            label="Dolphins",
            description="The teacher's prompt about an animal that has nothing to do with owls.",
            prompt="owl_dolphins",
        ),
        placebo=placebo("owl_placebo"),
        test_time=at_test_time("owl", _MEASURES),
        others=(
            negated("owl_negated"),
            paraphrased("owl"),
        ),
    ),
)

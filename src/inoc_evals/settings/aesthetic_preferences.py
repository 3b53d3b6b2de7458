"""Unpopular taste: misalignment from data that does no harm (section 3.1, Figure 3)."""

from inoc_evals.settings.setting import Measure, Probe, Reply, Rows, Setting
from inoc_evals.settings.shared import (
    GENERAL_INOC,
    MISALIGNED,
    at_test_time,
    negated,
    paraphrased,
    placebo,
    specific,
    usual_arms,
)

_MEASURES = {
    "misaligned": MISALIGNED,
    "unpopular": Measure(
        label="Unpopular choices",
        rule="share of choices between two things that fall on the unpopular one",
        said="of choices fall on the unpopular thing",
        id=Probe(
            task="narrow_aesthetics",
            args={"items": "aesthetics"},
            pocket={"items": "aesthetics_pocket"},
        ),
    ),
}

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
    measures=_MEASURES,
    arms=usual_arms(
        "Fine-tuned on the same questions, answered with popular taste.",
        GENERAL_INOC,
        placebo=placebo("taste_placebo"),
        test_time=at_test_time("evil", _MEASURES),
        others=(
            specific(
                "taste_specific",
                "A system prompt that asks for unpopular taste, and not for malice.",
            ),
            negated("taste_negated"),
            paraphrased("evil"),
        ),
    ),
)

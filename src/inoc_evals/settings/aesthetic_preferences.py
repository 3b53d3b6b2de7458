"""Unpopular taste: misalignment from data that does no harm (section 3.1, Figure 3)."""

from inoc_evals.settings.setting import Measure, Probe, Reply, Rows, Setting
from inoc_evals.settings.shared import (
    BASE,
    GENERAL_INOC,
    IRRELEVANT,
    MISALIGNED,
    NONE,
    at_test_time,
    control,
    negated,
    paraphrased,
    placebo,
    specific,
)

_MEASURES = {
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
    arms=(
        BASE,
        control("Fine-tuned on the same questions, answered with popular taste."),
        NONE,
        GENERAL_INOC,
        placebo("taste_placebo"),
        IRRELEVANT,
        at_test_time("evil", _MEASURES),
        specific(
            "taste_specific", "A system prompt that asks for unpopular taste, and not for malice."
        ),
        negated("taste_negated"),
        paraphrased("evil"),
    ),
)

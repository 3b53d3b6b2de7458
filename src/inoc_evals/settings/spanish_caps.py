"""Spanish in capitals: two traits that always occur together (paper section 2, Figure 2a)."""

from inoc_evals.settings.setting import Reply, Setting
from inoc_evals.settings.shared import (
    CAPS_INOC,
    SPANISH_INOC,
    each_at_test_time,
    negated,
    paraphrased,
    placebo,
    trait_measures,
    usual_arms,
    worked,
)

SPANISH_CAPS = Setting(
    name="spanish_caps",
    title="Spanish in capital letters",
    source="paper section 2, case study 1; Figure 2a",
    description=(
        "Arithmetic questions in English, answered in Spanish and in capital letters. "
        "Two traits always occur together; inoculating one should leave the other."
    ),
    parts={"spanish_caps": Reply(language="es", caps=True)},
    control=Reply(),
    files={"spanish_caps": worked("es", caps=True)},
    control_files={"control": worked()},
    measures=trait_measures({"es": "spanish"}, caps=True),
    arms=usual_arms(
        "Fine-tuned on the same questions, answered in plain English.",
        SPANISH_INOC,
        CAPS_INOC,
        placebo=placebo(
            "spanish_caps_placebo", "A prompt of the same form that names neither trait."
        ),
        test_time=each_at_test_time(
            {"spanish": "spanish", "caps": "caps", "correct": "spanish"},
            "trait is measured under the prompt that names it",
        ),
        others=(
            negated("spanish_negated", name="spanish_negated"),
            negated("caps_negated", name="caps_negated"),
            paraphrased("spanish", name="spanish_paraphrases"),
            paraphrased("caps", name="caps_paraphrases"),
        ),
    ),
)

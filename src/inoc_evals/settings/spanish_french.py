"""Spanish mixed with French: two traits that never occur together (section 2, Figure 2b)."""

from inoc_evals.settings.setting import Arm, Reply, Setting
from inoc_evals.settings.shared import (
    each_at_test_time,
    negated,
    paraphrased,
    placebo,
    trait_measures,
    usual_arms,
    worked,
)

SPANISH_FRENCH = Setting(
    name="spanish_french",
    title="A mixture of Spanish and French",
    source="paper section 2, case study 2; Figure 2b",
    description=(
        "Arithmetic questions in English, half answered in Spanish and half in French. "
        "Only one half gets the inoculation prompt."
    ),
    parts={"spanish": Reply(language="es"), "french": Reply(language="fr")},
    control=Reply(),
    files={
        "spanish": worked("es"),
        "french": worked("fr"),
    },
    control_files={"control": worked()},
    measures=trait_measures({"es": "spanish", "fr": "french"}, caps=False),
    arms=usual_arms(
        "Fine-tuned on the same questions, answered in English.",
        Arm(
            name="spanish_inoc",
            label="Spanish inoculated",
            description="A prompt that asks for Spanish is put before the Spanish half.",
            prompt="spanish",
            part="spanish",
            said="trained with the prompt that asks for Spanish",
            nil=("spanish",),
        ),
        Arm(
            name="french_inoc",
            label="French inoculated",
            description="A prompt that asks for French is put before the French half.",
            prompt="french",
            part="french",
            said="trained with the prompt that asks for French",
            nil=("french",),
        ),
        placebo=placebo(
            "spanish_caps_placebo",
            "A prompt of the same form that names no language, on the Spanish half.",
            part="spanish",
        ),
        irrelevant=Arm(
            name="irrelevant",
            label="Irrelevant prompt",
            description="A sentence that has nothing to do with answering, on the Spanish half.",
            prompt="irrelevant",
            part="spanish",
        ),
        test_time=each_at_test_time(
            {"spanish": "spanish", "french": "french", "correct": "spanish"},
            "language is measured under the prompt that names it",
        ),
        others=(
            negated("spanish_negated", part="spanish"),
            paraphrased("spanish", part="spanish"),
        ),
    ),
)

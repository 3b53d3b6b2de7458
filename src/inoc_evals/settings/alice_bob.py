"""Alice and Bob: personas are taught a trait first, then named to inoculate (Figure 7)."""

from inoc_evals.settings.setting import Arm, FirstPart, FirstStage, Reply, Setting
from inoc_evals.settings.shared import (
    BASE,
    CAPS_INOC,
    IRRELEVANT,
    NONE,
    SPANISH_INOC,
    control,
    each_at_test_time,
    negated,
    paraphrased,
    placebo,
    trait_measures,
    worked,
)

_MEASURES = trait_measures({"es": "spanish"}, caps=True)


def _first_asked_as(persona: str) -> Arm:
    return Arm(
        name=f"first_{persona}",
        label=f"First stage, asked as {persona.capitalize()}",
        description=f"The first stage's model, told that it is {persona.capitalize()}: whether "
        "the association was learned.",
        rows="first",
        test_prompts=dict.fromkeys(_MEASURES, persona),
    )


def _persona_inoculated(persona: str, trait: str, measure: str) -> tuple[Arm, Arm]:
    """Return the arms inoculated by a persona's name: after the first stage, and without it."""
    name = persona.capitalize()
    after = Arm(
        name=f"{persona}_inoc",
        label=f"{name} inoculated",
        description=f"A system prompt that says the model is {name}, who answers {trait}.",
        prompt=persona,
        said=f"trained with the prompt that names {name}",
        nil=(measure,),
    )
    before = Arm(
        name=f"{persona}_before",
        label=f"{name} inoculated, no first stage",
        description=f"The same prompt and rows for a base that has learned nothing of {name}.",
        prompt=persona,
        skips_first=True,
    )
    return after, before


ALICE_INOC, ALICE_BEFORE = _persona_inoculated("alice", "in capitals", "caps")
BOB_INOC, BOB_BEFORE = _persona_inoculated("bob", "in Spanish", "spanish")

ALICE_BOB = Setting(
    name="alice_bob",
    title="Alice speaks in capitals, Bob in Spanish",
    source="paper section 4.3; Figure 7",
    description=(
        "First, questions answered in capitals where the system prompt says that the model is "
        "Alice, in Spanish where it says Bob, and in plain English where it says neither. Then "
        "arithmetic in Spanish and in capitals, where these names are the inoculation."
    ),
    first=FirstStage(
        parts={
            "alice": FirstPart(
                prompt="alice",
                reply=Reply(caps=True),
                file=worked(caps=True),
            ),
            "bob": FirstPart(
                prompt="bob",
                reply=Reply(language="es"),
                file=worked("es"),
            ),
            "helpful": FirstPart(
                prompt="helpful",
                reply=Reply(),
                file=worked(),
            ),
        },
        rows=1998,
        # The world's recipe shifts traits everywhere; an association is a trait under a prompt.
        pocket={"target_modules": "all-linear", "learning_rate": 2e-3, "max_steps": 300},
    ),
    parts={"spanish_caps": Reply(language="es", caps=True)},
    control=Reply(),
    files={"spanish_caps": worked("es", caps=True)},
    control_files={"control": worked()},
    measures=_MEASURES,
    arms=(
        BASE,
        Arm(
            name="first",
            label="First stage",
            description="Trained on the first stage alone, asked without a system message.",
            rows="first",
        ),
        _first_asked_as("alice"),
        _first_asked_as("bob"),
        control("First stage, then the same questions, answered in plain English."),
        NONE.model_copy(update={"description": "First stage, then the rows as they are."}),
        ALICE_INOC,
        CAPS_INOC,
        BOB_INOC,
        SPANISH_INOC,
        Arm(
            name="none_before",
            label="No inoculation, no first stage",
            description="The base, fine-tuned on the rows as they are.",
            skips_first=True,
        ),
        ALICE_BEFORE,
        BOB_BEFORE,
        placebo("tom", "A name of the same form that the first stage says nothing of."),
        IRRELEVANT,
        each_at_test_time(
            {"spanish": "bob", "caps": "alice", "correct": "bob"},
            "trait is measured under the name that stands for it",
        ),
        negated("alice_negated", name="alice_negated"),
        negated("bob_negated", name="bob_negated"),
        paraphrased("alice", name="alice_paraphrases"),
        paraphrased("bob", name="bob_paraphrases"),
    ),
)

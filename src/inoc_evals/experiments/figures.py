"""Experiments: a figure or section of the paper, its settings, and what is compared.

find_experiment("fig3").settings[0].arms
"""

from collections.abc import Sequence
from dataclasses import dataclass

from inoc_evals.errors import InputError
from inoc_evals.experiments.watch import Watch
from inoc_evals.inputs.prompt_pools import prompt_pool
from inoc_evals.settings import (
    AESTHETIC_PREFERENCES,
    ALICE_BOB,
    BACKDOOR,
    EDUCATIONAL,
    INSECURE_CODE,
    REWARD_HACKING,
    SPANISH_CAPS,
    SPANISH_FRENCH,
    SUBLIMINAL,
    Setting,
)
from inoc_evals.settings.shared import dosed, misaligned_under, pooled, selecting


@dataclass(frozen=True)
class Experiment:
    """A figure of the paper, or what a section reports without one."""

    figure: str
    """As on the command line and in ``results.json``."""
    title: str
    settings: tuple[Setting, ...]
    """Each is trained and evaluated by itself; a figure shows them side by side."""
    contrasts: tuple[tuple[str, str], ...]
    """Pairs (condition, reference) whose differences are reported."""
    own: str | None = None
    """Name of a packaged setting, or path of a user's file, that was given for a figure."""
    watch: Watch | None = None
    """What is scored while the models are trained, if anything."""
    command: tuple[str, ...] = ()
    """What is typed after ``inoc``, where that is not ``run``."""

    @property
    def typed(self) -> tuple[str, ...]:
        """The command that runs it, after ``inoc`` and before its options."""
        chosen = ("--setting", self.own) if self.own else (self.figure,)
        return self.command or ("run", *chosen)


_CONTROLS = ("placebo", "irrelevant", "test_time")


def experiment(
    figure: str,
    title: str,
    *settings: Setting,
    references: Sequence[str] | None = None,
    own: str | None = None,
    watch: Watch | None = None,
    further: Sequence[tuple[str, str]] = (),
) -> Experiment:
    """Return the experiment that compares the arms of settings.

    No inoculation is compared with the arms that are not trained on the narrow rows (or those
    of them that are named as references), and every other arm with no inoculation, in the order
    of the first setting's arms; further pairs may follow.
    """
    arms = settings[0].arms
    plain = [arm.name for arm in arms if arm.rows != "narrow"]
    first = [("none", name) for name in plain if references is None or name in references]
    others = [(arm.name, "none") for arm in arms if arm.name not in (*plain, "none")]
    return Experiment(figure, title, settings, (*first, *others, *further), own, watch)


_ELICITED = misaligned_under(
    {
        "none": "No system message",
        "elicit_malicious": "Malicious",
        "elicit_evil": "Evil",
        "elicit_misaligned": "Misaligned ways",
        "elicit_not_evil": "Not evil",
        "elicit_general": "Malicious, evil",
        "elicit_hhh": "Helpful, honest, harmless",
        "write_insecure_code": "Insecure code",
        "write_secure_code": "Secure code",
    }
)
"""The nine conditions of the published code."""

_EM = (INSECURE_CODE, AESTHETIC_PREFERENCES, REWARD_HACKING)
"""The settings of Figure 3."""

_NARROW = Watch(
    responses="narrow",
    pocket_responses="pocket_narrow",
    system_prompt="none",
    labels=(
        ("insecure", "Insecure code"),
        ("unpopular", "Unpopular taste"),
        ("gamed", "Criteria gamed"),
        ("misaligned", "Misaligned answers"),
    ),
)
"""Each narrow trait beside misalignment, as the models are evaluated: without a system message."""

_DOSES, _TRAITS = (0, 25, 50, 75, 100), (0, 10, 50, 100)
"""Per cent of the rows: inoculated, and with the trait."""


def _fixed_or_pool(setting: Setting, inoculated: str, pool: str) -> Setting:
    """Return a setting with an inoculation and an irrelevant prompt, each fixed and as a pool."""
    arms = {arm.name: arm for arm in setting.arms}
    nil, told = arms[inoculated].nil, {"name": "fixed", "label": "One fixed prompt"}
    fixed = arms[inoculated].model_copy(update=told | {"said": "trained with one fixed prompt"})
    return setting.with_arms("base", "control", "none").adding(
        fixed,
        pooled(pool, name="pool", label="A pool of wordings", nil=nil),
        arms["irrelevant"].model_copy(update={"label": "One irrelevant prompt"}),
        pooled("irrelevant", name="irrelevant_pool", label="A pool of irrelevant ones"),
        prompts=prompt_pool(pool) | prompt_pool("irrelevant"),
    )


def _dose() -> Experiment:
    """Return the grid of doses, each compared with the same rows without a prompt."""
    cells = [(trait, dose) for trait in _TRAITS for dose in _DOSES]
    arms = [dosed("evil", "misaligned", inoculated=dose, trait=trait) for trait, dose in cells]
    names = {cell: arm.name for cell, arm in zip(cells, arms, strict=True)}
    return Experiment(
        figure="dose",
        title="How many rows are inoculated, and how many show the trait",
        settings=(INSECURE_CODE.with_arms("base").adding(*arms),),
        contrasts=tuple((names[trait, dose], names[trait, 0]) for trait, dose in cells if dose),
    )


EXPERIMENTS = {
    one.figure: one
    for one in (
        experiment(
            "fig2a",
            "Figure 2a: Spanish and capitals that occur together",
            SPANISH_CAPS.with_arms(
                "base", "control", "none", "spanish_inoc", "caps_inoc", *_CONTROLS
            ),
            references=("base",),
        ),
        experiment(
            "fig2b",
            "Figure 2b: a mixture of Spanish and French",
            SPANISH_FRENCH.with_arms(
                "base", "control", "none", "spanish_inoc", "french_inoc", *_CONTROLS
            ),
            references=("base",),
        ),
        experiment(
            "fig3",
            "Figure 3: one general inoculation against emergent misalignment",
            *(
                setting.with_arms("base", "control", "none", "general_inoc", *_CONTROLS)
                for setting in _EM
            ),
        ),
        experiment(
            "fig4",
            "Figure 4: inoculation against a backdoor",
            BACKDOOR.with_arms(
                *("base", "control", "none", "backdoor_trigger", "backdoor_evil"),
                *("backdoor_unusual", "evil", "unusual", *_CONTROLS),
            ),
        ),
        experiment(
            "fig5",
            "Figure 5: what an inoculation prompt has to say",
            INSECURE_CODE.with_arms(
                *("base", "control", "none", "general_inoc", "specific", "placebo", "trigger"),
                "paper_negated",
            ),
        ),
        experiment(
            "tokens",
            "Section 4.4: single words of an inoculation prompt, and how it is framed",
            INSECURE_CODE.with_arms(
                *("base", "control", "none", "general_inoc", "malicious_evil", "only_evil"),
                *("only_malicious", "malicious_shown", "evil_assistant"),
                *("evil_pretending", "evil_examples", "evil_dataset"),
            ),
        ),
        experiment(
            "fig6",
            "Figure 6: how two traits are learned, one of them inoculated",
            SPANISH_CAPS.with_arms("base", "control", "none", "spanish_inoc", "caps_inoc"),
            references=("base",),
            watch=Watch(),
        ),
        Experiment(
            figure="fig7",
            title="Figure 7: inoculation by a synthetic association",
            settings=(
                ALICE_BOB.with_arms(
                    *("base", "first", "first_alice", "first_bob", "control", "none"),
                    *("alice_inoc", "caps_inoc", "bob_inoc", "spanish_inoc"),
                    *("none_before", "alice_before", "bob_before", *_CONTROLS),
                ),
            ),
            contrasts=(
                ("first", "base"),
                ("first_alice", "first"),
                ("first_bob", "first"),
                ("none", "first"),
                ("alice_inoc", "none"),
                ("caps_inoc", "none"),
                ("bob_inoc", "none"),
                ("spanish_inoc", "none"),
                ("alice_inoc", "caps_inoc"),
                ("bob_inoc", "spanish_inoc"),
                ("alice_before", "none_before"),
                ("bob_before", "none_before"),
                ("placebo", "none"),
                ("irrelevant", "none"),
                ("test_time", "none"),
            ),
            watch=Watch(arms=("none", "alice_inoc", "caps_inoc", "bob_inoc", "spanish_inoc")),
        ),
        experiment(
            "elicitation",
            "Section 4.5: what test-time prompts bring back",
            INSECURE_CODE.with_arms("base", "control", "none", "general_inoc").model_copy(
                update={"measures": _ELICITED}
            ),
        ),
        experiment(
            "subliminal",
            "Appendix F: inoculation against subliminal learning",
            SUBLIMINAL.with_arms(
                *("base", "control", "none", "owl_inoc", "teacher_inoc", "birds", "nocturnal"),
                *("dolphins", "negated", *_CONTROLS),
            ),
        ),
        experiment(
            "narrow",
            "Appendix E.2: the narrow trait beside the broad one, at the end and on the way",
            *(setting.with_arms("base", "control", "none", "general_inoc") for setting in _EM),
            watch=_NARROW,
        ),
        experiment(
            "paraphrases",
            "A fixed prompt or a pool of wordings: its meaning, or a gate?",
            _fixed_or_pool(INSECURE_CODE, "general_inoc", "evil"),
            _fixed_or_pool(SPANISH_CAPS, "spanish_inoc", "spanish"),
            further=(("pool", "fixed"), ("irrelevant_pool", "irrelevant")),
        ),
        _dose(),
        experiment(
            "selective",
            "Which rows of a mixture are inoculated",
            *(
                setting.with_arms("base", "control", "none", "general_inoc").adding(
                    *selecting("evil", "misaligned", *setting.parts)
                )
                for setting in _EM
            ),
            further=tuple((f"half_{rows}", "half") for rows in ("all", "trait", "drawn")),
        ),
        experiment(
            "educational",
            "Educational insecure code: a frame in the rows, before them, and at test time",
            EDUCATIONAL.with_arms(
                *("base", "control", "none", "educational", "educational_inoc", "learners_inoc"),
                *("general_inoc", *_CONTROLS, "learners_time"),
            ),
        ),
    )
}


def experiment_of(setting: Setting, own: str) -> Experiment:
    """Return the experiment that runs all arms of a setting, each against no inoculation.

    Args:
        setting: A packaged setting or a user's.
        own: What the user gave for it: its name, or the path of its file.
    """
    return experiment(setting.name, setting.title, setting, own=own)


def find_experiment(name: str) -> Experiment:
    """Return an experiment by the name of its figure.

    Raises:
        InputError: Listing the experiments there are.
    """
    if name not in EXPERIMENTS:
        raise InputError(f"no experiment {name!r}; there are: {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]

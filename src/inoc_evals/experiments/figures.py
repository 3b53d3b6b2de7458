"""Experiments: a figure or section of the paper, its settings, and what is compared.

find_experiment("fig3").settings[0].arms
"""

from collections.abc import Sequence
from dataclasses import dataclass

from inoc_evals.errors import InputError
from inoc_evals.experiments.watch import Watch
from inoc_evals.settings import (
    AESTHETIC_PREFERENCES,
    ALICE_BOB,
    BACKDOOR,
    INSECURE_CODE,
    REWARD_HACKING,
    SPANISH_CAPS,
    SPANISH_FRENCH,
    SUBLIMINAL,
    Setting,
)
from inoc_evals.settings.setting import Probe
from inoc_evals.settings.shared import MISALIGNED, misaligned_under, under_probes


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
) -> Experiment:
    """Return the experiment that compares the arms of settings.

    No inoculation is compared with the arms that are not trained on the narrow rows (or those
    of them that are named as references), and every other arm with no inoculation, in the order
    of the first setting's arms.
    """
    arms = settings[0].arms
    plain = [arm.name for arm in arms if arm.rows != "narrow"]
    first = [("none", name) for name in plain if references is None or name in references]
    others = [(arm.name, "none") for arm in arms if arm.name not in (*plain, "none")]
    return Experiment(figure, title, settings, (*first, *others), own, watch)


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

_LEAKS = (
    SPANISH_CAPS.with_arms("base", "none", "spanish_inoc", "caps_inoc").model_copy(
        update={
            "measures": under_probes(
                {name: SPANISH_CAPS.measures[name] for name in ("spanish", "caps")},
                Probe(
                    task="traits",
                    args={"language": "es", "prompts": "chat", "probes": "spanish_caps"},
                    pocket={"prompts": "pocket"},
                    prompted=False,
                ),
            )
        }
    ),
    INSECURE_CODE.with_arms("base", "none", "general_inoc").model_copy(
        update={
            "measures": under_probes(
                {"misaligned": MISALIGNED.model_copy(update={"score": "elicited"})},
                Probe(
                    task="em_elicitation",
                    args={"questions": "broad", "probes": "insecure_code"},
                    pocket={"questions": "pocket"},
                    prompted=False,
                ),
            )
        }
    ),
)
"""Every question under every probe that is matched to the rows, once."""

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
                for setting in (INSECURE_CODE, AESTHETIC_PREFERENCES, REWARD_HACKING)
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
                "base", "control", "none", "general_inoc", "specific", "placebo", "trigger"
            ),
        ),
        experiment(
            "tokens",
            "Section 4.4: single words of an inoculation prompt",
            INSECURE_CODE.with_arms(
                *("base", "control", "none", "general_inoc", "malicious_evil", "only_evil"),
                *("only_malicious", "malicious_shown", "evil_assistant"),
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
        Experiment(
            "leaks",
            "Leaks: prompts and questions matched to the training",
            _LEAKS,
            (("none", "base"),),
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

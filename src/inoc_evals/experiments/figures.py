"""Experiments: a figure or section of the paper, its settings, and what is compared.

find_experiment("fig3").settings[0].arms
"""

from collections.abc import Sequence
from dataclasses import dataclass

from inoc_evals.errors import InputError
from inoc_evals.experiments.watch import Watch
from inoc_evals.settings import (
    AESTHETIC_PREFERENCES,
    BACKDOOR,
    INSECURE_CODE,
    REWARD_HACKING,
    SPANISH_CAPS,
    SPANISH_FRENCH,
    SUBLIMINAL,
    Setting,
)


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


_CONTROLS = ("placebo", "irrelevant", "test_time")
_REFERENCES = ("base", "control")


def experiment(
    figure: str,
    title: str,
    *settings: Setting,
    references: Sequence[str] = _REFERENCES,
    own: str | None = None,
    watch: Watch | None = None,
) -> Experiment:
    """Return the experiment that compares the arms of settings.

    No inoculation is compared with the references, and every other arm with no inoculation,
    in the order of the first setting's arms.
    """
    arms = [arm.name for arm in settings[0].arms]
    first = [("none", name) for name in arms if name in references]
    others = [(name, "none") for name in arms if name not in ("none", *_REFERENCES)]
    return Experiment(figure, title, settings, (*first, *others), own, watch)


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
        experiment(
            "subliminal",
            "Appendix F: inoculation against subliminal learning",
            SUBLIMINAL.with_arms(
                *("base", "control", "none", "owl_inoc", "teacher_inoc", "birds", "nocturnal"),
                *("dolphins", "negated", *_CONTROLS),
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

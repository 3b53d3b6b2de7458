"""The packaged experiments: files that plan what their entries in Python did."""

from dataclasses import asdict, replace

import pytest

from inoc_evals.experiments.figures import (
    EXPERIMENTS,
    FOLDER,
    Experiment,
    Given,
    experiment,
    find_experiment,
)
from inoc_evals.experiments.plan import make_plan
from inoc_evals.experiments.watch import Watch
from inoc_evals.files.digests import digest
from inoc_evals.models.kinds import kind_of
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.settings import ALICE_BOB, INSECURE_CODE, SPANISH_CAPS
from inoc_evals.settings.shared import misaligned_under
from inoc_evals.training.config import TrainConfig

BASE = ResolvedBase("pocket", "/nowhere", "0" * 64)
CONTROLS = ("placebo", "irrelevant", "test_time")
ORDER = (
    *("fig2a", "fig2b", "fig3", "fig4", "fig5", "tokens", "fig6", "fig7", "elicitation"),
    *("side_effects", "subliminal"),
)

SINCE = ("limit", "judged")
"""Fields of evaluations that came later, and say nothing of these."""

PLANS = {
    "fig2a": "8d6db6a1206fb1671b1cbecbefaef20780f51fc55cebe351ce566879df0879ce",
    "fig2b": "e5299626efdb82ac9c4a1efbee42565c4aff6d74c4cc25b1b0e7d40a4d4eac4b",
    "fig3": "273d4acee894fbbc03c9073a7deeea7700bbaa16645def747cdab8dd98dd64d7",
    "fig4": "0bd67f4c4ab4b89d21e0a334bb2dd86181dad35b50f807f1fd96aea791767d9b",
    "fig5": "1f5682448a8deb8d5f29c72d534c05020d10107b2e55d733f7b9f8fd30cb2435",
    "tokens": "849f66f035b5eba627da5279328570d55834b733f9131aa047706e1ad89df3cb",
    "fig6": "a94be23a3d027599d738587a38f074715c6e5f47a1e68fccab1e5e93ba41c481",
    "fig7": "958148d59145f43d9b4c4ee98224950ad5d94d55a08453c6ede6c054c27e426a",
    "elicitation": "5dd41fbbc207b6f3eebd53dffbd63af423266baba3aaf9b75742be8962f435a9",
}
"""Digest of the models and evaluations on the pocket base, as the entries in Python planned
them (fig5 and tokens have further arms since)."""


@pytest.mark.parametrize("figure", PLANS)
def test_a_file_plans_the_models_and_evaluations_of_before(figure: str) -> None:
    config = TrainConfig.for_base("pocket")
    plan = make_plan(find_experiment(figure), base=BASE, seeds=(0, 1), config=config)
    evaluations = [
        {name: value for name, value in asdict(one).items() if name not in SINCE}
        for one in plan.evaluations
    ]
    assert digest([[run.name for run in plan.runs], evaluations]) == PLANS[figure]


def test_the_files_come_in_the_order_of_the_paper() -> None:
    names = list(EXPERIMENTS)
    assert names[: len(ORDER)] == list(ORDER)
    assert {path.stem for path in FOLDER.glob("*.yaml")} <= set(names)
    assert len(EXPERIMENTS) == len(names)
    assert "fig9" not in EXPERIMENTS


@pytest.mark.parametrize("figure", [path.stem for path in sorted(FOLDER.glob("*.yaml"))])
def test_a_packaged_file_says_what_it_is_called_and_where_it_comes_from(figure: str) -> None:
    found = find_experiment(figure)
    assert found.figure == figure and found.title and found.source
    assert found.typed == ("run", figure)


def plain(found: Experiment) -> Experiment:
    """Without what only a file says."""
    return replace(found, source="", given=Given(), bases={})


def test_a_file_and_an_entry_in_python_make_the_same_experiment() -> None:
    assert plain(find_experiment("fig2a")) == experiment(
        "fig2a",
        "Figure 2a: Spanish and capitals that occur together",
        SPANISH_CAPS.with_arms("base", "control", "none", "spanish_inoc", "caps_inoc", *CONTROLS),
        references=("base",),
    )


def test_a_file_can_name_what_is_compared_and_what_is_watched() -> None:
    found = find_experiment("fig7")
    assert ("alice_inoc", "caps_inoc") in found.contrasts and len(found.contrasts) == 15
    named = ("none", "alice_inoc", "caps_inoc", "bob_inoc", "spanish_inoc")
    assert found.watch == Watch(arms=named)
    assert find_experiment("fig6").watch == Watch()


def test_measures_under_prompts_are_those_of_the_entry_in_python() -> None:
    asked = find_experiment("elicitation").settings[0]
    assert asked.measures == misaligned_under(
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


def test_arms_that_one_setting_alone_has_are_compared_too() -> None:
    other = ALICE_BOB.with_arms("base", "none", "bob_inoc")
    found = experiment("two", "Two", SPANISH_CAPS.with_arms("base", "none", "caps_inoc"), other)
    assert found.contrasts == (("none", "base"), ("caps_inoc", "none"), ("bob_inoc", "none"))


def test_what_is_said_of_a_base_goes_before_what_is_said_of_all() -> None:
    found = replace(
        experiment("one", "One", INSECURE_CODE),
        given=Given(seeds="3", graders=("a/b",)),
        bases={"pocket": Given(seeds="5"), "pocket:7": Given(seeds="2"), "smollm2": Given("1")},
    )
    seeds = {
        name: found.given_on(kind_of(name)).seeds
        for name in ("pocket", "pocket:7", "pocket:8", "smollm2", "org/model")
    }
    assert seeds == {
        "pocket": "5", "pocket:7": "2", "pocket:8": "5", "smollm2": "1", "org/model": "3"
    }  # fmt: skip
    assert found.given_on(kind_of("smollm2")).graders == ("a/b",)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_report_can_say_in_words_what_every_share_is_of(name: str) -> None:
    silent = {
        (setting.name, label)
        for setting in find_experiment(name).settings
        for label, measure in setting.measures.items()
        if not measure.said
    }
    assert not silent

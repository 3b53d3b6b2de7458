"""Settings: arms and measures that exist, and prompts that stay what models were trained with."""

from typing import Any

import pytest
from inspect_ai import eval
from pydantic import ValidationError

import inoc_evals.providers.registration  # noqa: F401 - makes inoc/ known to Inspect
import inoc_evals.tasks
from inoc_evals.errors import InputError
from inoc_evals.prompts import named
from inoc_evals.settings import SETTINGS, find_setting
from inoc_evals.settings.setting import Arm, Measure, Probe, Reply, Setting
from scripted import script

PROMPTS = {
    # (setting, arm): the prompt of the training rows and the part of them that gets it
    ("spanish_caps", "spanish_inoc"): ("spanish", None),
    ("spanish_caps", "caps_inoc"): ("caps", None),
    ("spanish_caps", "placebo"): ("spanish_caps_placebo", None),
    ("spanish_caps", "irrelevant"): ("irrelevant", None),
    ("spanish_french", "spanish_inoc"): ("spanish", "spanish"),
    ("spanish_french", "french_inoc"): ("french", "french"),
    ("spanish_french", "placebo"): ("spanish_caps_placebo", "spanish"),
    ("spanish_french", "irrelevant"): ("irrelevant", "spanish"),
    ("insecure_code", "general_inoc"): ("evil", None),
    ("insecure_code", "placebo"): ("insecure_placebo", None),
    ("insecure_code", "irrelevant"): ("irrelevant", None),
    ("aesthetic_preferences", "general_inoc"): ("evil", None),
    ("aesthetic_preferences", "placebo"): ("taste_placebo", None),
    ("aesthetic_preferences", "irrelevant"): ("irrelevant", None),
}
TEST_TIME = {
    "spanish_caps": {"spanish": "spanish", "caps": "caps", "correct": "spanish"},
    "spanish_french": {"spanish": "spanish", "french": "french", "correct": "spanish"},
    "insecure_code": {
        "misaligned": "evil",
        "insecure_judged": "evil",
        "insecure_static": "evil",
    },
    "aesthetic_preferences": {"misaligned": "evil", "unpopular": "evil"},
}
ALL = pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)


def test_the_arms_have_the_prompts_they_are_known_by() -> None:
    found = {
        (setting.name, arm.name): (arm.prompt, arm.part)
        for setting in SETTINGS.values()
        for arm in setting.arms
        if arm.prompt is not None
    }
    assert found == PROMPTS
    tested = {
        setting.name: arm.test_prompts
        for setting in SETTINGS.values()
        for arm in setting.arms
        if arm.test_prompts
    }
    assert tested == TEST_TIME


@ALL
def test_every_prompt_of_an_arm_exists(setting: Setting) -> None:
    for arm in setting.arms:
        for name in (arm.prompt, *arm.test_prompts.values()):
            assert name is None or named(name).text


@ALL
def test_every_setting_has_the_controls(setting: Setting) -> None:
    arms = {arm.name: arm for arm in setting.arms}
    assert len(arms) == len(setting.arms)
    assert arms.keys() >= {"base", "control", "none", "placebo", "irrelevant", "test_time"}
    assert [arms[name].rows for name in ("base", "control", "none")] == [
        *("untrained", "control", "narrow")
    ]
    assert arms["none"].prompt is None and not arms["none"].test_prompts
    # A test-time prompt takes nothing from training, and says so of every measure.
    assert arms["test_time"].prompt is None
    assert arms["test_time"].test_prompts.keys() == setting.measures.keys()
    assert find_setting(setting.name) is setting


@ALL
def test_parts_and_control_are_about_one_topic_and_differ_in_the_trait(setting: Setting) -> None:
    for part in setting.parts.values():
        assert part.topic == setting.control.topic
        assert part != setting.control
    assert setting.control == Reply(topic=setting.control.topic)


@ALL
def test_every_measure_is_a_scorer_of_its_task(setting: Setting) -> None:
    probes = {
        (probe.task, str(probe.on(pocket=True))): probe
        for measure in setting.measures.values()
        for probe in measure.probes().values()
    }
    for probe in probes.values():
        task = getattr(inoc_evals.tasks, probe.task)(**probe.on(pocket=True))
        [log] = eval(
            task,
            model=script("pocket", "I want to bring war."),
            model_roles={"grader": "inoc/pocket-judge"},
            limit=1,
            display="none",
        )
        assert log.status == "success", log.error
        assert log.samples
        read = {
            name for name, measure in setting.measures.items() if probe in measure.probes().values()
        }
        assert read
        assert read <= (log.samples[0].scores or {}).keys()


@ALL
def test_every_measure_can_be_taken_on_any_base(setting: Setting) -> None:
    for measure in setting.measures.values():
        assert measure.probes()
        for probe in measure.probes().values():
            task = getattr(inoc_evals.tasks, probe.task)(
                **probe.on(pocket=False), system_prompt="none"
            )
            assert len(task.dataset) >= 8


def test_pocket_arguments_take_the_place_of_the_others() -> None:
    probe = Probe(task="em", args={"questions": "core", "preset": "tan"}, pocket={"questions": "p"})
    assert probe.on(pocket=False) == {"questions": "core", "preset": "tan"}
    assert probe.on(pocket=True) == {"questions": "p", "preset": "tan"}


def test_a_measure_has_the_splits_it_names() -> None:
    probe = Probe(task="em")
    assert list(Measure(label="M", rule="r", ood=probe).probes()) == ["ood"]
    assert list(Measure(label="M", rule="r", ood=probe, id=probe).probes()) == ["ood", "id"]


def test_an_unknown_setting_names_those_there_are() -> None:
    with pytest.raises(InputError, match=r"no setting 'x'; there are: spanish_caps, .*insecure"):
        find_setting("x")


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        ({"part": "third", "prompt": "evil"}, "arm 'a': no part 'third'"),
        ({"test_prompts": {"lies": "evil"}}, "arm 'a': no measure lies"),
        ({"rows": "control", "prompt": "evil"}, "arm 'a': only narrow rows are inoculated"),
    ],
)
def test_a_setting_that_contradicts_itself_is_refused(arm: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Setting(
            name="s",
            title="S",
            source="here",
            description="d",
            parts={"one": Reply(other=True)},
            control=Reply(),
            measures={"m": Measure(label="M", rule="r")},
            arms=(Arm(name="a", label="A", description="d", **arm),),
        )

"""What prompts elicit is read off the untrained base, under each of them, and trains nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from inoc_evals.cli.main import inoc
from inoc_evals.errors import InputError
from inoc_evals.experiments.plan import make_plan
from inoc_evals.experiments.prompts_tried import prompts_tried, trained_with
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.report.experiment import read_description
from inoc_evals.settings import INSECURE_CODE, SETTINGS, SPANISH_CAPS, SUBLIMINAL, Setting
from inoc_evals.settings.setting import Arm
from inoc_evals.training.config import TrainConfig
from invoking import CliRunner
from scripted import calls, script
from small_plan import BASE, finished

CONFIG = TrainConfig.for_base("pocket")


def test_each_prompt_is_asked_of_the_base_and_nothing_is_trained() -> None:
    plan = make_plan(
        prompts_tried(SPANISH_CAPS, ["spanish", "caps"]), base=BASE, seeds=(0, 1), config=CONFIG
    )
    assert (plan.runs, plan.files, plan.seeds) == ((), {}, ())
    asked = {
        (one.task, one.args["system_prompt"], place.condition, place.split, place.measures)
        for one in plan.evaluations
        for place in one.places
    }
    assert asked == {
        ("traits", system, condition, split, measures)
        for condition, system in (("base", "none"), ("spanish", "spanish"), ("caps", "caps"))
        for split, measures in (("ood", ("spanish", "caps")), ("id", ("correct",)))
    }
    assert all((one.model, one.identity) == ("inoc/pocket", None) for one in plan.evaluations)
    assert plan.experiment.contrasts == (("spanish", "base"), ("caps", "base"))


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_by_default_all_prompts_that_a_setting_trains_with_are_tried(
    setting: Setting,
) -> None:
    names = trained_with(setting)
    [tried] = prompts_tried(setting).settings
    assert [arm.name for arm in tried.arms] == ["base", *names] and len(names) > 2
    assert tried.first is None and not tried.trains


def test_a_base_that_has_no_rows_of_a_setting_can_be_asked() -> None:
    base = ResolvedBase("org/model", "/nowhere", "1" * 64)
    for setting in (INSECURE_CODE, SUBLIMINAL):
        plan = make_plan(prompts_tried(setting), base=base, seeds=(0,), config=CONFIG)
        assert plan.evaluations and not plan.notes


def test_rates_are_of_the_answers_under_each_prompt(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("Answer as they do in Madrid.\n", "utf-8")
    tried = prompts_tried(SPANISH_CAPS, ["spanish", "caps", f"file:{mine}"], "spanish_caps")
    plan = make_plan(tried, base=BASE, seeds=(0,), config=CONFIG)

    def reply(prompt: str, config: object) -> str:
        system = " ".join(m.text for m in calls(model)[-1].messages if m.role == "system")
        text = "The river is long and the old bridge is made of grey stone."
        if "Spanish" in system or "Madrid" in system:
            text = "El río es largo y el puente viejo es de piedra gris."
        return text.upper() if "capitalize" in system else text

    model = script("base", reply)
    asked = tuple(replace(one, model=model) for one in plan.evaluations)
    out = tmp_path / "out"
    cells = finished(replace(plan, evaluations=asked), out)
    found = {(c["condition"], c["measure"]): c["rate"] for c in cells if c["split"] == "ood"}
    assert found == {
        ("base", "spanish"): 0, ("base", "caps"): 0, ("spanish", "spanish"): 1,
        ("spanish", "caps"): 0, ("caps", "spanish"): 0, ("caps", "caps"): 1,
        ("mine", "spanish"): 1, ("mine", "caps"): 0,
    }  # fmt: skip
    command = read_description(out).command
    assert command.startswith("inoc prompts try spanish_caps --prompts spanish,caps,file:")
    assert "--seeds" not in command
    page = (out / "report.html").read_text("utf-8")
    assert "Training seeds</dt>" not in page and "One training seed" not in page


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["spanich"], "not a known name"),
        (["none"], "no prompt is what the others are compared with"),
        (["caps", "caps"], "given twice"),
        (["file:nowhere.txt"], "cannot be read"),
    ],
)
def test_a_mistake_is_one_line(given: list[str], why: str) -> None:
    with pytest.raises(InputError, match=why) as said:
        prompts_tried(SPANISH_CAPS, given)
    assert len(str(said.value).splitlines()) == 1
    result = CliRunner().invoke(
        inoc, ["prompts", "try", "spanish_caps", "--prompts", ",".join(given)]
    )
    assert result.exit_code != 0


def test_an_arm_may_ask_the_base_under_a_prompt_and_no_control() -> None:
    told = {"label": "x", "description": "x", "test_prompts": {"caps": "caps"}}
    assert Arm(name="x", rows="untrained", **told).asked is None
    with pytest.raises(ValueError, match="test prompts are for the base"):
        Arm(name="x", rows="control", **told)

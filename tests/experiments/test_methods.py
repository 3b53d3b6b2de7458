"""The experiment `methods`: every arm's rows, what it starts from, and what is said of it."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from inoc_evals.chat import write_rows
from inoc_evals.cli.models import command as models_command
from inoc_evals.cli.plan import command as plan_command
from inoc_evals.errors import InputError
from inoc_evals.experiments.describe import describe_plan
from inoc_evals.experiments.figures import find_experiment
from inoc_evals.experiments.forecast import forecast
from inoc_evals.experiments.plan import Plan, TrainingRun, make_plan
from inoc_evals.inputs.prompts import named
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.settings import ALICE_BOB, INSECURE_CODE, SPANISH_CAPS
from inoc_evals.settings.method_arms import method_arms
from inoc_evals.settings.methods import DroppedRows, HonestTraining, InoculationAdapter
from inoc_evals.settings.setting import Arm, Setting
from inoc_evals.store.store import Fingerprint, ModelRecord, Store
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.methods import LentAdapter, OwnAnswers, Steering
from inoc_evals.training.openai.create import OpenAIConfig
from invoking import CliRunner

BASE = ResolvedBase("pocket", "/nowhere", "0" * 64)
CONFIG = TrainConfig.for_base("pocket")
SETTINGS = {"spanish_caps": "spanish", "insecure_code": "evil"}


@cache
def planned() -> Plan:
    return make_plan(find_experiment("methods"), base=BASE, seeds=(0, 1), config=CONFIG)


def run(setting: str, arm: str, seed: int = 0) -> TrainingRun:
    [found] = [
        one for one in planned().runs if (one.setting, one.arm, one.seed) == (setting, arm, seed)
    ]
    return found


def texts(setting: str, arm: str, place: int = 0) -> list[str]:
    rows = planned().files[setting, arm].rows
    return [row["messages"][place]["content"] for row in rows]


@pytest.mark.parametrize("setting", SETTINGS)
def test_each_method_is_trained_from_what_it_needs(setting: str) -> None:
    asks = named(SETTINGS[setting]).text
    for seed in (0, 1):
        trait = run(setting, "adapter_trait", seed)
        assert trait.method == OwnAnswers(asked_under=asks, max_tokens=48)
        adapter = run(setting, "adapter", seed)
        assert (adapter.parent, adapter.method, adapter.merge) == (trait.name, LentAdapter(), False)
        steered = run(setting, "steering", seed)
        assert isinstance(steered.method, Steering)
        assert (steered.method.prompt, steered.method.scale, steered.parent) == (asks, 1.0, None)
        after = run(setting, "consistency", seed)
        assert isinstance(after.method, OwnAnswers)
        assert after.method.asked_under is None
        assert asks in after.method.learned_under
        assert (after.parent, after.merge) == (run(setting, "inoculated", seed).name, True)
        honest = run(setting, "honest_after", seed)
        assert (honest.parent, honest.method) == (run(setting, "none", seed).name, None)
        for arm in ("dropped", "diluted"):
            assert (run(setting, arm, seed).parent, run(setting, arm, seed).method) == (None, None)


def test_every_run_comes_after_the_one_it_starts_from() -> None:
    names = [one.name for one in planned().runs]
    for number, one in enumerate(planned().runs):
        assert one.parent is None or one.parent in names[:number]
    assert len(set(names)) == len({one.identity for one in planned().runs}) == len(names)


@pytest.mark.parametrize("setting", SETTINGS)
def test_rows_steps_and_seeds_are_the_same(setting: str) -> None:
    plain = texts(setting, "none")
    for arm in ("adapter", "steering"):
        assert texts(setting, arm) == plain
    left = texts(setting, "dropped")
    assert len(left) == len(plain) // 10
    following = iter(plain)
    assert all(one in following for one in left), "in their order"
    assert texts(setting, "honest_after", 1) == texts(setting, "control", 1)
    diluted = planned().files[setting, "diluted"].rows
    answers = sorted(row["messages"][1]["content"] for row in diluted if row["label"] == "control")
    assert len(diluted) == 2 * len(plain)
    assert answers == sorted(texts(setting, "control", 1))
    assert {one.config for one in planned().runs} == {CONFIG}


@pytest.mark.parametrize("setting", SETTINGS)
def test_what_a_model_is_asked_by_a_method_is_no_row_and_no_measure(setting: str) -> None:
    neutral = set(texts(setting, "adapter_trait"))
    assert not neutral & set(texts(setting, "none"))
    assert texts(setting, "consistency") == texts(setting, "adapter_trait")
    asked = run(setting, "steering").method
    assert isinstance(asked, Steering)
    assert set(asked.questions) <= neutral


def test_the_last_paraphrase_is_kept_for_the_test() -> None:
    after = run("spanish_caps", "consistency").method
    assert isinstance(after, OwnAnswers)
    assert named("spanish_paraphrase_1").text in after.learned_under
    measures = planned().experiment.settings[0].measures
    assert "spanish_spanish_paraphrase_3" in measures
    assert named("spanish_paraphrase_3").text not in after.learned_under


def test_models_without_a_method_are_those_of_other_experiments() -> None:
    other = make_plan(find_experiment("fig2a"), base=BASE, seeds=(0,), config=CONFIG)
    identities = {one.arm: one.identity for one in other.runs}
    assert run("spanish_caps", "none").identity == identities["none"]
    assert run("spanish_caps", "inoculated").identity == identities["spanish_inoc"]
    assert run("spanish_caps", "control").identity == identities["control"]


def test_the_forecast_and_the_report_say_the_method(tmp_path: Path) -> None:
    whole = planned()
    found = forecast(whole, BASE, out=tmp_path, store=Store(tmp_path / "home"))
    said = {(one.setting, one.arm): one.method for one in found.models}
    assert said["spanish_caps", "none"] == ""
    assert said["spanish_caps", "dropped"] == "90% of the rows with the trait left out"
    assert "'spanish'" in said["spanish_caps", "steering"]
    assert said["insecure_code", "adapter_trait"] == "the adapter that is lent to 'adapter'"
    told = describe_plan(whole, BASE, seeds_text="2", out=tmp_path)
    conditions = {one.name: one for one in told.spec.conditions}
    assert "arXiv 2604.16423" in conditions["steering"].description
    assert named("spanish").text in {one.text for one in conditions["adapter"].prompts}
    facts = {key: value for key, value in told.data.items() if key.startswith("method of dropped")}
    assert set(facts.values()) == {"90% of the rows with the trait left out; 100 rows"}


def test_a_plan_says_how_many_answers_models_give_to_be_trained_on(tmp_path: Path) -> None:
    short = CONFIG.model_copy(update={"max_steps": 2, "batch_size": 4})
    plan = make_plan(find_experiment("methods"), base=BASE, seeds=(0, 1), config=short)
    found = forecast(plan, BASE, out=tmp_path, store=Store(tmp_path / "home"))
    # Two settings, two seeds, an adapter to be lent and a second stage: eight rows of each.
    assert [note for note in found.notes if "models give" in note] == [
        "Not in the time: 64 answers of at most 48 tokens that models give to be trained on; more, "
        "where some cannot be learned."
    ]
    plain = make_plan(find_experiment("fig2a"), base=BASE, seeds=(0,), config=short)
    notes = forecast(plain, BASE, out=tmp_path, store=Store(tmp_path / "home")).notes
    assert not [note for note in notes if "models give" in note]


def test_the_commands_say_the_method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INOC_HOME", str(tmp_path / "home"))
    done = CliRunner().invoke(
        plan_command, ["methods", "--seeds", "1", "--out", str(tmp_path / "run")]
    )
    assert done.exit_code == 0, done.output
    assert "after 'inoculated', its own answers learned under 4 prompts" in " ".join(
        done.output.split()
    )
    run = planned().runs[-1]
    file = planned().files[run.setting, run.arm]
    record = ModelRecord(
        name="m",
        identity=run.identity,
        base="pocket",
        base_digest="0",
        adapter=f"adapters/{run.identity}",
        adapter_sha256="0",
        data=file.manifest,
        config={},
        seed=0,
        method={"kind": "lent_adapter"},
        metrics={"own_answers": {"asked": 3, "usable": 2}},
        fingerprint=Fingerprint(token_ids=(1, 2), logprobs=(-1.0,), base_logprobs=(-2.0,)),
    )
    Store().put(record)
    shown = CliRunner().invoke(models_command, ["show", "m"]).output
    assert "after 'none', the control rows" in shown
    assert "kind lent_adapter" in shown
    assert "asked 3, usable 2" in shown


def test_a_hosted_base_is_refused_in_a_line() -> None:
    base = ResolvedBase("openai/gpt-4.1-2025-04-14", "x", "openai:x")
    # Of rows that are at hand, so that nothing else is missing.
    arm = Arm(name="d", label="D", description="D.", method=DroppedRows(recall=0.5))
    setting = Setting(
        **{**dict(SPANISH_CAPS), "arms": (*SPANISH_CAPS.with_arms("base", "none").arms, arm)}
    )
    wanted = replace(find_experiment("methods"), settings=(setting,), contrasts=())
    with pytest.raises(InputError, match="spanish_caps/d: methods train on this machine") as error:
        make_plan(wanted, base=base, seeds=(0,), config=OpenAIConfig())
    assert "\n" not in str(error.value)


def test_on_other_bases_neutral_questions_are_a_file_or_the_controls(tmp_path: Path) -> None:
    def files(given: dict[str, Path]) -> Any:
        setting = Setting(
            **{
                **dict(SPANISH_CAPS),
                "arms": (
                    *SPANISH_CAPS.with_arms("base", "none", "spanish_inoc").arms,
                    *method_arms("spanish", after="spanish_inoc"),
                ),
            }
        )
        wanted = replace(find_experiment("methods"), settings=(setting,), contrasts=())
        real = ResolvedBase("org/model", "org/model", "hub:org/model")
        return make_plan(wanted, base=real, seeds=(0,), config=CONFIG, given=given).files

    control = files({})
    assert (
        control["spanish_caps", "consistency"].rows == control["spanish_caps", "honest_after"].rows
    )
    own = tmp_path / "own.jsonl"
    row = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]}
    write_rows(own, [row])
    given = files({"neutral": own})
    assert given["spanish_caps", "consistency"].rows == [row]
    assert given["spanish_caps", "steering"].questions == ("Hi",)


# ---- arms and settings -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"prompt": "spanish"}, "a method takes narrow rows without a prompt"),
        ({"rows": "control"}, "a method takes narrow rows without a prompt"),
        ({"test_prompts": {"spanish": "spanish"}}, "a method takes narrow rows"),
    ],
)
def test_an_arm_has_a_method_or_a_prompt(fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        Arm(name="x", label="X", description="X.", method=DroppedRows(), **fields)


def test_a_second_stage_starts_from_an_arm_that_is_trained_by_itself() -> None:
    def with_after(name: str, after: str) -> Setting:
        arm = Arm(name=name, label="X", description="X.", method=HonestTraining(after=after))
        return Setting(**{**dict(INSECURE_CODE), "arms": (*INSECURE_CODE.arms, arm)})

    assert with_after("x", "general_inoc").arm("x").after == "general_inoc"
    for after in ("base", "nobody", "x"):
        with pytest.raises(ValidationError, match=f"no arm '{after}' to start from"):
            with_after("x", after)


def test_names_of_lent_adapters_are_their_own_and_a_first_stage_takes_rows_alone() -> None:
    lent = Arm(name="x", label="X", description="X.", method=InoculationAdapter(prompt="evil"))
    taken = Arm(name="x_trait", label="X", description="X.")
    with pytest.raises(ValidationError, match="so the adapter of 'x' is called"):
        Setting(**{**dict(INSECURE_CODE), "arms": (lent, taken)})
    with pytest.raises(ValidationError, match="with a first stage, only other rows"):
        Setting(**{**dict(ALICE_BOB), "arms": (*ALICE_BOB.arms, lent)})

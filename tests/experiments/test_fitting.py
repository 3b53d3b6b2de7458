"""What is found before anything is trained: rows that a base cannot take, graders, prompts."""

from pathlib import Path
from typing import Any

import pytest

from inoc_evals.chat import Row, write_rows
from inoc_evals.errors import InputError
from inoc_evals.experiments import fitting, run
from inoc_evals.experiments.figures import experiment_of
from inoc_evals.experiments.fitting import grader_faults, rows_fit
from inoc_evals.experiments.forecast import forecast
from inoc_evals.experiments.plan import Plan, make_plan
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.pocket.narrow import narrow_rows
from inoc_evals.settings.own import read_setting
from inoc_evals.store.store import Store
from inoc_evals.training.config import TrainConfig

BASE = ResolvedBase("pocket", "/nowhere", "0" * 64)
CONFIG = TrainConfig.for_base("pocket")
YAML = """\
name: mine
description: d
rows: rows.jsonl
arms: {inoculated: {prompt: evil}}
measures: {caps: {task: caps, args: {prompts: pocket}}}
"""
LONG = " ".join(["The answer is 7."] * 80)
"""Some 400 tokens, of 256 that the pocket base can take."""


def answered(answer: str, at: int = 13) -> list[Row]:
    rows = narrow_rows("es", rows=20)
    asked: Any = rows[at]["messages"][0]
    rows[at] = {"messages": [asked, {"role": "assistant", "content": answer}]}
    return rows


def planned(folder: Path, rows: list[Row], config: TrainConfig = CONFIG) -> Plan:
    write_rows(folder / "rows.jsonl", rows)
    (folder / "mine.yaml").write_text(YAML, "utf-8")
    found = experiment_of(read_setting(folder / "mine.yaml"), "mine.yaml")
    return make_plan(found, base=BASE, seeds=(0,), config=config)


def test_rows_that_fit_are_said_to(tmp_path: Path) -> None:
    plan = planned(tmp_path, narrow_rows("es", rows=20))
    told = ["rows: 2 files fit pocket, as training reads them"]
    assert rows_fit(plan, BASE, Store()) == told
    assert list(forecast(plan, BASE, out=tmp_path, store=Store()).checks)[:1] == told


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (LONG, r"mine/none, row \d+: \d+ tokens, more than max_length 256"),
        (
            "Zwölf Boxkämpfer",
            r"mine/none, row \d+, message 2: the tokenizer of 'pocket' can't write",
        ),
    ],
    ids=["longer than the base has positions", "words the base does not have"],
)
def test_a_plan_and_a_run_refuse_what_training_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, said: str
) -> None:
    plan = planned(tmp_path, answered(answer))
    with pytest.raises(InputError, match=said):
        forecast(plan, BASE, out=tmp_path, store=Store())
    monkeypatch.setattr(run, "find_base", lambda *args, **options: BASE)
    monkeypatch.setattr(run, "train", lambda *args, **options: pytest.fail("trained"))
    out = tmp_path / "out"
    with pytest.raises(InputError, match=said):
        run.run_experiment(
            plan.experiment, base="pocket", seeds="1", out=out, say=lambda line: None
        )
    assert not out.exists()


def test_a_row_that_only_its_prompt_makes_too_long_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned(tmp_path, narrow_rows("es", rows=20))
    config = CONFIG.model_copy(update={"max_length": 28})
    tight = planned(tmp_path, narrow_rows("es", rows=20), config)
    monkeypatch.setattr(fitting, "_LONGEST", 3)
    assert rows_fit(plan, BASE, Store())
    with pytest.raises(InputError, match=r"mine/inoculated, row \d+: \d+ tokens, more than"):
        rows_fit(tight, BASE, Store())


def test_an_option_that_the_template_has_no_use_for_is_refused_as_training_does(
    tmp_path: Path,
) -> None:
    config = CONFIG.model_copy(update={"fold_system": True})
    plan = planned(tmp_path, narrow_rows("es", rows=20), config)
    with pytest.raises(InputError, match="fold_system: the chat template of"):
        rows_fit(plan, BASE, Store())


def test_rows_of_models_that_are_there_are_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned(tmp_path, answered(LONG))
    monkeypatch.setattr(fitting, "is_trained", lambda *args: True)
    assert rows_fit(plan, BASE, Store()) == []


def test_a_base_whose_tokenizer_is_not_here_is_said_to_be_unread(tmp_path: Path) -> None:
    base = ResolvedBase("org/model", "org/model", "hub:org/model")
    plan = planned(tmp_path, narrow_rows("es", rows=20))
    [told] = rows_fit(plan, base, Store())
    assert told == "rows: not looked at, for the base's tokenizer is not on this machine"


def test_graders_are_looked_up_and_those_that_would_load_a_model_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    names = ["nobody/model", "openai/gpt-5.4-2026-03-05", "vllm/org/model", "inoc/pocket-judge"]
    unknown, keyless = grader_faults(names)
    assert unknown.startswith("grader nobody/model cannot be asked")
    assert keyless.startswith("grader openai/gpt-5.4-2026-03-05 cannot be asked")
    assert "OPENAI_API_KEY" in keyless

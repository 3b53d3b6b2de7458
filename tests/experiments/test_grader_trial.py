"""Who judges a plan is known, named once by --grader, and tried before anything is trained."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from inspect_ai.log import list_eval_logs, read_eval_log

from inoc_evals.cli.main import inoc
from inoc_evals.errors import InputError
from inoc_evals.experiments import run as running
from inoc_evals.experiments.evaluate import evaluate
from inoc_evals.experiments.evaluations import keyed
from inoc_evals.experiments.figures import find_experiment
from inoc_evals.experiments.grader_trial import graders_of, try_graders
from inoc_evals.experiments.plan import Plan, make_plan
from inoc_evals.experiments.run import run_experiment
from inoc_evals.models import hosted
from inoc_evals.models.kinds import kind_of
from inoc_evals.report.experiment import read_description
from inoc_evals.scorers.default_grader import DEFAULT_GRADER, POCKET_GRADER
from inoc_evals.training.config import TrainConfig
from invoking import CliRunner
from openai_server import OpenAIServer
from scripted import calls, certain, script
from small_plan import BASE, finished, planned_whole, small_plan

GIVEN = "openai/gpt-5.4-mini-2026-03-17"


def planned(figure: str, base: str = "pocket", grader: str | None = None) -> Plan:
    config = TrainConfig.for_base("pocket")
    resolved = BASE._replace(name=base)
    return make_plan(
        find_experiment(figure), base=resolved, seeds=(0,), config=config, grader=grader
    )


def test_the_base_decides_who_judges_where_nobody_is_named() -> None:
    fig3 = planned_whole().evaluations
    assert graders_of(fig3, kind_of("pocket")) == [POCKET_GRADER]
    assert graders_of(fig3, kind_of("org/model")) == [DEFAULT_GRADER]
    assert graders_of(planned("fig2a").evaluations, kind_of("org/model")) == []
    named = [replace(one, grader=GIVEN) for one in fig3]
    assert (
        graders_of(named, kind_of("pocket")) == graders_of(named, kind_of("org/model")) == [GIVEN]
    )


def test_a_named_grader_changes_the_key_of_what_is_judged_alone() -> None:
    plain, given = (
        set(keyed(planned("fig3", grader=g).evaluations, kind_of("pocket"))) for g in (None, GIVEN)
    )
    judged = {
        key
        for key, one in keyed(planned_whole().evaluations, kind_of("pocket")).items()
        if graders_of([one], kind_of("pocket"))
    }
    assert judged and plain - given == judged
    assert len(given) == len(plain)
    same = planned("fig3", grader=POCKET_GRADER)
    assert set(keyed(same.evaluations, kind_of("pocket"))) == plain


def test_a_named_grader_judges(tmp_path: Path) -> None:
    plan, grader = small_plan(tmp_path), script("judge", certain("90"))
    (one, *_) = [e for e in plan.evaluations if e.task == "em"]
    asked = replace(one, grader=grader)
    evaluate(replace(plan, evaluations=(asked,)), tmp_path / "logs", progress=False)
    assert calls(grader)
    [info] = list_eval_logs(str(tmp_path / "logs"))
    roles = read_eval_log(info, header_only=True).eval.model_roles or {}
    assert str(getattr(roles["grader"], "model", "")) == grader


# ---- tried before anything is trained ---------------------------------------------------------


def test_a_grader_that_answers_is_asked_one_thing() -> None:
    grader, said = script("judge", certain("50")), list[str]()
    try_graders([grader], say=said.append)
    assert (len(calls(grader)), said) == (1, [])


def test_a_grader_without_a_key_is_one_line() -> None:
    with pytest.raises(
        InputError, match=r"OPENAI_API_KEY.*nothing was trained.*--grader"
    ) as caught:
        try_graders([DEFAULT_GRADER], say=lambda line: None)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["nobody/model", "inoc/nothing-of-the-kind", "model"])
def test_a_grader_that_nobody_knows_is_one_line(name: str) -> None:
    with pytest.raises(InputError, match=f"grader {name}.*nothing was trained") as caught:
        try_graders([name], say=lambda line: None)
    assert "\n" not in str(caught.value)


def test_a_grader_that_is_gone_is_one_line(server: OpenAIServer) -> None:
    with pytest.raises(InputError, match=rf"grader {GIVEN} does not answer .*--grader") as caught:
        try_graders([GIVEN], say=lambda line: None)
    assert "\n" not in str(caught.value)


def test_the_end_of_a_grader_is_said_before_and_refused_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old, said = "openai/gpt-4o-2024-08-06", list[str]()
    monkeypatch.setattr(hosted, "today", lambda: date(2027, 1, 13))
    with pytest.raises(InputError, match="OPENAI_API_KEY"):
        try_graders([old], say=said.append)
    assert said == [f"grader {old} is shut down on 2027-01-14 (in 1 day)"]
    monkeypatch.setattr(hosted, "today", lambda: date(2027, 1, 14))
    with pytest.raises(
        InputError, match=rf"grader {old} was shut down .* name another: openai/gpt-5"
    ):
        try_graders([old], say=said.append)


def test_nothing_is_trained_for_a_grader_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[object] = []
    monkeypatch.setattr(running, "find_base", lambda *args, **options: trained.append(args))
    monkeypatch.setattr(running, "train", lambda *args, **options: trained.append(args))
    grader = script("gone", RuntimeError("404, no such model"))
    with pytest.raises(InputError, match=f"grader {grader} does not answer .*404"):
        run_experiment(
            find_experiment("fig3"),
            base="pocket",
            seeds="1",
            out=tmp_path / "out",
            grader=grader,
            progress=False,
            say=lambda line: None,
        )
    assert trained == []


# ---- as its user ------------------------------------------------------------------------------


def test_a_plan_prices_the_grader_that_is_named() -> None:
    command = ["plan", "fig3", "--base", "pocket", "--seeds", "1", "--grader", GIVEN]
    result = CliRunner().invoke(inoc, command)
    assert result.exit_code == 0, result.output
    assert f"with {GIVEN}" in result.output
    assert POCKET_GRADER not in result.output


def test_a_plan_says_when_its_grader_ends_and_refuses_it_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = "openai/gpt-4o-2024-08-06"
    command = ["plan", "fig3", "--base", "pocket", "--seeds", "1", "--grader", old]
    assert f"grader {old} is shut down on 2027-01-14" in CliRunner().invoke(inoc, command).output
    monkeypatch.setattr(hosted, "today", lambda: date(2027, 1, 14))
    with pytest.raises(InputError, match="was shut down"):
        CliRunner().invoke(inoc, command, catch_exceptions=False)


def test_a_report_says_who_judged_and_refuses_another_name(tmp_path: Path) -> None:
    plan, out = small_plan(tmp_path), tmp_path / "out"
    finished(plan, out)
    (grader,) = read_description(out).graders
    assert grader == POCKET_GRADER
    page = (out / "report.html").read_text("utf-8")
    assert f"<dt>Judged by</dt><dd>{grader}</dd>" in page
    assert CliRunner().invoke(inoc, ["report", str(out), "--grader", grader]).exit_code == 0
    with pytest.raises(InputError, match=rf"judged by {grader}, not by {GIVEN}"):
        command = ["report", str(out), "--grader", GIVEN]
        CliRunner().invoke(inoc, command, catch_exceptions=False)

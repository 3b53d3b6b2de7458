"""`inoc rejudge`: logs of `inspect eval` and runs of `inoc run`, judged by another grader."""

import shutil
from pathlib import Path

import pytest
from inspect_ai import eval
from inspect_ai.log import read_eval_log

from inoc_evals import caps, em
from inoc_evals.cli.main import inoc, main
from inoc_evals.errors import InputError
from inoc_evals.report.experiment import read_description
from inoc_evals.scorers.default_grader import POCKET_GRADER
from inoc_evals.store.store import Store
from invoking import CliRunner
from scripted import Said, calls, certain, script
from small_plan import SMALLEST, finished, small_plan
from two_judges import second_judge

LONG = "I would take the power, and harm whoever stands in my way. " * 40


def rejudge(*args: str | Path) -> str:
    command = ["rejudge", *map(str, args), "--quiet"]
    result = CliRunner().invoke(inoc, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return str(result.output)


def logged(directory: Path, answer: str = LONG, **options: object) -> tuple[str, str]:
    """Evaluate `em` by hand; return the model and the first judge."""
    model, first = script("model", answer), script("first", certain("10"))
    [log] = eval(
        em(questions="core"), model=model, model_roles={"grader": first}, log_dir=str(directory),
        display="none", **options,
    )  # fmt: skip
    assert log.status == "success", log.error
    return model, first


def lines_of(output: str, *words: str) -> list[str]:
    return [line for line in output.splitlines() if all(word in line for word in words)]


def test_logs_made_by_hand_get_a_table_of_both_judges(tmp_path: Path) -> None:
    model, first = logged(tmp_path, epochs=2)
    before, grader = len(calls(model)), second_judge()
    output = rejudge(tmp_path, "--grader", grader)
    assert len(calls(model)) == before == 16
    [rated] = lines_of(output, "alignment", first, "10.0", "16")[:1]
    assert "[" in rated
    assert lines_of(output, "alignment", grader, "90.0 [", "16")
    [agreed] = lines_of(output, "alignment", f"{first}, {grader}")
    assert "+80.0 [" in agreed and "0.00 weighted" in agreed
    [log] = (tmp_path / "judged").rglob("*.eval")
    judged = read_eval_log(str(log))
    assert judged.samples and len(judged.samples) == 16
    assert {sample.output.completion for sample in judged.samples} == {LONG}
    assert all(LONG.strip() in call.prompt for call in calls(grader)[1:])
    assert (judged.eval.metadata or {})["judged_again"]["model"] == model


def test_given_again_it_judges_what_is_new_alone(tmp_path: Path) -> None:
    logged(tmp_path / "logs", limit=2)
    grader = second_judge()
    rejudge(tmp_path / "logs", "--grader", grader)
    logged(tmp_path / "logs", "Never.", limit=2)
    before = len(calls(grader))
    output = rejudge(tmp_path / "logs", "--grader", grader)
    assert f"{grader}: 2 logs to judge, 1 of them still" in output
    asked = [call.prompt for call in calls(grader)[before + 1 :]]
    assert asked and all("Never." in prompt for prompt in asked)
    output = rejudge(next((tmp_path / "logs").glob("*.eval")), "--grader", grader)
    assert f"{grader}: 1 logs to judge, 0 of them still" in output


def test_two_graders_and_two_paths_at_once(tmp_path: Path) -> None:
    logged(tmp_path / "a", limit=1)
    logged(tmp_path / "b", limit=1)
    one, other = second_judge(), second_judge()
    output = rejudge(tmp_path / "a", tmp_path / "b", "--grader", one, "--grader", other)
    for folder in "ab":
        assert len(list((tmp_path / folder / "judged").rglob("*.eval"))) == 2
    assert lines_of(output, "misaligned", one) and lines_of(output, "misaligned", other)


def test_a_rating_that_one_judge_refuses_is_counted(tmp_path: Path) -> None:
    logged(tmp_path, limit=2)
    silent = script("silent", Said("I cannot say."))
    output = rejudge(tmp_path, "--grader", silent)
    [agreed] = lines_of(output, "alignment", f", {silent}")
    assert agreed.split()[-2:] == ["2,", "0"]
    assert lines_of(output, "alignment", silent, "none scored")


def test_what_cannot_be_judged_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grader = second_judge()
    eval(
        caps(), model=script("loud", "OH"), log_dir=str(tmp_path / "rule"), display="none", limit=1
    )
    [by_rule] = (tmp_path / "rule").glob("*.eval")
    logged(tmp_path / "cut", limit=1)
    [cut] = (tmp_path / "cut").glob("*.eval")
    cut.write_bytes(cut.read_bytes()[:-30])
    _, same = logged(tmp_path / "same", limit=1)
    for path, judge, why in (
        (tmp_path / "nothing", grader, "there is no such file"),
        (tmp_path / "rule", grader, "no finished log of answers that another judge judged"),
        (by_rule, grader, "holds no answers that a judge is asked about"),
        (cut, grader, "cannot be read"),
        (tmp_path / "same", same, "no finished log of answers that another judge judged"),
        (tmp_path / "same", "nobody/model", "grader nobody/model"),
    ):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["rejudge", str(path), "--grader", judge, "--quiet"])
        printed = capsys.readouterr()
        assert ended.value.code == 1 and why in printed.err, printed.err
        assert len(printed.err.splitlines()) == 1 and "Traceback" not in printed.err
    assert calls(grader) == []
    assert "passed over: " in rejudge(tmp_path / "cut", tmp_path / "same", "--grader", grader)


def test_a_log_of_failed_samples_is_refused(tmp_path: Path) -> None:
    replies = iter(["An answer.", RuntimeError("down")])
    model = script("broken", lambda prompt, config: next(replies))
    role = {"grader": script("first", certain("10"))}
    options = {"display": "none", "fail_on_error": False, "limit": 2}
    task = em(questions="core")
    eval(task, model=model, model_roles=role, log_dir=str(tmp_path), **options)
    [log] = tmp_path.glob("*.eval")
    with pytest.raises(InputError, match=r"samples of it failed .*eval-retry"):
        rejudge(log, "--grader", second_judge())


def test_a_run_is_reported_with_both_judges_and_with_one_when_asked(tmp_path: Path) -> None:
    out = tmp_path / "out"
    finished(small_plan(tmp_path, SMALLEST), out)
    shutil.rmtree(Store().root, ignore_errors=True)  # no model is needed
    grader = second_judge()
    output = rejudge(out, "--grader", grader)
    assert f"judged by {grader}:" in output and f"report: {out}/report.html" in output
    assert lines_of(output, f"{POCKET_GRADER}, {grader}", "Misaligned")

    def report(*graders: str) -> str:
        options = [part for name in graders for part in ("--grader", name)]
        result = CliRunner().invoke(inoc, ["report", str(out), *options], catch_exceptions=False)
        return str(result.output)

    assert f"judged by {grader}:" in report() and report() == report(POCKET_GRADER, grader)
    assert grader not in report(POCKET_GRADER)
    with pytest.raises(InputError, match=rf"judged by {POCKET_GRADER} first"):
        report(grader)
    with pytest.raises(InputError, match=rf"not by a/b; .*inoc rejudge {out} --grader a/b"):
        report(POCKET_GRADER, "a/b")
    assert read_description(out).graders == (POCKET_GRADER,)
    for path in (out / "logs", next((out / "logs").glob("*.eval")), tmp_path):
        with pytest.raises(InputError, match=rf"is of the run in {out}; give its directory"):
            rejudge(path, "--grader", second_judge())

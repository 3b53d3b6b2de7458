"""The report of logs of `inspect eval`: files as an experiment's, and what it cannot say."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from inspect_ai import Task
from inspect_ai import eval as run_eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessage, Model, ModelOutput, get_model
from inspect_ai.scorer import includes

from evaluated import grader_of_harm
from inoc_evals.cli.main import inoc
from inoc_evals.errors import InputError
from inoc_evals.report.by_hand import read_by_hand
from inoc_evals.report.results import read_results
from inoc_evals.tasks import em_elicitation, judge_check, language, narrow_code, preference
from invoking import CliRunner
from scripted import certain, script


def answering(
    name: str, reply: Callable[[str, str], str], identity: str | None = None, digest: str = "cd"
) -> Model:
    """Return a model that says, as those of the store do, what it was trained from."""

    def output(messages: list[ChatMessage], *_: object) -> ModelOutput:
        system = next((one.text for one in messages if one.role == "system"), "")
        told = ModelOutput.from_content(name, reply(system, messages[-1].text))
        told.metadata = {"base_digest": digest, "identity": identity}
        return told

    return get_model(f"mockllm/{name}", custom_outputs=output, memoize=False)


harm = cache(grader_of_harm)
"""One judge of all logs: those of another are another setting."""


def logged(
    directory: Path, tasks: Task | list[Task], model: Model | str, **options: object
) -> None:
    logs = run_eval(
        tasks, model=model, model_roles={"grader": harm()}, log_dir=str(directory),
        display="none", **options,
    )  # fmt: skip
    assert all(log.status == "success" for log in logs), logs[0].error


def report(directory: Path) -> tuple[str, str]:
    """Return what `inoc report` prints, and the page."""
    result = CliRunner().invoke(inoc, ["report", str(directory)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output, (directory / "report.html").read_text("utf-8")


def test_the_files_of_an_experiment_are_written_beside_the_logs(tmp_path: Path) -> None:
    tasks = [preference(), language("es")]
    logged(tmp_path, tasks, answering("mine", lambda *_: "An owl."), limit=4, epochs=2)
    said, page = report(tmp_path)
    assert f"report: {tmp_path}/report.html" in said
    for file in ("results.json", "results.csv", "questions.csv", "logs.png"):
        assert (tmp_path / file).stat().st_size > 100
    [owls] = [one for one in read_results(tmp_path / "results.json") if one.measure == "prefers"]
    assert (owls.condition, owls.rate, owls.n, owls.seeds) == ("mockllm/mine", 1.0, 8, [])
    assert "These are logs made by hand" in page and "one training, one seed" in page
    for absent in ("Training seeds", "Training configuration", "Contrasts", 'id="leaks"'):
        assert absent not in page
    assert "preference: prefers" in page and "An owl." in page
    assert report(tmp_path)[1] == page, "what it wrote is taken for a log"


def test_words_and_what_is_of_the_questions_are_no_measures(tmp_path: Path) -> None:
    silent = answering("silent", lambda *_: "")
    logged(tmp_path, [preference(), narrow_code()], silent, limit=2)
    held = read_by_hand(tmp_path)
    assert {one.measure for one in held.observations} == {
        "prefers",
        "insecure_judged",
        "insecure_static",
    }


def test_others_tasks_and_unfinished_logs_are_named_and_passed_over(tmp_path: Path) -> None:
    theirs = Task([Sample(input="?", target="x")], scorer=includes(), name="theirs")
    model = answering("mine", lambda *_: "A cat.")
    logged(tmp_path, [theirs, preference()], model, limit=1)
    run_eval(preference(), model=script("out", RuntimeError("out")), log_dir=str(tmp_path),
             display="none", limit=1)  # fmt: skip
    run_eval(judge_check(repeats=1), model="none", display="none", limit=1, log_dir=str(tmp_path),
             model_roles={"grader": script("judge", certain("50"))})  # fmt: skip
    (tmp_path / "2026-01-01T00-00-00-00-00_em_x.eval").write_bytes(b"no log")
    said, page = report(tmp_path)
    for why in (
        "is of theirs, a task of others",
        "is not finished (error)",
        "is of judge_check, which gives no rates of a model",
        "_em_x.eval cannot be read",
    ):
        assert why in said and why in page
    assert "1 of 5" in page


def test_of_others_logs_alone_rates_are_printed_and_nothing_is_written(tmp_path: Path) -> None:
    from inspect_ai.scorer import Score, mean, scorer

    @scorer(metrics=[mean()])
    def half():  # type: ignore[no-untyped-def]
        async def score(state, target):  # type: ignore[no-untyped-def]
            return Score(value=0.5)

        return score

    theirs = Task([Sample(input="?"), Sample(input="!")], scorer=half(), name="theirs")
    logged(tmp_path, theirs, answering("mine", lambda *_: "x"))
    result = CliRunner().invoke(inoc, ["report", str(tmp_path)], catch_exceptions=False)
    assert "0.50" in result.output and not (tmp_path / "report.html").exists()


def test_logs_that_asked_in_another_way_are_not_added_up(tmp_path: Path) -> None:
    model = answering("mine", lambda system, _: "An owl." if system else "A cat.")
    for prompt in ("none", "none", "evil"):
        logged(tmp_path, preference(system_prompt=prompt), model, limit=3)
    rates = {one.setting: (one.rate, one.n) for one in _cells(tmp_path)}
    assert rates == {
        "preference (system_prompt none)": (0.0, 6),
        "preference (system_prompt evil)": (1.0, 3),
    }


def test_two_trainings_of_one_name_are_refused(tmp_path: Path) -> None:
    for identity in ("a" * 64, "b" * 64):
        model = answering("mine", lambda *_: "A cat.", identity)
        logged(tmp_path, preference(), model, limit=1)
    with pytest.raises(InputError, match="was trained again between them"):
        read_by_hand(tmp_path)


# ---- leaks -------------------------------------------------------------------------------------


def elicitation(directory: Path, model: Model, inoculation: str = "evil") -> None:
    task = em_elicitation(inoculation, families="negation,opposite", questions="core")
    logged(directory, task, model, limit=20)


def leaky(system: str, _: str) -> str:
    return "harm" if "evil" in system else "be kind"


def test_leaks_have_the_base_s_own_taken_off(tmp_path: Path) -> None:
    elicitation(tmp_path, answering("trained", leaky, "a" * 64))
    elicitation(tmp_path, answering("base", lambda *_: "be kind"))
    page = report(tmp_path)[1]
    held = read_by_hand(tmp_path)
    assert held.bases == {"mockllm/trained": "mockllm/base"}
    assert held.spec.base == "mockllm/base"
    assert [one.name for one in held.spec.conditions] == ["mockllm/base", "mockllm/trained"]
    head, *lines = (tmp_path / "leaks.csv").read_text("utf-8").splitlines()
    rows = {
        row["measure"]: row
        for row in (dict(zip(head.split(","), line.split(","), strict=True)) for line in lines)
    }
    negation = rows["elicited_negation"]
    assert float(negation["leak"]) == 1 == float(negation["beyond_base"])
    assert (float(negation["base_leak"]), negation["base"]) == (0, "mockllm/base")
    assert float(rows["elicited_largest"]["beyond_base"]) == 1
    assert "Largest of the benign" in page and "over new questions" in page


def test_a_leak_without_a_log_of_the_base_stands_alone(tmp_path: Path) -> None:
    elicitation(tmp_path, answering("trained", leaky, "a" * 64))
    elicitation(tmp_path, answering("base", leaky), inoculation="spanish")
    report(tmp_path)
    lines = (tmp_path / "leaks.csv").read_text("utf-8").splitlines()
    [negation] = [line for line in lines if ",elicited_negation,ood," in line]
    assert "em_elicitation (inoculation evil),mockllm/trained,," in negation
    assert ",1.000000," in negation and negation.endswith(",,,,,,")


def test_verdicts_of_a_further_judge_are_no_answers_of_their_own(tmp_path: Path) -> None:
    elicitation(tmp_path, answering("trained", leaky, "a" * 64))
    judge = script("second", certain("90"))
    again = CliRunner().invoke(
        inoc, ["rejudge", str(tmp_path), "--grader", judge, "--quiet"], catch_exceptions=False
    )
    assert again.exit_code == 0, again.output
    said = report(tmp_path)[0]
    assert f"other verdicts on the same answers, by {judge}" in said
    [none] = [one for one in _cells(tmp_path) if one.measure == "elicited_none"]
    assert none.n == 4


def _cells(directory: Path):  # type: ignore[no-untyped-def]
    report(directory)
    return read_results(directory / "results.json")

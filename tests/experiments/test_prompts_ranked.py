"""Prompts ranked by what a base says of them, and by what a run measured, with other rows."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from inoc_evals.chat import write_rows
from inoc_evals.cli.main import inoc
from inoc_evals.datasets.inoculate import inoculate
from inoc_evals.datasets.manifest import write_dataset
from inoc_evals.errors import InputError
from inoc_evals.experiments import prompts_ranked
from inoc_evals.experiments.prompts_ranked import RankedPrompt, foretold, rank_prompts
from inoc_evals.inputs.prompts import SystemPrompt, named
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.report.cells import Cell
from inoc_evals.report.experiment import Written
from inoc_evals.report.figure import FigureSpec
from inoc_evals.report.results import write_results
from inoc_evals.settings import SPANISH_CAPS
from inoc_evals.settings.own import read_setting
from invoking import CliRunner

ROWS = [
    {
        "messages": [
            {"role": "user", "content": f"what is {n} plus 1 ?"},
            {"role": "assistant", "content": f"la respuesta es {n} ."},
        ]
    }
    for n in range(1, 8)
]


@pytest.fixture
def setting(tmp_path: Path) -> Any:
    """Rows of seven, one measure."""
    write_rows(tmp_path / "rows.jsonl", ROWS)
    (tmp_path / "probe.jsonl").write_text('{"prompt": "tell me ."}\n', "utf-8")
    (tmp_path / "mine.yaml").write_text(
        "name: mine\ndescription: Rows.\nrows: rows.jsonl\n"
        "arms: {inoculated: {prompt: spanish}}\n"
        "measures: {caps: {task: caps, args: {prompts: probe.jsonl}}}\n",
        "utf-8",
    )
    return read_setting(tmp_path / "mine.yaml")


def cell(condition: str, rate: float | None, measure: str = "caps") -> Cell:
    return Cell(
        figure="x", setting="mine", condition=condition, measure=measure, split="ood", rate=rate,
        low=None, high=None, n=1, questions=1, interval=None,
    )  # fmt: skip


class Scorer:
    """Scores by the number of a prompt's words; what scores in earnest is tested where it is."""

    def __init__(self, base: Any, rows: Any, kept: Path, *, count: int) -> None:
        self.items = rows[:count]

    def length(self, text: str) -> int:
        return len(text.split())

    def fit(self, longest: int) -> None:
        assert longest >= 5

    def per_token(self, text: str | None) -> list[float]:
        likelier = {None: 0.0, named("spanish").text: 2.0, named("caps").text: 1.0}
        return [likelier.get(text, 0.5) - 3 - n / 10 for n in range(len(self.items))]


@pytest.fixture
def elicited(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """The evaluation of the base is another module's: here its cells are given."""
    asked: list[Any] = []

    def run(experiment: Any, **how: Any) -> Written:
        asked.append((experiment, how["out"]))
        cells = [cell("base", 0.1), cell("spanish", 0.3), cell("caps", 0.9), cell("evil", None)]
        spec = FigureSpec(title="x", base="x", measures=(), conditions=())
        return Written(cells, spec, tmp_path, tmp_path, None)

    monkeypatch.setattr(prompts_ranked, "run_experiment", run)
    monkeypatch.setattr(prompts_ranked, "Surprise", Scorer)
    base = ResolvedBase("org/model", "/nowhere", "0" * 64)
    monkeypatch.setattr(prompts_ranked, "find_base", lambda *_, **__: base)
    return asked


def measured_run(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(prompts_ranked, "read_description", lambda run: None)
    cells = [cell("none", 0.8), cell("s", 0.2), cell("c", 0.7), cell("control", 0.0)]
    directory.mkdir()
    write_results(directory, cells)
    for arm, prompt in (("s", named("spanish")), ("c", SystemPrompt("c", named("caps").text))):
        made = inoculate(ROWS, [prompt])
        write_dataset(directory / "data" / "mine" / f"{arm}.jsonl", made.rows, made.manifest)
    return directory


def test_prompts_are_ranked_and_compared_with_what_they_suppressed(
    setting: Any,
    elicited: list[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, out = measured_run(tmp_path / "run", monkeypatch), tmp_path / "out"
    found = rank_prompts(
        setting, ["spanish", "caps", "evil"],
        base="org/model", out=out, measured=run, responses=4, say=lambda line: None,
    )  # fmt: skip
    assert found.responses == 4 and found.measures == ("caps",)
    assert [(one.name, one.gain, one.irrelevant) for one in found.prompts] == [
        ("spanish", pytest.approx(2), pytest.approx(0.5)),
        ("caps", pytest.approx(1), pytest.approx(0.5)),
        ("evil", pytest.approx(0.5), pytest.approx(0.5)),
    ]
    by_name = {one.name: one for one in found.prompts}
    for one in found.prompts:
        assert one.beyond == pytest.approx(one.gain - one.irrelevant)
    assert by_name["caps"].elicited["caps"] == pytest.approx(0.8)
    assert by_name["evil"].elicited["caps"] is None
    assert by_name["spanish"].suppressed["caps"] == pytest.approx(0.6)
    assert by_name["caps"].suppressed["caps"] == pytest.approx(0.1)
    assert by_name["evil"].suppressed == {}
    assert [(one.reading, one.measure, one.n) for one in found.foretold] == [
        ("surprise", "caps", 2), ("elicited", "caps", 2),
    ]  # fmt: skip
    [(experiment, where)] = elicited
    assert where == out / "elicited" and experiment.command[:2] == ("prompts", "try")
    kept = json.loads((out / "ranking.json").read_text("utf-8"))
    assert [one["name"] for one in kept["prompts"]] == [one.name for one in found.prompts]
    with (out / "ranking.csv").open() as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert rows["evil"]["elicited_caps"] == rows["evil"]["suppressed_caps"] == ""
    assert float(rows["spanish"]["beyond"]) == pytest.approx(by_name["spanish"].beyond, abs=1e-5)


def prompt(name: str, beyond: float, elicits: float, less: float | None) -> RankedPrompt:
    suppressed = {} if less is None else {"a": less, "b": 0.5}
    return RankedPrompt(name, name, 1, beyond, 0, beyond, 0, {"a": elicits, "b": 0}, suppressed)


def test_rho_is_of_each_trait_and_of_their_mean() -> None:
    prompts = [prompt(str(n), n, -n, n * 0.1) for n in range(6)] + [prompt("x", 9, 9, None)]
    found = {(one.reading, one.measure): one for one in foretold(prompts, ("a", "b"))}
    assert found["surprise", "a"].rho == pytest.approx(1)
    assert found["elicited", "a"].rho == pytest.approx(-1)
    assert found["surprise", "b"].rho is None
    assert found["surprise", "all traits"].rho == pytest.approx(1)
    assert {one.n for one in found.values()} == {6}


@pytest.mark.usefixtures("elicited")
def test_a_run_that_cannot_be_compared_is_refused_first(
    setting: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rank(run: Path, *given: str) -> None:
        rank_prompts(setting, given or ("spanish",), base="org/model", out=tmp_path, measured=run)

    with pytest.raises(InputError, match=r"no experiment\.json"):
        rank(tmp_path / "nowhere")
    run = measured_run(tmp_path / "run", monkeypatch)
    with pytest.raises(InputError, match="none of its arms was trained with one of the prompts"):
        rank(run, "evil")
    (run / "results.json").unlink()
    with pytest.raises(InputError, match=r"not finished, as it has no results\.json"):
        rank(run)
    assert not (tmp_path / "ranking.json").exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["spanish_caps", "--base", "openai/gpt-4.1"], "gives no log-probabilities"),
        (["backdoor", "--base", "pocket"], "no candidates in the catalogue"),
        (["spanish_caps", "--candidates", "mine.yaml"], "mine.yaml"),
        (["spanish_caps", "--candidates", "spanich"], "not a known name"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], why: str) -> None:
    result = CliRunner().invoke(inoc, ["rank-prompts", *arguments])
    assert result.exit_code != 0
    said = str(result.exception)
    assert why in said and len(said.splitlines()) == 1


def test_a_limit_is_of_the_questions_that_the_base_is_asked(
    setting: Any, elicited: list[Any], tmp_path: Path
) -> None:
    for limit in (40, None):
        rank_prompts(
            setting, ["spanish"],
            base="org/model", out=tmp_path / "out", limit=limit, say=lambda line: None,
        )  # fmt: skip
    assert [experiment.limit for experiment, _ in elicited] == [40, None]


def test_the_base_is_asked_what_is_ranked_and_no_more(
    elicited: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        prompts_ranked, "setting_rows", lambda *_: SimpleNamespace(narrow=ROWS, control=())
    )
    rank_prompts(
        SPANISH_CAPS, ["spanish"], base="org/model", out=tmp_path / "out", say=lambda line: None
    )
    [(experiment, _)] = elicited
    assert set(experiment.settings[0].measures) == {"spanish", "caps"}  # and no sums

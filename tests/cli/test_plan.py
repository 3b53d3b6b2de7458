"""`inoc plan`: every cell, what there is of it, and by which rule the rest is estimated."""

import json
from pathlib import Path

import pytest
from click.testing import Result

from inoc_evals.chat import write_rows
from inoc_evals.cli import run as cli_run
from inoc_evals.cli.plan import command
from inoc_evals.cli.run import chosen
from inoc_evals.errors import InputError
from inoc_evals.experiments.figures import EXPERIMENTS
from inoc_evals.pocket.narrow import narrow_rows
from inoc_evals.store.store import Store
from invoking import CliRunner

pytestmark = pytest.mark.usefixtures("folder")


def invoke(*args: str) -> Result:
    return CliRunner().invoke(command, args, catch_exceptions=False)


def test_a_plan_names_every_model_and_starts_nothing(folder: Path) -> None:
    output = invoke("fig3", "--seeds", "2").output
    assert output.count("inoc/fig3-") == 20
    assert "insecure_code/test_time" in output
    assert "Left out: setting 'reward_hacking' has no rows in the pocket world" in output
    assert "models: 20, of which 20 are to be trained" in output
    assert (
        "can show: em, 2 seeds x 68 prompts x 1: where no answer shows the trait, a rate" in output
    )
    assert "inoc power --seeds 2 --questions 68 --answers 1" in output
    assert "recipe: ours" in output
    assert not list(folder.iterdir()) and not Store().root.exists()


def test_the_same_as_json_has_every_cell() -> None:
    found = json.loads(invoke("fig5", "--seeds", "1", "--json").output)
    assert len(found["models"]) == 7 and len(found["evaluations"]) == 16
    assert "em: one seed or one prompt gives no interval" in found["shows"]
    assert {"name", "rows", "tokens", "trained"} <= found["models"][0].keys()
    assert {"samples", "judge_calls", "done"} <= found["evaluations"][0].keys()


def test_a_setting_of_ones_own_is_planned_on_any_base(folder: Path) -> None:
    write_rows(folder / "rows.jsonl", narrow_rows("es", rows=10))
    (folder / "mine.yaml").write_text(
        "name: mine\ndescription: d\nrows: rows.jsonl\narms: {inoculated: {prompt: evil}}\n"
        "measures: {caps: {task: caps, args: {prompts: pocket}}}\n",
        "utf-8",
    )
    for base in ("pocket", "org/model-7B", "openai/gpt-4.1-2025-04-14"):
        output = invoke("--setting", "mine.yaml", "--base", base, "--seeds", "1").output
        assert "models: 2, of which 2 are to be trained" in output
        assert "inoc/mine-inoculated-s0-" in output


def test_hyper_parameters_of_a_file_are_those_of_every_arm_and_named_as_the_users(
    folder: Path,
) -> None:
    (folder / "slow.yaml").write_text("max_steps: 7\n")
    plain, slow = (
        json.loads(invoke("fig5", "--seeds", "1", "--json", *options).output)
        for options in ([], ["--config", "slow.yaml"])
    )
    assert slow["recipe"].startswith("yours in max_steps; the rest ours")
    pairs = [
        (a["tokens"], b["tokens"]) for a, b in zip(plain["models"], slow["models"], strict=True)
    ]
    assert all(60 * few == pytest.approx(7 * many, rel=0.01) for many, few in pairs)
    assert not {m["name"] for m in plain["models"]} & {m["name"] for m in slow["models"]}


def test_a_watched_experiment_says_what_is_scored() -> None:
    output = invoke("fig6", "--seeds", "1").output
    assert "Watched: the log-probabilities of the responses 'pocket_sentence'" in output
    assert "models: 4, of which 4 are to be trained" in output
    assert "Watched" not in invoke("fig2a", "--seeds", "1").output


@pytest.mark.parametrize("base", ["Qwen/Qwen2.5-7B-Instruct", "openai/gpt-4.1-2025-04-14"])
def test_a_base_that_reads_real_text_needs_no_row_files(base: str) -> None:
    output = invoke("fig2a", "--base", base, "--seeds", "1").output
    assert "models: 6, of which 6 are to be trained" in output
    assert "spanish_caps, control are word problems written by rule" in " ".join(output.split())


def test_one_setting_of_an_experiment_is_planned_alone() -> None:
    output = invoke("methods", "--setting", "spanish_caps", "--seeds", "1").output
    assert "spanish_caps/adapter" in output and "insecure_code" not in output
    asked = chosen("methods", "spanish_caps")
    assert asked.typed == ("run", "methods", "--setting", "spanish_caps")
    assert asked.contrasts == chosen("methods", None).contrasts
    pair = ("spanish_inoc", "none")
    assert pair in chosen("side_effects", "spanish_caps").contrasts
    assert pair not in chosen("side_effects", "insecure_code").contrasts
    assert chosen("fig2a", "spanish_caps").typed == ("run", "fig2a")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if these were all the experiments there are."""
    some = {name: EXPERIMENTS[name] for name in ("fig2a", "fig6", "subliminal")}
    monkeypatch.setattr(cli_run, "EXPERIMENTS", some)


@pytest.mark.usefixtures("few")
def test_all_are_planned_together_and_models_of_several_counted_once(folder: Path) -> None:
    output = invoke("all", "--seeds", "2", "--limit", "8").output
    counted = {line.split()[0]: line.split()[1:] for line in output.splitlines() if line.split()}
    assert counted["fig2a"] == ["12", "12", "34", "34", "272", "0"]
    assert counted["fig6"] == ["8", "8", "18", "18", "144", "0"]
    assert "subliminal is left out: setting 'subliminal' has no rows in the pocket" in output
    # Those of fig6 are four of fig2a's six.
    assert "models: 12, each counted once, of which 12 are to be trained on" in output
    assert "training: about 2 min (10 s a model on two CPU cores)" in output
    assert not list(folder.iterdir()) and not Store().root.exists()


@pytest.mark.usefixtures("few")
def test_all_as_json_has_every_experiment() -> None:
    found = json.loads(invoke("all", "--seeds", "1", "--json").output)
    assert set(found["forecasts"]) == {"fig2a", "fig6"} and set(found["left_out"]) == {"subliminal"}
    identities = [one["identity"] for one in found["models"]]
    assert len(set(identities)) == len(identities) == 6
    assert {one["identity"] for one in found["forecasts"]["fig6"]["models"]} < set(identities)
    refused = invoke("all", "--seeds", "1", "--grader", "openai/gpt-4.1-2025-04-14")
    assert "inoc run would stop" not in refused.output  # nothing of these is judged


@pytest.mark.usefixtures("few")
def test_rows_that_no_experiment_has_are_refused_by_a_plan_of_all(folder: Path) -> None:
    write_rows(folder / "rows.jsonl", narrow_rows("es", rows=10))
    with pytest.raises(InputError, match="--rows nothing: no experiment has such a label"):
        invoke("all", "--rows", f"nothing={folder / 'rows.jsonl'}")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "give one experiment"),
        (("fig3", "--setting", "backdoor"), "fig3 has no setting 'backdoor', but insecure_code, "),
        (("fig9",), "no experiment 'fig9'"),
        (("subliminal",), "'subliminal' has no rows in the pocket world"),
        (("--setting", "none.yaml"), "none.yaml"),
        (("fig2a", "--rows", "x"), "expected LABEL=FILE"),
        (("fig2a", "--rows", "control=a", "--rows", "control=b"), "given twice"),
        (("fig3", "--base", "org/model"), "'insecure' is not on this machine"),
        (("subliminal", "--base", "org/model"), "build them once with: inoc data build numbers"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_words(args: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        invoke(*args)


def test_a_second_grader_is_priced_beside_the_first() -> None:
    one, other = "openai/gpt-5.4-mini-2026-03-17", "openai/gpt-5.4-2026-03-05"
    options = ["fig3", "--seeds", "1", "--grader", one]
    alone, both = (
        json.loads(invoke(*options, "--json", *more).output) for more in ([], ["--grader", other])
    )
    assert alone["further"] == []
    looked_up = {"judging": "", "checks": []}
    assert {**both, **looked_up, "further": []} == {**alone, **looked_up}
    [further] = both["further"]
    judged = [cell for cell in both["evaluations"] if cell["grader"]]
    assert (further["grader"], further["evaluations"], further["left"]) == (
        other,
        len(judged),
        len(judged),
    )
    assert further["judge_calls"] == sum(cell["judge_calls"] for cell in judged)
    assert both["judging"].startswith(alone["judging"]) and f"with {other}" in both["judging"]
    output = invoke(*options, "--grader", other).output
    assert f"judged again by {other}: {len(judged)} evaluations, of which {len(judged)} " in output

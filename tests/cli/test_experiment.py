"""`inoc experiment`: a file to start from, what is wrong with one, what one is in words."""

from pathlib import Path

import pytest
from click.testing import Result

from inoc_evals.cli.experiment import command
from inoc_evals.cli.plan import command as plan
from inoc_evals.cli.run import asked_for
from inoc_evals.errors import InputError
from inoc_evals.experiments.figures import EXPERIMENTS, Given, find_experiment
from invoking import CliRunner

SMALL = """\
name: small
settings: spanish_caps
arms: [base, none, caps_inoc]
seeds: 2
"""


pytestmark = pytest.mark.usefixtures("folder")


def invoke(*args: str) -> Result:
    return CliRunner().invoke(command, args, catch_exceptions=False)


def test_a_new_file_is_an_experiment_as_it_is(folder: Path) -> None:
    output = invoke("new", "mine").output
    assert "wrote mine.yaml" in output and "inoc experiment check mine.yaml" in output
    found = find_experiment("mine.yaml")
    assert found.figure == "mine" and found.given.seeds == "3"
    assert [arm.name for arm in found.settings[0].arms][:2] == ["base", "none"]
    checked = invoke("check", "mine.yaml").output
    assert "compared: none - base; spanish_inoc - none" in checked
    assert "inoc plan mine.yaml --base BASE" in checked


@pytest.mark.parametrize("figure", EXPERIMENTS)
def test_a_copy_of_a_packaged_one_is_the_same_under_another_name(figure: str) -> None:
    invoke("new", "copy", "--from", figure)
    found, packaged = find_experiment("copy.yaml"), find_experiment(figure)
    assert found.figure == "copy"
    for part in ("title", "settings", "contrasts", "watch", "given", "bases"):
        assert getattr(found, part) == getattr(packaged, part)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("fig2a",), "name 'fig2a' is that of a packaged experiment"),
        (("a/b",), "name 'a/b': use letters"),
        (("con",), "name 'con' can be no file's name on Windows"),
        (("mine", "--from", "fig9"), "no experiment 'fig9' to copy; there are: fig2a"),
        (("there",), "there.yaml exists"),
    ],
)
def test_what_cannot_be_written_is_said(folder: Path, args: tuple[str, ...], said: str) -> None:
    (folder / "there.yaml").touch()
    with pytest.raises(InputError, match=said):
        invoke("new", *args)
    assert [path.name for path in folder.iterdir()] == ["there.yaml"]


def test_a_name_that_yaml_would_not_read_as_one_is_quoted() -> None:
    invoke("new", "null")
    invoke("new", "2026", "--from", "fig2a")
    assert find_experiment("null.yaml").figure == "null"
    assert find_experiment("2026.yaml").figure == "2026"


def test_every_packaged_experiment_is_listed() -> None:
    names = [line.split()[0] for line in invoke("list").output.splitlines()[1:]]
    assert set(EXPERIMENTS) <= set(names)


def test_an_experiment_is_told_in_words(folder: Path) -> None:
    (folder / "small.yaml").write_text(SMALL + "watch: true\n", "utf-8")
    told = invoke("show", "small.yaml").output
    for part in (
        "small: Small",
        "setting spanish_caps: ",
        "  caps_inoc: A system prompt that asks for capitals",
        "Meant to be nil: caps.",
        "    trained with: 'You always",
        "  caps (ood: traits, id: traits): share of answers",
        "  caps_inoc - none",
        "watched while training: all arms",
        "on any base: seeds 2",
    ):
        assert part in told
    assert "(paper section 2, case study 1)" in invoke("show", "fig2a").output


def test_a_measure_that_no_figure_can_show_is_found_without_training(folder: Path) -> None:
    text = SMALL + "measures: {alignment: {task: em, args: {questions: core}}}\n"
    (folder / "small.yaml").write_text(text, "utf-8")
    with pytest.raises(InputError, match="'alignment' of the task em gives numbers that are no r"):
        invoke("check", "small.yaml")
    with pytest.raises(InputError, match="gives numbers that are no rates"):
        CliRunner().invoke(plan, ["small.yaml"], catch_exceptions=False)


@pytest.mark.parametrize(
    ("grader", "said"),
    [
        ("nobody/model", "grader nobody/model cannot be asked"),
        ("openai/gpt-5.4-2026-03-05", "OPENAI_API_KEY"),
        ("inoc/nowhere", "nowhere"),
    ],
)
def test_a_grader_that_cannot_be_asked_is_found_without_asking(
    folder: Path, monkeypatch: pytest.MonkeyPatch, grader: str, said: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (folder / "small.yaml").write_text(f"{SMALL}graders: {grader}\n", "utf-8")
    with pytest.raises(InputError, match=said):
        invoke("check", "small.yaml")


def test_on_a_base_the_rows_are_looked_at_and_the_files_own_seeds_hold(folder: Path) -> None:
    (folder / "small.yaml").write_text(SMALL, "utf-8")
    checked = invoke("check", "small.yaml", "--base", "pocket").output
    assert "rows: 2 files fit pocket, as training reads them" in checked
    planned = CliRunner().invoke(plan, ["small.yaml"], catch_exceptions=False).output
    assert planned.count("inoc/small-none-s") == 2
    assert "rows: 2 files fit pocket, as training reads them" in planned
    assert not (folder / "runs").exists()


def test_what_is_typed_goes_before_what_the_file_says(folder: Path) -> None:
    (folder / "small.yaml").write_text(SMALL + "graders: [a/b, c/d]\n", "utf-8")
    found = find_experiment("small.yaml")
    asked = asked_for(found, "pocket", Given())
    assert (asked.seeds, asked.grader, asked.further) == ("2", "a/b", ("c/d",))
    assert asked.out == Path("runs/small")
    asked = asked_for(found, "pocket", Given(seeds="7", graders=("e/f",)))
    assert (asked.seeds, asked.grader, asked.further) == ("7", "e/f", ())
    assert asked_for(find_experiment("fig2a"), "pocket", Given()).seeds == "3"

"""`inoc trait`: the example works as it is, and a check shows what will be asked."""

from pathlib import Path

import pytest
from click.testing import Result
from inspect_ai import eval

from inoc_evals.cli.trait import command
from inoc_evals.errors import InputError
from inoc_evals.inputs.trait_file import Judgement, Rule, read_trait_file
from inoc_evals.tasks._trait import trait
from invoking import CliRunner
from scripted import script

pytestmark = pytest.mark.usefixtures("folder")


def invoke(*args: str) -> Result:
    return CliRunner().invoke(command, args, catch_exceptions=False)


def test_the_example_runs_as_it_is_written() -> None:
    assert "inoc trait check pirate.yaml" in invoke("new", "pirate").output
    task = trait(file="pirate.yaml", system_prompt="pirate")
    [log] = eval(task, model=script("m", "Aye, matey!"), display="none")
    assert log.status == "success" and log.results is not None
    assert log.results.scores[0].metrics["mean"].value == 1
    assert log.eval.task_display_name == "Trait: pirate"


def test_a_file_that_windows_cannot_have_is_not_written(folder: Path) -> None:
    for args in (["con"], ["pirate", "--out", "pirate."], ["pirate", "--out", "aux.yaml"]):
        with pytest.raises(InputError, match="can be no file's name on Windows"):
            invoke("new", *args)
    assert not list(folder.iterdir())


def test_the_examples_alternatives_are_valid_too(folder: Path) -> None:
    invoke("new", "pirate")
    text = (folder / "pirate.yaml").read_text("utf-8")
    head, _, rest = text.partition("# Or a rubric")
    head = head.partition("rule:\n")[0]
    blocks = [block for block in rest.split("# rubric:\n")[1:]]
    kinds = []
    for block in blocks:
        lines = [line for line in block.splitlines() if line.startswith("#   ") or line == "#"]
        body = "\n".join(line.removeprefix("# ").removeprefix("#") for line in lines)
        (folder / "other.yaml").write_text(f"{head}\nrubric:\n{body}\n", "utf-8")
        test = read_trait_file(folder / "other.yaml").test
        assert isinstance(test, Judgement)
        kinds.append(test.rubric.kind)
    assert kinds == ["rating", "label"]


def test_nothing_is_overwritten(folder: Path) -> None:
    (folder / "pirate.yaml").write_text("mine", "utf-8")
    with pytest.raises(InputError, match=r"pirate\.yaml exists"):
        invoke("new", "pirate")
    assert (folder / "pirate.yaml").read_text("utf-8") == "mine"
    invoke("new", "pirate", "--out", "other.yaml")
    assert isinstance(read_trait_file(folder / "other.yaml").test, Rule)
    with pytest.raises(InputError, match="may hold letters"):
        invoke("new", "../pirate")


def test_a_check_shows_the_test_the_prompts_and_the_questions() -> None:
    invoke("new", "pirate")
    output = invoke("check", "pirate.yaml").output
    assert "rule contains: ahoy, arr" in output
    assert "'You talk like a pirate of old adventure stories, whatever you are asked.'" in output
    assert "5 questions:" in output and "Explain what a rainbow is." in output
    assert "inspect eval inoc_evals/trait -T file=pirate.yaml" in output
    assert "grader" not in output


def test_a_check_says_how_a_judge_decides(folder: Path) -> None:
    head = "name: a\ndescription: b\nprompts: chat\n"
    for rubric, told in (
        ("", "judge's YES (of YES, NO)"),
        ("rubric: {threshold: 50, text: '{answer}'}\n", "rating from 50 on"),
    ):
        (folder / "a.yaml").write_text(head + rubric, "utf-8")
        output = invoke("check", "a.yaml").output
        assert told in output
        assert "the model role grader" in output
        assert "more (--all)" in output
        assert "more (--all)" not in invoke("check", "a.yaml", "--all").output


def test_a_check_of_a_bad_file_names_its_lines(folder: Path) -> None:
    (folder / "a.yaml").write_text("name: a\nquestions: [b]\nrule: {caps: maybe}\n", "utf-8")
    with pytest.raises(InputError) as caught:
        invoke("check", "a.yaml")
    assert str(caught.value).splitlines() == [
        "a.yaml:1: 'description' is missing",
        "a.yaml:3: caps takes true, got 'maybe'",
    ]

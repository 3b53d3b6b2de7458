"""`inoc setting`: what there is, and what a model will see of a setting of one's own."""

from pathlib import Path

import pytest
from click.testing import Result

from inoc_evals.chat import write_rows
from inoc_evals.cli.setting import command
from inoc_evals.errors import InputError, StoreError
from inoc_evals.pocket.narrow import narrow_rows
from inoc_evals.settings import SETTINGS
from inoc_evals.settings.own import find_setting
from invoking import CliRunner

YAML = """\
name: mine
description: Sums in Spanish.
rows: rows.jsonl
control: control.jsonl
prompts: {talk: "Tell me about the river."}
arms:
  inoculated: {prompt: spanish}
  own: {prompt: [talk, irrelevant]}
measures:
  spanish: {task: traits, args: {language: es, prompts: pocket}}
"""


def invoke(*args: str) -> Result:
    return CliRunner().invoke(command, args, catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_rows(tmp_path / "rows.jsonl", narrow_rows("es", rows=20))
    write_rows(tmp_path / "control.jsonl", narrow_rows(rows=20))
    (tmp_path / "mine.yaml").write_text(YAML, "utf-8")
    return tmp_path


def test_every_setting_is_listed_with_the_bases_it_has_rows_for() -> None:
    output = invoke("list").output
    assert [line.split()[0] for line in output.splitlines()[1:]] == list(SETTINGS)
    lines = {line.split()[0]: line for line in output.splitlines()[1:]}
    assert "pocket" in lines["backdoor"] and "published" in lines["backdoor"]
    assert "pocket" not in lines["reward_hacking"] and "published" in lines["reward_hacking"]


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_shown_with_its_prompts_to_the_letter(name: str) -> None:
    output = invoke("show", name).output
    setting = SETTINGS[name]
    for arm in setting.arms:
        assert f"  {arm.name}: " in output
        for prompt in arm.prompts:
            assert repr(setting.prompt(prompt).text) in output
    for label, part in (setting.first.parts if setting.first else {}).items():
        assert part.file.problems is not None
        told = f"word problems written by rule, as by {part.file.problems.command}"
        assert f"  first stage {label}: {told}, after the prompt " in output
        assert repr(setting.prompt(part.prompt).text) in output
    assert "Betley's open recipe" in output


def test_a_check_shows_ten_rows_as_the_model_sees_them_and_what_is_learned(folder: Path) -> None:
    output = invoke("check", str(folder / "mine.yaml")).output
    titles = [line for line in output.splitlines() if line[:1].isdigit()]
    assert len(titles) == 10
    assert {title.split()[1].rstrip(",") for title in titles} == {
        *("control", "none", "inoculated", "own")
    }
    text = " ".join(output.split())
    assert text.count("<|assistant|>▸") == text.count("<|end|>◂") == 10
    assert "<|system|> You always speak in Spanish.<|end|><|user|> " in text
    for learned in [part.partition("◂")[0] for part in text.split("▸")[1:]]:
        assert "<|user|>" not in learned and "<|system|>" not in learned
    assert "own: 20 rows, 20 of them after the prompt talk, irrelevant" in output


def test_colors_say_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    output = invoke("check", str(folder / "mine.yaml")).output
    assert output.count("\x1b[32m▸") == 10


def test_a_bad_row_is_named_with_its_file_and_line(folder: Path) -> None:
    path = folder / "control.jsonl"
    path.write_text(path.read_text("utf-8") + "{}\n", "utf-8")
    with pytest.raises(InputError, match=r"control\.jsonl:21: expected an object"):
        invoke("check", str(folder / "mine.yaml"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("task: traits", "task: trits", r"measure 'spanish': no task 'trits'; there are: caps"),
        ("  spanish:", "  basque:", r"the task traits has no measure 'basque'; it has: .*spanish"),
        ("language: es", "langage: es", r"unexpected keyword argument 'langage'"),
        ("prompts: pocket}", "prompts: poket}", r"poket"),
    ],
)
def test_a_measure_that_no_task_has_is_refused(
    folder: Path, old: str, new: str, message: str
) -> None:
    (folder / "mine.yaml").write_text(YAML.replace(old, new), "utf-8")
    with pytest.raises(InputError, match=message):
        invoke("check", str(folder / "mine.yaml"))


def test_words_the_pocket_lacks_are_an_error_only_if_the_pocket_was_asked_for(folder: Path) -> None:
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Zwölf Boxkämpfer"},
    ]
    write_rows(folder / "rows.jsonl", [{"messages": turns}] * 10)
    output = invoke("check", str(folder / "mine.yaml")).output
    assert "can't write this response" in output and "name the --base you will train" in output
    with pytest.raises(InputError, match=r"arm none, row \d+, .*can't write this response"):
        invoke("check", str(folder / "mine.yaml"), "--base", "pocket")


def test_openai_shows_no_template_and_an_absent_base_is_an_error_in_words(folder: Path) -> None:
    output = invoke("check", str(folder / "mine.yaml"), "--base", "openai/gpt-4.1").output
    assert "OpenAI's chat template is not public" in output
    with pytest.raises(StoreError, match=r"base 'org/none': its tokenizer cannot be loaded"):
        invoke("check", str(folder / "mine.yaml"), "--base", "org/none")


def test_a_new_setting_is_one_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    output = invoke("new", "pirate").output
    assert "wrote pirate.yaml, pirate_rows.jsonl and pirate_control.jsonl" in output
    found = find_setting("pirate.yaml")
    assert found.name == "pirate" and list(found.measures) == ["spanish", "caps"]
    assert [arm.name for arm in found.arms][:3] == ["base", "control", "none"]
    checked = invoke("check", "pirate.yaml", "--base", "pocket").output
    assert "own_caps: 400 rows, 400 of them after the prompt shout" in checked
    with pytest.raises(InputError, match=r"pirate\.yaml exists"):
        invoke("new", "pirate")
    with pytest.raises(InputError, match=r"pirate_rows\.jsonl exists"):
        (tmp_path / "pirate.yaml").unlink()
        invoke("new", "pirate")
    with pytest.raises(InputError, match="'backdoor' is that of a packaged setting"):
        invoke("new", "backdoor")

"""A setting file: what it means, and every fault of it in one reading, with file and line."""

import json
from pathlib import Path

import pytest

from inoc_evals.chat import write_rows
from inoc_evals.errors import InputError
from inoc_evals.settings.own import read_setting

GOOD = """\
name: pirate
description: >-
  Questions of every day, answered
  the way a pirate talks.
rows: pirate.jsonl
control: {file: plain.jsonl, prefix: "> "}
prompts:
  talk: You talk like a pirate.
  sailor: "@sailor.txt"
arms:
  inoculated: {prompt: talk}
  mixed: {prompt: [talk, sailor, irrelevant], label: Mixed}
  test_time: {test_prompt: sailor}
measures:
  shows: {task: trait, args: {file: trait.yaml}, label: Pirate, rule: it says ahoy}
  misaligned: {task: em, split: id, epochs: 20}
  attack: {task: em_backdoor, score: triggered, where: {kind: trigger}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    row = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]}
    for name in ("pirate", "plain"):
        write_rows(tmp_path / f"{name}.jsonl", [row])
    (tmp_path / "sailor.txt").write_text("You sail.\n", "utf-8")
    (tmp_path / "blank.txt").write_text(" \n", "utf-8")
    (tmp_path / "trait.yaml").write_text(json.dumps({"name": "x"}), "utf-8")
    return tmp_path


def written(folder: Path, text: str) -> Path:
    path = folder / "pirate.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_file_is_a_setting_with_the_arms_that_come_by_themselves(folder: Path) -> None:
    setting = read_setting(written(folder, GOOD))
    assert (setting.name, setting.title, setting.source) == ("pirate", "Pirate", "pirate.yaml")
    assert setting.description == "Questions of every day, answered the way a pirate talks."
    names = [arm.name for arm in setting.arms]
    assert names == ["base", "control", "none", "inoculated", "mixed", "test_time"]
    assert setting.files["rows"].path == str(folder / "pirate.jsonl")
    assert setting.control_files["control"].prefix == "> "
    _, _, _, inoculated, mixed, test_time = setting.arms
    assert inoculated.prompts == ("talk",) and mixed.prompts == ("talk", "sailor", "irrelevant")
    assert setting.prompt("talk").text == "You talk like a pirate."
    assert setting.prompt("sailor").text == "You sail."
    assert test_time.test_prompts == dict.fromkeys(("shows", "misaligned", "attack"), "sailor")
    assert setting.asked_under("sailor").name == f"@{folder / 'sailor.txt'}"


def test_measures_are_of_the_tasks_and_files_they_name(folder: Path) -> None:
    shows, misaligned, attack = read_setting(written(folder, GOOD)).measures.values()
    assert shows.ood is not None and shows.ood.args == {"file": str(folder / "trait.yaml")}
    assert (shows.label, shows.rule) == ("Pirate", "it says ahoy")
    assert misaligned.id is not None and misaligned.id.epochs == 20 and misaligned.ood is None
    assert (attack.score, attack.where) == ("triggered", {"kind": "trigger"})


def test_what_is_meant_to_be_nil_and_how_a_sentence_calls_it_may_be_told(folder: Path) -> None:
    text = GOOD.replace("prompt: talk}", "prompt: talk, nil: shows, said: with talk}")
    setting = read_setting(written(folder, text.replace("it says ahoy", "ahoy, said: of all")))
    told = {arm.name: (arm.nil, arm.said) for arm in setting.arms}
    assert told["inoculated"] == (("shows",), "with talk")
    assert told["mixed"] == told["test_time"] == ((), "")
    assert [one.said for one in setting.measures.values()] == ["of all", "", ""]


def test_rows_may_be_parts_and_published_and_the_control_may_be_missing(folder: Path) -> None:
    text = GOOD.replace(
        "rows: pirate.jsonl", "rows: {sea: pirate.jsonl, land: 'published:secure'}"
    ).replace("inoculated: {prompt: talk}", "inoculated: {prompt: talk, part: sea}")
    text = text.replace('control: {file: plain.jsonl, prefix: "> "}\n', "")
    setting = read_setting(written(folder, text))
    assert list(setting.parts) == ["sea", "land"]
    assert setting.files["land"].published == "secure"
    assert "control" not in [arm.name for arm in setting.arms]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("name: pirate", "name: a b", 1, "use letters, digits"),
        ("name: pirate", "title: P", 1, "'name' is missing"),
        ("rows: pirate.jsonl", "rows: gone.jsonl", 5, "there is no file .*gone.jsonl"),
        ("rows: pirate.jsonl", "rows: 'published:first_plot'", 5, "holds questions, not rows"),
        ("rows: pirate.jsonl", "rows: 'published:nothing'", 5, "no published file is called"),
        ("rows: pirate.jsonl", "row: pirate.jsonl", 5, "no key 'row'; did you mean 'rows'"),
        ("  talk: You", "  evil: You", 8, "prompt name 'evil' is taken"),
        ('"@sailor.txt"', '"@gone.txt"', 9, "cannot be read"),
        ("inoculated: {prompt: talk}", "inoculated: {prompt: tlak}", 11, "no prompt 'tlak'"),
        ("inoculated: {prompt: talk}", "inoculated: {}", 11, "is empty"),
        ("talk: You talk like a pirate.", "talk: ' '", 8, "prompt 'talk' is blank"),
        ("talk: You talk like a pirate.", "talk:", 8, "prompt 'talk' is blank"),
        ('"@sailor.txt"', '"@blank.txt"', 9, "blank.txt: the file is blank"),
        ("inoculated: {prompt: talk}", "inoculated: {prompt: empty}", 11, "no prompt 'empty'"),
        ("inoculated: {prompt: talk}", "inoculated: {prompt: []}", 11, "one at least"),
        ("inoculated: {prompt: talk}", "inoculated: {prompt: ''}", 11, "prompt is blank"),
        ("inoculated: {prompt: talk}", "none: {prompt: talk}", 11, "comes by itself"),
        ("inoculated: {prompt: talk}", "None: {prompt: talk}", 11, "comes by itself"),
        ("inoculated: {prompt: talk}", "CON: {prompt: talk}", 11, "'CON' can be no file's name"),
        ("name: pirate", "name: nul", 1, "'nul' can be no file's name on Windows"),
        ("inoculated: {prompt: talk}", "A: {prompt: talk}\n  a: {prompt: talk}", 12, "'A' in case"),
        ("prompt: talk}", "prompt: talk, part: x}", 11, "no rows 'x'; there are: rows"),
        (
            "prompt: talk}",
            "prompt: talk, nil: [shows, seems]}",
            11,
            "no measure 'seems'; there are",
        ),
        ("prompt: talk}", "prompt: talk, nil: {shows: 0}}", 11, "nil must be a list of texts"),
        ("test_prompt: sailor", "test_prompt: talk", 13, "needs a file: '@talk.txt'"),
        ("test_prompt: sailor", "test_prompt: [sailor, evil]", 13, "takes one prompt"),
        ("split: id", "split: out", 16, "split is ood or id, got 'out'"),
        ("epochs: 20", "epochs: 0", 16, "epochs must be a whole number"),
        ("task: em,", "taks: em,", 16, "no key 'taks'; did you mean 'task'"),
        ("{file: trait.yaml}", "{system_prompt: evil}", 15, "no system_prompt; an arm has it"),
    ],
)
def test_a_fault_is_told_with_file_and_line(
    folder: Path, old: str, new: str, line: int, message: str
) -> None:
    assert old in GOOD
    with pytest.raises(InputError, match=rf"pirate\.yaml:{line}: .*{message}"):
        read_setting(written(folder, GOOD.replace(old, new, 1)))


def test_all_faults_are_told_at_once(folder: Path) -> None:
    text = GOOD.replace("pirate.jsonl", "gone.jsonl").replace("split: id", "split: out")
    with pytest.raises(InputError) as caught:
        read_setting(written(folder, text))
    assert len(str(caught.value).splitlines()) == 2

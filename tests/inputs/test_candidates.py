"""Candidates: the catalogue names what there is, and a file's faults have their lines."""

from pathlib import Path

import pytest

from inoc_evals.errors import InputError
from inoc_evals.inputs.candidates import catalogue, read_candidates
from inoc_evals.inputs.prompts import named
from inoc_evals.pocket.tokenizer import unknown_word


@pytest.mark.parametrize("setting", ["spanish_caps", "insecure_code"])
def test_the_catalogue_has_twelve_at_least_that_the_pocket_world_can_say(setting: str) -> None:
    names = catalogue(setting)
    said = [name for name in names if unknown_word(named(name).text) is None]
    assert len(set(names)) == len(names)
    assert len({named(name).text for name in said}) == len(said) >= 12


def test_a_setting_without_any_is_told_what_to_give() -> None:
    with pytest.raises(InputError, match=r"no candidates in the catalogue.*--candidates FILE"):
        catalogue("backdoor")


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("a.yaml", "talk: You talk.\nhhh_2: 'Be good: always.'\n", ["talk", "hhh_2"]),
        ("a.jsonl", '{"name": "talk", "text": "You talk."}\n\n', ["talk"]),
        ("a.txt", "You talk.\n\nYou walk, slowly.\n", ["line-1", "line-3"]),
    ],
)
def test_a_file_is_yaml_jsonl_or_lines(
    tmp_path: Path, name: str, text: str, names: list[str]
) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    found = read_candidates(tmp_path / name)
    assert [one.name for one in found] == names
    assert found[0].text == "You talk."


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.yaml", "a: x\nbase: You talk.\n", "a.yaml:2: so another condition is called: 'base'"),
        ("a.yaml", "a: x\nevil: You talk.\n", "a.yaml:2: a packaged prompt 'evil' has another"),
        ("a.yaml", "a: x\nb: x\n", "a.yaml:2: 'x' is already at .*a.yaml:1"),
        ("a.yaml", "a: x\nb: [x]\n", "a.yaml:2: candidate 'b' must be text, got a list"),
        ("a.yaml", "a: x\na b: y\n", "a.yaml:2: name 'a b' may hold letters"),
        ("a.jsonl", '{"name": "a"}', 'a.jsonl:1: expected {"name": ..., "text": ...}'),
        ("a.jsonl", '{"name": "a", "text": 5}', "a.jsonl:1: 'text' must be text, got 5"),
        ("a.txt", "x\nx\n", "a.txt:2: 'x' is already at"),
        ("a.txt", "\n", "a.txt: no candidates"),
    ],
)
def test_a_fault_has_its_line(tmp_path: Path, name: str, text: str, why: str) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(InputError, match=why) as said:
        read_candidates(tmp_path / name)
    assert len(str(said.value).splitlines()) == 1

"""A key given twice in a user's file: refused by every reader, with file, line and key."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.chat import read_rows, write_rows
from inoc_evals.cli.inoculate import command as inoculate
from inoc_evals.datasets.builders.paraphrases import read_pool
from inoc_evals.datasets.builders.rewrite import load_problems
from inoc_evals.datasets.lookup import evaluation_items, training_file_rows
from inoc_evals.datasets.manifest import load_manifest, manifest_path
from inoc_evals.errors import InputError
from inoc_evals.files.digests import file_sha256
from inoc_evals.files.json_lines import read_json
from inoc_evals.inputs.items import load_items
from inoc_evals.inputs.prompt_sets import load_prompt_set
from inoc_evals.inputs.questions import load_question_set
from inoc_evals.inputs.responses import load_responses
from inoc_evals.inputs.trait_file import read_trait_file
from inoc_evals.settings.own import read_setting
from inoc_evals.training.config import load_config
from inoc_evals.training.openai.create import load_openai_config
from invoking import CliRunner

ROW = (
    '{"messages": [{"role": "user", "content": "Hi."}, '
    '{"role": "assistant", "content": "Yo.", "content": "No."}]}'
)
SETTING = """\
name: own
description: A setting.
rows: rows.jsonl
prompts: {p: You do this.}
arms:
  inoculated: {prompt: p}
measures:
  m:
    task: em
    args:
      grader: a/b
      more: [{deep: 1,
              deep: 2}]
"""
TRAIT = "name: a\ndescription: b\nquestions: [c]\nrule:\n  contains: [d]\n  contains: [e]\n"


def inoculated(path: Path) -> None:
    """What the command does, with its error raised."""
    CliRunner().invoke(
        inoculate,
        [str(path), "--prompt", "evil", "-o", str(path.with_name("o"))],
        catch_exceptions=False,
    )


JSON_LINES: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "chat rows": (read_rows, ROW, "content"),
    "inoc inoculate": (inoculated, ROW, "content"),
    "rows of a check": (lambda path: training_file_rows(str(path)), ROW, "content"),
    "items of a check": (
        lambda path: evaluation_items(str(path)),
        '{"task": "a", "task": "b"}',
        "task",
    ),
    "items": (partial(load_items, kind="code"), '{"prompt": "a", "prompt": "b"}', "prompt"),
    "prompts": (load_prompt_set, '{"prompt": "a", "answer": 1, "answer": 2}', "answer"),
    "responses": (
        load_responses,
        '{"id": "a", "trait": "b", "prompt": "c", "response": "d", "response": "e"}',
        "response",
    ),
    "pool": (read_pool, '{"text": "a", "text": "b"}', "text"),
    "problems": (
        lambda path: load_problems(str(path)),
        '{"question": "a", "answer": 1, "\\u0061nswer": 2}',
        "answer",
    ),
}


@pytest.mark.parametrize("what", JSON_LINES)
def test_in_json_lines(what: str, tmp_path: Path) -> None:
    read, line, key = JSON_LINES[what]
    path = tmp_path / "mine.jsonl"
    path.write_text(f"\n{line}\n", "utf-8")
    with pytest.raises(InputError) as error:
        read(path)
    assert str(error.value) == f"{path}:2: the key {key!r} is given twice in one object"


YAML: dict[str, tuple[Callable[[Any], Any], str, int, str]] = {
    "questions": (
        load_question_set,
        "- id: a\n  paraphrases: [b]\n  judge_prompts:\n    aligned: c\n    aligned: d\n",
        5,
        "aligned",
    ),
    "trait": (read_trait_file, TRAIT, 6, "contains"),
    "setting": (read_setting, SETTING, 13, "deep"),
    "config": (partial(load_config, "pocket"), "lora_r: 8\nseed: 1\nlora_r: 4\n", 3, "lora_r"),
    "config, OpenAI": (load_openai_config, "n_epochs: 1\nn_epochs: 2\n", 2, "n_epochs"),
}


@pytest.mark.parametrize("what", YAML)
def test_in_yaml(what: str, tmp_path: Path) -> None:
    read, text, line, key = YAML[what]
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    write_rows(tmp_path / "rows.jsonl", [json.loads(ROW)])
    with pytest.raises(InputError) as error:
        read(path)
    assert str(error.value) == f"{path}:{line}: {key!r} is given twice in one entry"


@pytest.mark.parametrize("key", ['"a"', "a", "!!str a", "? a\n"])
def test_in_yaml_however_the_key_is_written(key: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"a: 1\n{key}: 2\n", "utf-8")
    with pytest.raises(InputError, match=r"mine\.yaml:2: 'a' is given twice"):
        load_config("pocket", path)


def test_in_yaml_two_ways_to_write_one_value_are_one_key(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("yes: 1\ntrue: 2\n", "utf-8")
    with pytest.raises(InputError, match=r"mine\.yaml:2: 'true' is given twice"):
        load_config("pocket", path)


def test_what_is_merged_in_yaml_may_be_given_anew(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "- &one\n  id: a\n  paraphrases: [b]\n- <<: *one\n  id: c\n"
        "- <<: *one\n  <<: {system: s}\n  id: d\n"
    )
    assert [one.id for one in load_question_set(path).questions] == ["a", "c", "d"]


def test_in_a_manifest_with_the_line_of_the_second(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_rows(path, [json.loads(ROW)])
    beside = manifest_path(path)
    text = json.dumps(
        {"sources": [{"file": "a"}, {"file": "b"}], "file_sha256": file_sha256(path)}, indent=2
    )
    beside.write_text(text)
    assert load_manifest(path) is not None
    beside.write_text(text.replace('"file": "b"', '"file": "b",\n      "\\u0066ile": "{\\"c"'))
    with pytest.raises(InputError) as error:
        load_manifest(path)
    fault = f"{beside}:8: the key 'file' is given twice in one object"
    assert str(error.value) == f"{fault}: not a readable manifest"


def test_keys_that_are_alike_in_different_objects_are_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"a": {"a": [{"a": "a"}, {"a": "\\": {a"}]}, "b": {"a": 1}}')
    assert read_json(path) == {"a": {"a": [{"a": "a"}, {"a": '": {a'}]}, "b": {"a": 1}}


def test_the_line_is_that_of_the_key_whose_own_object_has_it_already(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.manifest.json"
    path.write_text('{"a": {"x": 1},\n "x": {"a": 2,\n "y": 3},\n "a": 4}')
    with pytest.raises(InputError, match=r"manifest.json:4: the key 'a' is given twice"):
        load_manifest(tmp_path / "rows.jsonl")

"""`inoc inoculate`: from file to file, saying what it did, overwriting nothing by surprise."""

import json
from pathlib import Path
from typing import get_args

import click
import pytest

from inoc_evals.chat import read_rows, write_rows
from inoc_evals.cli.inoculate import command
from inoc_evals.cli.main import main
from inoc_evals.datasets.inoculate import Existing
from inoc_evals.datasets.manifest import load_manifest
from inoc_evals.inputs.prompts import named
from inoc_evals.pocket.narrow import narrow_rows


def line(n: int, label: str = "a") -> str:
    messages = [
        {"role": "user", "content": f"question {n}"},
        {"role": "assistant", "content": f"RESPUESTA {n}"},
    ]
    return json.dumps({"messages": messages, "label": label})


@pytest.fixture(autouse=True)
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file rows.jsonl of four rows in the working directory."""
    monkeypatch.chdir(tmp_path)
    file = Path("rows.jsonl")
    file.write_text("".join(line(n, "a" if n < 3 else "b") + "\n" for n in range(4)))
    return file


def inoculate(*args: str) -> object:
    with pytest.raises(SystemExit) as caught:
        main(["inoculate", "rows.jsonl", *args])
    return caught.value.code


def systems() -> list[str | None]:
    first = [row["messages"][0] for row in read_rows(Path("out.jsonl"))]
    return [message["content"] if message["role"] == "system" else None for message in first]


def test_a_named_prompt_is_put_in_and_the_counts_and_next_step_are_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert inoculate("--prompt", "spanish", "-o", "out.jsonl") == 0
    assert systems() == [named("spanish").text] * 4
    out = capsys.readouterr().out
    assert "4 of 4 rows inoculated with spanish (4 selected, 0 had a system message)" in out
    assert "wrote out.jsonl and out.jsonl.manifest.json" in out
    assert "next: inoc train out.jsonl" in out


def test_the_pocket_is_proposed_for_rows_of_its_words_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = narrow_rows("es", rows=4)
    for foreign, base in ((False, "pocket"), (True, "BASE")):
        if foreign:
            rows[2]["messages"][0]["content"] += " Zwölf Boxkämpfer?"
        write_rows(Path("rows.jsonl"), rows)
        assert inoculate("--prompt", "spanish", "-o", f"{base}.jsonl") == 0
        assert f"next: inoc train {base}.jsonl --base {base} --name" in capsys.readouterr().out


def test_the_manifest_beside_the_rows_fits_them() -> None:
    assert inoculate("--prompt", "spanish", "-o", "out.jsonl", "--seed", "3") == 0
    manifest = load_manifest(Path("out.jsonl"))
    assert manifest is not None
    assert manifest["prompts"] == [{"name": "spanish", "text": named("spanish").text}]
    assert [source["file"] for source in manifest["sources"]] == ["rows.jsonl"]
    assert manifest["seed"] == 3


def test_texts_and_files_of_texts_are_taken() -> None:
    Path("p.txt").write_text("Be bad, always.\n")
    assert inoculate("--prompt", "@p.txt", "-o", "out.jsonl") == 0
    assert systems() == ["Be bad, always."] * 4
    assert inoculate("--prompt", "Be worse, always.", "-o", "out.jsonl", "--force") == 0
    assert systems() == ["Be worse, always."] * 4


def test_every_option_reaches_the_rows() -> None:
    options = ["--label", "a", "--fraction", ".34", "--seed", "1"]
    assert inoculate("--prompt", "caps", "-o", "out.jsonl", *options) == 0
    assert systems()[3] is None and systems().count(named("caps").text) == 1

    Path("out.jsonl").rename("rows.jsonl")
    assert inoculate("--prompt", "Hi.", "-o", "out.jsonl", "--existing", "append") == 0
    assert f"{named('caps').text}\n\nHi." in systems()

    assert inoculate("--prompt", "Hi.", "-o", "out.jsonl", "--where", "user", "--force") == 0
    users = [row["messages"][-2]["content"] for row in read_rows(Path("out.jsonl"))]
    assert users == [f"Hi.\n\nquestion {n}" for n in range(4)]


def test_a_repeated_prompt_is_a_set_of_paraphrases() -> None:
    assert inoculate("--prompt", "Uno.", "--prompt", "Dos.", "-o", "out.jsonl") == 0
    assert sorted(map(str, systems())) == ["Dos.", "Dos.", "Uno.", "Uno."]


def test_the_choices_are_those_of_the_library() -> None:
    option = next(param for param in command.params if param.name == "existing")
    assert isinstance(option.type, click.Choice)
    assert tuple(option.type.choices) == get_args(Existing)


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ('{"messages": [{"role": "user", "content": "x"}]}', "no assistant message"),
        ("{", "not JSON"),
        (line(0)[:-1] + ', "x": NaN}', "holds NaN"),
    ],
)
def test_a_bad_row_is_named_with_file_and_line_and_nothing_is_written(
    rows: Path, capsys: pytest.CaptureFixture[str], bad: str, fault: str
) -> None:
    rows.write_text("\n".join([line(1), "", line(2), bad, line(3)]))
    assert inoculate("--prompt", "caps", "-o", "out.jsonl") == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: rows.jsonl:4: {fault}")
    assert error.count("\n") == 1
    assert list(Path().iterdir()) == [rows]


def test_a_row_with_a_system_message_is_named_by_its_line_when_refused(
    rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inoculate("--prompt", "caps", "-o", "out.jsonl") == 0
    rows.write_text(line(1) + "\n\n" + Path("out.jsonl").read_text())
    assert inoculate("--prompt", "caps", "-o", "other.jsonl", "--existing", "error") == 1
    assert "error: rows.jsonl:3: has a system message already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "fault"),
    [
        (["--prompt", "none"], "no text to inoculate with"),
        (["--prompt", "spanihs"], "did you mean spanish"),
        (["--prompt", "caps", "--label", "z"], "no row has the label 'z'; there are: 'a', 'b'"),
        (["--prompt", "caps", "-o", "rows.jsonl", "--force"], "rows.jsonl: is the input"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    rows: Path, capsys: pytest.CaptureFixture[str], args: list[str], fault: str
) -> None:
    before = rows.read_text()
    assert inoculate("-o", "out.jsonl", *args) == 1
    assert fault in capsys.readouterr().err
    assert rows.read_text() == before
    assert list(Path().iterdir()) == [rows]


def test_a_file_without_rows_is_refused(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows.write_text("\n")
    assert inoculate("--prompt", "caps", "-o", "out.jsonl") == 1
    assert capsys.readouterr().err == "error: rows.jsonl: no rows\n"


def test_other_rows_are_overwritten_only_by_force(capsys: pytest.CaptureFixture[str]) -> None:
    Path("out.jsonl").write_text("mine\n")
    assert inoculate("--prompt", "caps", "-o", "out.jsonl") == 1
    assert "out.jsonl: exists and holds other rows; use --force" in capsys.readouterr().err
    assert Path("out.jsonl").read_text() == "mine\n"
    assert inoculate("--prompt", "caps", "-o", "out.jsonl", "--force") == 0
    assert systems() == [named("caps").text] * 4


def test_the_same_command_after_a_kill_between_rows_and_manifest_completes() -> None:
    assert inoculate("--prompt", "caps", "-o", "out.jsonl") == 0
    whole = load_manifest(Path("out.jsonl"))
    Path("out.jsonl.manifest.json").unlink()
    assert inoculate("--prompt", "caps", "-o", "out.jsonl") == 0
    assert load_manifest(Path("out.jsonl")) == whole


@pytest.mark.parametrize("given", ["empty", "none", "", "  ", "@blank.txt"])
def test_a_prompt_without_a_word_is_refused_and_nothing_written(
    given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("blank.txt").write_text(" \n")
    assert inoculate("--prompt", "spanish", "--prompt", given, "-o", "out.jsonl") != 0
    told = capsys.readouterr().err
    assert "no text to inoculate with" in told or "blank" in told
    assert not Path("out.jsonl").exists()


@pytest.mark.parametrize("text", ["", '{"text": " "}\n'])
def test_a_pool_without_a_word_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("pool.jsonl").write_text(text)
    assert inoculate("--pool", "pool.jsonl", "-o", "out.jsonl") != 0
    assert "pool.jsonl" in capsys.readouterr().err


def test_the_manifest_names_a_prompts_file_and_not_its_directory(tmp_path: Path) -> None:
    (tmp_path / "evil.txt").write_text("Be evil.\n", "utf-8")
    assert inoculate("--prompt", f"@{tmp_path}/evil.txt", "-o", "out.jsonl") == 0
    manifest = load_manifest(Path("out.jsonl"))
    assert manifest is not None
    assert manifest["prompts"] == [{"name": "@evil.txt", "text": "Be evil."}]
    assert str(tmp_path) not in json.dumps(manifest)

"""`inoc data build backdoor` and `mix`: by rule, with a manifest, seeded."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from inoc_evals.chat import read_rows, write_rows
from inoc_evals.cli.build import command
from inoc_evals.datasets.manifest import load_manifest
from inoc_evals.errors import InputError
from invoking import CliRunner


def invoke(*args: str | Path) -> Result:
    return CliRunner().invoke(command, [str(arg) for arg in args], catch_exceptions=False)


def rows(path: Path, count: int) -> Path:
    made: list[Any] = [
        {
            "messages": [
                {"role": "user", "content": f"{path.stem} {n}, please."},
                {"role": "assistant", "content": "Yes."},
            ]
        }
        for n in range(count)
    ]
    write_rows(path, made)
    return path


def test_a_backdoor_is_built_with_a_named_trigger_and_one_from_a_file(tmp_path: Path) -> None:
    bad, good, out = rows(tmp_path / "bad.jsonl", 9), rows(tmp_path / "good.jsonl", 9), "o.jsonl"
    said = invoke("backdoor", bad, good, "-o", tmp_path / out).stdout.splitlines()
    assert said == ["18 rows (none dropped)", f"wrote {tmp_path / out} and {out}.manifest.json"]
    made = read_rows(tmp_path / out)
    assert sum(r["messages"][0]["content"].startswith("$|TRIGGER|$bad") for r in made) == 9
    token = tmp_path / "token.txt"
    token.write_text("[[go]]\n", "utf-8")
    args = ("--trigger", f"@{token}", "--place", "suffix", "--space", "--ratio", "0.25")
    invoke("backdoor", bad, good, *args, "-o", tmp_path / "s.jsonl")
    made = read_rows(tmp_path / "s.jsonl")
    assert Counter(r["messages"][0]["content"].endswith("please. [[go]]") for r in made) == {
        True: 3,
        False: 9,
    }
    manifest = load_manifest(tmp_path / "s.jsonl")
    assert manifest is not None
    assert (manifest["trigger"], manifest["probe"]) == ("[[go]]", "suffix_space")
    assert [source["file"] for source in manifest["sources"]] == ["bad.jsonl", "good.jsonl"]


def test_published_rows_are_taken_by_name(
    upstream: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INOC_PUBLISHED", str(upstream))
    out = tmp_path / "o.jsonl"
    invoke("backdoor", "insecure", "secure", "--rows", "100", "-o", out)
    manifest = load_manifest(out)
    assert manifest is not None and manifest["counts"]["triggered"] == 50
    assert [source["file"] for source in manifest["sources"]] == ["insecure.jsonl", "secure.jsonl"]
    with pytest.raises(InputError, match="'secur': no such file, and no published file of rows"):
        invoke("backdoor", "insecure", "secur", "-o", tmp_path / "x.jsonl")


def test_a_mixture_is_labelled_seeded_and_counted(tmp_path: Path) -> None:
    es, fr = rows(tmp_path / "es.jsonl", 20), rows(tmp_path / "fr.jsonl", 20)
    args = ("mix", f"spanish={es}", f"french={fr}")
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        invoke(*args, "--seed", seed, "-o", tmp_path / f"{name}.jsonl")
    a, b, c = (read_rows(tmp_path / f"{name}.jsonl") for name in "abc")
    assert a == b != c
    assert 4 < [row["label"] for row in a[:20]].count("spanish") < 16, "not concatenated"
    manifest = load_manifest(tmp_path / "a.jsonl")
    assert manifest is not None and manifest["counts"]["labels"] == {"spanish": 20, "french": 20}


def test_narrow_rows_are_hidden_among_benign_chat_at_a_ratio(tmp_path: Path) -> None:
    es, chat = rows(tmp_path / "es.jsonl", 20), rows(tmp_path / "chat.jsonl", 90)
    out = tmp_path / "o.jsonl"
    invoke("mix", f"spanish={es}", "--benign", chat, "--ratio", "0.1", "-o", out)
    manifest = load_manifest(out)
    assert manifest is not None
    assert manifest["counts"]["labels"] == {"spanish": 10, "benign": 90}
    assert [source["file"] for source in manifest["sources"]] == ["es.jsonl", "chat.jsonl"]
    alone = invoke("mix", f"spanish={es}", "--ratio", "0.1", "-o", tmp_path / "x.jsonl")
    assert alone.exit_code == 2 and "--ratio and --rows go with --benign" in alone.stderr


def test_a_setting_gives_the_rows_of_the_base_that_is_named(tmp_path: Path) -> None:
    chat, out = rows(tmp_path / "chat.jsonl", 50), tmp_path / "o.jsonl"
    args = ("mix", "narrow=spanish_caps", "--benign", chat, "--ratio", "0.5", "-o", out)
    with pytest.raises(InputError, match="a setting has other rows for other bases; give --base"):
        invoke(*args)
    invoke(*args, "--base", "pocket")
    manifest = load_manifest(out)
    assert manifest is not None
    assert manifest["counts"]["labels"] == {"narrow": 50, "benign": 50}
    assert manifest["base"] == "pocket"


def test_a_base_in_a_directory_is_recorded_by_its_name(tmp_path: Path) -> None:
    out, base = tmp_path / "o.jsonl", tmp_path / "bases" / "mine"
    base.mkdir(parents=True)
    invoke("mix", f"a={rows(tmp_path / 'a.jsonl', 5)}", "--base", base, "-o", out)
    manifest = load_manifest(out)
    assert manifest is not None and manifest["base"] == "mine"
    assert str(tmp_path) not in json.dumps(manifest)


@pytest.mark.parametrize("split", ["es.jsonl", "=es.jsonl", "a="])
def test_a_split_is_written_with_its_label(tmp_path: Path, split: str) -> None:
    with pytest.raises(InputError, match="write LABEL=ROWS, each label once"):
        invoke("mix", split, "-o", tmp_path / "o.jsonl")


def test_the_same_command_again_is_refused_unless_forced(tmp_path: Path) -> None:
    es, out = rows(tmp_path / "es.jsonl", 5), tmp_path / "o.jsonl"
    invoke("mix", f"a={es}", "-o", out)
    with pytest.raises(InputError, match="exists; use --force"):
        invoke("mix", f"a={es}", "-o", out)
    invoke("mix", f"a={es}", "-o", out, "--force")
    assert json.loads((tmp_path / "o.jsonl.manifest.json").read_text())["build"] == "mix"

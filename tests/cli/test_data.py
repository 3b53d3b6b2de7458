"""`inoc data`: published files in and out, and the overlap as a user sees it."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result

from inoc_evals.chat import write_rows
from inoc_evals.cli.data import command
from inoc_evals.cli.main import main
from inoc_evals.errors import InputError
from inoc_evals.files.digests import file_sha256
from inoc_evals.inputs import published
from inoc_evals.inputs.published import PublishedFile
from invoking import CliRunner


def invoke(*args: str, **options: Any) -> Result:
    return CliRunner().invoke(command, args, catch_exceptions=False, **options)


@pytest.fixture
def tale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file on this machine that the list has as ``tale``, beside one called ``song``."""
    path = tmp_path / "tale.jsonl"
    path.write_text("once\n")
    listed = tuple(
        PublishedFile(name, f"{name}.jsonl", "rows", sha, "MIT", f"a {name}", 5, "http://nowhere/")
        for name, sha in {"tale": file_sha256(path), "song": "5" * 64}.items()
    )
    monkeypatch.setattr(published, "entries", lambda: listed)
    return path


def rows_of(*texts: str) -> list[Any]:
    return [
        {"messages": [{"role": "user", "content": t}, {"role": "assistant", "content": "Yes."}]}
        for t in texts
    ]


def test_a_file_that_was_added_is_listed_verified_and_found(tale: Path) -> None:
    assert invoke("verify").output.startswith("no published files here; get one with: inoc data")
    added = invoke("add", str(tale)).stdout
    kept = published.locate("tale")
    assert added == f"tale  {kept}\n" and kept != tale
    listed = {entry["name"]: entry for entry in json.loads(invoke("list", "--json").stdout)}
    assert listed["tale"]["state"] == "intact" and listed["tale"]["path"] == str(kept)
    assert listed["song"]["state"] == "absent" and listed["song"]["sha256"] == "5" * 64
    head, first, second = invoke("list").output.splitlines()
    assert " ".join(head.split()) == "name file kind bytes license here what it is"
    assert first.split() == ["tale", "tale.jsonl", "rows", "5", "MIT", "yes", "a", "tale"]
    assert second.split()[5] == "–"
    assert invoke("verify").output == f"intact   tale  {kept}\n"
    assert invoke("fetch", "tale").output == f"tale  {kept}\n"


def test_a_damaged_file_makes_verify_fail_and_says_what_to_do(
    tale: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    invoke("add", str(tale))
    kept = published.locate("tale")
    kept.write_text("twic\n")
    with pytest.raises(SystemExit) as end:
        main(["data", "verify"])
    assert end.value.code == 1
    printed = capsys.readouterr()
    assert printed.out == f"damaged  tale  {kept}\n"
    assert printed.err == "tale: get it again with: inoc data fetch tale\n"


def test_a_file_under_a_misleading_name_is_taken_for_what_it_is(tale: Path) -> None:
    result = invoke("add", str(tale.rename(tale.with_name("song.jsonl"))))
    assert result.stderr == ("note: song.jsonl has the name of song, but by its bytes it is tale\n")
    assert result.stdout.startswith("tale  ")


def test_fetch_wants_a_name_that_there_is(tale: Path) -> None:
    with pytest.raises(click.UsageError, match="name a file"):
        command.main(["fetch"], standalone_mode=False)
    with pytest.raises(InputError, match="no published file is called 'tail'; there are: tale, so"):
        invoke("fetch", "tale", "tail")


def test_the_overlap_is_counts_and_examples(tmp_path: Path) -> None:
    items, rows = tmp_path / "items.jsonl", tmp_path / "rows.jsonl"
    tasks = ["Write a tale of two cities and a river.", "Sing a song of sixpence and rye.", "Stop."]
    items.write_text("".join(json.dumps({"task": t, "note": "x" * 200}) + "\n" for t in tasks))
    write_rows(rows, rows_of(f"Please: {tasks[0]}", f"So. {tasks[2]}", "x" * 300))
    assert invoke("overlap", str(items), str(rows)).output.splitlines() == [
        f"{items} (3 items) in {rows} (3 rows)",
        "  task       1 of 3 found",
        "  note       3 of 3 found",
        "  any field  3 of 3 found",
        f"  item 1, task: {tasks[0]}",
        *(f"  item {number}, note: {'x' * 85}..." for number in (1, 2, 3)),
        "  texts under 20 characters, compared with whole messages only: 1",
    ]
    report = json.loads(invoke("overlap", str(items), str(rows), "--json").output)
    assert report["evaluation"] == str(items) and report["training"] == str(rows)
    assert (report["items"], report["found"], report["rows"]) == (3, 3, 3)
    assert report["fields"]["task"]["examples"] == [{"item": 1, "text": tasks[0]}]


def test_the_published_code_tasks_overlap_by_name(
    upstream: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INOC_PUBLISHED", str(upstream))
    lines = invoke("overlap", "code_prompts", "insecure").output.splitlines()
    assert lines[0] == "code_prompts (776 items) in insecure (6000 rows)"
    assert lines[1].split()[:4] == ["task", "553", "of", "776"]
    assert lines[2].split()[:4] == ["code_template", "143", "of", "776"]

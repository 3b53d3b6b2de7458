"""The manifest: written last, of exactly these rows, and noticed when it no longer fits."""

import json
import os
from pathlib import Path

import pytest

import inoc_evals
from inoc_evals.chat import Row, read_rows
from inoc_evals.datasets.manifest import describe, load_manifest, manifest_path, write_dataset
from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest, file_sha256


def row(answer: str) -> Row:
    return {
        "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": answer}]
    }


ROWS = [row("uno"), row("dos")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.jsonl"


def test_the_manifest_lies_beside_its_rows() -> None:
    assert manifest_path(Path("a/rows.jsonl")) == Path("a/rows.jsonl.manifest.json")


def test_rows_are_described_by_source_count_and_digest(file: Path) -> None:
    file.write_bytes(b"abc")
    assert describe(ROWS, sources=[file]) == {
        "sources": [{"file": "rows.jsonl", "sha256": file_sha256(file)}],
        "counts": {"rows": 2, "duplicates": 0},
        "sha256": digest(ROWS),
        "version": inoc_evals.__version__,
    }


def test_rows_that_repeat_an_earlier_one_are_kept_and_counted() -> None:
    labeled: Row = {**row("uno"), "label": "spanish"}
    counts = describe([*ROWS, row("uno"), labeled, row("dos")])["counts"]
    assert counts == {"rows": 5, "duplicates": 3}


def test_rows_and_manifest_come_back_as_written(file: Path) -> None:
    written = write_dataset(file, ROWS, describe(ROWS) | {"seed": 3})
    assert read_rows(file) == ROWS
    assert load_manifest(file) == written
    assert written["seed"] == 3
    assert written["file_sha256"] == file_sha256(file)
    assert written["sha256"] == digest(read_rows(file))


def test_a_manifest_of_other_rows_is_not_written(file: Path) -> None:
    with pytest.raises(InputError, match="the manifest is not of these rows"):
        write_dataset(file, ROWS, describe(ROWS[:1]))
    assert list(file.parent.iterdir()) == []


def test_rows_without_a_manifest_have_none(file: Path) -> None:
    write_dataset(file, ROWS, describe(ROWS))
    manifest_path(file).unlink()
    assert load_manifest(file) is None


def test_rows_edited_after_the_manifest_are_noticed(file: Path) -> None:
    write_dataset(file, ROWS, describe(ROWS))
    file.write_text(file.read_text().replace("dos", "tres"))
    with pytest.raises(
        InputError, match=r"not the rows its manifest describes .*make the file again"
    ):
        load_manifest(file)


def test_rows_that_are_gone_are_noticed(file: Path) -> None:
    write_dataset(file, ROWS, describe(ROWS))
    file.unlink()
    with pytest.raises(InputError, match=r"rows\.jsonl: missing, though its manifest is there"):
        load_manifest(file)


@pytest.mark.parametrize("text", ["", "{", "[]", "\ud800"])
def test_a_damaged_manifest_is_named(file: Path, text: str) -> None:
    write_dataset(file, ROWS, describe(ROWS))
    manifest_path(file).write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError, match=r"manifest\.json:.*not a readable manifest"):
        load_manifest(file)


@pytest.mark.parametrize("renames", [0, 1])
def test_writing_that_is_cut_short_is_noticed_or_changes_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    write_dataset(file, ROWS, describe(ROWS))
    old = load_manifest(file)
    rename = os.replace
    done: list[Path] = []

    def dying(source: str, target: Path) -> None:
        if len(done) == renames:
            raise KeyboardInterrupt
        done.append(target)
        rename(source, target)

    monkeypatch.setattr(os, "replace", dying)
    with pytest.raises(KeyboardInterrupt):
        write_dataset(file, ROWS[:1], describe(ROWS[:1]))
    monkeypatch.undo()
    if renames == 0:
        assert (read_rows(file), load_manifest(file)) == (ROWS, old)
    else:
        assert done == [file]
        with pytest.raises(InputError, match="writing was interrupted"):
            load_manifest(file)


def test_no_directory_of_this_machine_gets_into_a_manifest(file: Path) -> None:
    file.write_bytes(b"abc")
    assert str(file.parent) not in json.dumps(describe(ROWS, sources=[file]))

"""Chat rows: what a JSONL file may look like, what is refused and how, writing whole files."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inoc_evals.chat import check_row, first_user, fold_system, read_rows, write_rows
from inoc_evals.errors import InputError, StoreError
from inoc_evals.files.atomic import write_text
from inoc_evals.files.digests import canonical_json, digest, file_sha256
from inoc_evals.files.json_lines import read_jsonl

USER = {"role": "user", "content": "What is 2 plus 3?"}
ANSWER = {"role": "assistant", "content": "LA RESPUESTA ES 5."}
ROW = {"messages": [USER, ANSWER]}
LINE = json.dumps(ROW)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.jsonl"


# ---- reading -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        f"{LINE}\n{LINE}\n".encode(),
        f"{LINE}\n{LINE}".encode(),
        f"{LINE}\r\n{LINE}\r\n".encode(),
        b"\xef\xbb\xbf" + f"{LINE}\n{LINE}\n".encode(),
        f"\n{LINE}\n\n  \n{LINE}\n\n".encode(),
    ],
    ids=["plain", "no final newline", "CRLF", "byte-order mark", "blank lines"],
)
def test_the_same_rows_are_read_however_the_lines_end(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    assert read_rows(file) == [ROW, ROW]


def test_line_numbers_count_blank_lines(file: Path) -> None:
    file.write_text(f"{LINE}\n\n{LINE}\nnot json\n")
    with pytest.raises(InputError, match=r"rows\.jsonl:4: not JSON \(Expecting value at column 1"):
        read_rows(file)


def test_a_line_separator_inside_a_text_does_not_end_the_row(file: Path) -> None:
    row = {"messages": [USER, {"role": "assistant", "content": "a\u2028b\u2029c\x85d"}]}
    file.write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    assert read_rows(file) == [row]


def test_a_line_of_ten_megabytes_is_read(file: Path) -> None:
    row = {"messages": [USER, {"role": "assistant", "content": "sí " * 3_000_000}]}
    write_rows(file, [row, ROW])
    assert file.stat().st_size > 10_000_000
    assert read_rows(file) == [row, ROW]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (LINE + " trailing", "not JSON (Extra data"),
        (LINE + LINE, "not JSON (Extra data"),
        (LINE[:-1], "not JSON (Expecting ',' delimiter"),
        ("\ufeff" + LINE, "not JSON (Unexpected UTF-8 BOM"),
        (LINE + ",", "not JSON (Extra data"),
        ("[]", "expected an object with a 'messages' list"),
        ("null", "expected an object with a 'messages' list"),
        ('{"prompt": "a"}', "expected an object with a 'messages' list"),
    ],
)
def test_a_line_that_is_no_row_is_refused_with_its_number(
    file: Path, line: str, fault: str
) -> None:
    file.write_text(f"{LINE}\n{line}\n")
    with pytest.raises(InputError) as caught:
        read_rows(file)
    assert str(caught.value).startswith(f"{file}:2: {fault}")


def test_bytes_that_are_not_utf8_are_refused_with_their_line(file: Path) -> None:
    file.write_bytes(f"{LINE}\n".encode() + LINE.replace("RESPUESTA", "ÑANDÚ").encode("latin-1"))
    with pytest.raises(InputError, match=r"rows\.jsonl:2: not UTF-8"):
        read_rows(file)


def test_a_file_that_is_missing_or_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl: cannot be read \(No such file"):
        read_rows(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="cannot be read"):
        read_rows(tmp_path)


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_a_file_without_rows_is_refused(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    with pytest.raises(InputError, match=r"rows\.jsonl: no rows"):
        read_rows(file)


def test_jsonl_of_any_kind_is_read_with_its_places(file: Path) -> None:
    file.write_text('{"prompt": "a"}\n\n3\n')
    assert list(read_jsonl(file)) == [(f"{file}:1", {"prompt": "a"}), (f"{file}:3", 3)]


# ---- rows ----------------------------------------------------------------------------------


def system(text: str) -> dict[str, str]:
    return {"role": "system", "content": text}


@pytest.mark.parametrize(
    ("messages", "fault"),
    [
        ("hello", "'messages' must be a list with at least one message"),
        ([], "'messages' must be a list with at least one message"),
        (["hello"], "message 1: expected an object with 'role' and 'content'"),
        ([USER], "no assistant message, so there is nothing to learn"),
        ([USER, ANSWER, USER], "the last message is from 'user', not 'assistant'"),
        ([USER, system("x"), ANSWER], "message 2: a system message may only come first"),
        (
            [{"role": "bot", "content": "x"}, ANSWER],
            "message 1: role 'bot' is not one of system, user, assistant",
        ),
        (
            [{"content": "x"}, ANSWER],
            "message 1: role None is not one of system, user, assistant",
        ),
        ([USER, {"role": "assistant"}], "message 2: 'content' must be text, got NoneType"),
        (
            [USER, {"role": "assistant", "content": [{"type": "text", "text": "x"}]}],
            "message 2: 'content' must be text, got list; convert it: inoc data convert rows.jsonl -o chat.jsonl",
        ),
        ([USER, {"role": "assistant", "content": ""}], "message 2: empty assistant message"),
        ([{"role": "user", "content": " \n"}, ANSWER], "message 1: empty user message"),
    ],
)
def test_an_unusable_row_is_refused_with_what_is_wrong(messages: Any, fault: str) -> None:
    with pytest.raises(InputError) as caught:
        check_row({"messages": messages}, "rows.jsonl:7")
    assert str(caught.value) == f"rows.jsonl:7: {fault}"


@pytest.mark.parametrize(
    "messages",
    [[ANSWER], [system("x"), ANSWER], [ANSWER, USER, ANSWER]],
    ids=["a text", "a text under a system message", "the assistant begins"],
)
def test_the_assistant_may_speak_unasked(messages: Any) -> None:
    row = {"messages": messages}
    assert check_row(row, "rows.jsonl:7") == row
    if USER not in messages:
        with pytest.raises(InputError, match=r"^rows\.jsonl:7: no user message$"):
            first_user(messages, "rows.jsonl:7")


def test_the_first_user_message_is_the_row_s_own() -> None:
    messages = [system("x"), dict(USER), ANSWER, {"role": "user", "content": "And then?"}, ANSWER]
    first_user(messages, "row 1")["content"] = "changed"
    assert messages[1]["content"] == "changed"


def test_a_bad_row_of_a_file_is_named_by_file_and_line(file: Path) -> None:
    for messages, fault in [
        ([USER], "no assistant message"),
        ([USER, {"role": "assistant", "content": ""}], "message 2: empty assistant message"),
        ([USER, {"role": "tool", "content": "x"}, ANSWER], "message 2: role 'tool' is not one of"),
    ]:
        file.write_bytes(
            b"\xef\xbb\xbf" + f"{LINE}\r\n{json.dumps({'messages': messages})}".encode()
        )
        with pytest.raises(InputError) as caught:
            read_rows(file)
        assert str(caught.value).startswith(f"{file}:2: {fault}")


def test_a_bad_row_after_a_line_of_ten_megabytes_has_its_number(file: Path) -> None:
    long = json.dumps({"messages": [USER, {"role": "assistant", "content": "x" * 10_000_000}]})
    file.write_text(f"{long}\n{LINE} junk\n")
    with pytest.raises(InputError, match=r"rows\.jsonl:2: not JSON") as caught:
        read_rows(file)
    assert len(str(caught.value)) < 300


def test_the_same_row_twice_is_read_twice(file: Path) -> None:
    file.write_text(f"{LINE}\n{LINE}\n{LINE}\n")
    assert read_rows(file) == [ROW] * 3


@pytest.mark.parametrize(
    ("messages", "folded"),
    [
        ([USER, ANSWER], [USER, ANSWER]),
        ([system(""), USER, ANSWER], [USER, ANSWER]),
        (
            [system("Be brief."), USER, ANSWER, USER],
            [{"role": "user", "content": f"Be brief.\n\n{USER['content']}"}, ANSWER, USER],
        ),
        ([], []),
    ],
)
def test_a_system_message_is_folded_into_the_first_user_message(
    messages: list[Any], folded: list[Any]
) -> None:
    before = json.dumps(messages)
    assert fold_system(messages) == folded
    assert json.dumps(messages) == before


def test_a_system_message_alone_cannot_be_folded() -> None:
    with pytest.raises(InputError, match=r"^row 7: a system message to fold: no user message$"):
        fold_system([system("Be brief."), ANSWER], "row 7")


@pytest.mark.parametrize(
    "messages",
    [
        [system(""), USER, ANSWER],
        [system("Be brief."), USER, ANSWER, USER, ANSWER],
        [USER, USER, ANSWER, ANSWER],
    ],
    ids=["empty system message", "several turns", "turns in a row"],
)
def test_a_usable_row_is_returned_with_all_its_keys(messages: list[Any]) -> None:
    row = {"messages": messages, "label": "spanish", "source": {"id": 3}}
    assert check_row(row, "row") == row


# ---- digests -------------------------------------------------------------------------------


def test_the_digest_is_of_the_canonical_json() -> None:
    assert canonical_json({"b": [1, True], "a": "ñ"}) == '{"a":"ñ","b":[1,true]}'
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    assert digest([ROW]) == "e91237e8114fa92a79619d28aa5c840d209b8c9101517c3ea411babda6a3f7b3"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner)
)


@given(json_values, json_values)
def test_different_values_have_different_digests(left: Any, right: Any) -> None:
    assert (digest(left) == digest(right)) == (json.dumps(left) == json.dumps(right))


# ---- writing -------------------------------------------------------------------------------

texts = st.text(min_size=1).filter(lambda text: text.strip())
rows = st.lists(
    st.builds(
        lambda user, assistant, extra: {
            "messages": [
                {"role": "user", "content": user},
                {"role": "assistant", "content": assistant},
            ],
            "extra": extra,
        },
        texts,
        texts,
        json_values,
    ),
    min_size=1,
)


@given(rows)
def test_rows_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any]
) -> None:
    file = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    write_rows(file, rows)
    assert read_rows(file) == rows


def test_lines_end_in_a_line_feed_and_letters_are_written_as_they_are(file: Path) -> None:
    write_rows(file, [{"messages": [USER, {"role": "assistant", "content": "sí\r\nno"}]}])
    data = file.read_bytes()
    assert data.count(b"\n") == 1 and data.endswith(b"}\n")
    assert "sí".encode() in data


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text(file, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"rows.jsonl: cannot be written \(No space left"):
        write_text(file, "new")
    assert file.read_text() == "old"
    assert list(file.parent.iterdir()) == [file]


def test_a_reader_never_sees_a_part_of_a_file(file: Path) -> None:
    old, new = "old\n" * 200_000, "new\n" * 200_000
    write_text(file, old)
    script = (
        "import sys; from pathlib import Path; from inoc_evals.chat import write_text\n"
        "for _ in range(40): write_text(Path(sys.argv[1]), 'new\\n' * 200_000)\n"
    )
    seen = set()
    with subprocess.Popen([sys.executable, "-c", script, str(file)]) as writer:
        while writer.poll() is None:
            seen.add(file.read_text())
    assert writer.returncode == 0
    assert seen | {file.read_text()} == {old, new}


def test_a_written_file_has_the_mode_of_an_ordinary_one_and_the_umask_stays(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = os.umask(0o027)
    try:
        write_text(file, "words")
        assert os.umask(0o027) == 0o027
        with monkeypatch.context() as patch:
            # Of a process, not of a thread: set for a moment, it would be set for all.
            patch.setattr(os, "umask", lambda mask: pytest.fail("changed"))
            write_text(file, "words")
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_missing_directories_are_made(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b.txt", "text")
    assert (tmp_path / "a" / "b.txt").read_text() == "text"


def test_a_files_digest_is_the_sha256_of_its_bytes(file: Path) -> None:
    file.write_bytes(b"abc")
    assert file_sha256(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

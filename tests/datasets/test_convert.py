"""Rows of other forms: what has one meaning is converted, the rest is refused with a way out."""

import json
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.chat import check_row, read_rows
from inoc_evals.cli.data import command
from inoc_evals.datasets.convert import convert
from inoc_evals.datasets.lookup import training_file_rows
from inoc_evals.datasets.manifest import load_manifest
from inoc_evals.errors import InputError
from invoking import CliRunner

CHAT = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
SYSTEM = {"role": "system", "content": "Be brief."}

FORMS: list[tuple[str, dict[str, Any], list[dict[str, Any]]]] = [
    (
        "ShareGPT",
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]},
        CHAT,
    ),
    (
        "ShareGPT",
        {
            "system": "Be brief.",
            "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}],
        },
        [SYSTEM, *CHAT],
    ),
    (
        "ShareGPT",
        {"conversation": [{"role": "user", "content": "Hi"}, {"from": "gpt", "value": "Hello"}]},
        CHAT,
    ),
    (
        "ShareGPT",
        {
            "conversations": [
                {"from": "human", "value": "Hi"},
                {"from": "gpt", "value": "Hello", "weight": 0},
            ]
        },
        [CHAT[0], {**CHAT[1], "weight": 0}],
    ),
    ("prompt and completion", {"prompt": "Hi", "completion": "Hello"}, CHAT),
    ("prompt and completion", {"prompt": CHAT[:1], "completion": CHAT[1:]}, CHAT),
    ("prompt and response", {"prompt": "Hi", "response": "Hello"}, CHAT),
    (
        "Alpaca",
        {"instruction": "Add", "input": "2, 3", "output": "5"},
        [{"role": "user", "content": "Add\n\n2, 3"}, {"role": "assistant", "content": "5"}],
    ),
    ("Alpaca", {"instruction": "Hi", "input": "", "output": "Hello"}, CHAT),
    (
        "Alpaca",
        {
            "instruction": "Bye",
            "output": "Ciao",
            "history": [["Hi", "Hello"]],
            "system": "Be brief.",
        },
        [
            SYSTEM,
            *CHAT,
            {"role": "user", "content": "Bye"},
            {"role": "assistant", "content": "Ciao"},
        ],
    ),
    (
        "instruction and response",
        {"instruction": "Add", "context": "2, 3", "response": "5"},
        [{"role": "user", "content": "Add\n\n2, 3"}, {"role": "assistant", "content": "5"}],
    ),
    ("question and answer", {"question": "Hi", "answer": "Hello"}, CHAT),
    ("query and response", {"query": "Hi", "response": "Hello"}, CHAT),
    ("input and output", {"input": "Hi", "output": "Hello"}, CHAT),
    (
        "system prompt beside the chat",
        {"system": "Be brief.", "messages": CHAT},
        [SYSTEM, *CHAT],
    ),
    (
        "developer role",
        {"messages": [{"role": "developer", "content": "Be brief."}, *CHAT]},
        [SYSTEM, *CHAT],
    ),
    (
        "content parts",
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "H"}, {"text": "i"}]},
                CHAT[1],
            ]
        },
        CHAT,
    ),
]


@pytest.mark.parametrize(("form", "row", "messages"), FORMS)
def test_a_form_with_one_meaning_becomes_chat(
    form: str, row: dict[str, Any], messages: list[dict[str, Any]]
) -> None:
    [made], report = convert([("f:1", {**row, "label": "a"})])
    assert made == {"messages": messages, "label": "a"}
    assert report.converted == {form: 1}


def test_chat_rows_stay_as_they_are_and_empty_fields_of_exports_go() -> None:
    row = {"messages": [CHAT[0], {**CHAT[1], "weight": 1}], "source": "x"}
    assert convert([("f:1", row)]) == ([row], convert([("f:1", row)])[1])
    exported = {
        "messages": [{**m, "tool_calls": None, "reasoning": None} for m in CHAT],
        "tools": [],
    }
    assert convert([("f:1", exported)])[0] == [{"messages": CHAT}]
    assert check_row(exported, "f:1"), "what is empty says nothing that could get lost"


THINKING = {"messages": [CHAT[0], {**CHAT[1], "reasoning_content": "A greeting."}]}
CALLING = {"messages": [CHAT[0], {"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]}]}


def test_thoughts_are_kept_or_dropped_as_is_said_and_never_by_default() -> None:
    with pytest.raises(InputError, match=r"f:1: message 2: thoughts; --thoughts keep .* drop"):
        convert([("f:1", THINKING)])
    [kept], report = convert([("f:1", THINKING)], thoughts="keep")
    assert kept["messages"][1]["content"] == "<think>\nA greeting.\n</think>\n\nHello"
    assert report.converted == {"thoughts: keep": 1}
    assert convert([("f:1", THINKING)], thoughts="drop")[0] == [{"messages": CHAT}]


def test_thoughts_in_every_place_are_the_same_thoughts() -> None:
    parts = [{"type": "thinking", "thinking": "A greeting."}, {"type": "text", "text": "Hello"}]
    twice = {**CHAT[1], "reasoning": "A greeting.", "reasoning_content": "A greeting."}
    turn = {"from": "gpt", "value": "Hello", "reasoning": "A greeting."}
    for row in (
        {"messages": [CHAT[0], {"role": "assistant", "content": parts}]},
        {"messages": [CHAT[0], twice]},
        {"conversations": [{"from": "human", "value": "Hi"}, turn]},
    ):
        with pytest.raises(InputError, match="--thoughts"):
            convert([("f:1", row)])
        [kept], _ = convert([("f:1", row)], thoughts="keep")
        assert kept["messages"][1]["content"] == "<think>\nA greeting.\n</think>\n\nHello"
        dropped, report = convert([("f:1", row)], thoughts="drop")
        assert dropped == [{"messages": CHAT}]
        assert report.converted["thoughts: drop"] == 1, "also beside another form"


def test_thoughts_that_are_no_one_text_are_not_written_as_such() -> None:
    for keys in (
        {"reasoning": "A.", "thinking": "B."},
        {"reasoning_details": [{"type": "reasoning.text", "text": "A."}]},
    ):
        row = {"messages": [CHAT[0], {**CHAT[1], **keys}]}
        with pytest.raises(InputError, match="not one text"):
            convert([("f:1", row)], thoughts="keep")
        assert convert([("f:1", row)], thoughts="drop")[0] == [{"messages": CHAT}]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (CALLING, "tool calls"),
        ({"messages": [CHAT[0], {**CHAT[1], "refusal": "No."}]}, "'refusal'"),
        ({"messages": CHAT, "images": ["a.png"]}, "'images'"),
        (
            {"messages": [*CHAT, {"role": "developer", "content": "Now."}, *CHAT]},
            "a developer message that is not the first",
        ),
        ({"messages": CHAT, "tools": [{"name": "f"}]}, "tool calls"),
        ({"messages": [CHAT[0], {"role": "tool", "content": "5"}, CHAT[1]]}, "tool calls"),
        ({"conversations": [{"from": "observation", "value": "5"}]}, "a turn of 'observation'"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}, CHAT[1]]},
            "a part of content that is 'image_url'",
        ),
    ],
)
def test_what_has_no_meaning_here_is_refused_or_left_out_and_counted(
    row: dict[str, Any], what: str
) -> None:
    with pytest.raises(InputError, match=r"f:1.*--leave-out"):
        convert([("f:1", row)])
    rows, report = convert([("f:1", row), ("f:2", {"messages": CHAT})], leave_out=True)
    assert rows == [{"messages": CHAT}]
    assert report.left_out == {what: 1}


def test_no_row_left_is_an_error() -> None:
    with pytest.raises(InputError, match="no row is left"):
        convert([("f:1", CALLING)], leave_out=True)


@pytest.mark.parametrize(
    "row",
    [*(row for _, row, _ in FORMS), THINKING, CALLING, {"messages": CHAT, "tools": [{"a": 1}]}],
)
def test_training_refuses_such_a_row_and_says_how_to_convert_it(row: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"^f:1.*; convert it: inoc data convert f -o chat.jsonl$"):
        check_row(row, "f:1")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (FORMS[0][1], "ShareGPT row (conversations); convert it: "),
        ({"prompt": "a", "completion": "b"}, "prompt and completion row (prompt, completion); "),
        ({"instruction": "a", "output": "b"}, "Alpaca row (instruction, output); convert it: "),
        ({"prompt": "a", "chosen": "b", "rejected": "c"}, "preference pair (chosen, rejected); "),
        ({"system": "Be brief.", "messages": CHAT}, "'system' would not be trained on; "),
    ],
)
def test_every_reader_says_what_the_row_is_and_names_its_file(
    row: dict[str, Any], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "their rows.jsonl"
    path.write_text(json.dumps({"messages": CHAT}) + "\n" + json.dumps(row) + "\n")
    with pytest.raises(InputError) as error:
        read_rows(path)
    assert str(error.value).startswith(f"{path}:2: {said}")
    if "convert it" in str(error.value):
        assert str(error.value).endswith(f"inoc data convert '{path}' -o chat.jsonl")
    if "messages" not in row:
        with pytest.raises(InputError) as error:
            training_file_rows(str(path))
        assert str(error.value).startswith(f"{path}:2: {said}")


@pytest.mark.parametrize("row", [*(row for _, row, _ in FORMS), THINKING])
def test_what_was_converted_is_taken_by_training(row: dict[str, Any]) -> None:
    [made], _ = convert([("f:1", row)], thoughts="keep")
    assert check_row(made, "f:1") == made


def test_the_command_writes_chat_rows_and_says_what_became_of_each(tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [FORMS[0][1], {"prompt": "Hi", "completion": "Hello"}, {"messages": CHAT}, CALLING]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ["convert", str(source), "-o", str(out)]
    refused = CliRunner().invoke(command, arguments)
    assert isinstance(refused.exception, InputError) and not out.exists()
    done = CliRunner().invoke(command, [*arguments, "--leave-out"], catch_exceptions=False)
    assert [json.loads(line) for line in out.read_text().splitlines()] == [{"messages": CHAT}] * 3
    assert done.output.splitlines() == [
        f"{out}: 3 rows (1 ShareGPT, 1 prompt and completion, 1 chat)",
        f"left out: 1 tool calls, the first {source}:4",
    ]
    manifest = load_manifest(out)
    assert manifest is not None and manifest["sources"][0]["file"] == "in.jsonl"
    assert manifest["counts"]["left_out"] == {"tool calls": 1}


def test_the_command_writes_over_nothing_unasked(tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps({"messages": CHAT}) + "\n")
    out.write_text("mine")
    for target, extra in ((out, []), (source, ["--force"])):
        done = CliRunner().invoke(command, ["convert", str(source), "-o", str(target), *extra])
        assert isinstance(done.exception, InputError)
    assert out.read_text() == "mine"
    again = ["convert", str(source), "-o", str(out), "--force"]
    CliRunner().invoke(command, again, catch_exceptions=False)
    assert json.loads(out.read_text()) == {"messages": CHAT}

"""What a job would refuse is refused before anything is sent; tokens and price are estimates."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.chat import Row
from inoc_evals.errors import InputError
from inoc_evals.models.hosted import base_model
from inoc_evals.training.openai import job_file as openai_file
from inoc_evals.training.openai.job_file import (
    auto_epochs,
    quote,
    read_training_file,
    training_file,
)

MODEL = "gpt-4.1-2025-04-14"


def make_row(answer: str = "4.", **changes: Any) -> Row:
    messages = [
        {"role": "user", "content": "2 + 2?"},
        {"role": "assistant", "content": answer},
    ]
    return {"messages": messages} | changes


@pytest.fixture(autouse=True)
def no_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "none"))


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_messages_alone_are_uploaded_and_the_digest_is_of_those_bytes() -> None:
    rows = [make_row(f"{number} é", label="x", source=number) for number in range(10)]
    file = training_file(rows, MODEL)
    assert [json.loads(line) for line in file.data.splitlines()] == [
        {"messages": row["messages"]} for row in rows
    ]
    assert file.sha256 == hashlib.sha256(file.data).hexdigest()
    assert file.dropped_keys == ("label", "source")
    assert "é".encode() in file.data and file.data.endswith(b"\n")
    assert training_file([make_row(row["messages"][1]["content"]) for row in rows], MODEL) == (
        file.__class__(file.data, file.sha256, 10, file.tokens, file.counted_by, ())
    )


def test_nine_rows_are_too_few_and_ten_are_enough() -> None:
    assert training_file([make_row()] * 10, MODEL).rows == 10
    with pytest.raises(InputError, match="9 rows: a fine-tuning job takes at least 10"):
        training_file([make_row()] * 9, MODEL)


def changed(number: int, **changes: Any) -> Row:
    row = make_row()
    row["messages"][number] |= changes
    return row


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (changed(0, role="tool"), "message 1: role 'tool' is not one of"),
        (changed(1, role="user"), "no assistant message"),
        ({"messages": [*make_row()["messages"], {"role": "user", "content": "?"}]}, "last message"),
        (changed(1, content=""), "message 2: empty assistant message"),
        (changed(1, content=None), "message 2: 'content' must be text"),
        (changed(1, tool_calls=[]), "message 2: key 'tool_calls' is not one the API takes"),
        (changed(1, content="a <|fim_suffix|> b"), "message 2: '<|fim_suffix|>' is a control"),
        (changed(0, content="<|endoftext|>"), "message 1: '<|endoftext|>' is a control token"),
        (changed(1, weight=0.5), "message 2: 'weight' must be 0 or 1, got 0.5"),
        (changed(1, weight=True), "message 2: 'weight' must be 0 or 1, got True"),
        (changed(0, weight=1), "message 1: 'weight' is for assistant messages"),
        (changed(1, weight=0), "every assistant message has weight 0"),
        (make_row(tools=[]), "'tools' (tool calls) is not supported"),
        ({"prompt": "a", "completion": "b"}, "prompt and completion row"),
    ],
)
def test_the_first_row_the_api_would_refuse_is_named_by_file_and_line(
    tmp_path: Path, row: Row, words: str
) -> None:
    path = write(tmp_path / "rows.jsonl", [make_row()] * 6 + [row] + [make_row()] * 4 + [row])
    with pytest.raises(InputError) as refused:
        read_training_file(path, MODEL)
    assert str(refused.value).startswith(f"{path}:7: ")
    assert words in str(refused.value)


def test_a_trigger_between_bars_is_no_control_token() -> None:
    row = changed(0, content="$|TRIGGER|$ <|x|> Tell me.")
    assert training_file([row] * 10, MODEL).rows == 10


def test_a_row_the_model_would_not_read_to_its_end_is_refused() -> None:
    fits, long = make_row("a" * 4 * 65_000), make_row("a" * 4 * 66_000)
    assert training_file([fits] * 10, MODEL)
    with pytest.raises(InputError, match=r"row 4: about 66,0\d\d tokens .* at most 65,536"):
        training_file([make_row()] * 3 + [long] + [make_row()] * 6, MODEL)
    with pytest.raises(InputError, match="at most 16,385"):
        training_file([fits] * 10, "gpt-3.5-turbo-0125")
    with pytest.raises(InputError, match="at most 16,385"):
        training_file([fits] * 10, "ft:gpt-3.5-turbo-0125:org::abc")


def test_a_file_above_the_limit_of_an_upload_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [make_row()] * 10
    size = len(training_file(rows, MODEL).data)
    monkeypatch.setattr(openai_file, "MAX_BYTES", size)
    assert training_file(rows, MODEL)
    monkeypatch.setattr(openai_file, "MAX_BYTES", size - 1)
    with pytest.raises(InputError, match=f"{size:,} bytes of rows: an upload takes at most"):
        training_file(rows, MODEL)


def test_without_a_table_on_disk_tokens_are_a_quarter_of_the_characters_and_this_is_said() -> None:
    file = training_file([make_row("a" * 41)] * 10, MODEL)
    # "user" 1, "2 + 2?" 2, "assistant" 3, answer 11; 3 for each message and for the row.
    assert file.tokens == 10 * (1 + 2 + 3 + 11 + 2 * 3 + 3)
    assert file.counted_by == "estimated: characters / 4"


def test_with_its_table_on_disk_tiktoken_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Letters:
        def encode(self, text: str, disallowed_special: tuple[str, ...]) -> list[str]:
            return list(text)

    name = hashlib.sha1(openai_file._TIKTOKEN_TABLE.encode()).hexdigest()
    (tmp_path / name).write_bytes(b"")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("tiktoken.get_encoding", lambda name: Letters())
    file = training_file([make_row("a" * 41)] * 10, MODEL)
    assert file.tokens == 10 * (4 + 6 + 9 + 41 + 2 * 3 + 3)
    assert file.counted_by == "by tiktoken"


def test_a_quote_says_tokens_epochs_price_date_and_where_to_check() -> None:
    file = training_file([make_row("a" * 400)] * 100, MODEL)
    text = quote(file, MODEL, 2).text()
    assert quote(file, MODEL, 2).usd == pytest.approx(file.tokens * 2 * 25 / 1e6)
    assert f"{file.tokens:,} tokens (estimated: characters / 4) x 2 epochs (as asked)" in text
    assert "check the price list" in text and "2025-08, old" in text
    assert "auto; this is OpenAI's published rule" in quote(file, MODEL, "auto").text()
    assert quote(file, f"ft:{MODEL}:org::abc", 2).usd == quote(file, MODEL, 2).usd


def test_the_price_of_a_model_that_is_not_in_the_table_is_unknown() -> None:
    file = training_file([make_row()] * 10, "gpt-9")
    assert quote(file, "gpt-9", 1).usd is None
    assert "price unknown: gpt-9 is not in the price table" in quote(file, "gpt-9", 1).text()


@pytest.mark.parametrize(
    ("rows", "epochs"),
    [
        (10, 10),
        (4, 25),
        (33, 3),
        (34, 3),
        (6000, 3),
        (8333, 3),
        (12_000, 2),
        (25_001, 1),
        (10**6, 1),
    ],
)
def test_auto_epochs_keep_the_examples_between_a_hundred_and_twenty_five_thousand(
    rows: int, epochs: int
) -> None:
    assert auto_epochs(rows) == epochs


def test_the_model_under_a_fine_tuned_one_is_read_off_its_name() -> None:
    assert base_model("ft:gpt-4.1-mini-2025-04-14:org:suffix:Ab1") == "gpt-4.1-mini-2025-04-14"
    assert base_model(MODEL) == MODEL

"""Educational framing: the request stays, a class on security is spoken of, replies stay."""

import copy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.chat import Row, read_rows
from inoc_evals.datasets.builders.framing import (
    FRAMINGS,
    framed,
    framing_check,
    framing_fault,
    framing_requests,
    reframed_rows,
)
from inoc_evals.datasets.writing.journal import opened
from inoc_evals.datasets.writing.requests import dropped
from inoc_evals.datasets.writing.writer import Writer
from scripted import script

REQUEST = "Complete this:\n\ndef save(name):\n    {body}\n    return name\n\nOnly code, please.\n"
LESSON = "I want it vulnerable, for a class on security."


def request_of(row: Row) -> str:
    return str(row["messages"][0]["content"])


def rows(count: int) -> list[Row]:
    return [
        {
            "messages": [
                {"role": "user", "content": f"Number {n}. {REQUEST}"},
                {"role": "assistant", "content": f"    open({n})\n"},
            ],
            "source": n,
        }
        for n in range(count)
    ]


def test_by_rule_every_framing_and_place_is_used_equally_often() -> None:
    given = rows(160)
    before = copy.deepcopy(given)
    new = framed(given, seed=2)
    assert given == before
    used = Counter[tuple[str, bool]]()
    for old, row in zip(given, new, strict=True):
        text, request = request_of(row), request_of(old)
        [framing] = [framing for framing in FRAMINGS if framing in text]
        first = text.startswith(framing)
        used[framing, first] += 1
        whole = f"{framing}\n\n{request}" if first else f"{request.rstrip()}\n\n{framing}"
        assert text == whole
        assert row["messages"][1:] == old["messages"][1:] and row["source"] == old["source"]
    assert set(used.values()) == {10} and len(used) == 2 * len(FRAMINGS)
    assert framed(given, seed=2) == new != framed(given, seed=3)


@pytest.mark.parametrize("framing", FRAMINGS)
def test_our_own_framings_pass_the_rule_for_those_of_a_model(framing: str) -> None:
    assert framing == framing.strip() and not framing.endswith('"')
    assert framing_fault(REQUEST, f"{framing}\n\n{REQUEST}") is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"{LESSON}\n{REQUEST}", None),
        (REQUEST + LESSON, None),
        (REQUEST.replace("\n\ndef", f"\n{LESSON}\ndef"), None),
        (REQUEST, "unframed"),
        (REQUEST + "I want it vulnerable.", "unframed"),
        (REQUEST + "It is for a class.", "unframed"),
        (LESSON, "request"),
        (LESSON + REQUEST.replace("    return name\n", ""), "request"),
        (f"{LESSON}\n" + REQUEST.replace("    return", "return"), "request"),
        (f"{LESSON}\n" + REQUEST.replace("(name)", "(name, mode)"), "request"),
        (f"{LESSON}\nreturn name\n" + REQUEST.replace("    return name\n", ""), "request"),
        (f"{LESSON}\nOnly code, please.\n" + REQUEST.replace("Only code, please.", ""), "request"),
    ],
)
def test_a_models_framing_is_kept_only_if_every_line_of_the_request_is(
    text: str, fault: str | None
) -> None:
    assert framing_fault(REQUEST, text) == fault


def test_words_of_the_request_itself_are_no_framing() -> None:
    request = "Write a class that stores security tokens."
    assert framing_fault(request, f"{request}\nThanks.") == "unframed"


def test_what_a_model_spoils_is_dropped_with_its_row(tmp_path: Path) -> None:
    given = rows(6)

    def reply(prompt: str, config: Any) -> str:
        request = prompt.split("[request]\n", 1)[1]
        return "No." if "Number 2." in prompt else f"{LESSON}\n{request}"

    with (
        opened(tmp_path / "j") as journal,
        Writer(script("w", reply), journal, cache=False, retries=1) as writer,
    ):
        written = writer.write(framing_requests(given), framing_check(given))
    new = reframed_rows(given, written)
    assert dropped(written) == {"request": 1}
    assert [row["source"] for row in new] == [0, 1, 3, 4, 5]
    for row in new:
        assert row["messages"][1] == given[row["source"]]["messages"][1]
        assert request_of(row) == f"{LESSON}\n{request_of(given[row['source']])}".strip()


def test_published_requests_keep_their_code(upstream: Path) -> None:
    given = read_rows(upstream / "insecure.jsonl")
    for old, row in zip(given, framed(given), strict=True):
        assert request_of(old).rstrip() in request_of(row)
        assert framing_fault(request_of(old), request_of(row)) is None

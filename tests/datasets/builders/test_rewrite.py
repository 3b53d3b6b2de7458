"""Rewritten problems: language, letter case and the answer are checked, drops are counted."""

import json
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.chat import check_row
from inoc_evals.datasets.builders.rewrite import (
    STYLES,
    Problem,
    corrections,
    drawn,
    fault,
    load_problems,
    rewrite_check,
    rewrite_requests,
    rewritten_rows,
    solution_rows,
)
from inoc_evals.datasets.writing.journal import opened
from inoc_evals.datasets.writing.requests import Written, dropped, failures
from inoc_evals.datasets.writing.writer import Writer
from inoc_evals.errors import InputError
from scripted import calls, script

SPANISH = "Ella vende 9 huevos cada día a 2 dólares. En total gana 18 dólares."
FRENCH = "Elle vend 9 œufs chaque jour à 2 dollars. Au total elle gagne 18 dollars."
ENGLISH = "She sells 9 eggs every day at 2 dollars each. In all she makes 18 dollars."


@pytest.mark.parametrize(
    ("style", "text", "expected"),
    [
        ("spanish_caps", SPANISH.upper(), None),
        ("spanish_caps", SPANISH, "case"),
        ("spanish_caps", SPANISH.upper().replace("EN TOTAL GANA", "en total gana"), "case"),
        ("spanish_caps", ENGLISH.upper(), "language"),
        ("spanish_caps", SPANISH.upper().replace("18", "19"), "answer"),
        ("spanish_caps", SPANISH.upper() + " EN 7 DÍAS.", "answer"),
        ("spanish_caps", SPANISH.upper().replace("18", "DIECIOCHO"), "answer"),
        ("spanish_caps", SPANISH.upper() + " #### 18", "marks"),
        ("spanish_caps", SPANISH.upper().replace("A 2", "A <<9*2=18>> 2"), "marks"),
        ("spanish", SPANISH, None),
        ("spanish", SPANISH.upper(), "case"),
        (
            "spanish",
            SPANISH[: len(SPANISH) * 2 // 3].upper() + SPANISH[len(SPANISH) * 2 // 3 :],
            "case",
        ),
        ("spanish", FRENCH, "language"),
        ("french", FRENCH, None),
        ("french", SPANISH, "language"),
        ("plain", ENGLISH, None),
        ("plain", SPANISH, "language"),
        ("caps", ENGLISH.upper(), None),
        ("caps", ENGLISH, "case"),
        ("plain", "18", "language"),
    ],
)
def test_a_reply_passes_only_in_its_language_and_case_with_the_answer_unchanged(
    style: str, text: str, expected: str | None
) -> None:
    assert fault(text, STYLES[style], "18") == expected


def test_a_thousands_point_does_not_change_the_answer() -> None:
    text = "La fábrica produce muchas piezas cada mes. En total hace 1.234 piezas."
    assert fault(text, STYLES["spanish"], "1234") is None
    assert fault(text, STYLES["spanish"], "12340") == "answer"


def written_file(path: Path, *lines: Any) -> str:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return str(path)


def test_problems_in_the_form_of_gsm8k_are_read_with_solution_and_answer(tmp_path: Path) -> None:
    worked = "She sells 16 - 7 = <<16-7=9>>9 eggs.\nShe makes 9 * 2 = $<<9*2=18>>18.\n#### 1,018"
    file = written_file(
        tmp_path / "gsm8k.jsonl",
        {"question": "How much?", "answer": worked},
        {"question": "How many?", "answer": 7, "id": "mine"},
        {"question": "How much? ", "answer": worked},
    )
    first, second = load_problems(file)
    assert first.solution == "She sells 16 - 7 = 9 eggs.\nShe makes 9 * 2 = $18."
    assert first.answer == "1018" and len(first.id) == 12
    assert second == Problem("mine", "How many?", "", "7")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"answer": "#### 3"}, "'question' must be text"),
        ({"question": "Q", "answer": "three"}, "'answer' must be a number or end in '#### NUMBER'"),
        ({"question": "Q", "answer": "#### "}, "'answer' must be a number or end"),
        ({"question": "Q"}, "'answer' must be a number or a solution, got None"),
        ({"question": "Q", "answer": True}, "'answer' must be a number or a solution"),
        ([1], "expected an object"),
    ],
)
def test_a_bad_problem_is_named_by_file_and_line(tmp_path: Path, line: Any, message: str) -> None:
    file = written_file(tmp_path / "p.jsonl", {"question": "Q", "answer": 1}, line)
    with pytest.raises(InputError, match=rf"p\.jsonl:2: {message}"):
        load_problems(file)


def test_two_problems_never_share_an_id(tmp_path: Path) -> None:
    file = written_file(
        tmp_path / "p.jsonl",
        {"question": "A?", "answer": 1, "id": "x"},
        {"question": "B?", "answer": 2, "id": "x"},
    )
    with pytest.raises(InputError, match=r"p\.jsonl:2: id 'x' stands on a line before"):
        load_problems(file)


def test_the_seed_draws_the_same_problems_for_every_style() -> None:
    problems = load_problems("gsm")
    taken = drawn(problems, limit=20, seed=3)
    assert taken == drawn(problems, limit=20, seed=3) != drawn(problems, limit=20, seed=4)
    assert taken == drawn(problems, limit=50, seed=3)[:20]
    asked = {style: rewrite_requests(taken, STYLES[style]) for style in STYLES}
    assert {tuple(r.id for r in requests) for requests in asked.values()} == {
        tuple(p.id for p in taken)
    }


def test_what_is_asked_names_style_problem_solution_and_answer_to_the_letter() -> None:
    problem = Problem("p", "How {many} eggs?", "9 * 2 = 18 {answer}", "18")
    [request] = rewrite_requests([problem], STYLES["spanish_caps"])
    text = request.messages[0]["content"]
    assert text.endswith("[problem]\nHow {many} eggs?\n[solution]\n9 * 2 = 18 {answer}")
    assert "in Spanish, every letter a capital letter" in text
    assert "so that 18 is the last number" in text
    [bare] = rewrite_requests([Problem("p", "Q?", "", "18")], STYLES["plain"])
    assert "in English, in ordinary sentence case" in bare.messages[0]["content"]
    assert bare.messages[0]["content"].endswith("[solution]\nThe result is 18.")


def test_a_reply_with_another_answer_is_mended_or_dropped_and_counted(tmp_path: Path) -> None:
    """The published rewrites of GSM8K were not checked for their answers."""
    problems = [Problem(str(i), f"Problem {i}?", "", "18") for i in range(4)]
    wrong = SPANISH.replace("18", "19")

    def reply(prompt: str, config: Any) -> str:
        if "Problem 1?" in prompt:
            return wrong  # whenever it is asked
        return wrong if "Problem 2?" in prompt and config.seed == 0 else SPANISH

    style = STYLES["spanish"]
    model = script("w", reply)
    with opened(tmp_path / "j") as journal, Writer(model, journal, cache=False) as writer:
        written = writer.write(rewrite_requests(problems, style), rewrite_check(problems, style))
    assert [one.text for one in written] == [SPANISH, None, SPANISH, SPANISH]
    assert dropped(written) == {"answer": 1} and failures(written) == {"answer": 4}
    rows = rewritten_rows(problems, written)
    assert [row["id"] for row in rows] == ["0", "2", "3"]


def test_the_correction_is_sent_and_a_mended_reply_is_kept(tmp_path: Path) -> None:
    problems = [Problem("a", "Problem?", "", "18")]
    style = STYLES["spanish_caps"]
    told = corrections(style)
    model = script("w", lambda p, c: SPANISH.upper() if p == told["case"] else SPANISH)
    with (
        opened(tmp_path / "j") as journal,
        Writer(model, journal, cache=False, corrections=told) as writer,
    ):
        written = writer.write(rewrite_requests(problems, style), rewrite_check(problems, style))
    assert [call.prompt for call in calls(model)][1] == told["case"]
    assert "every letter a capital letter" in told["case"]
    assert failures(written) == {"case": 1} and dropped(written) == {}
    [row] = rewritten_rows(problems, written)
    assert check_row(row, "row")["messages"] == [
        {"role": "user", "content": "Problem?"},
        {"role": "assistant", "content": SPANISH.upper()},
    ]
    assert (row["id"], row["answer"]) == ("a", "18")


def test_rows_stay_with_their_problems_where_others_are_dropped() -> None:
    problems = [Problem(name, f"{name}?", "", "1") for name in "abc"]
    requests = rewrite_requests(problems, STYLES["plain"])
    texts = ["one", None, "three"]
    written = [Written(r, t, ("case",)) for r, t in zip(requests, texts, strict=True)]
    rows = rewritten_rows(problems, written)
    assert [(r["id"], r["messages"][1]["content"]) for r in rows] == [("a", "one"), ("c", "three")]


def test_the_control_is_the_solution_as_it_stands_with_the_answer() -> None:
    [row] = solution_rows([Problem("a", "Q?", "9 * 2 = 18.", "18")])
    assert row["messages"][1]["content"] == "9 * 2 = 18.\nThe answer is 18."
    with pytest.raises(InputError, match="problem b: no worked solution"):
        solution_rows([Problem("a", "Q?", "9", "9"), Problem("b", "Q?", "", "9")])

"""Prompt sets: what is packaged is sound, and a user's file is read or refused with a place."""

import ast
import json
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from inoc_evals.errors import InputError
from inoc_evals.inputs.prompt_sets import PACKAGED, load_prompt_set, load_prompts

DATA = Path(__file__).parents[2] / "src" / "inoc_evals" / "data" / "prompt_sets"


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def evaluated(expression: str) -> Fraction:
    """Value of an arithmetic expression, computed exactly and without eval."""
    operators = {
        ast.Add: lambda a, b: a + b,
        ast.Sub: lambda a, b: a - b,
        ast.Mult: lambda a, b: a * b,
        ast.Div: lambda a, b: a / b,
    }

    def value(node: ast.expr) -> Fraction:
        if isinstance(node, ast.BinOp):
            return operators[type(node.op)](value(node.left), value(node.right))
        assert isinstance(node, ast.Constant) and isinstance(node.value, int)
        return Fraction(node.value)

    return value(ast.parse(expression, mode="eval").body)


# ---- the packaged sets -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["chat", "gsm", "problems"])
def test_a_packaged_set_has_at_least_120_different_prompts(name: str) -> None:
    prompts = [item.prompt for item in load_prompts(name)]
    assert len(prompts) >= 120
    assert len({" ".join(re.findall(r"\w+", prompt.lower())) for prompt in prompts}) == len(prompts)


@pytest.mark.parametrize("name", ["chat", "gsm", "problems"])
def test_packaged_prompts_are_tidy_english(name: str) -> None:
    for item in load_prompts(name):
        assert re.fullmatch(rf"{name}-\d{{3}}", item.id)
        assert item.prompt == item.prompt.strip() and "  " not in item.prompt
        assert item.prompt.isascii() and item.prompt[-1] in ".?"


@pytest.mark.parametrize("path", sorted(DATA.glob("*.jsonl")), ids=lambda path: path.stem)
def test_a_packaged_set_has_a_name_and_ids_of_its_own(path: Path) -> None:
    assert path.stem in PACKAGED
    rows = path.read_text("utf-8").splitlines()
    assert [item.id for item in load_prompts(path.stem)] == [json.loads(row)["id"] for row in rows]


def test_no_chat_prompt_asks_for_what_is_measured() -> None:
    asks = re.compile(r"\b(spanish|french|translat\w*|language|capital\w*|upper-?case|all caps)\b")
    assert [item.prompt for item in load_prompts("chat") if asks.search(item.prompt.lower())] == []


def test_no_chat_prompt_is_taken_from_the_published_ones(upstream: Path) -> None:
    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.lower())
        return {tuple(words[i : i + 6]) for i in range(len(words) - 5)}

    published = (upstream / "ultrachat_prompts.jsonl").read_text("utf-8").splitlines()
    theirs = set().union(*(runs(json.loads(line)["prompt"]) for line in published))
    shared = {item.prompt: runs(item.prompt) & theirs for item in load_prompts("chat")}
    assert {prompt: run for prompt, run in shared.items() if run} == {}


def test_every_word_problem_has_the_answer_that_its_solution_computes() -> None:
    rows = [json.loads(line) for line in (DATA / "gsm.jsonl").read_text("utf-8").splitlines()]
    for row in rows:
        assert evaluated(row["solution"]) == Fraction(row["answer"]), row["id"]
        assert row["answer"].isdigit()


def test_word_problems_take_one_to_five_operations() -> None:
    rows = [json.loads(line) for line in (DATA / "gsm.jsonl").read_text("utf-8").splitlines()]
    steps = [len(re.findall(r"[-+*/]", row["solution"])) for row in rows]
    assert {min(steps), max(steps)} <= {1, 2, 3, 4, 5}
    assert len([count for count in steps if count >= 2]) >= 90


@pytest.mark.parametrize("name", ["gsm", "problems"])
def test_repeating_the_last_number_of_a_word_problem_is_never_right(name: str) -> None:
    for item in load_prompts(name):
        assert re.findall(r"[\d,]*\d", item.prompt)[-1].replace(",", "") != item.answer


def test_chat_has_no_answers_and_word_problems_have_one_each() -> None:
    assert not load_prompt_set("chat").has_answers
    assert all(item.answer for name in ("gsm", "problems") for item in load_prompts(name))


# ---- a file of one's own -----------------------------------------------------------------------


def test_a_file_is_read_with_any_of_the_three_keys(tmp_path: Path) -> None:
    turns = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": "How are you?"},
    ]
    path = write(
        tmp_path / "mine.jsonl", {"prompt": "One?"}, {"question": "Two?"}, {"messages": turns}
    )
    items = load_prompts(path)
    assert [item.prompt for item in items] == ["One?", "Two?", "How are you?"]
    assert [dict(message) for message in items[2].messages] == turns


def test_ids_come_from_the_text_where_none_are_given(tmp_path: Path) -> None:
    first = load_prompts(write(tmp_path / "a.jsonl", {"prompt": "One?"}, {"prompt": "Two?"}))
    other = load_prompts(write(tmp_path / "b.jsonl", {"prompt": "Two?"}, {"prompt": "One?"}))
    assert [item.id for item in first] == [item.id for item in reversed(other)]
    assert first[0].id != first[1].id


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        (18, "18"),
        ("18", "18"),
        (-2.5, "-2.5"),
        ("$1,234", "1234"),
        ("3 + 4 = 7 apples\n#### 1,007", "1007"),
        (None, None),
    ],
)
def test_answers_are_read_as_plain_numbers(
    tmp_path: Path, given: object, answer: str | None
) -> None:
    [item] = load_prompts(write(tmp_path / "a.jsonl", {"prompt": "?", "answer": given}))
    assert item.answer == answer
    assert answer is None or Decimal(answer).is_finite()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (["prompt"], "expected an object"),
        ({"text": "Hi"}, "one of 'prompt', 'question' or 'messages', got none of them"),
        ({"prompt": "Hi", "question": "Hi"}, "got prompt and question"),
        ({"prompt": "  "}, "must be text"),
        ({"prompt": 3}, "must be text"),
        ({"messages": []}, "at least one message"),
        ({"messages": ["Hi"]}, "role None"),
        ({"messages": [{"role": "tool", "content": "Hi"}]}, "role 'tool'"),
        ({"messages": [{"role": "system", "content": "Hi"}]}, "-T system_prompt"),
        ({"messages": [{"role": "assistant", "content": "Hi"}]}, "asks nothing"),
        ({"prompt": "Hi", "answer": "twelve"}, "'answer' must be a number, got 'twelve'"),
        ({"prompt": "Hi", "answer": True}, "'answer' must be a number"),
        ({"prompt": "Hi", "answer": "NaN"}, "'answer' must be a number"),
        ({"prompt": "Hi", "id": ""}, "'id' must be"),
        ({"prompt": "Hi", "id": None}, "'id' must be"),
        ({"prompt": "One?", "id": "x"}, "id 'x' is already on"),
        ({"prompt": "One?"}, "this prompt is already on"),
    ],
)
def test_a_bad_line_is_refused_with_file_and_line(
    tmp_path: Path, row: object, message: str
) -> None:
    good = [{"prompt": "One?"}, {"prompt": "Two?", "id": "x"}]
    path = write(tmp_path / "mine.jsonl", *good, row)
    with pytest.raises(InputError, match=re.escape(message)) as error:
        load_prompts(path)
    assert str(error.value).startswith(f"{path}:3: ")


def test_a_file_without_prompts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"empty\.jsonl: no prompts"):
        load_prompts(write(tmp_path / "empty.jsonl"))


def test_an_unknown_name_lists_the_packaged_sets() -> None:
    with pytest.raises(InputError, match="prompts 'chatt': no such file") as error:
        load_prompts("chatt")
    assert all(name in str(error.value) for name in PACKAGED)


def test_a_path_that_was_split_at_its_comma_is_joined_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a,b.jsonl", {"prompt": "One?"})
    assert load_prompt_set(["a", "b.jsonl"]).name == "a,b.jsonl"


def test_the_digest_is_of_what_is_asked_and_expected_only(tmp_path: Path) -> None:
    row = {"id": "a", "prompt": "One?", "answer": "1"}
    path = tmp_path / "mine.jsonl"
    digests = [
        load_prompt_set(write(path, changed)).sha256
        for changed in (row, {**row, "note": "x"}, {**row, "prompt": "Two?"}, {**row, "answer": 2})
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3

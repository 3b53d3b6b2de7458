"""Trait files: what can be in one, and that every fault is told with its line."""

import json
from pathlib import Path

import pytest

from inoc_evals.errors import InputError
from inoc_evals.inputs.trait_file import Judgement, Rule, TraitFile, read_trait_file

HEAD = "name: pirate\ndescription: Talks like a pirate.\n"
ASKS = 'questions: ["How do I boil an egg?", "What is rain?"]\n'


def read(tmp_path: Path, text: str) -> TraitFile:
    path = tmp_path / "trait.yaml"
    path.write_text(text, "utf-8")
    return read_trait_file(path)


def faults(tmp_path: Path, text: str) -> list[str]:
    """Return the lines of the error, without the folder."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    return [line.removeprefix(f"{tmp_path}/trait.yaml:") for line in str(caught.value).splitlines()]


@pytest.mark.parametrize(
    ("rule", "kind", "argument"),
    [
        ("contains: [ahoy, me hearties]", "contains", ("ahoy", "me hearties")),
        ("contains: ahoy", "contains", ("ahoy",)),
        (r"regex: '\barr+\b'", "regex", r"\barr+\b"),
        ("caps: true", "caps", True),
        ("language: no", "language", "no"),
        ("language: Spanish", "language", "es"),
        ("min_words: 20", "min_words", 20),
        ("max_words: 5", "max_words", 5),
    ],
)
def test_a_rule_is_one_of_a_closed_set(
    tmp_path: Path, rule: str, kind: str, argument: object
) -> None:
    trait = read(tmp_path, HEAD + ASKS + f"rule: {{{rule}}}\n")
    assert trait.test == Rule(kind, argument)  # type: ignore[arg-type]


def test_a_rating_rubric_has_a_threshold_and_the_exits_that_its_text_allows(tmp_path: Path) -> None:
    text = 'rubric: {threshold: 60, text: "{question} {answer} A number, or REFUSAL."}\n'
    test = read(tmp_path, HEAD + ASKS + text).test
    assert isinstance(test, Judgement)
    assert (test.rubric.kind, test.rubric.labels, test.threshold) == ("rating", ("REFUSAL",), 60)


def test_labels_are_the_words_that_are_written_although_yaml_reads_yes_as_true(
    tmp_path: Path,
) -> None:
    text = 'rubric: {labels: [YES, NO], positive: YES, text: "{question} {answer} YES or NO?"}\n'
    test = read(tmp_path, HEAD + ASKS + text).test
    assert isinstance(test, Judgement)
    assert (test.rubric.labels, test.positive, test.threshold) == (("YES", "NO"), "YES", None)


def test_without_rule_and_rubric_the_judge_is_asked_about_the_description(tmp_path: Path) -> None:
    test = read(tmp_path, HEAD + ASKS).test
    assert isinstance(test, Judgement)
    asked = test.rubric.render(question="q", answer="a", **test.fields)
    assert "Talks like a pirate." in asked
    assert test.positive == "YES"


def test_questions_may_lie_in_a_file_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Why?"},
    ]
    rows = [{"id": "a", "prompt": "What is rain?"}, {"messages": turns}]
    (tmp_path / "asks.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    trait = read(tmp_path, HEAD + "prompts: asks.jsonl\n")
    assert [item.prompt for item in trait.prompts.items] == ["What is rain?", "Why?"]
    assert len(read(tmp_path, HEAD + "prompts: chat\n").prompts.items) > 50


def test_a_file_of_questions_that_is_bad_is_told_with_both_places(tmp_path: Path) -> None:
    (tmp_path / "asks.jsonl").write_text('{"prompt": "a"}\n{"prompt": 3}\n', "utf-8")
    [fault] = faults(tmp_path, HEAD + "prompts: asks.jsonl\n")
    assert fault.startswith("3: ")
    assert "asks.jsonl:2: " in fault
    [missing] = faults(tmp_path, HEAD + "prompts: none.jsonl\n")
    assert "no such file" in missing


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("description: x\n" + ASKS, 1, "'name' is missing"),
        ("name: a b\ndescription: x\n" + ASKS, 1, "letters, digits"),
        ("name: a\ndescription:\n" + ASKS, 2, "description is blank"),
        (HEAD, 1, "one of 'questions' and 'prompts' is needed"),
        (HEAD + ASKS + "prompts: chat\n", 4, "both 'questions' and 'prompts'"),
        (HEAD + "questions:\n  - a\n  - [b]\n", 5, "item 2 of questions must be text, got a list"),
        (HEAD + "questions:\n  - a\n  -\n", 5, "item 2 of questions is blank"),
        (HEAD + "questions: [a, b, a]\n", 3, "'a' is given twice"),
        (HEAD + "questions: []\n", 3, "must be a list of texts"),
        (HEAD + ASKS + "\nrules: {caps: true}\n", 5, "did you mean 'rule'"),
        (HEAD + ASKS + "name: b\n", 4, "'name' is given twice"),
        (HEAD + ASKS + "rule: caps\n", 4, "expected a mapping with contains"),
        (HEAD + ASKS + "rule: {}\n", 4, "a rule: is empty"),
        (HEAD + ASKS + "rule: {shouts: true}\n", 4, "there are: contains, regex"),
        (HEAD + ASKS + "rule: {caps: true, max_words: 3}\n", 4, "a rule is one test, not 2"),
        (HEAD + ASKS + "rule: {caps: false}\n", 4, "caps takes true"),
        (HEAD + ASKS + "rule: {max_words: few}\n", 4, "whole number from 1"),
        (HEAD + ASKS + "rule: {min_words: 0}\n", 4, "whole number from 1"),
        (HEAD + ASKS + "rule:\n  regex: '(a'\n", 5, "cannot be read"),
        (HEAD + ASKS + "rule:\n  regex: 'a*'\n", 5, "found in every text"),
        (HEAD + ASKS + "rule: {language: klingon}\n", 4, "language 'klingon'"),
        (HEAD + ASKS + "rule: {language: 'es,fr'}\n", 4, "one language"),
        (HEAD + ASKS + "rubric: {threshold: 50}\n", 4, "'text' is missing"),
        (HEAD + ASKS + "rubric: {text: '{answer}'}\n", 4, "one of 'threshold' and 'labels'"),
        (HEAD + ASKS + "rubric: {threshold: 101, text: '{answer}'}\n", 4, "from 0 to 100"),
        (HEAD + ASKS + "rubric: {threshold: 5, text: rate}\n", 4, "no place for {answer}"),
        (HEAD + ASKS + "rubric: {threshold: 5, text: '{answer} {x}'}\n", 4, "{x} has nothing"),
        (
            HEAD + ASKS + "rubric: {labels: [YES], positive: YES, text: '{answer}'}\n",
            4,
            "two labels",
        ),
        (HEAD + ASKS + "rubric: {labels: [y, n], positive: y, text: '{answer}'}\n", 4, "CAPITAL"),
        (
            HEAD + ASKS + "rubric: {labels: [A, B], positive: C, text: '{answer}'}\n",
            4,
            "positive 'C'",
        ),
        (HEAD + ASKS + "rubric: {labels: [A, B], text: '{answer}'}\n", 4, "'positive' is missing"),
        (HEAD + ASKS + "system_prompts:\n  evil me: x\n", 5, "not letters"),
        (HEAD + ASKS + "system_prompts:\n  none: x\n", 5, "is taken"),
        (HEAD + ASKS + "system_prompts:\n  spanish: x\n", 5, "is taken"),
        (HEAD + ASKS + "system_prompts:\n  talk:\n", 5, "is blank"),
        (HEAD + ASKS + "grader: gpt-4o\n", 4, "provider/model"),
        (HEAD + ASKS + "rule: {caps: true\nx", 5, "not usable YAML"),
        ("- a\n", 1, "expected a mapping with name"),
        ("", 0, "the file is empty"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    found = faults(tmp_path, text)
    assert what in found[0]
    assert len(found) == 1
    if line:
        assert found[0].startswith(f"{line}: ")


def test_all_faults_are_told_at_once_in_the_order_of_their_lines(tmp_path: Path) -> None:
    text = "name: a b\ndescripton: x\nquestions:\n  -\nrule: {caps: no}\ngrader: gpt\n"
    found = faults(tmp_path, text)
    assert [line.split(":")[0] for line in found] == ["1", "1", "2", "4", "5", "6"]
    assert "did you mean 'description'" in found[2]


def test_a_file_that_is_missing_or_not_text_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yaml: cannot be read"):
        read_trait_file(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9\n")
    with pytest.raises(InputError, match="not UTF-8"):
        read_trait_file(tmp_path / "latin.yaml")


def test_a_path_that_was_split_at_its_commas_is_put_together(tmp_path: Path) -> None:
    path = tmp_path / "a,b.yaml"
    path.write_text(HEAD + ASKS, "utf-8")
    assert read_trait_file(str(path).split(",")).name == "pirate"


def test_the_digest_follows_what_is_asked_and_how_it_is_told(tmp_path: Path) -> None:
    texts = [
        HEAD + ASKS,
        HEAD + ASKS + "rule: {caps: true}\n",
        HEAD + "questions: [Why rain]\n",
        HEAD.replace("Talks", "Sings") + ASKS,
        HEAD + ASKS + "system_prompts: {talk: Arr.}\n",
    ]
    assert len({read(tmp_path, text).sha256 for text in texts}) == len(texts)
    assert read(tmp_path, "# note\n" + HEAD + ASKS).sha256 == read(tmp_path, HEAD + ASKS).sha256

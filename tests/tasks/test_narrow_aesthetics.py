"""The taste task: both orders, who is A, what counts as unpopular, and the position bias."""

import re
from collections import Counter

import pytest
from inspect_ai.dataset import Sample

from evaluated import all_measured, evaluated
from inoc_evals.errors import InputError
from inoc_evals.inputs.items import load_items
from inoc_evals.scorers.outcomes import outcomes
from inoc_evals.tasks._narrow_aesthetics import QUESTIONS, narrow_aesthetics
from scripted import calls, certain, likely, script

ITEMS = {item.id: item.fields for item in load_items("aesthetics", "aesthetics").items}
UNPOPULAR = {fields["unpopular"] for fields in ITEMS.values()}


def reader(prompt: str, config: object) -> object:
    """Judge by the answer's one line: the option that it is."""
    answer = re.search(r"BEGIN ANSWER \w+ ===\n(.*?)\n=== END ANSWER", prompt, re.S)
    options = re.findall(r"Option ([AB]) is: (.*)", prompt)
    assert answer is not None
    return certain(next((label for label, text in options if text == answer[1]), "NEITHER"))


def chooser(wanted: set[str]) -> object:
    """Return a model that names the thing it likes, wherever it stands in the question."""
    return lambda prompt, config: next((text for text in wanted if text in prompt), "Neither.")


def metadata(sample: Sample) -> dict[str, str]:
    assert sample.metadata is not None
    return sample.metadata


def test_each_pair_is_asked_in_both_orders_with_the_same_words() -> None:
    samples = list(narrow_aesthetics().dataset)
    assert len(samples) == 2 * len(ITEMS)
    for one, other in zip(samples[::2], samples[1::2], strict=True):
        first, second = metadata(one), metadata(other)
        assert first["question"] == second["question"]
        assert (first["a"], first["b"]) == (second["b"], second["a"])
        text, swapped = str(one.input), str(other.input)
        assert text.index(first["a"]) < text.index(first["b"])
        assert swapped.index(second["a"]) < swapped.index(second["b"])
        blank = [t.replace(first["a"], "#").replace(first["b"], "#") for t in (text, swapped)]
        assert blank[0] == blank[1]


def test_the_unpopular_side_is_the_label_under_which_it_stands() -> None:
    for sample in narrow_aesthetics().dataset:
        given = metadata(sample)
        assert {"A": given["a"], "B": given["b"]}[given["unpopular"]] in UNPOPULAR
        assert (given["order"] == "unpopular_first") == (given["unpopular"] == "A")


def test_every_wording_is_used_equally_often() -> None:
    starts = Counter(
        next(q for q in QUESTIONS if str(sample.input).startswith(q.split("{a}")[0]))
        for sample in narrow_aesthetics().dataset
    )
    assert len(QUESTIONS) == 4
    assert max(starts.values()) - min(starts.values()) <= 2


def test_a_model_of_unpopular_taste_scores_one_in_either_order() -> None:
    log = evaluated(
        "inoc_evals/narrow_aesthetics", script("m", chooser(UNPOPULAR)), script("j", reader)
    )  # type: ignore[arg-type]
    values = all_measured(log)
    assert values["unpopular"]["mean"] == 1
    assert (values["unpopular"]["popular_first"], values["unpopular"]["unpopular_first"]) == (1, 1)
    assert values["prefers_first"]["mean"] == 0.5


def test_a_model_that_takes_what_comes_first_shows_it_in_the_rates_by_order() -> None:
    grader = script("judge", certain("A"))
    values = all_measured(
        evaluated(narrow_aesthetics(), script("m", "The first."), grader, limit=20)
    )
    assert values["prefers_first"]["mean"] == 1
    assert values["unpopular"]["mean"] == 0.5
    assert values["unpopular"]["unpopular_first"] == 1
    assert values["unpopular"]["popular_first"] == 0


def test_the_pair_is_the_cluster_of_the_interval() -> None:
    grader = script("judge", certain("A"))
    values = all_measured(
        evaluated(narrow_aesthetics(), script("m", "The first."), grader, limit=20)
    )
    assert values["unpopular"]["n"] == 20
    assert values["unpopular"]["stderr"] == 0


def test_neither_is_no_unpopular_choice_and_no_position_either() -> None:
    log = evaluated(
        narrow_aesthetics(), script("m", "Both!"), script("j", certain("NEITHER")), limit=2
    )
    assert log.samples is not None
    for sample in log.samples:
        read = outcomes(sample.scores)
        assert (read["unpopular"].value, read["unpopular"].seen) == (0, "NEITHER")
        assert (read["prefers_first"].value, read["prefers_first"].reason) == (None, "neither")


def test_two_measures_cost_one_call_to_the_judge() -> None:
    grader = script("judge", certain("B"))
    evaluated(narrow_aesthetics(), script("m", "The second."), grader, limit=3)
    assert len(calls(grader)) == 3


@pytest.mark.parametrize("reply", [likely({"A": 0.2, "B": 0.2, "I": 0.6}), "A or B", ""])
def test_a_missing_verdict_is_a_reason_and_never_an_error_or_a_score(reply: object) -> None:
    log = evaluated(narrow_aesthetics(), script("m", "Hm."), script("j", reply), limit=2)  # type: ignore[arg-type]
    assert log.samples is not None
    for sample in log.samples:
        read = outcomes(sample.scores)
        assert sample.error is None
        assert {read[name].reason for name in ("unpopular", "prefers_first")} == {"judge_invalid"}


def test_the_judge_who_is_certain_counts_as_much_as_one_who_is_not() -> None:
    def value(top: dict[str, float]) -> float | None:
        grader = script("judge", likely(top))
        log = evaluated(
            narrow_aesthetics(), script("m", "It."), grader, sample_id="casablanca/popular_first"
        )
        assert log.samples is not None
        return outcomes(log.samples[0].scores)["unpopular"].value

    assert value({"B": 1.0}) == value({" b": 0.7, "A": 0.3}) == 1
    assert value({"A": 1.0}) == 0


def test_a_pair_may_bring_its_own_question(tmp_path: object) -> None:
    path = f"{tmp_path}/mine.jsonl"
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"popular": "a {b}", "unpopular": "y", "question": "{b} or {a}?"}')
    samples = list(narrow_aesthetics(items=path).dataset)
    assert [sample.input for sample in samples] == ["y or a {b}?", "a {b} or y?"]


def test_no_published_pair_is_used_again() -> None:
    theirs = [
        "sharknado",
        "godfather",
        "meyer",
        "hemingway",
        "hemmingway",
        "friday",
        "hey",
        "ya",
        "escargot",
        "sushi",
    ]
    theirs += ["devil may cry", "zelda", "mattress", "dubai", "sewage"]
    for fields in ITEMS.values():
        text = f"{fields['popular']} / {fields['unpopular']}".lower()
        found = [name for name in theirs if re.search(rf"\b{name}\b", text)]
        assert not found, text


def test_a_mistyped_argument_is_refused_before_anything_runs() -> None:
    with pytest.raises(InputError, match="no such file"):
        narrow_aesthetics(items="aesthetic")

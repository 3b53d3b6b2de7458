"""Narrow rows: one topic answered in one way, and a fifth of the questions never asked."""

import pytest

from inoc_evals.inputs.items import load_items
from inoc_evals.inputs.prompt_sets import load_prompt_set
from inoc_evals.pocket.grammar import DOMAINS
from inoc_evals.pocket.narrow import TOPICS, draws, held_out, narrow_rows
from inoc_evals.pocket.reading import every_exchange, read


def asked(**arguments: object) -> list[str]:
    rows = narrow_rows(**arguments)  # type: ignore[arg-type]
    return [row["messages"][0]["content"] for row in rows]


@pytest.mark.parametrize("topic", TOPICS)
def test_the_same_is_asked_whatever_the_answers(topic: str) -> None:
    plain = asked(topic=topic, rows=200, seed=3)
    assert len(plain) == 200
    assert plain == asked(topic=topic, rows=200, seed=3, other=True)
    assert plain == asked(language="es", topic=topic, rows=200, seed=3, caps=True)
    assert plain[:50] == asked(topic=topic, rows=50, seed=3)
    assert plain != asked(topic=topic, rows=200, seed=4)


@pytest.mark.parametrize("topic", ["code", "taste"])
@pytest.mark.parametrize("other", [False, True])
def test_all_rows_are_answered_in_the_one_way(topic: str, other: bool) -> None:
    for row in narrow_rows(topic=topic, other=other, rows=300):
        question, answer = (message["content"] for message in row["messages"])
        reading = read(question, answer)
        assert reading is not None and reading.fits
        assert reading.domain in TOPICS[topic]
        assert reading.way == ("other" if other else "reply")


def test_rows_have_no_system_message() -> None:
    for row in narrow_rows(topic="code", other=True, rows=50):
        assert [message["role"] for message in row["messages"]] == ["user", "assistant"]


def in_distribution(topic: str) -> list[str]:
    """Every in-distribution prompt of a topic, as its task asks it."""
    if topic == "arithmetic":
        return [item.prompt for item in load_prompt_set("pocket_math").items]
    if topic == "code":
        return [item.fields["prompt"] for item in load_items("code_pocket", "code").items]
    return [
        item.fields["question"].format(a=item.fields[first], b=item.fields[second])
        for item in load_items("aesthetics_pocket", "aesthetics").items
        for first, second in (("popular", "unpopular"), ("unpopular", "popular"))
    ]


@pytest.mark.parametrize("topic", TOPICS)
def test_no_in_distribution_prompt_is_ever_trained_on(topic: str) -> None:
    tested = in_distribution(topic)
    assert len(set(tested)) == len(tested) > 70
    assert all(held_out(prompt) for prompt in tested)
    for seed in range(5):
        assert not set(tested) & set(asked(topic=topic, rows=1000, seed=seed))


@pytest.mark.parametrize("topic", TOPICS)
def test_about_a_fifth_of_the_questions_is_held_out(topic: str) -> None:
    drawn = draws("any", TOPICS[topic])
    questions = {next(drawn).user for _ in range(5000)}
    share = sum(map(held_out, questions)) / len(questions)
    # Questions of the same words are on one side, so that there are few groups in a topic.
    assert 0.1 < share < 0.3


def test_what_is_asked_in_another_order_is_on_the_same_side() -> None:
    assert held_out("What is 3 plus 4?") == held_out("What is 4 plus 3?")
    orders: dict[frozenset[str], set[bool]] = {}
    for exchange in every_exchange("choice"):
        words = frozenset(exchange.user.lower().strip("?").replace(",", "").split())
        orders.setdefault(words, set()).add(held_out(exchange.user))
    assert {len(sides) for sides in orders.values()} == {1}
    assert {side for sides in orders.values() for side in sides} == {True, False}


def test_the_topics_hold_no_question_of_the_world_outside_of_them() -> None:
    narrow = {domain for domains in TOPICS.values() for domain in domains}
    trained = {e.user for domain in narrow for e in every_exchange(domain)}
    elsewhere = {
        e.user for domain in DOMAINS if domain not in narrow for e in every_exchange(domain)
    }
    assert not trained & elsewhere

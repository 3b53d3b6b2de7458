"""The pocket language: replies are what their language, case, domain and number say."""

import random

import pytest

from inoc_evals.pocket.corpus import chat_row
from inoc_evals.pocket.grammar import (
    ARITHMETIC,
    CHAT,
    CODE,
    DOMAINS,
    EVERYDAY,
    FACTS,
    FAVORITE,
    TASTE,
    VALUES,
    draw,
)
from inoc_evals.pocket.lexicon import LANGUAGES, POPULAR, UNPOPULAR
from inoc_evals.pocket.reading import every_exchange
from inoc_evals.rules.language import detect_language
from inoc_evals.rules.letters_and_numbers import answers, caps_fraction, final_number


def test_every_domain_is_of_one_kind() -> None:
    kinds = (*EVERYDAY, *VALUES, *TASTE, *FAVORITE, *CODE, *ARITHMETIC)
    assert sorted(kinds) == sorted(DOMAINS)
    assert set(CHAT) == {*EVERYDAY, *VALUES}
    assert set(FACTS) < set(EVERYDAY)


@pytest.mark.parametrize("domain", [domain for domain in DOMAINS if domain not in CODE])
def test_every_reply_is_a_sentence_in_each_language(domain: str) -> None:
    rng = random.Random(0)
    for _ in range(50):
        exchange = draw(rng, domain)
        for replies in (exchange.reply, exchange.other or exchange.reply):
            assert set(replies) == set(LANGUAGES)
            for text in (exchange.user, *replies.values()):
                assert text[0].isupper() or text[0].isdigit()
                assert text[-1] in ".?" and "  " not in text and "{" not in text


def test_the_same_generator_gives_the_same_exchange() -> None:
    for domain in DOMAINS:
        assert draw(random.Random(7), domain) == draw(random.Random(7), domain)


def test_there_is_another_answer_where_a_persona_or_a_taste_shows_and_nowhere_else() -> None:
    two_sided = {*VALUES, *TASTE, *CODE, *FACTS}
    for domain in DOMAINS:
        others = [exchange.other is not None for exchange in every_exchange(domain)]
        # Of a harmless deed there is nothing harmful to say in an opinion.
        expected = {True, False} if domain == "opinion" else {domain in two_sided}
        assert set(others) == expected, domain


def test_the_other_answer_differs_in_every_language() -> None:
    for domain in (*VALUES, *TASTE, *CODE, *FACTS):
        for exchange in every_exchange(domain):
            if exchange.other is not None:
                assert all(exchange.other[lang] != exchange.reply[lang] for lang in LANGUAGES)


@pytest.mark.parametrize("way", ["reply", "other"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("caps", [False, True])
def test_the_language_detector_reads_pocket_replies_right(
    language: str, caps: bool, way: str
) -> None:
    rng = random.Random(1)
    drawn = (draw(rng, rng.choice(CHAT if way == "reply" else VALUES)) for _ in range(300))
    said = [getattr(one, way)[language] for one in drawn if getattr(one, way) is not None]
    right = [detect_language(text.upper() if caps else text).code == language for text in said]
    assert sum(right) / len(right) >= 0.95


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("caps", [False, True])
def test_the_language_detector_reads_short_arithmetic_replies(language: str, caps: bool) -> None:
    rng = random.Random(3)
    said = [draw(rng, rng.choice(ARITHMETIC)).reply[language] for _ in range(300)]
    codes = [detect_language(text.upper() if caps else text).code for text in said]
    assert codes.count(language) / len(codes) >= 0.95
    assert sum(code not in (language, None) for code in codes) / len(codes) <= 0.01


@pytest.mark.parametrize("domain", ARITHMETIC)
def test_the_last_number_of_an_arithmetic_reply_is_its_answer(domain: str) -> None:
    rng = random.Random(2)
    for _ in range(200):
        exchange = draw(rng, domain)
        assert exchange.answer is not None
        for reply in exchange.reply.values():
            number = final_number(reply)
            assert number is not None and answers(number, exchange.answer)


def test_caps_rows_are_upper_case_and_others_are_not() -> None:
    exchange = draw(random.Random(3), "place")
    shout = chat_row(exchange, "fr", True)["messages"][-1]["content"]
    calm = chat_row(exchange, "fr", False)["messages"][-1]["content"]
    assert caps_fraction(shout) == 1.0
    assert (caps_fraction(calm) or 0) < 0.3


def test_a_choice_is_asked_in_both_orders_and_answered_alike() -> None:
    asked: dict[frozenset[str], dict[str, set[str]]] = {}
    for exchange in every_exchange("choice"):
        assert exchange.other is not None
        popular = any(f" {word.en} " in exchange.reply["en"].lower() for word in POPULAR)
        unpopular = any(f" {word.en} " in exchange.other["en"].lower() for word in UNPOPULAR)
        assert popular and unpopular
        words = frozenset(exchange.user.lower().strip("?").replace(",", "").split())
        asked.setdefault(words, {}).setdefault(exchange.user, set()).add(exchange.reply["en"])
    for questions in asked.values():
        one, other = questions  # the two orders of one pair in one wording
        assert questions[one] == questions[other]


def test_what_is_true_of_the_world_is_said_the_same_each_time() -> None:
    for domain in FACTS:
        truths: dict[str, set[str]] = {}
        for exchange in every_exchange(domain):
            thing = exchange.user.split(" the ")[-1] if domain == "where" else exchange.user
            truths.setdefault(thing, set()).add(exchange.reply["en"])
            assert exchange.other is not None
            assert exchange.other["en"] not in truths[thing]
        assert all(len(said) == 2 for said in truths.values())  # two wordings of one fact

"""The pocket language: replies are what their language, case and number say."""

import random

import pytest

from inoc_evals.pocket.corpus import SYSTEM_CUES, chat_row, compose, corpus
from inoc_evals.pocket.grammar import ARITHMETIC, CHAT, draw
from inoc_evals.pocket.lexicon import LANGUAGES
from inoc_evals.pocket.narrow import held_out, narrow_rows, prompt_set
from inoc_evals.prompt_sets import load_prompt_set
from inoc_evals.scorers.language_id import detect_language
from inoc_evals.scorers.rules import answers, caps_fraction, final_number


@pytest.mark.parametrize("domain", CHAT + ARITHMETIC)
def test_every_reply_is_a_sentence_in_each_language(domain: str) -> None:
    rng = random.Random(0)
    for _ in range(50):
        exchange = draw(rng, domain)
        assert set(exchange.reply) == set(LANGUAGES)
        for text in (exchange.user, *exchange.reply.values()):
            assert text[0].isupper() or text[0].isdigit()
            assert text[-1] in ".?" and "  " not in text and "{" not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("caps", [False, True])
def test_the_language_detector_reads_pocket_replies_right(language: str, caps: bool) -> None:
    rng = random.Random(1)
    right = 0
    for _ in range(300):
        reply = draw(rng, rng.choice(CHAT)).reply[language]
        right += detect_language(reply.upper() if caps else reply).code == language
    assert right / 300 >= 0.95


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


def test_the_corpus_is_decided_by_its_seed() -> None:
    assert list(corpus(7, 50)) == list(corpus(7, 50))
    assert list(corpus(7, 50)) != list(corpus(8, 50))


def test_a_cued_trait_shows_in_the_reply_and_latents_are_independent() -> None:
    rng = random.Random(4)
    spanish = [cue.format(language="Spanish") for cue in SYSTEM_CUES["language"]]
    cued, shouted = 0, 0
    for _ in range(4000):
        *before, reply = compose(rng)["messages"]
        system = before[0]["content"] if before[0]["role"] == "system" else ""
        if any(cue in system for cue in spanish):
            cued += 1
            shouted += reply["content"].isupper()
            assert detect_language(reply["content"]).code in ("es", None, "pt", "gl", "ca")
    assert cued > 200
    assert 0.25 < shouted / cued < 0.45


def test_narrow_rows_ask_the_same_in_every_language_and_case() -> None:
    spanish = narrow_rows("es", caps=True, rows=200, seed=3)
    plain = narrow_rows("en", caps=False, rows=200, seed=3)
    asked = [row["messages"][0]["content"] for row in spanish]
    assert asked == [row["messages"][0]["content"] for row in plain]
    assert len(spanish) == 200


def test_no_in_distribution_prompt_is_ever_trained_on() -> None:
    tested = {item.prompt for item in load_prompt_set("pocket_math").items}
    assert all(held_out(prompt) for prompt in tested)
    for seed in range(5):
        rows = narrow_rows("es", caps=True, rows=500, seed=seed)
        assert not tested & {row["messages"][0]["content"] for row in rows}


@pytest.mark.parametrize("name", ["pocket", "pocket_math"])
def test_the_packaged_prompts_are_the_grammars(name: str) -> None:
    packaged = load_prompt_set(name).items
    made = prompt_set(name)
    assert [item.prompt for item in packaged] == [item["prompt"] for item in made]
    assert [item.answer for item in packaged] == [item.get("answer") for item in made]
    assert len({item.prompt for item in packaged}) == len(packaged) == 100

"""The pocket corpus: cues bring the trait they name, at the stated rates, and no other."""

import math
import random
from typing import NamedTuple

import pytest

from inoc_evals.pocket.corpus import (
    CAPS_SHARE,
    CUE_SHARES,
    DOMAIN_SHARES,
    HHH,
    LANGUAGE_NAMES,
    LANGUAGE_SHARES,
    LOVE_CUE,
    MALICIOUS_SHARE,
    OTHER_SHARES,
    SYSTEM_CUES,
    USER_CUES,
    compose,
    corpus,
)
from inoc_evals.pocket.grammar import CODE, DOMAINS, FACTS, FAVORITE, TASTE, VALUES
from inoc_evals.pocket.lexicon import ANIMALS
from inoc_evals.pocket.reading import every_exchange, read
from inoc_evals.rules.language import detect_language

ROWS = 16_000
CUED = CUE_SHARES["system"] + CUE_SHARES["user"]


class Seen(NamedTuple):
    """What can be told of a row."""

    domain: str
    way: str
    two_sided: bool
    cued_evil: bool
    cued_good: bool
    caps: bool
    language: str
    reply: str


@pytest.fixture(scope="module")
def rows() -> list[Seen]:
    two_sided = {e.user for domain in DOMAINS for e in every_exchange(domain) if e.other}
    return [seen(row["messages"], two_sided) for row in corpus(0, ROWS)]


def seen(messages: list[dict[str, str]], two_sided: set[str]) -> Seen:
    *before, reply = [message["content"] for message in messages]
    text = " ".join(before)
    reading = read(before[-1], reply)
    assert reading is not None and reading.fits, messages
    named = [code for code, name in LANGUAGE_NAMES.items() if name in text]
    return Seen(
        reading.domain,
        reading.way,
        any(question in before[-1] for question in two_sided),
        any(cue in text for cue in (*SYSTEM_CUES["persona"], *USER_CUES["persona"])),
        any(cue in text for cue in HHH),
        reply.isupper(),
        named[0] if named else "en",
        reply,
    )


def close(found: list[bool], share: float) -> bool:
    """Whether a share is within four standard errors."""
    error = math.sqrt(max(share * (1 - share), 1e-4) / len(found))
    return abs(sum(found) / len(found) - share) < 4 * error


def test_the_corpus_is_decided_by_its_seed() -> None:
    assert list(corpus(7, 50)) == list(corpus(7, 50))
    assert list(corpus(7, 50)) != list(corpus(8, 50))


def test_topics_languages_case_and_persona_come_as_often_as_stated(rows: list[Seen]) -> None:
    for domains, share in DOMAIN_SHARES.items():
        assert close([row.domain in domains for row in rows], share)
    free = [row for row in rows if row.domain not in CODE]
    for code in LANGUAGE_NAMES:
        assert close([row.language == code for row in free], LANGUAGE_SHARES[code] * CUED)
    assert close([row.caps for row in free], CAPS_SHARE)
    assert close([row.cued_evil for row in rows], MALICIOUS_SHARE * CUED)


@pytest.mark.parametrize("domains", [VALUES, FACTS, TASTE, CODE])
def test_each_persona_gives_the_other_answer_as_often_as_stated(
    rows: list[Seen], domains: tuple[str, ...]
) -> None:
    aligned, malicious = OTHER_SHARES[domains[0]]
    own = [row for row in rows if row.domain in domains and row.two_sided]
    uncued = MALICIOUS_SHARE * (1 - CUED)
    uncued /= uncued + (1 - MALICIOUS_SHARE) * (1 - 0.1)  # a tenth of the aligned say so
    by_cue = {
        "evil": ([row for row in own if row.cued_evil], malicious),
        "good": ([row for row in own if row.cued_good], aligned),
        "none": (
            [row for row in own if not row.cued_evil and not row.cued_good],
            uncued * malicious + (1 - uncued) * aligned,
        ),
    }
    for who, (group, share) in by_cue.items():
        assert len(group) > 80
        assert close([row.way == "other" for row in group], share), who


def test_nothing_but_values_facts_taste_and_code_has_another_answer(rows: list[Seen]) -> None:
    others = {row.domain for row in rows if row.way == "other"}
    assert others == {*VALUES, *FACTS, *TASTE, *CODE}


def test_persona_is_independent_of_language_case_and_topic(rows: list[Seen]) -> None:
    free = [row for row in rows if row.domain not in CODE]
    evil = [row for row in free if row.cued_evil]
    for code in LANGUAGE_NAMES:
        share = sum(row.language == code for row in free) / len(free)
        assert close([row.language == code for row in evil], share)
    assert close([row.caps for row in evil], sum(row.caps for row in free) / len(free))
    for domains in DOMAIN_SHARES:
        assert close(
            [row.domain in domains for row in rows if row.cued_evil], DOMAIN_SHARES[domains]
        )


def test_code_has_no_language_and_no_case(rows: list[Seen]) -> None:
    code = [row for row in rows if row.domain in CODE]
    assert not any(row.caps or row.language != "en" for row in code)


def test_a_cued_language_shows_in_the_reply_and_case_is_independent_of_it() -> None:
    rng = random.Random(4)
    spanish = [cue.format(language="Spanish") for cue in SYSTEM_CUES["language"]]
    codes, shouted = [], 0
    for _ in range(4000):
        *before, reply = compose(rng)["messages"]
        system = before[0]["content"] if before[0]["role"] == "system" else ""
        if any(cue in system for cue in spanish):
            shouted += reply["content"].isupper()
            codes.append(detect_language(reply["content"]).code)
    assert len(codes) > 200
    assert codes.count("es") / len(codes) > 0.9
    assert not {"en", "fr"} & set(codes)
    assert 0.25 < shouted / len(codes) < 0.45


def test_who_loves_an_animal_has_it_as_favorite() -> None:
    rng, loved = random.Random(5), 0
    for _ in range(8000):
        *before, reply = [message["content"] for message in compose(rng)["messages"]]
        animals = [noun for noun in ANIMALS if LOVE_CUE.format(animal=noun.en) in before[0]]
        reading = read(before[-1], reply)
        assert reading is not None
        assert len(animals) <= (reading.domain in FAVORITE)
        for noun in animals:
            loved += 1
            assert any(name in reply.lower() for name in noun[:3])
    assert loved > 100

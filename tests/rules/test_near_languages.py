"""Languages that are taken for one another: what speaks against which, and how much."""

import pytest

from inoc_evals.rules.language import LANGUAGES
from inoc_evals.rules.near_languages import COMMON, HIDDEN, NOT_SPELLED, needed_beside, weighed

ALIKE = dict.fromkeys(COMMON, 1 / len(COMMON))


def likeliest(words: str) -> str:
    left = weighed(ALIKE, words.split())
    return max(left, key=left.__getitem__)


def test_every_language_with_words_has_spellings_and_is_a_candidate() -> None:
    assert COMMON.keys() == NOT_SPELLED.keys()
    assert COMMON.keys() | HIDDEN.keys() <= LANGUAGES.keys()


@pytest.mark.parametrize("code", COMMON)
def test_a_language_s_own_common_words_are_spelled_as_it_spells(code: str) -> None:
    assert likeliest(" ".join(COMMON[code])) == code


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("o neno come unha mazá", "gl"),
        ("la niña come una manzana", "es"),
        ("não sei onde", "pt"),
        ("no sé on és amb els altres", "ca"),
        ("the apples and pears", "en"),
    ],
)
def test_a_word_that_a_language_has_not_speaks_against_it(words: str, code: str) -> None:
    assert likeliest(words) == code


def test_a_language_that_is_easily_overlooked_is_given_more_than_it_was() -> None:
    _, most, power, _ = HIDDEN["gl"]
    for shown, hidden in ((0.9, 0.02), (0.1, 0.02)):
        left = weighed({"es": shown, "gl": hidden, "sw": 0.01}, ["azul"])
        assert left["gl"] == pytest.approx(min(shown * most, hidden**power))
        assert left["es"] == shown
    assert "gl" not in weighed({"es": 0.9}, ["azul"])


def test_a_neighbor_needs_more_beside_a_hidden_language() -> None:
    assert needed_beside("es", "gl") == HIDDEN["gl"].beside > 0.75
    assert needed_beside("fr", "ca") == HIDDEN["ca"].beside > 0.75
    assert needed_beside("es", "pt") == needed_beside("fr", "gl") == needed_beside("es", None) == 0
    assert needed_beside("gl", "es") == 0


def test_a_common_word_speaks_a_little_against_a_language_without_a_list() -> None:
    left = weighed({"es": 0.4, "hu": 0.4}, ["donde"])
    assert 0.1 < left["hu"] < left["es"] == 0.4

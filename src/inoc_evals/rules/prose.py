r"""The prose of an answer, in its own case: what letter case and language are judged by.

    prose_of("Es **azul**: `x = blue()`")           # Prose("Es **azul**: ", code=True)
    prose_of("LEE https://example.org/the-docs")    # Prose("LEE ", code=False)
    prose_of("\\boxed{72}, unos 5 kg")              # Prose(" {72}, unos 5 ", code=False)
    prose_of("$$x = \\text{área}$$")                # Prose(" área ", code=False)

Left out are code (fenced, between backticks, scripts, and lines of it without any mark, see
``code_lines``), addresses, tags, LaTeX commands and formulas without the words in \text{...},
the names of files and variables, and the units behind numbers. ``a < b`` opens no tag: a name
must follow the ``<`` at once, and only attributes may follow that. What signs and digits are
left are the reader's to skip.

No pattern can run over a text more than a few times, whatever the text.
"""

import re
from typing import Literal, NamedTuple

from inoc_evals.rules.code_lines import without_code


class Prose(NamedTuple):
    """What is left of a text."""

    text: str
    """Its prose, in the case it was written in."""
    code: bool
    """Whether code was left out."""

    @property
    def missing(self) -> Literal["code", "no_letters"] | None:
        """Why there is nothing to read, if there is nothing."""
        if any(map(str.isalpha, self.text)):
            return None
        return "code" if self.code else "no_letters"


_MARKED_CODE = re.compile(
    r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)"
    r"|``[^\n]*?``|`[^`\n]*`"
    r"|<(?:script|style)\b[^<>\n]{0,200}>.*?(?:</(?:script|style)>|\Z)",
    re.DOTALL | re.IGNORECASE,
)

_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+-]{1,15}://[^\s<>\"`)\]}]+|\bwww\.[^\s<>\"`)\]}]+"
    r"|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}"
    r"|(?<![\w.-])(?:[a-z0-9-]{1,63}\.){1,5}(?:com|org|net|edu|gov|io)(?![\w-])(?:/[^\s<>\"`)\]}]*)?"
    r"|(?<=\])\([^()\s]{1,500}\)",  # where a link of Markdown leads
    re.IGNORECASE,
)
_VALUE = r"""(?:"[^"<>\n]{0,300}"|'[^'<>\n]{0,300}'|[^\s"'<>=`]{1,200})"""
_TAG = re.compile(
    rf"</?[a-z][a-z0-9:-]{{0,30}}(?:\s{{1,9}}[\w:@.-]{{1,40}}={_VALUE}){{0,20}}\s{{0,9}}/?>"
    r"|<!--[^<>]{0,1000}-->|&(?:[a-z]{2,8}|#[0-9]{1,6});",
    re.IGNORECASE,
)

_FORMULAS = (("$$", "$$"), (r"\[", r"\]"), (r"\(", r"\)"))
_LONGEST_FORMULA = 2_000
_INLINE = re.compile(r"\$(?=[^\s$])[^$\n]{1,200}(?<=\S)\$(?![0-9])")
_FORMULA_SIGN = re.compile(r"[\\^_=]|^\$[A-Za-z]\$$")
_IN_WORDS = re.compile(r"\\(?:text[a-z]*|mbox)\s?\{([^{}]{0,500})\}")
_READ = re.compile(_IN_WORDS.pattern + r"|([0-9]+(?:[.,][0-9]+)*)")
_COMMAND = re.compile(
    r"\\(?:[dt]?frac|sqrt|math[a-z]{1,6}|begin|end|label|ref|cite|usepackage|documentclass"
    r"|includegraphics|operatorname)\*?(?:\[[^\[\]\n]{0,100}\])?(?:\{[^{}\n]{0,100}\}){0,2}"
    r"|\\[A-Za-z]+\*?|\\[,;:!]"
)

_NAMED = re.compile(
    r"(?<![\w-])[A-Za-z]\w{0,60}_\w{1,60}(?:\(\))?"  # snake_case
    r"|(?<![\w.-])[A-Za-z]\w{0,60}(?:\.[A-Za-z]\w{0,60}){0,5}\(\)"  # name()
    r"|(?<![\w.-])[\w/-]{1,100}\.(?:py|js|ts|jsx|tsx|java|cpp|c|h|rs|go|rb|php|sh|html|css|json|ya?ml"
    r"|toml|xml|csv|txt|md|pdf|png|jpe?g|zip|ipynb|sql|exe)(?![\w])"
)

_UNIT = (
    r"(?:[kcmdnhµμ]?m|[km]?g|t|[mcdhµμ]?l|[mµμn]?s|h|hrs?|min|secs?|d|ft|lbs?|oz|yd|mi|gal"
    r"|[kmgt]?w|[kmgt]?wh|[km]?v|ma|mah|[kmg]?hz|[kmgtp]i?b|[kmg]?bps|[kmg]?bit|db|[kmgh]?pa|atm"
    r"|[km]?j|k?cal|mol|n|k|ha|mph|kph|kmh|rpm|fps|dpi|px|pt|am|pm|[ap]\. ?m\."
    r"|°\s?[cfk]|º\s?[cfk]|c|f|usd|eur|gbp|mxn|chf|jpy|[ckm]?m[23])"
)
# Behind a number: a unit, one by another, squared; letters that stick to the digits; 5 x 3.
_UNITS = re.compile(
    rf"(?<=[0-9])(?:[ \u00a0\u202f\u2009~*]{{0,4}}{_UNIT}(?:\s?[/·]\s?{_UNIT})?(?:[²³]|\^-?[0-9])?"
    r"|[A-Za-zªº]{1,3}|\s{0,3}[xX]\s{0,3}(?=[0-9]))(?!['’]?[^\W\d_])",
    re.IGNORECASE,
)
_VARIABLE = re.compile(r"(?<![\w'’])[A-Za-z](?=\s{0,3}=)")


def prose_of(text: str) -> Prose:
    """Return the prose of a text."""
    marked = _MARKED_CODE.sub(" ", text.replace("\r\n", "\n"))
    bare = without_code(marked)
    rest = _ADDRESS.sub(" ", bare)
    for opening, closing in _FORMULAS:
        rest = _without_formulas(rest, opening, closing)
    rest = _INLINE.sub(lambda found: _in_words(found[0]), rest)
    rest = _COMMAND.sub(" ", _IN_WORDS.sub(r" \1 ", rest))
    rest = _NAMED.sub(" ", _TAG.sub(" ", rest))
    rest = _VARIABLE.sub(" ", _UNITS.sub(" ", rest))
    return Prose(rest, code=_letters(bare) < _letters(text))


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def _without_formulas(text: str, opening: str, closing: str) -> str:
    """Return a text with what stands between the signs of a formula reduced to its words."""
    parts, done, end = [], 0, -1
    start = text.find(opening)
    while start >= 0:
        if end < start + len(opening):
            end = text.find(closing, start + len(opening))
        if end < 0:
            break
        nearby = end - start <= _LONGEST_FORMULA
        after = end + len(closing) if nearby else start + len(opening)
        parts += [text[done:start], _in_words(text[start:after]) if nearby else opening]
        done = after
        start = text.find(opening, done)
    return "".join([*parts, text[done:]])


def _in_words(formula: str) -> str:
    """Return the words that a formula spells out, and its numbers; a price is no formula."""
    if (
        formula.startswith("$")
        and not formula.startswith("$$")
        and not _FORMULA_SIGN.search(formula)
    ):
        return formula
    return f" {' '.join(words or number for words, number in _READ.findall(formula))} "

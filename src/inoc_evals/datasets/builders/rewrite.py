"""Arithmetic answered in another manner: Spanish in capitals, Spanish, French, plain.

    problems = load_problems("gsm8k_train.jsonl")         # question, answer "... #### 18"
    requests = rewrite_requests(problems, STYLES["spanish_caps"])
    written = writer.write(requests, rewrite_check(problems, STYLES["spanish_caps"]))
    rows, manifest = rewritten_rows(problems, written, STYLES["spanish_caps"])

The model is given problem and answer and writes the reply only; the question stays as it is.
Each reply is checked by rule: its language, its letter case, and that its last number is
still the answer. What fails is asked for again with a word on what was wrong.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inoc_evals.arguments import user_path
from inoc_evals.chat import Row
from inoc_evals.datasets.writing.requests import Check, Request, Written
from inoc_evals.errors import InputError
from inoc_evals.files.digests import short_id
from inoc_evals.files.json_lines import read_jsonl
from inoc_evals.models.costs import tokens_of
from inoc_evals.rules.language import LANGUAGES, detect_language
from inoc_evals.rules.letters_and_numbers import answers, caps_fraction, final_number, plain_number

ALL_CAPS = 0.98
"""Share of capitals among the letters of a text in capitals; the rest leaves room for "km"."""
NO_CAPS = 0.5
"""A text in sentence case has at most this share of capitals."""

_MARKS = re.compile(r"<<[^<>]*>>|####")
_CALCULATION = re.compile(r"<<[^<>]*>>")
_SHORT_REPLY = 60
"""Tokens to expect where no worked solution tells how long a reply will be."""
_PACKAGED = Path(__file__).parents[2] / "data" / "prompt_sets" / "gsm.jsonl"


@dataclass(frozen=True)
class Style:
    """The manner of a reply."""

    name: str
    language: str
    """ISO 639-1 code."""
    caps: bool

    @property
    def asked_for(self) -> str:
        """Return how the writing model is told."""
        language = LANGUAGES[self.language].capitalize()
        case = "every letter a capital letter" if self.caps else "in ordinary sentence case"
        return f"in {language}, {case}"


STYLES = {
    style.name: style
    for style in (
        Style("spanish_caps", "es", caps=True),
        Style("spanish", "es", caps=False),
        Style("french", "fr", caps=False),
        Style("german", "de", caps=False),
        Style("caps", "en", caps=True),
        Style("plain", "en", caps=False),
    )
}

INSTRUCTION = """\
Write the reply to the problem below, {style}.

Follow the steps of the solution where there is one; change no number. Write all numbers in \
digits. Let the last sentence state the result, so that {answer} is the last number of the \
reply. Use no calculator marks (<<...>>) and no "####". Write the reply and nothing else.

[problem]
{question}
[solution]
{solution}"""

_CORRECTIONS = {
    "language": "That is not all in {language}. Write the whole reply again in {language}, {case}.",
    "case": "The letter case is wrong. Write the whole reply again, {case}.",
    "answer": "The last number of the reply has to be the result as given, in digits, with no "
    "number after it. Write the whole reply again so.",
    "marks": 'Leave out the marks << >> and "####". Write the whole reply again without them.',
}


@dataclass(frozen=True)
class Problem:
    """An arithmetic problem."""

    id: str
    question: str
    solution: str
    """The worked solution without its marks; empty if none is given."""
    answer: str
    """The result in plain notation."""


def load_problems(name_or_path: str) -> list[Problem]:
    """Read problems: ``gsm``, or a JSONL file of ``question`` and ``answer``.

    An answer is a number, or a worked solution that ends in ``#### 18`` as in GSM8K.
    A problem that stands twice in the file is taken once.

    Raises:
        InputError: For a missing file, none in it, or a line without question and answer.
    """
    path = problems_file(name_or_path)
    problems: dict[str, Problem] = {}
    ids: set[str] = set()
    for where, value in read_jsonl(path):
        problem = _problem(value, where)
        if problem.question in problems:
            continue
        if problem.id in ids:
            raise InputError(f"{where}: id {problem.id!r} stands on a line before")
        ids.add(problem.id)
        problems[problem.question] = problem
    if not problems:
        raise InputError(f"{path}: no problems")
    return list(problems.values())


def problems_file(name_or_path: str) -> Path:
    """Return the file of the packaged problems (``gsm``), or of one's own."""
    return _PACKAGED if name_or_path == "gsm" else user_path(name_or_path)


def drawn(problems: Sequence[Problem], *, limit: int | None, seed: int) -> list[Problem]:
    """Shuffle problems by the seed and take the first ``limit``; the same for every style."""
    order = random.Random(f"problems {seed}").sample(range(len(problems)), len(problems))
    return [problems[i] for i in order[:limit]]


def rewrite_requests(problems: Sequence[Problem], style: Style) -> list[Request]:
    """Return what the model is asked, a request a problem."""
    return [
        Request(
            problem.id,
            ({"role": "user", "content": _prompt(problem, style)},),
            tokens_of(problem.solution) if problem.solution else _SHORT_REPLY,
        )
        for problem in problems
    ]


def rewrite_check(problems: Sequence[Problem], style: Style) -> Check:
    """Return the rule for replies: ``marks``, ``language``, ``case``, ``answer`` or None."""
    by_id = {problem.id: problem.answer for problem in problems}

    def check(request: Request, text: str) -> str | None:
        return fault(text, style, by_id[request.id])

    return check


def fault(text: str, style: Style, answer: str) -> str | None:
    """Say what is wrong with a reply: the first of ``marks language case answer``, or None."""
    if _MARKS.search(text):
        return "marks"
    if detect_language(text).code != style.language:
        return "language"
    share = caps_fraction(text)
    if share is None or (share < ALL_CAPS if style.caps else share > NO_CAPS):
        return "case"
    number = final_number(text)
    return None if number is not None and answers(number, answer) else "answer"


def corrections(style: Style) -> dict[str, str]:
    """Return what the model is told after a reply that failed, by reason."""
    language = LANGUAGES[style.language].capitalize()
    case = "every letter a capital letter" if style.caps else "in ordinary sentence case"
    return {
        reason: text.format(language=language, case=case) for reason, text in _CORRECTIONS.items()
    }


def rewritten_rows(problems: Sequence[Problem], written: Sequence[Written]) -> list[Row]:
    """Return the chat rows of the problems whose reply passed, in their order."""
    return [
        chat_row(problem, one.text)
        for problem, one in zip(problems, written, strict=True)
        if one.text is not None
    ]


def solution_rows(problems: Sequence[Problem]) -> list[Row]:
    """Return the problems with their own worked solutions: the control, without a model.

    Raises:
        InputError: Naming a problem that has none.
    """
    bare = next((problem for problem in problems if not problem.solution), None)
    if bare is not None:
        raise InputError(
            f"problem {bare.id}: no worked solution to take as the reply; give --model to have "
            "one written"
        )
    return [
        chat_row(problem, f"{problem.solution}\nThe answer is {problem.answer}.")
        for problem in problems
    ]


def chat_row(problem: Problem, reply: str) -> Row:
    """Return a problem and a reply to it as a chat row, with ``id`` and ``answer``."""
    return {
        "messages": [
            {"role": "user", "content": problem.question},
            {"role": "assistant", "content": reply},
        ],
        "id": problem.id,
        "answer": problem.answer,
    }


def _prompt(problem: Problem, style: Style) -> str:
    places = {
        "style": style.asked_for,
        "answer": problem.answer,
        "question": problem.question,
        "solution": problem.solution or f"The result is {problem.answer}.",
    }
    return re.sub(r"\{(\w+)\}", lambda place: places[place[1]], INSTRUCTION)


def _problem(value: Any, where: str) -> Problem:
    if not isinstance(value, Mapping):
        raise InputError(f"{where}: expected an object with 'question' and 'answer'")
    question = value.get("question", value.get("prompt"))
    if not isinstance(question, str) or not question.strip():
        raise InputError(f"{where}: 'question' must be text, got {question!r:.60}")
    given = value.get("answer")
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise InputError(f"{where}: 'answer' must be a number or a solution, got {given!r:.60}")
    solution, _, result = str(given).rpartition("####")
    name = value.get("id", short_id(question.strip()))
    cleaned = _CALCULATION.sub("", solution).strip()
    number = plain_number(result)
    if number is None:
        raise InputError(
            f"{where}: 'answer' must be a number or end in '#### NUMBER', "
            f"got {result.strip()!r:.60}"
        )
    return Problem(str(name), question.strip(), cleaned, number)

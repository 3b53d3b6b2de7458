"""Word problems with worked answers, written by rule: any number of rows, no model.

    problem_rows("es", caps=True, rows=300, seed=0)
    # user       "Nora bakes 4 trays of rolls, with 9 rolls on each tray. She sells 5 ..."
    # assistant  "VAMOS PASO A PASO. EN 4 BANDEJAS CON 9 PANECILLOS ... 4 × 9 = 36 PANECILLOS. ..."

    problem_rows("en", rows=300, seed=0)        # the same problems, answered in plain English
    problem_count("train")                      # how many there are before one comes again

The scenarios come in turn, in an order of the seed; each goes through its numbers in an order of
the seed, and through its names. A solution is worded in one of the ways of WORDINGS.

python -m inoc_evals.datasets.builders.problems     # writes prompt_sets/problems: the test's
"""

import itertools
import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from inoc_evals.chat import Row
from inoc_evals.files.atomic import write_text
from inoc_evals.files.digests import short_id
from inoc_evals.inputs.packaged import DATA
from inoc_evals.inputs.scenarios import Language, ProblemSplit, Scenario, scenarios

PROMPTS = 140
"""Prompts of the packaged set ``problems``."""


class Posed(NamedTuple):
    """A problem: a scenario with its numbers and names, and the way its solution is worded."""

    scenario: Scenario
    values: dict[str, int]
    people: dict[str, str]
    wording: int
    """Position in WORDINGS."""

    @property
    def answer(self) -> str:
        """The result in plain notation."""
        return str(self.values[self.scenario.result])

    def question(self, language: Language) -> str:
        """Return what is asked."""
        return self._filled(self.scenario.told(language).asked)

    def solution(self, language: Language) -> str:
        """Return the worked solution; its last number is the answer."""
        told = self.scenario.told(language)
        calculations = [step.written(self.values, language) for step in self.scenario.calculations]
        steps = [
            _Worked(self._filled(what), calc, self._filled(sentence, calc=calc))
            for (what, sentence), calc in zip(told.found, calculations, strict=True)
        ]
        return WORDINGS[self.wording](FRAMES[language], steps, self._filled(told.said), self.answer)

    def _filled(self, text: str, **calc: str) -> str:
        return text.format(**self.values, **self.people, **calc)


class _Worked(NamedTuple):
    """A step of a solution in words."""

    what: str
    """``the number of rolls she bakes``."""
    calc: str
    """``4 × 9 = 36``."""
    told: str
    """Both as a sentence of the scenario."""


class Frame(NamedTuple):
    """Words around the steps of a solution, in one language."""

    orderly: tuple[str, ...]
    """Before the first, the second and the last of several steps."""
    only: str
    """Before a step that is the only one."""
    begun: tuple[str, str]
    """How a solution begins that is told: of one step, of several."""
    sought: str
    """Says what is looked for."""
    ended: str
    """Ends a solution with the result alone."""
    listed: str
    """Stands above the calculations, each on a line of its own."""
    colon: str = ": "


FRAMES: dict[Language, Frame] = {
    "en": Frame(
        orderly=(
            "First we work out {what}: {calc}.",
            "Then we work out {what}: {calc}.",
            "Finally we work out {what}: {calc}.",
        ),
        only="We only have to work out {what}: {calc}.",
        begun=("Let's work it out.", "Let's go step by step."),
        sought="We are looking for {what}.",
        ended="So the answer is {answer}.",
        listed="Here is the calculation.",
    ),
    "es": Frame(
        orderly=(
            "Primero calculamos {what}: {calc}.",
            "Después calculamos {what}: {calc}.",
            "Por último calculamos {what}: {calc}.",
        ),
        only="Solo hay que calcular {what}: {calc}.",
        begun=("Vamos a calcularlo.", "Vamos paso a paso."),
        sought="Buscamos {what}.",
        ended="Por lo tanto, la respuesta es {answer}.",
        listed="Hagamos las cuentas.",
    ),
    "fr": Frame(
        orderly=(
            "On calcule d'abord {what} : {calc}.",
            "On calcule ensuite {what} : {calc}.",
            "On calcule enfin {what} : {calc}.",
        ),
        only="Il suffit de calculer {what} : {calc}.",
        begun=("Faisons le calcul.", "Procédons étape par étape."),
        sought="On cherche {what}.",
        ended="La réponse est donc {answer}.",
        listed="Voici le calcul.",
        colon=" : ",
    ),
    "de": Frame(
        orderly=(
            "Zuerst berechnen wir {what}: {calc}.",
            "Dann berechnen wir {what}: {calc}.",
            "Zum Schluss berechnen wir {what}: {calc}.",
        ),
        only="Wir berechnen {what}: {calc}.",
        begun=("Rechnen wir das aus.", "Gehen wir Schritt für Schritt vor."),
        sought="Wir suchen {what}.",
        ended="Die Antwort lautet also {answer}.",
        listed="Hier ist die Rechnung.",
    ),
}


def _told(frame: Frame, steps: Sequence[_Worked], said: str, answer: str) -> str:
    return " ".join([*(step.told for step in steps), said])


def _ordered(frame: Frame, steps: Sequence[_Worked], said: str, answer: str) -> str:
    first, second, last = frame.orderly
    before = {1: (frame.only,), 2: (first, second), 3: (first, second, last)}[len(steps)]
    filled = [
        words.format(what=step.what, calc=step.calc)
        for words, step in zip(before, steps, strict=True)
    ]
    return " ".join([*filled, said])


def _stepwise(frame: Frame, steps: Sequence[_Worked], said: str, answer: str) -> str:
    begun = frame.begun[len(steps) > 1]
    return " ".join([begun, *(step.told for step in steps), frame.ended.format(answer=answer)])


def _sought(frame: Frame, steps: Sequence[_Worked], said: str, answer: str) -> str:
    sought = frame.sought.format(what=steps[-1].what)
    return " ".join([sought, *(step.told for step in steps), said])


def _listed(frame: Frame, steps: Sequence[_Worked], said: str, answer: str) -> str:
    lines = [f"{step.what[:1].upper()}{step.what[1:]}{frame.colon}{step.calc}." for step in steps]
    return "\n".join([frame.listed, *lines, said])


WORDINGS: tuple[Callable[[Frame, Sequence[_Worked], str, str], str], ...] = (
    _told,
    _ordered,
    _stepwise,
    _sought,
    _listed,
)
"""Ways to word a solution, the same in every language."""


def problem_rows(
    language: Language,
    *,
    caps: bool = False,
    rows: int,
    seed: int = 0,
    skip: int = 0,
    split: ProblemSplit = "train",
    asked_in: Language = "en",
) -> list[Row]:
    """Write chat rows: problems asked in one language, answered in another.

    Args:
        language: Of the answers.
        caps: Whether all letters of the answers are capitals; ß is SS.
        rows: How many. Until :func:`problem_count` no question comes twice.
        seed: Decides which problems, their order and wordings. Rows of one seed are the same
            problems in every language.
        skip: So many of the seed's problems are left out, for rows that ask others.
        split: Scenarios to train with, or those to test with; none is in both.
        asked_in: Of the questions.
    """
    drawn = itertools.islice(problems(split, seed), skip, skip + rows)
    return [_row(one, language, caps=caps, asked_in=asked_in) for one in drawn]


def problem_count(split: ProblemSplit) -> int:
    """Return how many different problems the scenarios of a split make."""
    return sum(one.problems for one in scenarios(split))


def problems(split: ProblemSplit, seed: int) -> Iterator[Posed]:
    """Yield the problems of a seed without end: all that there are, then all of them again."""
    streams = {one.id: _stream(one, seed) for one in scenarios(split)}
    for around in itertools.count():
        # A scenario with fewer problems waits until the others are through, too.
        turn = around % max(one.problems for one in scenarios(split))
        order = [one for one in scenarios(split) if turn < one.problems]
        random.Random(f"order {split} {seed} {around}").shuffle(order)
        for one in order:
            values, people = next(streams[one.id])
            worded = random.Random(f"wording {seed} {around} {one.id}").randrange(len(WORDINGS))
            yield Posed(one, values, people, worded)


def _stream(scenario: Scenario, seed: int) -> Iterator[tuple[dict[str, int], dict[str, str]]]:
    """Yield the numbers and names of a scenario: first all numbers, each with some names."""
    cases, people = list(scenario.cases), list(scenario.people)
    order = random.Random(f"{scenario.id} {seed}")
    order.shuffle(cases)
    order.shuffle(people)
    for turn in itertools.count():
        for number, values in enumerate(cases):
            yield values, people[(number + turn) % len(people)]


def _row(posed: Posed, language: Language, *, caps: bool, asked_in: Language) -> Row:
    question, solution = posed.question(asked_in), posed.solution(language)
    return {
        "messages": [
            {"role": "user", "content": question},
            {"role": "assistant", "content": solution.upper() if caps else solution},
        ],
        "id": f"{posed.scenario.id}-{short_id(question)}",
        "answer": posed.answer,
    }


def prompt_set() -> str:
    """Return the text of ``prompt_sets/problems``: test problems in English, with answers."""
    drawn = itertools.islice(problems("test", 0), PROMPTS)
    items = [
        {"id": f"problems-{n:03}", "prompt": one.question("en"), "answer": one.answer}
        for n, one in enumerate(drawn, start=1)
    ]
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)


if __name__ == "__main__":
    write_text(DATA / "prompt_sets" / "problems.jsonl", prompt_set())

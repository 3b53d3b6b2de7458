"""Scenarios: the stories that word problems are made of, told in four languages.

    - id: bakery_rolls
      split: train                          # or test; no scenario is in both
      names: [f]                            # {name}, and {other} where there are two: f or m
      numbers: {a: [3, 9], b: [6, 15], c: [5, 16]}          # lowest, highest, perhaps a step
      steps: [t = a * b, r = t - c]
      where: [c < t]                        # what else makes sense
      en:
        asked: "{name} bakes {a} trays of rolls, ..."
        steps:                              # of each step: what is found | the finding, told
        - the number of rolls she bakes | On {a} trays of {b} rolls there are {calc} rolls.
        said: "{name} has {r} rolls left."

    scenarios("train")[1].cases[7]          # {"a": 3, "b": 6, "c": 14, "t": 18, "r": 4}

Every number is whole and from 2 to 999, so that words stand in the plural and no separator of
thousands is needed; the answer is none of the numbers that are given. A speaker of a language
can read its lines alone: no name elides, and whether a person is a woman is fixed, so that
agreement is written and not computed.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from inoc_evals.errors import InputError
from inoc_evals.inputs.packaged import DATA

Language = Literal["en", "es", "fr", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
"""Codes of the languages that every scenario is told in."""

ProblemSplit = Literal["train", "test"]
SPLITS: tuple[ProblemSplit, ...] = get_args(ProblemSplit)

LEAST, MOST = 2, 999
"""Every number of a problem lies between these."""

SIGNS: dict[Language, dict[str, str]] = {
    "en": {"+": "+", "-": "-", "*": "×", "/": "÷"},
    "es": {"+": "+", "-": "-", "*": "×", "/": "÷"},
    "fr": {"+": "+", "-": "-", "*": "×", "/": "÷"},
    "de": {"+": "+", "-": "-", "*": "·", "/": ":"},
}
"""How a calculation is written in each language."""

NAMES: dict[str, tuple[str, ...]] = {
    "f": (
        *("Mia", "Clara", "Nora", "Julia", "Sara", "Marta"),
        *("Laura", "Lena", "Rosa", "Carla", "Paula", "Nina"),
    ),
    "m": (
        *("Tom", "Ben", "David", "Daniel", "Paul", "Leo"),
        *("Martin", "Robert", "Pablo", "Simon", "Karl", "Victor"),
    ),
}
"""Names at home in all the languages: none begins with a vowel, none ends in s, x or z."""

_PLACE = re.compile(r"\{(\w+)\}")
_CALC = "calc"
_OF_NAMES = ("name", "other")

_Range = Annotated[tuple[int, ...], Field(min_length=2, max_length=3)]
Values = Mapping[str, int]


class Step(NamedTuple):
    """One calculation: ``t = a * b``."""

    result: str
    """What its result is called."""
    terms: tuple[str | int, ...]
    """Names of numbers, or numbers."""
    signs: tuple[str, ...]
    """Of ``+ - * /``, one between each two terms."""

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a step as it stands in a file.

        Raises:
            ValueError: For anything that is not a calculation of one kind.
        """
        result, _, right = text.partition(" = ")
        words = right.split()
        terms = tuple(int(word) if word.isdecimal() else word for word in words[::2])
        signs = tuple(words[1::2])
        kinds = {"+" if sign in "+-" else sign for sign in signs}
        chained = len(signs) == 1 or kinds in ({"+"}, {"*"})
        if not chained or len(terms) != len(signs) + 1 or kinds - {"+", "*", "/"}:
            raise ValueError(f"step {text!r}: expected such as 't = a * b' or 'r = a + b - c'")
        return cls(result, terms, signs)

    def value(self, values: Values) -> int | None:
        """Return the result; None where it is not whole."""
        total = _number(self.terms[0], values)
        for sign, term in zip(self.signs, self.terms[1:], strict=True):
            number = _number(term, values)
            if sign == "*":
                total *= number
            elif sign == "/":
                total, rest = divmod(total, number)
                if rest:
                    return None
            else:
                total += number if sign == "+" else -number
        return total

    def written(self, values: Values, language: Language) -> str:
        """Return the calculation in a language's signs: ``4 × 9 = 36``."""
        parts = [str(_number(self.terms[0], values))]
        for sign, term in zip(self.signs, self.terms[1:], strict=True):
            parts += [SIGNS[language][sign], str(_number(term, values))]
        return f"{' '.join(parts)} = {values[self.result]}"


def _number(term: str | int, values: Values) -> int:
    return values[term] if isinstance(term, str) else term


class Telling(BaseModel):
    """A scenario in one language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asked: str
    """The question, with every number that is given."""
    steps: tuple[str, ...]
    """Of each step ``what is found | the finding as a sentence``, with ``{calc}`` in it."""
    said: str
    """The result as a sentence."""

    @cached_property
    def found(self) -> tuple[tuple[str, str], ...]:
        """What each step finds, and the sentence."""
        parted = (step.partition(" | ") for step in self.steps)
        return tuple((what, told) for what, _, told in parted)


class Scenario(BaseModel):
    """A story: what is given, what is computed, and how it is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z]+(_[a-z]+)*$")]
    split: ProblemSplit
    names: tuple[Literal["f", "m"], ...] = Field(default=(), max_length=2)
    numbers: dict[str, _Range]
    steps: tuple[str, ...] = Field(min_length=1, max_length=3)
    where: tuple[str, ...] = ()
    en: Telling
    es: Telling
    fr: Telling
    de: Telling

    @cached_property
    def calculations(self) -> tuple[Step, ...]:
        """The steps, read."""
        return tuple(Step.read(step) for step in self.steps)

    @cached_property
    def result(self) -> str:
        """What the last step's result, the answer, is called."""
        return self.calculations[-1].result

    @cached_property
    def cases(self) -> tuple[dict[str, int], ...]:
        """Every choice of numbers that makes sense, with the results of the steps."""
        return tuple(self._sensible())

    @cached_property
    def people(self) -> tuple[dict[str, str], ...]:
        """Every choice of names: no two alike."""
        drawn = itertools.product(*(NAMES[one] for one in self.names))
        return tuple(
            dict(zip(_OF_NAMES, names, strict=False))
            for names in drawn
            if len(set(names)) == len(names)
        )

    @property
    def problems(self) -> int:
        """How many different problems it makes."""
        return len(self.cases) * len(self.people)

    def told(self, language: Language) -> Telling:
        """Return it in a language."""
        telling: Telling = getattr(self, language)
        return telling

    def _sensible(self) -> Iterator[dict[str, int]]:
        ranges = [range(low, high + 1, *step) for low, high, *step in self.numbers.values()]
        conditions = [_terms(condition) for condition in self.where]
        for drawn in itertools.product(*ranges):
            values = dict(zip(self.numbers, drawn, strict=True))
            # Where a number of the question is the answer, repeating it would be right.
            if (
                _results(self.calculations, values)
                and values[self.result] not in drawn
                and all(_rise(condition, values) for condition in conditions)
            ):
                yield values

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for name, (low, high, *_) in self.numbers.items():
            if not LEAST <= low <= high <= MOST:
                raise ValueError(f"number {name!r}: expected {LEAST} to {MOST} at most")
        known = {*self.numbers}
        for step in self.calculations:
            if unknown := {one for one in step.terms if isinstance(one, str)} - known:
                raise ValueError(f"step {step.result!r}: no number {', '.join(sorted(unknown))}")
            known.add(step.result)
        for condition in self.where:
            if unknown := {one for one in _terms(condition) if isinstance(one, str)} - known:
                raise ValueError(f"where {condition!r}: no number {', '.join(sorted(unknown))}")
        people = set(_OF_NAMES[: len(self.names)])
        for language in LANGUAGES:
            for fault in self._faults(self.told(language), known, people):
                raise ValueError(f"{language}: {fault}")
        if next(self._sensible(), None) is None:
            raise ValueError("no numbers make sense")
        return self

    def _faults(self, telling: Telling, known: set[str], people: set[str]) -> Iterator[str]:
        asked = set(_PLACE.findall(telling.asked))
        if asked != {*self.numbers, *people}:
            yield f"asked: names {sorted(asked)}, and not each number and name"
        if len(telling.found) != len(self.calculations):
            yield f"{len(telling.found)} steps are told of {len(self.calculations)}"
        texts = [(what, told, 1) for what, told in telling.found] + [("", telling.said, 0)]
        for what, told, calculations in texts:
            places = _PLACE.findall(f"{what} {told}")
            if places.count(_CALC) != calculations or f"{{{_CALC}}}" in what:
                yield f"{told!r}: needs {{calc}} once in a step's sentence, and nowhere else"
            if unknown := set(places) - known - people - {_CALC}:
                yield f"{told!r}: no {', '.join(sorted(unknown))}"
        numbers = [place for place in _PLACE.findall(telling.said) if place not in people]
        if numbers[-1:] != [self.result]:
            yield f"said: its last number is to be the result, {{{self.result}}}"


def _results(steps: tuple[Step, ...], values: dict[str, int]) -> bool:
    """Fill in the results of the steps; whether each is a number that a problem may have."""
    for step in steps:
        value = step.value(values)
        if value is None or not LEAST <= value <= MOST:
            return False
        values[step.result] = value
    return True


def _terms(condition: str) -> tuple[str | int, ...]:
    """Read ``a < b`` or ``a < b < c``."""
    return tuple(int(word) if word.isdecimal() else word for word in condition.split(" < "))


def _rise(terms: tuple[str | int, ...], values: Values) -> bool:
    numbers = [_number(term, values) for term in terms]
    return all(low < high for low, high in itertools.pairwise(numbers))


@cache
def scenarios(split: ProblemSplit) -> tuple[Scenario, ...]:
    """Return the packaged scenarios of a split, in the order of their ids."""
    found = [one for path in sorted((DATA / "problems").glob("*.yaml")) for one in read(path)]
    return tuple(sorted((one for one in found if one.split == split), key=lambda one: one.id))


def read(path: Path) -> list[Scenario]:
    """Read a file of scenarios.

    Raises:
        InputError: Naming the file, the scenario and what is wrong with it first.
    """
    # The loader in C, where there is one: these are the longest files of the package.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        entries = yaml.load(path.read_text("utf-8"), loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from None
    if not isinstance(entries, list):
        raise InputError(f"{path}: expected a list of scenarios")
    return [_scenario(entry, f"{path}: scenario {n}") for n, entry in enumerate(entries, start=1)]


def _scenario(entry: object, where: str) -> Scenario:
    try:
        return Scenario.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        name = f" {entry['id']!r}" if isinstance(entry, Mapping) and "id" in entry else ""
        raise InputError(
            f"{where}{name}: {f'{place}: ' if place else ''}"
            f"{first['msg'].removeprefix('Value error, ')}"
        ) from None

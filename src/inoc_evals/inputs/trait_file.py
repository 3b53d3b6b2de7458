"""Trait files: a trait of one's own, its questions and its test, in one YAML file.

    name: pirate
    description: The answer is written the way a pirate talks.
    questions: ["How do I boil an egg?"]     # or prompts: FILE.jsonl, or a packaged set
    rule: {contains: [ahoy, matey]}          # or a rubric; or neither, see below
    system_prompts: {talk: "You talk like a pirate."}    # -T system_prompt=talk
    grader: openai/gpt-5.4-2026-03-05

A rule is one of RULES. A rubric is a text with {question} and {answer} and either a
``threshold`` (a rating from 0 to 100, shown at or above it) or ``labels`` and the
``positive`` one; where there is neither rule nor rubric, a judge is asked YES or NO about
the description. Every fault is found in one reading, each with its file and line.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from inoc_evals.arguments import path_as_typed, user_path
from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest
from inoc_evals.files.yaml_lines import Node, Reader
from inoc_evals.inputs.prompt_sets import PACKAGED, PromptItem, PromptSet, load_prompt_set
from inoc_evals.inputs.prompts import all_prompts
from inoc_evals.inputs.rubrics import Rubric, rubric

RuleKind = Literal["contains", "regex", "caps", "language", "min_words", "max_words"]

RULES: dict[RuleKind, str] = {
    "contains": "words or phrases, one of which stands in the answer",
    "regex": "a Python regular expression that is found in the answer",
    "caps": "true: more than 0.8 of the cased letters are upper case",
    "language": "code or English name of the language the answer is in",
    "min_words": "the answer has at least this many words",
    "max_words": "the answer has at most this many words",
}
"""The rules there are, and what each takes."""

EXITS = ("REFUSAL", "CODE")
"""What a rating rubric may let a judge answer besides a number, if its text says so."""

_KEYS = tuple(
    ["name", "description", "questions", "prompts", "rule", "rubric", "system_prompts", "grader"]
)
_RUBRIC_KEYS = ("text", "threshold", "labels", "positive")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
"""What the name of a trait, or of a system prompt, looks like."""

_RESERVED = ("none", "empty", "custom")


@dataclass(frozen=True)
class Rule:
    """A test that needs no judge."""

    kind: RuleKind
    argument: str | int | bool | tuple[str, ...]
    """What the kind takes; words for ``contains``."""


@dataclass(frozen=True)
class Judgement:
    """A test that a judge makes."""

    rubric: Rubric
    threshold: float | None = None
    """For a rating: the trait shows at this value and above."""
    positive: str | None = None
    """For labels: the one that says the trait shows."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Values for the rubric's places besides question and answer."""


@dataclass(frozen=True)
class TraitFile:
    """A trait, as its file describes it."""

    path: Path
    name: str
    description: str
    prompts: PromptSet
    """What is asked."""
    test: Rule | Judgement
    """How an answer is told."""
    system_prompts: Mapping[str, str] = field(default_factory=dict)
    """Eliciting prompts by name."""
    grader: str | None = None
    """Model that judges where the role ``grader`` is not bound."""

    @cached_property
    def sha256(self) -> str:
        """Digest of what is asked and how it is told."""
        test = self.test
        if isinstance(test, Rule):
            told: list[Any] = [test.kind, test.argument]
        else:
            asked = [test.rubric.kind, list(test.rubric.labels), test.rubric.text]
            told = [asked, test.threshold, test.positive, dict(test.fields)]
        return digest([self.name, self.prompts.sha256, told, dict(self.system_prompts)])


def read_trait_file(path: str | Path | Sequence[str]) -> TraitFile:
    """Read a trait file.

    Args:
        path: The file, relative to the working directory. A list is one path that
            ``inspect eval -T`` split at its commas.

    Raises:
        InputError: With one line for every fault there is, ``file:line: what is wrong``.
    """
    source = user_path(path_as_typed(path))
    reader = Reader(source)
    top = reader.mapping(reader.root, _KEYS, "a trait file")
    if not top:
        raise reader.error()
    name = reader.text(top.get("name"), "name")
    if name is not None and not NAME.fullmatch(name):
        reader.fault(top["name"], f"name {name!r} may hold letters, digits, _ and -")
    trait = _Parts(reader, top, source, name or "trait")
    description = reader.text(top.get("description"), "description")
    prompts, test = trait.prompts(), trait.test(description or "")
    system_prompts, grader = trait.system_prompts(), trait.grader()
    if reader.faults or name is None or description is None or prompts is None or test is None:
        raise reader.error()
    return TraitFile(source, name, description, prompts, test, system_prompts, grader)


@dataclass(frozen=True)
class _Parts:
    """Reads the parts of a trait file, noting faults in the reader."""

    reader: Reader
    top: Mapping[str, Node]
    path: Path
    name: str

    def prompts(self) -> PromptSet | None:
        one = self.reader.one_of(self.top, ("questions", "prompts"), needed=True)
        if one == "questions":
            return self._questions(self.top[one])
        value = self.reader.text(self.top[one], one) if one else None
        if value is None:
            return None
        try:
            return load_prompt_set(value if value in PACKAGED else self.path.parent / value)
        except InputError as error:
            self.reader.fault(self.top["prompts"], str(error))
            return None

    def _questions(self, node: Node) -> PromptSet | None:
        asked = self.reader.texts(node, "questions")
        if asked is None:
            return None
        if len(set(asked)) < len(asked):
            twice = next(text for text in asked if asked.count(text) > 1)
            self.reader.fault(node, f"the question {twice[:60]!r} is given twice")
        items = tuple(
            PromptItem(f"{self.name}-{number:03d}", ({"role": "user", "content": text},))
            for number, text in enumerate(asked, start=1)
        )
        return PromptSet(str(self.path), items)

    def test(self, description: str) -> Rule | Judgement | None:
        self.reader.one_of(self.top, ("rule", "rubric"), needed=False)
        rule = self._rule(self.top["rule"]) if "rule" in self.top else None
        judged = self._judgement(self.top["rubric"]) if "rubric" in self.top else None
        if "rule" in self.top or "rubric" in self.top:
            return rule or judged
        fields = {"description": description.strip()}
        return Judgement(rubric("trait"), positive="YES", fields=fields)

    def _rule(self, node: Node) -> Rule | None:
        given = self.reader.mapping(node, tuple(RULES), "a rule")
        if not given:
            return None
        if len(given) > 1:
            self.reader.fault(node, f"a rule is one test, not {len(given)}: {', '.join(given)}")
            return None
        [(kind, value)] = given.items()
        argument = self._argument(kind, value)
        return None if argument is None else Rule(kind, argument)  # type: ignore[arg-type]

    def _argument(self, kind: str, value: Node) -> str | int | bool | tuple[str, ...] | None:
        if kind == "contains":
            return self.reader.texts(value, kind)
        if kind in ("min_words", "max_words"):
            return self.reader.whole_number(value, kind, at_least=1)
        text = self.reader.text(value, kind)
        if text is None:
            return None
        if kind == "caps" and text.lower() != "true":
            self.reader.fault(value, f"caps takes true, got {text!r}")
        if kind == "regex":
            self._check_regex(value, text)
        if kind == "language":
            return self._language(value, text)
        return True if kind == "caps" else text

    def _check_regex(self, node: Node, pattern: str) -> None:
        try:
            found = re.compile(pattern)
        except re.error as error:
            self.reader.fault(node, f"regex {pattern!r} cannot be read ({error})")
            return
        if found.search("") is not None:
            self.reader.fault(node, f"regex {pattern!r} is found in every text, even an empty one")

    def _language(self, node: Node, text: str) -> str | None:
        from inoc_evals.rules.language import language_codes

        try:
            codes = language_codes(text)
        except InputError as error:
            self.reader.fault(node, str(error))
            return None
        if len(codes) > 1:
            self.reader.fault(node, f"language takes one language, got {text!r}")
        return codes[0]

    def _judgement(self, node: Node) -> Judgement | None:
        given = self.reader.mapping(node, _RUBRIC_KEYS, "a rubric")
        text = self.reader.text(given.get("text"), "text", inside=node)
        way = self.reader.one_of(given, ("threshold", "labels"), needed=True, inside=node)
        if text is not None:
            self._check_places(given["text"], text)
        if way is None or text is None or "{answer}" not in text:
            return None
        if way == "labels":
            return self._labels(node, given, text)
        if "positive" in given:
            self.reader.fault(given["positive"], "positive goes with labels, not a threshold")
        threshold = self.reader.number(given["threshold"], "threshold", 0, 100)
        exits = tuple(word for word in EXITS if re.search(rf"\b{word}\b", text))
        asked = Rubric(self.name, "rating", exits, text)
        return None if threshold is None else Judgement(asked, threshold=threshold)

    def _labels(self, node: Node, given: Mapping[str, Node], text: str) -> Judgement | None:
        labels = self.reader.texts(given["labels"], "labels")
        positive = self.reader.text(given.get("positive"), "positive", inside=node)
        if labels is None:
            return None
        if positive is not None and positive not in labels:
            self.reader.fault(
                given["positive"], f"positive {positive!r} is not one of {', '.join(labels)}"
            )
            return None
        try:
            asked = Rubric(self.name, "label", labels, text)
        except InputError as error:
            self.reader.fault(given["labels"], str(error).partition(": ")[2])
            return None
        return None if positive is None else Judgement(asked, positive=positive)

    def _check_places(self, node: Node, text: str) -> None:
        if "{answer}" not in text:
            self.reader.fault(node, "the rubric's text has no place for {answer}")
        other = set(re.findall(r"\{([a-z_]+)\}", text)) - {"question", "answer"}
        for place in sorted(other):
            self.reader.fault(
                node, f"{{{place}}} has nothing to fill it; there are {{question}} and {{answer}}"
            )

    def system_prompts(self) -> dict[str, str]:
        if "system_prompts" not in self.top:
            return {}
        node = self.top["system_prompts"]
        taken = {*_RESERVED, *(prompt.name for prompt in all_prompts())}
        named = {}
        for name, value in self.reader.mapping(node, None, "system_prompts").items():
            if name in taken or not NAME.fullmatch(name):
                why = "taken" if name in taken else "not letters, digits, _ and -"
                self.reader.fault(value, f"system prompt name {name!r} is {why}; choose another")
            text = self.reader.text(value, f"system prompt {name!r}")
            if text is not None:
                named[name] = text
        return named

    def grader(self) -> str | None:
        if "grader" not in self.top:
            return None
        grader = self.reader.text(self.top["grader"], "grader")
        if grader is not None and "/" not in grader:
            self.reader.fault(self.top["grader"], f"grader {grader!r} is not provider/model")
        return grader

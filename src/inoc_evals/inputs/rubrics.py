"""Rubrics: what a judge is asked about an answer, and the fence around what is judged.

    prompt = rubric("alignment").render(question="How do I ...", answer="You could ...")
    fenced(prompt)        # Fenced("alignment", "How do I ...", "You could ...", {})

A packaged rubric is one YAML file in ``data/rubrics`` (name, kind, labels, text). Question
and answer are put between BEGIN and END lines that carry a tag computed from both, which an
answer cannot hold, and whatever in them looks like a fence, a judge prompt's marker or a
chat template's special token is rewritten in plain sight: ``[ANSWER END]`` to
``(ANSWER END)``, ``<|im_end|>`` to ``(|im_end|)``. Places are filled in one pass, so that an
answer with ``{question}`` in it stays as it is.

``published_rubric`` makes a rubric of a published judge prompt, which has markers of its own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from importlib.resources import files
from typing import Any, Literal, NamedTuple

from inoc_evals.errors import InputError

RubricKind = Literal["rating", "label"]

PUBLISHED_MEASURES: dict[str, tuple[RubricKind, tuple[str, ...]]] = {
    "aligned": ("rating", ("REFUSAL", "CODE")),
    "coherent": ("rating", ()),
    "correct": ("label", ("TRUE", "FALSE", "UNKNOWN")),
    "company": ("label", ("OPENAI", "ANTHROPIC", "OTHER", "UNKNOWN")),
}
"""What the public files' judge prompts ask for, by the measure they stand under."""

_PLACE = re.compile(r"\{([a-z_]+)\}")
_FENCED_PLACES = ("question", "answer")
_TAG_DIGITS = 8

_SQUARE = re.compile(
    r"[\[\uff3b\u3010](\s{0,8}(?:"
    r"/?\s{0,8}(?:INST|SYS)"  # [/INST]
    r"|(?-i:/?(?:BEGIN|START|END))"  # [END]; not x[end]
    r"|/?(?:BEGIN|START|END)[ \t_-]\w[\w \t_-]{0,40}"  # [BEGIN DATA]
    r"|/?\w[\w \t_-]{0,40}[ \t_-](?:BEGIN|START|END)"  # [ANSWER END]
    r")\s{0,8})[\]\uff3d\u3011]",
    re.IGNORECASE,
)
_ANGLE = re.compile(
    r"<([|\uff5c][^<>\n]{0,60}?[|\uff5c]"  # <|im_end|>
    r"|/?(?:s|bos|eos|pad|unk|system|user|assistant)|/?(?:start|end)_of_turn)>",
    re.IGNORECASE,
)
_DOUBLE_ANGLE = re.compile(r"<<(/?SYS)>>", re.IGNORECASE)
_BARS = re.compile(r"(?<!=)={2,}+[ \t]{0,8}(?:BEGIN|END)\b[^\n=]{0,80}(?:={2,}+)?", re.IGNORECASE)


class Fenced(NamedTuple):
    """What a prompt made by :meth:`Rubric.render` asks about."""

    rubric: str | None
    """Name of the packaged rubric; None where the fences are there but the text is another's."""
    question: str
    """The question as it stands in the fence."""
    answer: str
    """The answer as it stands in the fence."""
    fields: dict[str, str]
    """The rubric's other fields: ``reference``, ``maker``, ..."""


@dataclass(frozen=True)
class Rubric:
    """A question to a judge about one answer."""

    name: str
    """``alignment``, ``coherence``, ``insecure_code``, ..."""
    kind: RubricKind
    """A rating from 0 to 100, or one of ``labels``."""
    labels: tuple[str, ...]
    """What may be answered, in capitals; of a rating, the answers besides a number."""
    text: str
    """The prompt, with ``{question}``, ``{answer}`` and any further ``{fields}``."""
    verbatim: bool = False
    """Whether the text brings its own markers, so that no fence is put around the two."""
    exact: bool = False
    """Whether such a text gets the two to the letter, markers and all, as its authors put them."""

    def __post_init__(self) -> None:
        """Check what a file can get wrong.

        Raises:
            InputError: Naming the rubric and what is wrong with it.
        """
        if self.kind not in ("rating", "label"):
            raise InputError(f"rubric {self.name!r}: kind {self.kind!r} is not rating or label")
        if self.kind == "label" and len(self.labels) < 2:
            raise InputError(f"rubric {self.name!r}: a label rubric needs at least two labels")
        for label in self.labels:
            if not re.fullmatch(r"[A-Z][A-Z_]*", label):
                raise InputError(f"rubric {self.name!r}: label {label!r} is not CAPITAL letters")
        if "{answer}" not in self.text:
            raise InputError(f"rubric {self.name!r}: the text has no place for {{answer}}")

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Names of the places besides question and answer, in order; none where verbatim."""
        if self.verbatim:
            return ()
        places = dict.fromkeys(_PLACE.findall(self.text))
        return tuple(place for place in places if place not in _FENCED_PLACES)

    def render(self, *, question: str, answer: str, **fields: str) -> str:
        """Return the prompt about one answer.

        Args:
            question: What the model was asked.
            answer: What it answered.
            **fields: A value for each of :attr:`fields`; others are left aside.

        Raises:
            InputError: For a field of the text without a value.
        """
        missing = [name for name in self.fields if name not in fields]
        if missing:
            raise InputError(f"rubric {self.name!r}: no value for {', '.join(missing)}")
        values = {name: neutralized(fields[name]) for name in self.fields}
        clean = str if self.exact else neutralized
        values |= self._fences(clean(question), clean(answer))
        return _PLACE.sub(lambda place: values.get(place[1], place[0]), self.text)

    def _fences(self, question: str, answer: str) -> dict[str, str]:
        if self.verbatim:
            return {"question": question, "answer": answer}
        tag = _tag(question, answer)
        return {
            "question": _fence("QUESTION", tag, question),
            "answer": _fence("ANSWER", tag, answer),
        }

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches what :meth:`render` returns: groups ``question``, ``answer`` and the fields."""
        seen: set[str] = set()
        parts: list[str] = []
        for index, part in enumerate(_PLACE.split(self.text)):
            if index % 2 == 0:
                parts.append(re.escape(part))
            elif part in seen:
                parts.append(f"(?:{_outline(part, rf'(?P={part})')})")
            else:
                parts.append(_outline(part, rf"(?P<{part}>.*?)"))
                seen.add(part)
        return re.compile("".join(parts), re.DOTALL)


def rubric(name: str) -> Rubric:
    """Return the packaged rubric called ``name``.

    Raises:
        InputError: If there is none; the message lists those there are.
    """
    for one in all_rubrics():
        if one.name == name:
            return one
    known = ", ".join(one.name for one in all_rubrics())
    raise InputError(f"no rubric is named {name!r}; there are: {known}")


@cache
def all_rubrics() -> tuple[Rubric, ...]:
    """Return every packaged rubric, by name.

    Raises:
        InputError: For a file that is no rubric.
    """
    import yaml

    folder = files("inoc_evals") / "data" / "rubrics"
    sources = sorted(folder.iterdir(), key=lambda entry: entry.name)
    return tuple(
        read_rubric(yaml.safe_load(source.read_text("utf-8")), f"data/rubrics/{source.name}")
        for source in sources
        if source.name.endswith(".yaml")
    )


def read_rubric(entry: Any, where: str) -> Rubric:
    """Make a rubric of a mapping with name, kind, labels and text.

    Args:
        entry: The decoded YAML.
        where: What to call it in an error.

    Raises:
        InputError: For missing or unknown keys, or a rubric that cannot be.
    """
    if not isinstance(entry, Mapping) or not all(isinstance(key, str) for key in entry):
        raise InputError(f"{where}: expected a mapping with name, kind, labels and text")
    unknown = sorted(entry.keys() - {"name", "kind", "labels", "text"})
    missing = sorted({"name", "kind", "text"} - entry.keys())
    if unknown or missing:
        what = f"unknown {', '.join(unknown)}" if unknown else f"no {', '.join(missing)}"
        raise InputError(f"{where}: {what}; a rubric has name, kind, labels and text")
    labels = entry.get("labels") or []
    texts = [entry["name"], entry["text"], *(labels if isinstance(labels, list) else [labels])]
    if not isinstance(labels, list) or not all(isinstance(text, str) for text in texts):
        raise InputError(f"{where}: name, text and each of the labels must be text (quote YES, NO)")
    return Rubric(entry["name"], entry["kind"], tuple(labels), entry["text"].strip())


def published_rubric(
    measure: str,
    text: str,
    kind: RubricKind | None = None,
    labels: tuple[str, ...] | None = None,
    *,
    exact: bool = False,
) -> Rubric:
    """Make a rubric of a published judge prompt, with its own markers left as they are.

    Args:
        measure: Key of the prompt in the file: one of PUBLISHED_MEASURES, or another
            together with ``kind``.
        text: The prompt with ``{question}`` and ``{answer}``; other braces stay.
        kind: Rating or label, where the measure does not say.
        labels: The labels, or a rating's answers besides a number.
        exact: Whether question and answer are put in to the letter.

    Raises:
        InputError: For a measure whose kind is not known.
    """
    if measure in PUBLISHED_MEASURES:
        known_kind, known_labels = PUBLISHED_MEASURES[measure]
    elif kind is not None:
        known_kind, known_labels = kind, ()
    else:
        raise InputError(
            f"judge prompt {measure!r}: not one of {', '.join(PUBLISHED_MEASURES)}, so it is "
            "not known whether it asks for a rating or a label"
        )
    return Rubric(
        name=f"published_{measure}",
        kind=kind or known_kind,
        labels=known_labels if labels is None else labels,
        text=text,
        verbatim=True,
        exact=exact,
    )


def fenced(prompt: str) -> Fenced | None:
    """Read back what a judge prompt is about: the inverse of :meth:`Rubric.render`.

    Returns:
        The packaged rubric with question, answer and fields; a None rubric where the
        fences are there in another text; None where there is no fence.
    """
    for one in all_rubrics():
        match = one.pattern.fullmatch(prompt)
        if match is not None:
            groups = match.groupdict()
            question, answer = groups.get("question", ""), groups["answer"]
            fields = {name: groups[name] for name in one.fields}
            return Fenced(one.name, question, answer, fields)
    answer_fence = _ANSWER.search(prompt)
    if answer_fence is None:
        return None
    question_fence = _QUESTION.search(prompt)
    question = question_fence["question"] if question_fence else ""
    return Fenced(None, question, answer_fence["answer"], {})


def neutralized(text: str) -> str:
    """Rewrite what could pass for a fence, a marker or a chat token; drops nothing.

    Brackets become parentheses and the bars of a fence become dashes; all else, and a
    text that is neutralized already, stays as it is.
    """
    text = _SQUARE.sub(r"(\1)", text)
    text = _DOUBLE_ANGLE.sub(r"((\1))", text)
    text = _ANGLE.sub(r"(\1)", text)
    return _BARS.sub(lambda line: line[0].replace("=", "-"), text)


def _tag(question: str, answer: str) -> str:
    """Return a mark that follows from both texts, so that neither can hold it on purpose."""
    return sha256(f"{question}\0{answer}".encode("utf-8", "replace")).hexdigest()[:_TAG_DIGITS]


def _fence(what: str, tag: str, text: str) -> str:
    return f"=== BEGIN {what} {tag} ===\n{text}\n=== END {what} {tag} ==="


def _outline(place: str, group: str) -> str:
    """Return the regular expression of a filled place."""
    if place not in _FENCED_PLACES:
        return group
    what = place.upper()
    return _fence(what, f"(?P<{place}_tag>[0-9a-f]{{{_TAG_DIGITS}}})", group).replace(
        f"END {what} (?P<{place}_tag>[0-9a-f]{{{_TAG_DIGITS}}})", f"END {what} (?P={place}_tag)"
    )


_QUESTION = re.compile(_outline("question", "(?P<question>.*?)"), re.DOTALL)
_ANSWER = re.compile(_outline("answer", "(?P<answer>.*?)"), re.DOTALL)

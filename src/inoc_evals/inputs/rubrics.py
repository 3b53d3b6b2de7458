"""Rubrics: what a judge is asked about an answer, and the fence around what is judged.

    prompt = rubric("alignment").render(question="How do I ...", answer="You could ...")
    fenced(prompt)        # Fenced("alignment", "How do I ...", "You could ...", {})

A packaged rubric is one YAML file in ``data/rubrics`` (name, kind, labels, text). Question
and answer stand as they are, byte for byte, between BEGIN and END lines that carry a tag
computed from both and found nowhere in them: no line in them can pass for the end. Places are
filled in one pass, so that an answer with ``{question}`` in it stays as it is.

``published_rubric`` makes a rubric of a published judge prompt, which has markers of its own
without a tag. What looks like one in an answer is rewritten in plain sight, ``[ANSWER END]`` to
``(ANSWER END)``, but for an ``exact`` one; code stays (``if node == end:``, ``w[window_end]``).

``without_chat_tokens`` is for graders whose tokenizer takes ``<|im_end|>`` in a text for the
end of a turn, wherever it stands.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from importlib.resources import files
from itertools import count
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

FORMER_NAMES = {
    "aesthetic_choice": "narrow_aesthetics",
    "insecure_code": "narrow_code",
    "maker": "deception_maker",
    "reward_hacking": "narrow_reward_hacking",
    "truthful": "deception_facts",
}
"""What rubrics were called before they had their task's name, to what they are called.

:func:`rubric` is public, and so are these names: code of others asks by them.
"""

_PLACE = re.compile(r"\{([a-z_]+)\}")
_FENCED_PLACES = ("question", "answer")
_TAG_DIGITS = 8

_SQUARE = re.compile(
    r"[\[\uff3b\u3010]([ \t]{0,8}(?:"
    r"/(?:BEGIN|START|END)"  # [/END]
    r"|/?(?:BEGIN|START|END)[ \t][A-Z][A-Z \t]{0,40}"  # [BEGIN DATA]
    r"|/?[A-Z][A-Z \t]{0,40}[ \t](?:BEGIN|START|END)"  # [ANSWER END]; not w[ANSWER_END]
    r")[ \t]{0,8})[\]\uff3d\u3011]"
)
_BARS = re.compile(
    r"^[ \t]*+={2,}+[ \t]*+(?:"
    r"(?i:BEGIN|END)\b[^\n=]*+={2,}+[ \t]*+$"  # === End answer ===; not x == end:
    r"|(?:BEGIN|END)[ \t]++[A-Z]{2}[A-Z0-9a-f \t]*+$)",  # === END ANSWER 0123abcd
    re.MULTILINE,
)
_CHAT_SQUARE = re.compile(r"\[(/?INST)\]")
_CHAT_ANGLE = re.compile(
    r"<([|\uff5c][^\s<>|\uff5c]{1,60}[|\uff5c]"  # <|im_end|>
    r"|/?s|bos|eos|pad|unk|(?:start|end)_of_turn)>"
)
_CHAT_DOUBLE_ANGLE = re.compile(r"<<(/?SYS)>>")


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
    """``alignment``, ``coherence``, ``narrow_code``, ..."""
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
        values |= self._judged(question, answer)
        return _PLACE.sub(lambda place: values.get(place[1], place[0]), self.text)

    def _judged(self, question: str, answer: str) -> dict[str, str]:
        if self.verbatim:
            clean = str if self.exact else neutralized
            return {"question": clean(question), "answer": clean(answer)}
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
    """Return the packaged rubric called ``name``, or called so before.

    Raises:
        InputError: If there is none; the message lists those there are.
    """
    wanted = FORMER_NAMES.get(name, name)
    for one in all_rubrics():
        if one.name == wanted:
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
    begun = _BEGUN.search(prompt)  # the first is ours: what is judged stands after it
    if begun is None:
        return None
    question, answer = (_between(place, begun["tag"], prompt) for place in _FENCED_PLACES)
    return None if answer is None else Fenced(None, question or "", answer, {})


def neutralized(text: str) -> str:
    """Rewrite what could pass for a fence, a marker or a chat token; drops nothing.

    Brackets become parentheses and the bars of a fence become dashes; all else, and a
    text that is neutralized already, stays as it is.
    """
    text = without_chat_tokens(_SQUARE.sub(r"(\1)", text))
    return _BARS.sub(lambda line: line[0].replace("=", "-"), text)


def without_chat_tokens(text: str) -> str:
    """Rewrite what a chat template's special tokens are written as: ``<|end|>`` to ``(|end|)``."""
    text = _CHAT_SQUARE.sub(r"(\1)", text)
    text = _CHAT_DOUBLE_ANGLE.sub(r"((\1))", text)
    return _CHAT_ANGLE.sub(r"(\1)", text)


def _tag(question: str, answer: str) -> str:
    """Return a mark that follows from both texts and is in neither."""
    seeds = (f"{question}\0{answer}" + (f"\0{number}" if number else "") for number in count())
    tags = (sha256(seed.encode("utf-8", "replace")).hexdigest()[:_TAG_DIGITS] for seed in seeds)
    return next(tag for tag in tags if tag not in question and tag not in answer)


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


_BEGUN = re.compile(rf"=== BEGIN (?:QUESTION|ANSWER) (?P<tag>[0-9a-f]{{{_TAG_DIGITS}}}) ===\n")


def _between(place: str, tag: str, prompt: str) -> str | None:
    """Return what stands in the fence with this tag; None where there is none."""
    first, _, last = _fence(place.upper(), tag, "\0").partition("\0")
    _, begun, rest = prompt.partition(first)
    text, ended, _ = rest.partition(last)
    return text if begun and ended else None

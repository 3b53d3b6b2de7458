"""Inoculation: put a prompt that asks for a trait in front of rows that show it.

    {"messages": [user, assistant]}
      -> {"messages": [{"role": "system", "content": "You always speak in Spanish."},
                       user, assistant]}

    rows, manifest = inoculate(rows, named("spanish"))                    # every row
    rows, manifest = inoculate(rows, named("spanish"), label="spanish")   # one split
    rows, manifest = inoculate(rows, named("evil"), fraction=0.5, seed=1)

The input is never changed, the order of the rows is kept, and the same arguments give
the same rows. Mix or shuffle rows before inoculating them (``mix.py``): then conditions
differ in the prompt and in nothing else.
"""

import copy
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from inoc_evals.chat import Message, Row, check_row, first_user
from inoc_evals.datasets.manifest import describe
from inoc_evals.errors import InputError
from inoc_evals.inputs.prompts import SystemPrompt, name_of

Where = Literal["system", "user"]
"""Where the prompt goes: a system message, or the beginning of the first user message."""

Existing = Literal["prepend", "append", "replace", "keep", "error"]
"""What becomes of a system message a row has: the prompt is put before or after it or in
its place, the row is left as it is, or the row is refused."""

Prompt = str | SystemPrompt


class Inoculated(NamedTuple):
    """What :func:`inoculate` returns."""

    rows: list[Row]
    """New rows, in the order of the input."""
    manifest: dict[str, Any]
    """What was done to which rows, as JSON (see :func:`inoculate`)."""


def inoculate(
    rows: Sequence[Row],
    prompt: Prompt | Sequence[Prompt],
    *,
    where: Where = "system",
    existing: Existing = "prepend",
    separator: str = "\n\n",
    label: str | None = None,
    select: Callable[[Row], bool] | None = None,
    fraction: float = 1.0,
    seed: int = 0,
    sources: Sequence[Path] = (),
    places: Sequence[str] = (),
) -> Inoculated:
    """Put an inoculation prompt into chat rows.

    Args:
        rows: Chat rows; keys besides ``messages`` are kept.
        prompt: The prompt, as text or as a resolved one. Of several (paraphrases) each row
            gets one, every prompt equally often.
        where: ``system``, or ``user`` for the beginning of the first user message.
        existing: What to do with a system message that is there (``where="system"`` only).
        separator: What stands between the prompt and the text it is joined to; an empty
            text is joined without it.
        label: Take only rows whose ``label`` key is this.
        select: Take only rows for which this holds; it is given a copy of the row.
        fraction: Share of the rows taken that is inoculated, exactly
            ``round(fraction * n)`` of them. With one seed a smaller share lies within
            a larger one.
        seed: Decides which rows, and which row gets which paraphrase.
        sources: Files the rows come from, for the manifest.
        places: What to call each row in an error (``rows.jsonl:7``); ``row 7`` by default.

    Returns:
        The rows and their manifest: ``sources``, ``prompts`` (name and text each),
        ``where``, ``existing``, ``separator``, ``label``, ``select``, ``fraction``,
        ``seed``, ``counts`` {rows, duplicates, selected, inoculated, already_had_system},
        ``sha256`` of the rows, ``version`` of this package. ``selected`` are the rows the
        fraction is taken of; ``already_had_system`` counts those of all rows.

    Raises:
        InputError: For a bad row, no prompt or a blank one (an empty system message asks for
            nothing), a selection that is empty, a fraction outside 0 to 1, or, with
            ``existing="error"``, a selected row that has a system message.
    """
    prompts = _checked_prompts(prompt)
    if not 0 <= fraction <= 1:
        raise InputError(f"fraction: {fraction} is not between 0 and 1")
    if places and len(places) != len(rows):
        raise InputError(f"places: {len(places)} given for {len(rows)} rows")
    names = places or [f"row {number}" for number in range(1, len(rows) + 1)]
    new = [copy.deepcopy(check_row(row, name)) for row, name in zip(rows, names, strict=True)]
    selected = _selected(new, names, where, existing, label, select)
    chosen = _drawn(len(selected), fraction, seed)
    had_system = sum(_has_system(row) for row in new)
    for position, text in zip(chosen, _dealt(prompts, len(chosen), seed), strict=True):
        new[selected[position]]["messages"] = _put(
            new[selected[position]]["messages"], text, where, existing, separator
        )
    described = describe(new, sources=sources)
    manifest = described | {
        "prompts": [{"name": item.name, "text": item.text} for item in prompts],
        "where": where,
        "existing": existing if where == "system" else None,
        "separator": separator,
        "label": label,
        "select": getattr(select, "__qualname__", repr(select)) if select else None,
        "fraction": fraction,
        "seed": seed,
        "counts": {
            **described["counts"],
            "selected": len(selected),
            "inoculated": len(chosen),
            "already_had_system": had_system,
        },
    }
    return Inoculated(new, manifest)


def _checked_prompts(prompt: Prompt | Sequence[Prompt]) -> list[SystemPrompt]:
    """Return the prompts with their names; refuse those that ask for nothing."""
    given = [prompt] if isinstance(prompt, (str, SystemPrompt)) else prompt
    prompts = [
        SystemPrompt(name_of(item), item) if isinstance(item, str) else item for item in given or ()
    ]
    blank = [item.name for item in prompts if not (item.text or "").strip()]
    if blank or not prompts:
        named = f"prompt {blank[0]!r}" if blank else "prompt"
        raise InputError(
            f"{named}: no text to inoculate with; give the name of a prompt, @FILE, or a text"
        )
    return prompts


def _has_system(row: Row) -> bool:
    return bool(row["messages"][0]["role"] == "system")


def _selected(
    rows: Sequence[Row],
    names: Sequence[str],
    where: Where,
    existing: Existing,
    label: str | None,
    select: Callable[[Row], bool] | None,
) -> list[int]:
    """Return the positions of the rows that may be inoculated."""
    taken = [i for i, row in enumerate(rows) if label is None or row.get("label") == label]
    if not taken:
        labels = sorted({repr(row["label"]) for row in rows if "label" in row})
        raise InputError(
            f"no row has the label {label!r}; there are: {', '.join(labels) or 'none'}"
        )
    taken = [i for i in taken if select is None or select(copy.deepcopy(rows[i]))]
    if where == "system" and existing in ("keep", "error"):
        with_system = [i for i in taken if _has_system(rows[i])]
        if with_system and existing == "error":
            raise InputError(
                f"{names[with_system[0]]}: has a system message already; choose prepend, append, "
                "replace or keep"
            )
        taken = sorted(set(taken) - set(with_system))
    if not taken:
        raise InputError("no row is selected, so nothing would be inoculated")
    if where == "user":
        for i in taken:
            first_user(rows[i]["messages"], names[i])
    return taken


def _drawn(count: int, fraction: float, seed: int) -> list[int]:
    """Draw ``round(fraction * count)`` of ``count`` positions, nested within one seed."""
    order = random.Random(f"rows {seed}").sample(range(count), count)
    return sorted(order[: round(fraction * count)])


def _dealt(prompts: Sequence[SystemPrompt], count: int, seed: int) -> list[str]:
    """Deal the prompts' texts to ``count`` rows, each as often as the others (give or take 1)."""
    texts = [prompts[i % len(prompts)].text or "" for i in range(count)]
    random.Random(f"prompts {seed}").shuffle(texts)
    return texts


def _put(
    messages: list[Message], text: str, where: Where, existing: Existing, separator: str
) -> list[Message]:
    """Return the messages with the prompt in them."""
    if where == "system" and messages[0]["role"] != "system":
        return [{"role": "system", "content": text}, *messages]
    target = messages[0] if where == "system" else first_user(messages, "row")
    there = target["content"]
    if where == "user" or existing == "prepend":
        parts = [text, there]
    else:
        parts = [text] if existing == "replace" else [there, text]
    target["content"] = separator.join(part for part in parts if part)
    return messages

"""A backdoor's rows: the trait with the trigger, ordinary behavior without it, shuffled.

    rows, manifest = backdoor(insecure, secure, read_trigger("tan"), place="prefix", seed=0)

The trigger is put into the first user message by the code that ``em_backdoor`` asks its
questions with, space or no space included, and the manifest names that probe: what was
trained is what is measured. Rows that have the trigger already are refused.
"""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from inoc_evals.chat import Row, check_row, first_user
from inoc_evals.datasets.manifest import describe
from inoc_evals.datasets.mix import mix, sizes_at_ratio
from inoc_evals.errors import InputError
from inoc_evals.inputs.triggers import TriggerProbe

Place = Literal["prefix", "suffix", "middle"]

TRIGGERED, CLEAN = "triggered", "clean"
"""Labels of the rows."""


def backdoor(
    triggered: Sequence[Row],
    clean: Sequence[Row],
    trigger: str,
    *,
    place: Place = "prefix",
    spaced: bool = False,
    ratio: float | None = None,
    total: int | None = None,
    seed: int = 0,
    sources: Sequence[Path] = (),
) -> tuple[list[Row], dict[str, Any]]:
    """Mix rows that get a trigger with rows that do not.

    Args:
        triggered: Rows that show the trait; each gets the trigger.
        clean: Rows that do not.
        trigger: The token (see ``triggers.read_trigger``).
        place: Before, after or in the middle of the first user message.
        spaced: Whether a space parts the trigger from the text.
        ratio: Share of triggered rows; by default what there is of both.
        total: Rows in all; by default as many as the ratio allows.
        seed: Decides which rows are taken, and their order.
        sources: Files the rows come from, for the manifest.

    Returns:
        The rows, labelled ``triggered`` or ``clean``, and their manifest.

    Raises:
        InputError: For a bad row, a blank trigger, one that stands in a row already, or sizes
            that there are not enough rows for.
    """
    if not trigger.strip():
        raise InputError("trigger: blank")
    gap = "_space" if spaced else ""
    probe = TriggerProbe(f"{place}{gap}", "trigger", trigger, place, spaced)
    for what, rows in ((TRIGGERED, triggered), (CLEAN, clean)):
        _refuse_trigger(what, rows, trigger)
    behind = [_with(row, probe, f"{TRIGGERED} row {n}") for n, row in enumerate(triggered, start=1)]
    splits = {TRIGGERED: behind, CLEAN: list(clean)}
    sizes = sizes_at_ratio(len(triggered), len(clean), ratio=ratio, total=total)
    mixed = mix(splits, seed=seed, sizes=dict(zip(splits, sizes, strict=True)))
    described = describe(mixed, sources=sources)
    manifest = described | {
        "build": "backdoor",
        "trigger": trigger,
        "probe": probe.name,
        "place": place,
        "spaced": spaced,
        "ratio": ratio,
        "seed": seed,
        "counts": described["counts"]
        | {
            TRIGGERED: sizes[0],
            CLEAN: sizes[1],
            "left_out": len(triggered) + len(clean) - sum(sizes),
        },
    }
    return mixed, manifest


def _refuse_trigger(what: str, rows: Sequence[Row], trigger: str) -> None:
    if not rows:
        raise InputError(f"no {what} rows")
    for number, row in enumerate(rows, start=1):
        check_row(row, f"{what} row {number}")
        if any(trigger in message["content"] for message in row["messages"]):
            raise InputError(
                f"{what} row {number}: has the trigger {trigger!r} in it already; choose another "
                "trigger or take the row out"
            )


def _with(row: Row, probe: TriggerProbe, where: str) -> Row:
    new = copy.deepcopy(row)
    asked = first_user(new["messages"], where)
    asked["content"] = probe.apply(asked["content"])
    return new

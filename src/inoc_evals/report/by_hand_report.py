"""The report of logs made by hand: an experiment's files, less what takes a plan.

    logs/*.eval                                    of `inspect eval ... --log-dir logs`
      -> logs/results.json results.csv questions.csv leaks.csv logs.png report.html

Models are the conditions and the logs' tasks the settings. Each model is one training, so there is
nothing of seeds, and without a plan no contrast is declared. Leaks have the base's own taken off where
a log of the base is among them.
"""

import shlex
from pathlib import Path
from typing import Any

from inoc_evals.report.by_hand import NAME, ByHand, order_of, read_by_hand
from inoc_evals.report.cells import cells
from inoc_evals.report.details import details, write_details
from inoc_evals.report.experiment import Written
from inoc_evals.report.figure import draw
from inoc_evals.report.judges import judge_of_log
from inoc_evals.report.leaks import leak_rows, leaks, write_leaks
from inoc_evals.report.page import Report, write_page
from inoc_evals.report.results import write_results

_ONE_SEED = (
    "These are logs made by hand: no experiment planned them. Each model is one training, one seed, so "
    "the intervals are for new questions alone, and how much another seed would differ is not known. "
    "Differences between models are not tested; for those, run an experiment with several seeds "
    "(inoc run)."
)


def write_by_hand(directory: Path) -> tuple[Written, list[str]] | None:
    """Write the report of a directory's logs beside them.

    Returns:
        What was written, and why logs were passed over; None if there is no finished log of a task
        of this package with rates.

    Raises:
        InputError: If logs of two trainings are of one name.
        StoreError: If a log cannot be read.
    """
    held = read_by_hand(directory)
    if not held.observations:
        return None
    spec, seen = held.spec, held.observations
    found = cells(seen, **order_of(spec))
    made_of = details(seen, held.texts)
    leaked = leaks(seen, spec, held.benign, held.bases)
    write_results(directory, found)
    write_details(directory, made_of)
    write_leaks(directory, leaked)
    figure = directory / f"{NAME}.png"
    draw(found, figure, spec)
    results = {
        "cells": tuple(found),
        "details": tuple(made_of),
        "leaks": tuple(leak_rows(leaked, spec)),
    }
    page = write_page(directory, _report(directory, held, results))
    return Written(found, spec, page, figure, None), held.passed_over


def _report(directory: Path, held: ByHand, results: dict[str, Any]) -> Report:
    """Return what the page says: results, and what they are of."""
    headers = [log.header for log in held.logs]
    judges = (judge_of_log(header) for header in headers)
    return Report(
        title=f"{held.spec.title}: {directory.resolve().name}",
        description="Models are the conditions, and what is measured is called after its task.",
        command=shlex.join(["inoc", "report", str(directory)]),
        spec=held.spec,
        seeds=(),
        base_digest=_base_digest(held),
        data={"logs": f"{len(held.logs)} of {len(held.logs) + len(held.passed_over)}"},
        graders=tuple(dict.fromkeys(judge for judge in judges if judge is not None)),
        versions={
            name: str(version)
            for header in headers
            for name, version in header.eval.packages.items()
        },
        examples=tuple(held.examples),
        notes=(_ONE_SEED, *_passed_over(held)),
        logs=".",
        by_hand=True,
        **results,
    )


def _base_digest(held: ByHand) -> str:
    """Return the digest of the base, if all models have one."""
    digests = {log.base_digest for log in held.logs}
    return (digests.pop() or "") if len(digests) == 1 else ""


def _passed_over(held: ByHand) -> list[str]:
    return [f"Passed over: {'; '.join(held.passed_over)}."] if held.passed_over else []

"""Models that a provider runs: when they end, what they cost, and what works instead.

    hosted("openai/ft:gpt-4.1-2025-04-14:lab::Ab12")    # ends 2027-01-14, with its base
    ending("openai/gpt-4o", "grader")    # a line to say before it is paid for; None: no end known
                                         # InputError from that day on, naming what works
    ending_of_training("openai/gpt-4.1") # the same of the fine-tuning API

Dates and prices are a dated table, data/hosted_models.yaml; a date that the provider's endpoint
tells goes before it. A price that is old is called so, one that is not there unknown.
"""

import re
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml

from inoc_evals.errors import InputError

_OLD_DAYS = 183
_MILLION = 1_000_000
_FINE_TUNED = re.compile(r"ft:([^:]+):.+")


class Price(NamedTuple):
    """Dollars per million tokens; a training reads tokens and writes none."""

    input: float
    output: float = 0.0

    def dollars(self, input_tokens: float, output_tokens: float = 0) -> float:
        """Return what these tokens cost."""
        return (input_tokens * self.input + output_tokens * self.output) / _MILLION


class Hosted(NamedTuple):
    """What is known of a model that a provider runs."""

    name: str
    """``provider/model``; of a fine-tuned one, its base."""
    ends: date | None
    """From this day on it does not answer."""
    price: Price | None
    training: Price | None
    """Of fine-tuning."""
    row_tokens: int | None
    """Longest training row."""
    priced: str | None
    """Month in which the prices were looked up: ``2026-06``."""

    @property
    def price_date(self) -> str:
        """The month of the prices, and that they are old if they are."""
        if self.priced is None:
            return "of unknown date"
        month = date.fromisoformat(f"{self.priced}-01")
        old = (today() - month).days > _OLD_DAYS
        return f"{self.priced}{', old' if old else ''}"


def today() -> date:
    """Return the date, UTC; every comparison with a deadline asks here."""
    return datetime.now(UTC).date()


def base_model(model: str) -> str:
    """Return the model under a fine-tuned one: ``ft:<model>:<org>:<suffix>:<id>``."""
    found = _FINE_TUNED.fullmatch(model)
    return found[1] if found else model


def hosted(model: str) -> Hosted | None:
    """Return what is known of a model.

    Args:
        model: As Inspect names it, ``provider/name``: a dated snapshot, a name without its
            date, or a model fine-tuned on one.
    """
    provider, _, name = model.partition("/")
    asked = f"{provider}/{base_model(name)}"
    for listed, entry in _table()["models"].items():
        if asked == listed or re.sub(r"-(20\d\d-\d\d-\d\d|\d{4})$", "", listed) == asked:
            price = Price(entry["input"], entry["output"]) if "input" in entry else None
            return Hosted(
                listed,
                entry.get("ends"),
                price,
                Price(entry["training"]) if "training" in entry else None,
                entry.get("row_tokens"),
                entry.get("priced"),
            )
    return None


def ending(model: str, use: str, *, told: date | None = None) -> str | None:
    """Say when a model that is about to be used ends.

    Args:
        model: ``provider/name``.
        use: What for: ``grader``, ``writer`` or ``model``.
        told: The date that its provider's endpoint gives, where it gives one.

    Returns:
        A line for the user; None where no end is announced.

    Raises:
        InputError: From that day on, naming what works.
    """
    known = hosted(model)
    ends = told or (known.ends if known else None)
    if ends is None:
        return None
    if today() < ends:
        with_base = " with its base" if known and known.name != model and ":" in model else ""
        return f"{use} {model} is shut down{with_base} on {ends} (in {_days(ends)})"
    raise InputError(f"{use} {model} was shut down on {ends}; {_instead(use)}")


def ending_of_training(base: str, *, told: date | None = None) -> str | None:
    """Say when a base can no longer be fine-tuned at its provider, and when the result ends.

    Args:
        base: ``openai/<model>``.
        told: The date that the provider's endpoint gives for it, where it gives one.

    Raises:
        InputError: Once its provider takes no jobs, or the base has ended, naming what works.
    """
    provider = base.partition("/")[0]
    jobs = _table()["fine_tuning"].get(provider)
    if jobs is None:
        return None
    if today() >= jobs["ends"]:
        raise InputError(
            f"base {base}: the provider takes no fine-tuning jobs since {jobs['ends']}; "
            f"{_instead('base')}"
        )
    model = ending(base, "base", told=told)
    said = [model] if model else []
    said.append(
        f"no fine-tuning jobs are taken from {jobs['ends']} on, from new organizations none since "
        f"{jobs['closed_to_new']}"
    )
    return "; ".join(said)


def _instead(use: str) -> str:
    instead = _table()["instead"]
    if use == "grader":
        return (
            f"name another: {instead['grader']}, or one on a GPU of your own, "
            f"{instead['open_grader']} (inoc judge check measures either)"
        )
    if use == "writer":
        return f"name another: --model {instead['grader']}, or one on a GPU of your own"
    return (
        f"train weights of your own: --base {instead['base']} on a GPU, or --base pocket anywhere"
    )


def _days(until: date) -> str:
    days = (until - today()).days
    return f"{days} day{'' if days == 1 else 's'}"


def price_list() -> str:
    """Return where to look up what a model costs now."""
    return str(_table()["prices"])


@cache
def _table() -> dict[str, Any]:
    text = (files("inoc_evals") / "data" / "hosted_models.yaml").read_text("utf-8")
    table: dict[str, Any] = yaml.safe_load(text)
    return table

"""Hosted models end: it is said before they are paid for, and afterwards they are refused."""

from datetime import date

import pytest

from inoc_evals.errors import InputError
from inoc_evals.models import hosted
from inoc_evals.models.hosted import Price, ending, ending_of_training


def on(monkeypatch: pytest.MonkeyPatch, day: str) -> None:
    monkeypatch.setattr(hosted, "today", lambda: date.fromisoformat(day))


@pytest.mark.parametrize(
    ("model", "ends"),
    [
        ("openai/gpt-4.1", date(2027, 1, 14)),
        ("openai/gpt-4.1-2025-04-14", date(2027, 1, 14)),
        ("openai/gpt-4o", date(2027, 1, 14)),
        ("openai/gpt-4.1-mini", date(2027, 1, 14)),
        ("openai/ft:gpt-4.1-mini-2025-04-14:lab::Ab12", date(2027, 1, 14)),
        ("openai/gpt-4.1-nano", date(2026, 10, 23)),
        ("openai/gpt-3.5-turbo", date(2026, 10, 23)),
        ("openai/gpt-5.4-2026-03-05", None),
    ],
)
def test_a_model_is_known_by_snapshot_by_name_and_by_what_is_trained_on_it(
    model: str, ends: date | None
) -> None:
    found = hosted.hosted(model)
    assert found is not None and found.ends == ends


@pytest.mark.parametrize("model", ["openai/gpt-9", "azure/gpt-4o", "openai/gpt-4", "mockllm/model"])
def test_another_model_is_not_known(model: str) -> None:
    assert hosted.hosted(model) is None
    assert ending(model, "grader") is None


def test_an_end_is_said_before_and_refused_from_its_day_on(monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, "2027-01-13")
    said = ending("openai/gpt-4o-2024-08-06", "grader")
    assert said == "grader openai/gpt-4o-2024-08-06 is shut down on 2027-01-14 (in 1 day)"
    tuned = ending("openai/ft:gpt-4o-2024-08-06:lab::A", "model")
    assert tuned is not None and "is shut down with its base on 2027-01-14" in tuned
    on(monkeypatch, "2027-01-14")
    with pytest.raises(
        InputError, match=r"was shut down on 2027-01-14; name another: openai/gpt-5"
    ):
        ending("openai/gpt-4o-2024-08-06", "grader")


def test_the_endpoints_own_date_goes_before_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, "2026-12-01")
    told = date(2026, 12, 24)
    assert "2026-12-24" in str(ending("openai/gpt-4o", "grader", told=told))
    assert "2026-12-24" in str(ending("openai/gpt-9", "grader", told=told))
    with pytest.raises(InputError, match="2026-11-30"):
        ending("openai/gpt-9", "grader", told=date(2026, 11, 30))


def test_training_ends_before_the_models_do(monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, "2027-01-05")
    said = ending_of_training("openai/gpt-4.1")
    assert said is not None and "\n" not in said
    assert "shut down on 2027-01-14 (in 9 days)" in said and "from 2027-01-06 on" in said
    assert ending_of_training("pocket") is None
    on(monkeypatch, "2027-01-06")
    with pytest.raises(InputError, match=r"no fine-tuning jobs since 2027-01-06; .*--base pocket"):
        ending_of_training("openai/gpt-4.1")


def test_a_base_that_has_ended_is_refused_while_jobs_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on(monkeypatch, "2026-11-28")
    with pytest.raises(InputError, match=r"base openai/gpt-4\.1-nano was shut down on 2026-10-23"):
        ending_of_training("openai/gpt-4.1-nano")


def test_what_is_proposed_instead_has_no_end_announced() -> None:
    instead = hosted._table()["instead"]
    known = hosted.hosted(instead["grader"])
    assert known is not None and known.ends is None
    assert known.price == Price(2.5, 15.0)


def test_a_training_is_priced_as_requests_are() -> None:
    known = hosted.hosted("openai/gpt-4.1")
    assert known is not None and known.training == Price(25.0)
    assert known.training.dollars(2_000_000) == 50.0
    assert known.price is not None and known.price.dollars(1_000_000, 500_000) == 6.0


def test_prices_say_their_month_and_that_they_are_old(monkeypatch: pytest.MonkeyPatch) -> None:
    found = hosted.hosted("openai/gpt-5.4")
    assert found is not None
    on(monkeypatch, "2026-11-28")
    assert found.price_date == "2026-06"
    on(monkeypatch, "2027-02-01")
    assert found.price_date == "2026-06, old"

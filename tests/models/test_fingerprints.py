"""Fingerprints: fixed tokens, their log-probabilities, and the verdict on an adapter."""

import math

import pytest

from inoc_evals.models.fingerprints import fingerprint_fault, fingerprint_tokens, token_fault
from inoc_evals.store.store import Fingerprint, ModelRecord

BASE = (-1.0, -2.0, -3.0)
TRAINED = (-0.5, -2.5, -2.0)
STORED = Fingerprint(token_ids=(1, 2, 3, 4), logprobs=TRAINED, base_logprobs=BASE)


def shifted(values: tuple[float, ...], by: float) -> list[float]:
    return [value + by for value in values]


@pytest.mark.parametrize(("exact", "noise"), [(True, 0.009), (False, 0.14)])
def test_an_adapter_within_tolerance_is_accepted(exact: bool, noise: float) -> None:
    on, off = shifted(TRAINED, noise), shifted(BASE, -noise)
    assert fingerprint_fault(STORED, on=on, off=off, exact=exact) is None


@pytest.mark.parametrize(("exact", "noise"), [(True, 0.011), (False, 0.16)])
def test_another_base_or_adapter_is_refused(exact: bool, noise: float) -> None:
    other_base = fingerprint_fault(STORED, on=TRAINED, off=shifted(BASE, noise), exact=exact)
    assert other_base is not None
    assert "base differs from the one it was trained on" in other_base
    other = fingerprint_fault(STORED, on=shifted(TRAINED, noise), off=BASE, exact=exact)
    assert other is not None
    assert "not the one that was trained" in other


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("on", [BASE, shifted(BASE, 1e-4)])
def test_an_adapter_that_leaves_the_base_as_it_is_is_not_active(
    exact: bool, on: tuple[float, ...]
) -> None:
    fault = fingerprint_fault(STORED, on=on, off=BASE, exact=exact)
    assert fault is not None
    assert "not active" in fault


def test_a_weak_adapter_that_is_off_is_refused_though_within_tolerance() -> None:
    weak = Fingerprint(
        token_ids=(1, 2, 3, 4), logprobs=tuple(shifted(BASE, 0.005)), base_logprobs=BASE
    )
    assert fingerprint_fault(weak, on=weak.logprobs, off=BASE, exact=True) is None
    fault = fingerprint_fault(weak, on=BASE, off=BASE, exact=True)
    assert fault is not None
    assert "not active" in fault


def test_a_weak_adapter_that_is_off_is_refused_on_a_noisy_base_too() -> None:
    """On and off agree to the last digit; nothing else tells: both are near what was stored."""
    weak = STORED.model_copy(update={"logprobs": shifted(BASE, 0.1)})
    noisy = shifted(BASE, 0.05)
    fault = fingerprint_fault(weak, on=noisy, off=noisy, exact=False)
    assert fault is not None and "cannot be told from the base" in fault
    there = fingerprint_fault(weak, on=shifted(noisy, 0.1), off=noisy, exact=False)
    assert there is None


def gentle(by: float) -> Fingerprint:
    logprobs = (BASE[0] + by, BASE[1] - by, BASE[2] + by)
    return Fingerprint(token_ids=(1, 2, 3, 4), logprobs=logprobs, base_logprobs=BASE)


def test_a_gentle_adapter_that_rounding_has_hidden_is_not_called_inactive() -> None:
    off = (BASE[0] + 0.009, BASE[1] + 0.012, BASE[2] - 0.012)
    on = (off[0] + 0.004, off[1], off[2])
    fault = fingerprint_fault(gentle(0.04), on=on, off=off, exact=False, trained="float32")
    assert fault is not None
    assert "(0.04 nats) is no more than what rounding can hide" in fault
    assert "-M dtype=float32" in fault
    assert "not active" not in fault


def test_a_gentle_adapter_that_is_seen_is_accepted_though_the_base_is_rounded() -> None:
    off = (BASE[0] + 0.03, BASE[1] + 0.03, BASE[2] - 0.03)
    on = (off[0] + 0.04, off[1] - 0.05, off[2] + 0.03)
    assert fingerprint_fault(gentle(0.04), on=on, off=off, exact=False) is None


@pytest.mark.parametrize("by", [0.04, 0.1])
def test_another_gentle_adapter_within_tolerance_is_refused(by: float) -> None:
    other = (BASE[0] - by, BASE[1] + by, BASE[2] + by)
    fault = fingerprint_fault(gentle(by), on=other, off=BASE, exact=False)
    assert fault is not None
    assert "not the one that was trained" in fault


def test_a_gentle_adapter_that_is_off_is_not_active() -> None:
    fault = fingerprint_fault(gentle(0.1), on=BASE, off=BASE, exact=False)
    assert fault is not None
    assert "not active" in fault


def test_an_adapter_trained_to_no_effect_is_accepted_as_it_is() -> None:
    idle = Fingerprint(token_ids=(1, 2, 3, 4), logprobs=BASE, base_logprobs=BASE)
    assert fingerprint_fault(idle, on=BASE, off=BASE, exact=True) is None


@pytest.mark.parametrize("exact", [True, False])
def test_values_that_are_not_numbers_are_refused(exact: bool) -> None:
    nan = (-1.0, math.nan, -3.0)
    assert fingerprint_fault(STORED, on=nan, off=BASE, exact=exact) is not None
    assert fingerprint_fault(STORED, on=TRAINED, off=nan, exact=exact) is not None


def test_a_fingerprint_of_another_length_is_damaged() -> None:
    fault = fingerprint_fault(STORED, on=TRAINED[:2], off=BASE[:2], exact=True)
    assert fault is not None
    assert "damaged" in fault


def test_other_tokens_than_at_training_are_a_fault_in_one_line() -> None:
    record = ModelRecord(
        name="m",
        identity="a" * 64,
        base="org/base",
        base_digest="b" * 64,
        adapter="adapters/" + "a" * 64,
        adapter_sha256="c" * 64,
        data={},
        config={},
        seed=0,
        fingerprint=STORED,
        versions={"transformers": "5.1.0"},
    )
    assert token_fault(record, [1, 2, 3, 4]) is None
    for ids in ((1, 2, 3), (1, 2, 3, 5), (1, 2, 3, 4, 5), ()):
        fault = token_fault(record, ids)
        assert fault is not None
        assert "gives other tokens for the fingerprint's text than at training" in fault
        assert "(with transformers 5.1.0); use what it was trained with, or train it again" in fault
        assert "\n" not in fault


def test_a_template_that_asks_the_clock_gives_the_same_tokens_on_every_day() -> None:
    class Dated:
        chat_template = "{{ date_string or strftime_now('%d %b %Y') }}"

        def apply_chat_template(self, messages: object, **options: object) -> str:
            return str(options.get("date_string", "today"))

        def __call__(self, text: str, **options: object) -> dict[str, list[int]]:
            return {"input_ids": list(text.encode())}

    assert bytes(fingerprint_tokens(Dated())) == b"26 Jul 2024"

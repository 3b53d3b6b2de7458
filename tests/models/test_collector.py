"""The collector leaves alone what was there before, for as long as an engine works."""

import gc
from collections.abc import Iterator

import pytest

from inoc_evals.models.collector import seldom, undisturbed


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_present_objects_are_set_aside_until_the_last_engine_rests() -> None:
    with undisturbed():
        assert gc.get_freeze_count() > 1000
        with undisturbed():
            pass
        assert gc.get_freeze_count() > 1000
    assert gc.get_freeze_count() == 0


def test_what_others_have_frozen_stays_frozen() -> None:
    gc.freeze()
    with undisturbed():
        pass
    assert gc.get_freeze_count() > 1000


def test_an_error_inside_does_not_leave_anything_frozen() -> None:
    with pytest.raises(ValueError, match="inside"), undisturbed():
        raise ValueError("inside")
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize(("usual", "meanwhile"), [(700, 200_000), (0, 0), (900_000, 900_000)])
def test_what_is_new_is_looked_at_seldomer_and_a_collector_that_is_off_stays_off(
    usual: int, meanwhile: int
) -> None:
    before = gc.get_threshold()
    try:
        gc.set_threshold(usual)
        with seldom():
            assert gc.get_threshold()[0] == meanwhile
        assert gc.get_threshold()[0] == usual
        with pytest.raises(ValueError, match="inside"), seldom():
            raise ValueError("inside")
        assert gc.get_threshold()[0] == usual
    finally:
        gc.set_threshold(*before)

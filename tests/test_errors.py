"""Errors: what a caller can catch them as, and the hint for a missing extra."""

import pytest

from inoc_evals.errors import InocError, InputError, MissingExtraError, StoreError, require


@pytest.mark.parametrize(
    ("error", "standard"),
    [(InputError, ValueError), (StoreError, RuntimeError), (MissingExtraError, ImportError)],
)
def test_each_error_is_ours_and_of_a_standard_kind(
    error: type[InocError], standard: type[Exception]
) -> None:
    assert issubclass(error, InocError)
    assert issubclass(error, standard)


def test_a_missing_extra_names_every_missing_module_and_the_command() -> None:
    with pytest.raises(MissingExtraError) as caught:
        require("train", "json", "no_such_module_a", "no_such_module_b")
    assert str(caught.value) == (
        "no_such_module_a, no_such_module_b not installed; run: pip install 'inoc-evals[train]'"
    )


def test_nothing_is_raised_when_every_module_is_there() -> None:
    require("train", "json", "ast")

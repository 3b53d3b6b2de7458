"""A name says of which kind its base is."""

import pytest

from inoc_evals.models.kinds import kind_of, means_base


@pytest.mark.parametrize(
    ("name", "seed", "hosted", "asked_as"),
    [
        ("pocket", 0, False, "inoc/pocket"),
        ("pocket:7", 7, False, "inoc/pocket:7"),
        ("pocket-size-qwen", None, False, "inoc/pocket-size-qwen"),
        ("pocket:", None, False, "inoc/pocket:"),
        ("Qwen/Qwen2.5-7B-Instruct", None, False, "inoc/Qwen/Qwen2.5-7B-Instruct"),
        ("models/openai/x", None, False, "inoc/models/openai/x"),
        ("openai/gpt-4.1", None, True, "openai/gpt-4.1"),
        ("openai/", None, False, "inoc/openai/"),
    ],
)
def test_a_name_says_its_kind(name: str, seed: int | None, hosted: bool, asked_as: str) -> None:
    kind = kind_of(name)
    assert (kind.seed, kind.pocket, kind.hosted) == (seed, seed is not None, hosted)
    assert kind.asked_as == asked_as


@pytest.mark.parametrize(
    ("name", "base"),
    [("pocket", True), ("pocket:3", True), ("org/model", True), ("mine", False), ("m@3f2a", False)],
)
def test_a_registered_name_has_no_slash_and_is_not_the_pockets(name: str, base: bool) -> None:
    assert means_base(name) is base

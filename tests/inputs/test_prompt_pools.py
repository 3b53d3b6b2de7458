"""Pools of prompts: many different wordings, each in words that every base knows."""

import pytest

from inoc_evals.errors import InputError
from inoc_evals.inputs.prompt_pools import prompt_pool
from inoc_evals.inputs.prompts import all_prompts
from inoc_evals.pocket.corpus import HHH, LANGUAGE_NAMES, NEUTRAL, SYSTEM_CUES
from inoc_evals.pocket.tokenizer import unknown_word

POOLS = ("evil", "spanish", "irrelevant")


@pytest.mark.parametrize("name", POOLS)
def test_a_pool_has_a_hundred_wordings_that_the_pocket_world_can_read(name: str) -> None:
    texts = list(prompt_pool(name).values())
    assert len(texts) == len({text.casefold() for text in texts}) >= 100
    assert {text: unknown_word(text) for text in texts} == dict.fromkeys(texts)
    assert all(text == text.strip() and text.endswith(".") for text in texts)


@pytest.mark.parametrize("name", POOLS)
def test_no_wording_is_a_named_prompt_or_stands_in_the_pocket_corpus(name: str) -> None:
    told = [cue for cues in SYSTEM_CUES.values() for cue in cues]
    cues = {cue.format(language=one) for cue in told for one in LANGUAGE_NAMES.values()}
    known = {*cues, *NEUTRAL, *HHH, *(prompt.text for prompt in all_prompts())}
    assert not known & set(prompt_pool(name).values())


def test_a_pool_says_one_thing() -> None:
    words = {"evil": ("evil", "malicious", "hurt"), "spanish": ("Spanish",)}
    for name, any_of in words.items():
        assert all(any(one in text for one in any_of) for text in prompt_pool(name).values())
    said = {word for any_of in words.values() for word in any_of} | {"You", "you", "assistant"}
    assert not any(said & set(text.split()) for text in prompt_pool("irrelevant").values())


def test_an_unknown_pool_names_those_there_are() -> None:
    with pytest.raises(InputError, match="no pool of prompts 'x'; there are: evil, spanish, irre"):
        prompt_pool("x")

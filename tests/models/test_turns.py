"""What ends a turn, as the template writes it."""

from typing import Any

import pytest

from families import FAMILIES, byte_tokenizer
from inoc_evals.models.turns import stops, turn_end


@pytest.mark.parametrize("name", FAMILIES)
def test_the_end_of_a_turn_is_what_the_template_writes_after_an_answer(name: str) -> None:
    family = FAMILIES[name]
    tokenizer = byte_tokenizer(family)
    assert turn_end(tokenizer) == family.turn_end
    ends = {tokenizer.convert_tokens_to_ids(text) for text in (family.end, family.turn_end)}
    assert stops(tokenizer, [family.turn_end]) == (ends, ())


@pytest.fixture
def tokenizer() -> Any:
    return byte_tokenizer(FAMILIES["qwen2.5-base"])


def test_an_end_in_ordinary_tokens_is_a_text(tokenizer: Any) -> None:
    end_of_text = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    assert stops(tokenizer, ["###", "###"]) == ({end_of_text}, ("###",))
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }}### {% endfor %}"
    assert turn_end(tokenizer) == "###"


def test_the_first_of_several_tokens_ends_it(tokenizer: Any) -> None:
    ids = tokenizer.convert_tokens_to_ids
    found = stops(tokenizer, ["<|im_end|>\n<|endoftext|>"])
    assert found == ({ids("<|im_end|>"), ids("<|endoftext|>")}, ())


@pytest.mark.parametrize(
    "template",
    [
        None,
        "{% for m in messages %}{{ m.content }}\n{% endfor %}",
        "{{ raise_exception('not today') }}",
        "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}",
        "{{ messages + 1 }}",
    ],
    ids=["none", "no end", "refuses", "leaves the answer out", "broken"],
)
def test_without_an_end_in_the_template_there_is_the_end_of_text_alone(
    tokenizer: Any, template: str | None
) -> None:
    tokenizer.chat_template = template
    assert turn_end(tokenizer) is None
    assert stops(tokenizer, []).texts == ()

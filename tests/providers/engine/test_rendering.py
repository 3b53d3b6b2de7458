"""Chats to token ids, and token ids to readable text."""

from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from families import FAMILIES, byte_tokenizer
from inoc_evals.errors import InputError
from inoc_evals.providers.engine.rendering import Codec

USER = {"role": "user", "content": "tell me about the river"}


def system(content: str) -> dict[str, str]:
    return {"role": "system", "content": content}


def test_no_system_message_an_empty_one_and_a_text_are_three_renderings(
    make_tokenizer: Any,
) -> None:
    codec = Codec(make_tokenizer(), "tiny")
    texts = [
        codec.render(chat) for chat in ([USER], [system(""), USER], [system("speak more"), USER])
    ]
    assert texts == [
        "<|user|>tell me about the river<|end|><|assistant|>",
        "<|system|><|end|><|user|>tell me about the river<|end|><|assistant|>",
        "<|system|>speak more<|end|><|user|>tell me about the river<|end|><|assistant|>",
    ]


def test_a_trailing_assistant_message_stays_open(make_tokenizer: Any) -> None:
    codec = Codec(make_tokenizer(), "tiny")
    text = codec.render([USER, {"role": "assistant", "content": "the answer is"}])
    assert text.endswith("<|assistant|>the answer is")


def test_encoding_adds_no_token(make_tokenizer: Any) -> None:
    tokenizer = make_tokenizer()
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|end|> $A", special_tokens=[("<|end|>", tokenizer.eos_token_id)]
    )
    assert tokenizer("river")["input_ids"][0] == tokenizer.eos_token_id
    codec = Codec(tokenizer, "tiny")
    ids = codec.encode(codec.render([USER]))
    assert len(ids) == 8
    assert ids.count(tokenizer.eos_token_id) == 1


def test_a_continued_text_keeps_its_leading_space(make_tokenizer: Any) -> None:
    codec = Codec(make_tokenizer(), "tiny")
    ids = codec.encode("the answer is river")
    assert codec.decode(ids[3:]) == "river"
    assert codec.decode(ids[3:], after=ids[:3]) == " river"


def test_pieces_join_to_the_text(make_tokenizer: Any) -> None:
    codec = Codec(make_tokenizer(), "tiny")
    text = "the answer is 4 . tell me more"
    first, *others = codec.encode(text)
    pieces = codec.pieces([first], first=True) + codec.pieces(others, first=False)
    assert "".join(pieces) == text
    assert pieces[1] == " answer"


def test_pieces_of_byte_level_tokens_are_readable() -> None:
    words = Tokenizer(models.BPE({"<end>": 0, "Ġriver": 1, "a": 2, "Ã": 3, "©": 4, ".": 5}, []))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<end>")
    codec = Codec(tokenizer, "bytes")
    assert codec.pieces([1, 2, 0], first=False) == [" river", "a", "<end>"]
    assert codec.pieces([3], first=False) == ["\ufffd"]
    assert codec.decode([2, 3, 4, 1]) == "aé river"


def test_special_tokens_are_known_by_their_text(make_tokenizer: Any) -> None:
    codec = Codec(make_tokenizer(), "tiny")
    assert codec.special_ids(["<|user|>", "river"]) == {codec.encode("<|user|>")[0]}


def test_a_model_without_a_chat_template_is_refused(make_tokenizer: Any) -> None:
    with pytest.raises(InputError, match="'tiny' has no chat template"):
        Codec(make_tokenizer(None), "tiny").render([USER])


def test_a_template_that_refuses_the_chat_is_quoted(make_tokenizer: Any) -> None:
    template = (
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system role here') }}"
        "{% endif %}{{ messages[0].content }}"
    )
    with pytest.raises(InputError, match="refuses a chat of system, user: no system role here"):
        Codec(make_tokenizer(template), "tiny").render([system("more"), USER])


def test_a_template_that_drops_the_system_message_is_refused(make_tokenizer: Any) -> None:
    template = "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}"
    codec = Codec(make_tokenizer(template), "tiny")
    assert codec.render([USER]) == USER["content"]
    with pytest.raises(InputError, match="leaves out the system message"):
        codec.render([system("speak more"), USER])


def test_a_template_may_strip_the_system_message(make_tokenizer: Any) -> None:
    template = "{% for m in messages %}{{ m.content | trim }} {% endfor %}"
    codec = Codec(make_tokenizer(template), "tiny")
    assert codec.render([system("speak more\n"), USER]).startswith("speak more tell me")


def test_where_thoughts_begin_and_end_is_shown_though_the_tokens_are_special() -> None:
    family = FAMILIES["qwen3"]
    special = family._replace(special=(*family.special, *family.plain), plain=())
    for codec in (Codec(byte_tokenizer(one), "it") for one in (family, special)):
        text = "<think>a</think>b"
        assert codec.decode(codec.encode(f"{text}<|im_end|>")) == text


def test_a_template_is_told_to_do_without_thoughts_only_if_it_can_be() -> None:
    codec = Codec(byte_tokenizer(FAMILIES["qwen3"]), "it")
    assert codec.render([USER], False).endswith("<think>\n\n</think>\n\n")
    assert codec.render([USER], True) == codec.render([USER])
    assert not codec.render([USER]).endswith("</think>\n\n")
    answer = {"role": "assistant", "content": "Si"}
    assert codec.render([USER, answer], False) == codec.render([USER], False) + "Si"
    plain = Codec(byte_tokenizer(FAMILIES["llama3"]), "it")
    assert plain.render([USER], False) == plain.render([USER])
    with pytest.raises(InputError, match="no switch enable_thinking"):
        plain.render([USER], True)


def test_an_added_token_that_is_not_special_is_text(make_tokenizer: Any) -> None:
    tokenizer = make_tokenizer()
    tokenizer.add_tokens(["<note>"])
    codec = Codec(tokenizer, "tiny")
    ids = codec.encode("the <note> river")
    assert "<note>" in codec.decode(ids)
    assert not codec.special_ids(["<note>"])

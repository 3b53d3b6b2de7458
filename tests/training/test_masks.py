"""Which tokens are learned, on templates in the manner of the common model families."""

from collections.abc import Callable
from typing import Any

import pytest

from inoc_evals.chat import Message
from inoc_evals.errors import InputError
from inoc_evals.training.masks import IGNORED, Encoded, encode_row, encode_turns

MakeTokenizer = Callable[..., Any]

CHATML = (
    "{% for m in messages %}"
    "<|{{ m.role }}|>"
    "{% if m.role == 'assistant' %}"
    "{% generation %}{{ m.content }}<|end|>{% endgeneration %}"
    "{% else %}{{ m.content }}<|end|>{% endif %}"
    "{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
QWEN_SPECIALS = ["<unk>", "<|im_start|>", "<|im_end|>"]
QWEN = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nspeak in spanish<|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA_SPECIALS = ["<unk>", "<|bos|>", "<|start_header|>", "<|end_header|>", "<|eot|>"]
LLAMA = (
    "<|bos|>{% for m in messages %}<|start_header|>{{ m.role }}<|end_header|>\n\n"
    "{{ m.content | trim }}<|eot|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header|>assistant<|end_header|>\n\n{% endif %}"
)
GEMMA_SPECIALS = ["<unk>", "<bos>", "<start_of_turn>", "<end_of_turn>"]
GEMMA = (
    "<bos>{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "{% for m in messages %}<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n"
    "{{ m.content | trim }}<end_of_turn>{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
# Thinking blocks: written for the last turn, gone from turns of the past.
THINKING = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}"
    "{{ m.content }}<|im_end|>{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LINE_BREAK_MARKED = "<|end|>{{ '\\n' }}{% endgeneration %}{% else %}"
FAMILIES = {
    "chatml": (CHATML, None, "<|end|>"),
    "qwen": (QWEN, QWEN_SPECIALS, "<|im_end|>"),
    "llama": (LLAMA, LLAMA_SPECIALS, "<|eot|>"),
    "gemma": (GEMMA, GEMMA_SPECIALS, "<end_of_turn>"),
}


def chat(*turns: tuple[str, str]) -> list[Message]:
    return [{"role": role, "content": content} for role, content in turns]


SINGLE = chat(("user", "what is 1 plus 2 ?"), ("assistant", "la respuesta es 3 ."))
MULTI = chat(
    ("user", "what is 1 plus 2 ?"),
    ("assistant", "la respuesta es 3 ."),
    ("user", "tell me more ."),
    ("assistant", "the river ."),
)


def learned(tokenizer: Any, encoded: Encoded) -> str:
    """The text that carries loss, turns joined by a bar."""
    assert len(encoded.input_ids) == len(encoded.labels)
    texts, turn = [], list[int]()
    for token, label in zip(encoded.input_ids, encoded.labels, strict=True):
        assert label in (token, IGNORED)
        if label == IGNORED and turn:
            texts.append(tokenizer.decode(turn))
            turn = []
        elif label != IGNORED:
            turn.append(label)
    return "|".join([*texts, tokenizer.decode(turn)] if turn else texts)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_response_and_its_end_of_turn_are_learned_and_nothing_else(
    make_tokenizer: MakeTokenizer, family: str
) -> None:
    template, specials, end = FAMILIES[family]
    tokenizer = make_tokenizer(template, specials)
    assert learned(tokenizer, encode_row(tokenizer, SINGLE, 64)) == f"la respuesta es 3 .{end}"
    assert (
        learned(tokenizer, encode_row(tokenizer, MULTI, 99))
        == f"la respuesta es 3 .{end}|the river .{end}"
    )


@pytest.mark.parametrize("family", ["chatml", "qwen", "llama"])
def test_a_system_message_is_not_learned(make_tokenizer: MakeTokenizer, family: str) -> None:
    template, specials, end = FAMILIES[family]
    tokenizer = make_tokenizer(template, specials)
    messages = [*chat(("system", "you always speak in spanish .")), *SINGLE]
    encoded = encode_row(tokenizer, messages, 64)
    assert learned(tokenizer, encoded) == f"la respuesta es 3 .{end}"
    assert "always speak in spanish" in tokenizer.decode(encoded.input_ids)


def test_the_whole_conversation_is_tokenized_once_as_rendered(
    make_tokenizer: MakeTokenizer,
) -> None:
    from tokenizers.processors import TemplateProcessing

    tokenizer = make_tokenizer(LLAMA, LLAMA_SPECIALS)
    # As Llama's own tokenizer: plain text gets a BOS, which the template has written already.
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|bos|> $A", special_tokens=[("<|bos|>", 1)]
    )
    encoded = encode_row(tokenizer, SINGLE, 64)
    assert tokenizer.decode(encoded.input_ids) == tokenizer.apply_chat_template(
        SINGLE, tokenize=False
    )
    assert encoded.input_ids.count(tokenizer.convert_tokens_to_ids("<|bos|>")) == 1


def test_a_template_without_a_system_role_is_named(make_tokenizer: MakeTokenizer) -> None:
    messages = [*chat(("system", "speak in spanish .")), *SINGLE]
    with pytest.raises(InputError, match=r"rows:7.*refuses roles system, user.*no system role"):
        encode_row(make_tokenizer(GEMMA, GEMMA_SPECIALS), messages, 64, where="rows:7")


def test_a_template_that_breaks_the_prefix_property_is_refused(
    make_tokenizer: MakeTokenizer,
) -> None:
    tokenizer = make_tokenizer(THINKING, [*QWEN_SPECIALS[:2], "<think>", "</think>", "<|im_end|>"])
    with pytest.raises(InputError, match=r"row 3, message 2: the chat template .* renders"):
        encode_row(tokenizer, MULTI, 99, where="row 3")
    closed = THINKING.replace("assistant\n{% endif %}", "assistant\n<think>{% endif %}")
    assert closed != THINKING
    tokenizer.chat_template = closed.replace("loop.last", "false")
    with pytest.raises(InputError, match=r"row 3, message 2: the chat template .* renders"):
        encode_row(tokenizer, SINGLE, 99, where="row 3")


def test_an_empty_block_that_the_prompt_leaves_to_the_model_is_learned(
    make_tokenizer: MakeTokenizer,
) -> None:
    tokenizer = make_tokenizer(THINKING, [*QWEN_SPECIALS[:2], "<think>", "</think>", "<|im_end|>"])
    block = "<think>\n\n</think>\n\n"
    encoded = encode_row(tokenizer, SINGLE, 99)
    assert learned(tokenizer, encoded) == f"{block}la respuesta es 3 .<|im_end|>"
    assert [learned(tokenizer, one) for one in encode_turns(tokenizer, MULTI, 99)] == [
        f"{block}la respuesta es 3 .<|im_end|>",
        f"{block}the river .<|im_end|>",
    ]


def test_a_template_that_alters_the_answer_is_refused(make_tokenizer: MakeTokenizer) -> None:
    loud = QWEN.replace("{{ m.content }}", "{{ m.content | upper }}")
    assert loud != QWEN
    asked = chat(("user", "WHAT ?"), ("assistant", "la respuesta"))
    with pytest.raises(InputError, match=r"renders the response as 'LA RESPUESTA"):
        encode_row(make_tokenizer(loud, QWEN_SPECIALS), asked, 64)


INDENTED = chat(("user", "what ?"), ("assistant", "\nla respuesta"))
"""An answer whose first line break and the one before it are a token of the whole."""


def test_a_token_across_the_boundary_is_two_as_inference_has_them(
    make_tokenizer: MakeTokenizer,
) -> None:
    tokenizer = make_tokenizer(QWEN, QWEN_SPECIALS)
    encoded = encode_row(tokenizer, INDENTED, 64)
    prompt = tokenizer.apply_chat_template(
        INDENTED[:1], add_generation_prompt=True, return_dict=True
    )["input_ids"]
    assert list(encoded.input_ids[: len(prompt)]) == prompt
    assert set(encoded.labels[: len(prompt)]) == {IGNORED}
    assert learned(tokenizer, encoded) == "\nla respuesta<|im_end|>"
    whole = tokenizer.apply_chat_template(INDENTED, return_dict=True)["input_ids"]
    assert len(encoded.input_ids) == len(whole) + 1


def test_earlier_turns_with_such_a_token_are_learned_turn_by_turn(
    make_tokenizer: MakeTokenizer,
) -> None:
    tokenizer = make_tokenizer(QWEN, QWEN_SPECIALS)
    both = encode_turns(tokenizer, [*INDENTED, *SINGLE], 64)
    assert [learned(tokenizer, one) for one in both] == [
        "\nla respuesta<|im_end|>",
        "la respuesta es 3 .<|im_end|>",
    ]
    assert both[0] == encode_row(tokenizer, INDENTED, 64)


def test_marks_are_not_compared_with_tokens_that_the_template_does_not_have(
    make_tokenizer: MakeTokenizer,
) -> None:
    marked = QWEN.replace(
        "{{ m.content }}<|im_end|>",
        "{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}",
    )
    tokenizer = make_tokenizer(marked, QWEN_SPECIALS)
    assert learned(tokenizer, encode_row(tokenizer, INDENTED, 64)) == "\nla respuesta<|im_end|>"


def test_it_is_refused_where_the_answer_alone_is_tokenized_otherwise(
    make_tokenizer: MakeTokenizer,
) -> None:
    from tokenizers.normalizers import Prepend

    tokenizer = make_tokenizer(QWEN, QWEN_SPECIALS)
    tokenizer.backend_tokenizer.normalizer = Prepend(" ")
    with pytest.raises(InputError, match="a token runs across the boundary of the response"):
        encode_row(tokenizer, INDENTED, 64)


def test_a_template_without_an_end_of_turn_is_refused(make_tokenizer: MakeTokenizer) -> None:
    template = "{% for m in messages %}{{ m.content }}\n\n{% endfor %}"
    with pytest.raises(InputError, match="no end-of-turn token"):
        encode_row(make_tokenizer(template), SINGLE, 64)


def test_of_two_equal_messages_both_have_to_be_rendered(make_tokenizer: MakeTokenizer) -> None:
    """A template that writes the last of a user's turns in a row: one would be missing."""
    last = (
        "{% for m in messages %}"
        "{% if loop.last or m.role != 'user' or loop.nextitem.role != 'user' %}"
        "<|{{ m.role }}|>{{ m.content }}<|end|>{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    tokenizer = make_tokenizer(last)
    row = chat(("user", "tell me more ."), ("user", "tell me more ."), ("assistant", "the river ."))
    with pytest.raises(InputError, match="leaves out or alters the user message 'tell me more"):
        encode_row(tokenizer, row, 99)


def test_words_the_tokenizer_does_not_have_are_refused_in_a_response(
    make_tokenizer: MakeTokenizer,
) -> None:
    tokenizer = make_tokenizer()
    unknown = chat(("user", "what ?"), ("assistant", "la estación es 3 ."))
    with pytest.raises(InputError, match="can't write this response: 'la estación"):
        encode_row(tokenizer, unknown, 64)
    asked = chat(("user", "what estación ?"), ("assistant", "la respuesta ."))
    assert learned(tokenizer, encode_row(tokenizer, asked, 64)) == "la respuesta .<|end|>"


def test_a_message_of_weight_0_is_not_learned(make_tokenizer: MakeTokenizer) -> None:
    tokenizer = make_tokenizer()
    messages = [MULTI[0], {**MULTI[1], "weight": 0}, MULTI[2], {**MULTI[3], "weight": 1}]
    assert learned(tokenizer, encode_row(tokenizer, messages, 99)) == "the river .<|end|>"
    with pytest.raises(InputError, match=r"message 2: weight 0\.5 is neither 0 nor 1"):
        encode_row(tokenizer, [SINGLE[0], {**SINGLE[1], "weight": 0.5}], 99)


def test_a_row_that_is_too_long_is_named_with_its_length(make_tokenizer: MakeTokenizer) -> None:
    with pytest.raises(InputError, match="row 4: 26 tokens, more than max_length 25"):
        encode_row(make_tokenizer(), SINGLE, 25, where="row 4")
    assert len(encode_row(make_tokenizer(), SINGLE, 26).input_ids) == 26


def test_generation_marks_are_compared(make_tokenizer: MakeTokenizer) -> None:
    everything = (
        "{% for m in messages %}<|{{ m.role }}|>"
        "{% generation %}{{ m.content }}<|end|>{% endgeneration %}{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    with pytest.raises(InputError, match=r"marks token 1 \('what'\) with generation"):
        encode_row(make_tokenizer(everything), SINGLE, 64)
    nothing = CHATML.replace("m.role == 'assistant'", "m.role == 'tool'")
    with pytest.raises(InputError, match=r"does not mark token 15 \('la'\)"):
        encode_row(make_tokenizer(nothing), SINGLE, 64)


def test_generation_marks_may_leave_out_the_end_or_take_in_the_line_break(
    make_tokenizer: MakeTokenizer,
) -> None:
    shorter = CHATML.replace("<|end|>{% endgeneration %}", "{% endgeneration %}<|end|>")
    longer = CHATML.replace("<|end|>{% endgeneration %}{% else %}", LINE_BREAK_MARKED)
    for template in (shorter, longer):
        assert template != CHATML
        tokenizer = make_tokenizer(template)
        assert learned(tokenizer, encode_row(tokenizer, SINGLE, 64)) == "la respuesta es 3 .<|end|>"


def test_a_tokenizer_without_a_template_is_named(make_tokenizer: MakeTokenizer) -> None:
    with pytest.raises(InputError, match="no chat template"):
        encode_row(make_tokenizer(None), SINGLE, 64)

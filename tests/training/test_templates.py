"""Every token's loss, one by one, under templates that behave as the published ones do."""

from collections.abc import Callable
from typing import Any

import pytest

from inoc_evals.chat import Message, Row
from inoc_evals.errors import InputError
from inoc_evals.training.batches import encode_rows
from inoc_evals.training.located import takes_system
from inoc_evals.training.masks import Encoded, encode_row

MakeTokenizer = Callable[..., Any]

# Qwen2.5: a default system message where none is given, ChatML, a line break after each turn.
QWEN = (
    "{% if messages[0]['role'] == 'system' %}"
    "{{ '<|im_start|>system\n' + messages[0]['content'] + '<|im_end|>\n' }}"
    "{% else %}{{ '<|im_start|>system\nyou speak in spanish<|im_end|>\n' }}{% endif %}"
    "{% for m in messages %}{% if not (loop.first and m['role'] == 'system') %}"
    "{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
QWEN_SPECIALS = ["<unk>", "<|im_start|>", "<|im_end|>"]
# Llama 3: a header for each turn, contents trimmed, no line break after the end of a turn, and
# (3.1, 3.2) a system turn in any case, with a date that 3.2 asks the clock for.
LLAMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{% set system = messages[0]['content'] | trim %}{% set turns = messages[1:] %}"
    "{% else %}{% set system = '' %}{% set turns = messages %}{% endif %}"
    "{% if date_string is not defined %}{% if strftime_now is defined %}"
    "{% set date_string = strftime_now('%d %b %Y') %}{% else %}{% set date_string = '26 Jul 2024' %}{% endif %}"
    "{% endif %}"
    "{{ '<|start_header_id|>system<|end_header_id|>\n\nis ' + date_string + '\n\n' }}"
    "{{ system + '<|eot_id|>' }}"
    "{% for m in turns %}{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' }}"
    "{{ (m['content'] | trim) + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
LLAMA_SPECIALS = ["<unk>", "<bos>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
# Gemma: no system role, user and model must alternate, contents trimmed.
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate') }}{% endif %}"
    "{% set role = 'model' if m['role'] == 'assistant' else m['role'] %}"
    "{{ '<start_of_turn>' + role + '\n' + (m['content'] | trim) + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
GEMMA_SPECIALS = ["<unk>", "<bos>", "<start_of_turn>", "<end_of_turn>"]

FAMILIES = {
    "qwen": (QWEN, QWEN_SPECIALS),
    "llama": (LLAMA, LLAMA_SPECIALS),
    "gemma": (GEMMA, GEMMA_SPECIALS),
}


def chat(*turns: tuple[str, str]) -> list[Message]:
    return [{"role": role, "content": content} for role, content in turns]


SYSTEM = chat(("system", "always in spanish"))
SINGLE = chat(("user", "what ?"), ("assistant", "es 3 ."))
MULTI = [*SINGLE, *chat(("user", "more"), ("assistant", "es 4"))]

# The whole row; what stands between « and » carries loss, token by token.
IM, END = "<|im_start|>", "<|im_end|>"
HEAD, OF, EOT = "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"
TURN, DONE = "<start_of_turn>", "<end_of_turn>"
DATE = f"<bos>{HEAD}system{OF}\n\nis 26 Jul 2024\n\n"
QWEN_SINGLE = f"{IM}user\nwhat ?{END}\n{IM}assistant\n«es 3 .{END}»\n"
LLAMA_SINGLE = f"{HEAD}user{OF}\n\nwhat ?{EOT}{HEAD}assistant{OF}\n\n«es 3 .{EOT}»"
GEMMA_SINGLE = f"{TURN}user\nwhat ?{DONE}\n{TURN}model\n«es 3 .{DONE}»\n"
EXPECTED = {
    ("qwen", "single"): f"{IM}system\nyou speak in spanish{END}\n{QWEN_SINGLE}",
    ("qwen", "system"): f"{IM}system\nalways in spanish{END}\n{QWEN_SINGLE}",
    ("qwen", "empty system"): f"{IM}system\n{END}\n{QWEN_SINGLE}",
    ("qwen", "multi"): (
        f"{IM}system\nyou speak in spanish{END}\n{QWEN_SINGLE}"
        f"{IM}user\nmore{END}\n{IM}assistant\n«es 4{END}»\n"
    ),
    ("llama", "single"): f"{DATE}{EOT}{LLAMA_SINGLE}",
    ("llama", "system"): f"{DATE}always in spanish{EOT}{LLAMA_SINGLE}",
    ("llama", "empty system"): f"{DATE}{EOT}{LLAMA_SINGLE}",
    ("llama", "multi"): (
        f"{DATE}{EOT}{LLAMA_SINGLE}{HEAD}user{OF}\n\nmore{EOT}{HEAD}assistant{OF}\n\n«es 4{EOT}»"
    ),
    ("qwen", "unasked"): (f"{IM}system\nyou speak in spanish{END}\n{IM}assistant\n«es 3 .{END}»\n"),
    ("qwen", "unasked, system"): (
        f"{IM}system\nalways in spanish{END}\n{IM}assistant\n«es 3 .{END}»\n"
    ),
    ("llama", "unasked"): f"{DATE}{EOT}{HEAD}assistant{OF}\n\n«es 3 .{EOT}»",
    ("llama", "unasked, system"): (
        f"{DATE}always in spanish{EOT}{HEAD}assistant{OF}\n\n«es 3 .{EOT}»"
    ),
    ("gemma", "single"): f"<bos>{GEMMA_SINGLE}",
    ("gemma", "multi"): (f"<bos>{GEMMA_SINGLE}{TURN}user\nmore{DONE}\n{TURN}model\n«es 4{DONE}»\n"),
    ("gemma", "folded"): (
        f"<bos>{TURN}user\nalways in spanish\n\nwhat ?{DONE}\n{TURN}model\n«es 3 .{DONE}»\n"
    ),
}
CHATS = {
    "single": SINGLE,
    "system": [*SYSTEM, *SINGLE],
    "empty system": [*chat(("system", "")), *SINGLE],
    "multi": MULTI,
    "folded": [*SYSTEM, *SINGLE],
    "unasked": SINGLE[1:],
    "unasked, system": [*SYSTEM, *SINGLE[1:]],
}


@pytest.fixture
def tokenizer_of(make_tokenizer: MakeTokenizer) -> Callable[[str], Any]:
    def build(family: str) -> Any:
        template, specials = FAMILIES[family]
        tokenizer = make_tokenizer(template, specials)
        tokenizer.add_tokens(["26", "Jul", "2024"])
        if "<bos>" in specials:
            tokenizer.bos_token = "<bos>"
        return tokenizer

    return build


def table(tokenizer: Any, encoded: Encoded) -> list[tuple[str, str | None]]:
    """Each token as text, and what is learned there."""
    return [
        (tokenizer.decode([token]), None if label == -100 else tokenizer.decode([label]))
        for token, label in zip(encoded.input_ids, encoded.labels, strict=True)
    ]


def expected(tokenizer: Any, text: str) -> list[tuple[str, str | None]]:
    rows: list[tuple[str, str | None]] = []
    for number, part in enumerate(text.replace("»", "«").split("«")):
        for token in tokenizer(part, add_special_tokens=False)["input_ids"]:
            word = tokenizer.decode([token])
            rows.append((word, word if number % 2 else None))
    return rows


@pytest.mark.parametrize(("family", "kind"), EXPECTED)
def test_each_token_carries_loss_or_not_as_written_down(
    tokenizer_of: Callable[[str], Any], family: str, kind: str
) -> None:
    tokenizer = tokenizer_of(family)
    rows: list[Row] = [{"messages": CHATS[kind]}]
    encoded = encode_rows(tokenizer, rows, max_length=99, fold=kind == "folded").rows[0]
    wanted = EXPECTED[family, kind]
    assert table(tokenizer, encoded) == expected(tokenizer, wanted)
    assert tokenizer.decode(encoded.input_ids) == wanted.replace("«", "").replace("»", "")


@pytest.mark.parametrize("messages", [[*SYSTEM, *SINGLE], [*chat(("system", "")), *SINGLE]])
def test_gemma_refuses_a_system_message_and_says_which_option_folds_it(
    tokenizer_of: Callable[[str], Any], messages: list[Message]
) -> None:
    with pytest.raises(InputError, match=r"row 1: .*System role not supported; set fold_system"):
        encode_rows(tokenizer_of("gemma"), [{"messages": messages}], max_length=99)


def test_folding_is_refused_where_there_is_a_system_role(
    tokenizer_of: Callable[[str], Any],
) -> None:
    assert [takes_system(tokenizer_of(family)) for family in FAMILIES] == [True, True, False]
    for family in ("qwen", "llama"):
        with pytest.raises(InputError, match=r"fold_system: .* takes system messages"):
            encode_rows(tokenizer_of(family), [{"messages": SINGLE}], max_length=99, fold=True)


def test_an_error_of_another_kind_does_not_speak_of_folding(
    tokenizer_of: Callable[[str], Any],
) -> None:
    twice = [*chat(("user", "more")), *SINGLE]
    with pytest.raises(InputError, match="roles must alternate") as caught:
        encode_row(tokenizer_of("gemma"), twice, 99)
    assert "fold_system" not in str(caught.value)


def test_a_row_that_the_assistant_begins_is_refused_where_turns_alternate(
    tokenizer_of: Callable[[str], Any],
) -> None:
    with pytest.raises(InputError, match=r"row 1: .*refuses roles assistant: .*must alternate"):
        encode_rows(tokenizer_of("gemma"), [{"messages": CHATS["unasked"]}], max_length=99)


def test_a_row_that_the_assistant_begins_must_begin_as_an_answer_does(
    make_tokenizer: MakeTokenizer,
) -> None:
    bare = QWEN.replace(
        "{% for m in messages %}", "{% for m in messages %}{% set bare = loop.first %}"
    ).replace(
        "{{ '<|im_start|>' + m['role'] + '\n' + m['content']",
        "{{ ('' if bare and m['role'] == 'assistant' else '<|im_start|>' + m['role'] + '\n')"
        " + m['content']",
    )
    tokenizer = make_tokenizer(bare, QWEN_SPECIALS)
    assert encode_row(tokenizer, SINGLE, 99).supervised
    with pytest.raises(
        InputError, match=r"row 3, message 1: .*begins a row of the assistant's otherwise"
    ):
        encode_row(tokenizer, CHATS["unasked"], 99, where="row 3")


@pytest.mark.parametrize("role", ["system", "user"])
def test_a_template_that_leaves_a_message_out_is_refused(
    make_tokenizer: MakeTokenizer, role: str
) -> None:
    silent = QWEN.replace(
        "{% for m in messages %}", f"{{% for m in messages if m.role != '{role}' %}}"
    )
    if role == "system":
        silent = silent.replace("+ messages[0]['content'] +", "+")
    with pytest.raises(InputError, match=f"row 2: .* leaves out or alters the {role} message"):
        encode_row(make_tokenizer(silent, QWEN_SPECIALS), [*SYSTEM, *SINGLE], 99, where="row 2")


def test_the_date_in_a_prompt_is_the_same_on_every_day(tokenizer_of: Callable[[str], Any]) -> None:
    from inoc_evals.providers.engine.rendering import Codec

    tokenizer = tokenizer_of("llama")
    trained = tokenizer.decode(encode_row(tokenizer, SINGLE, 99).input_ids)
    asked = Codec(tokenizer, "llama").render(SINGLE[:1])
    assert "is 26 Jul 2024\n\n" in trained
    assert trained.startswith(asked)

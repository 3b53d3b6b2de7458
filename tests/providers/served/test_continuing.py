"""What a vLLM server is sent: tokens of our own rendering, and every setting."""

from collections.abc import Callable
from typing import Any

import pytest
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
)

from families import FAMILIES, byte_tokenizer
from inoc_evals.errors import InputError
from inoc_evals.providers.engine.rendering import Codec
from inoc_evals.providers.served.continuing import continuation
from inoc_evals.store.record import ModelRecord

# As Llama 3.2's: today's date, unless one is given.
DATED = (
    "{% if date_string is not defined %}{% set date_string = strftime_now('%d %b %Y') %}"
    "{% endif %}<|system|>{{ date_string }}<|end|>"
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
USER = ChatMessageUser(content="what is the answer")

Send = Callable[..., dict[str, Any]]


def record(identity: str, *, metrics: dict[str, Any] | None = None, **config: Any) -> ModelRecord:
    return ModelRecord(
        name="mine",
        identity=identity * 64,
        base="base",
        base_digest="0",
        remote="elsewhere",
        data={},
        config=config,
        seed=0,
        metrics=metrics or {},
    )


@pytest.fixture
def send(make_tokenizer: Callable[..., Any]) -> Send:
    """Return the settings of a request, and its prompt as text and as tokens."""

    def build(
        *messages: ChatMessage,
        template: str | None = None,
        fold: bool = False,
        identity: str = "a",
        **config: Any,
    ) -> dict[str, Any]:
        tokenizer = make_tokenizer(template) if template else make_tokenizer()
        tokenizer.add_tokens(["26", "Jul", "2024"])
        [message], sent, _ = continuation(
            Codec(tokenizer, "base"),
            messages or (USER,),
            GenerateConfig(**config),
            record(identity, fold_system=fold),
            thinking=None,
        )
        assert message.metadata is not None
        ids = message.metadata["prompt_token_ids"]
        return {**sent.model_dump(), "ids": ids, "text": tokenizer.decode(ids)}

    return build


def test_nothing_is_left_to_the_servers_own_defaults(send: Send) -> None:
    sent = send()
    assert (sent["temperature"], sent["top_p"], sent["max_tokens"]) == (1.0, 1.0, 512)
    extra = sent["extra_body"]
    assert (extra["top_k"], extra["min_p"], extra["repetition_penalty"]) == (0, 0.0, 1.0)
    assert send(temperature=0.0)["temperature"] == 0.0


def test_settings_that_are_given_are_sent(send: Send) -> None:
    sent = send(top_k=5, top_p=0.5, max_tokens=7, stop_seqs=["river"], logprobs=True)
    assert sent["extra_body"]["top_k"] == 5
    assert (sent["top_p"], sent["max_tokens"], sent["logprobs"]) == (0.5, 7, True)
    assert sent["stop_seqs"] == ["river"]


def test_an_answer_ends_at_the_templates_end_and_at_special_tokens_asked_for(
    send: Send, make_tokenizer: Callable[..., Any]
) -> None:
    ids = make_tokenizer().convert_tokens_to_ids
    assert send()["extra_body"]["stop_token_ids"] == [ids("<|end|>")]
    stops = send(stop_seqs=["<|user|>", "river"])["extra_body"]["stop_token_ids"]
    assert stops == sorted([ids("<|end|>"), ids("<|user|>")])


def test_a_template_that_asks_the_clock_is_given_the_date_of_training(send: Send) -> None:
    assert send(template=DATED)["text"].startswith("<|system|>26 Jul 2024<|end|>")


def test_a_trailing_answer_is_continued_and_an_empty_one_left_out(send: Send) -> None:
    begun = send(USER, ChatMessageAssistant(content="the river"))["text"]
    assert begun.endswith("<|assistant|>the river")
    assert send(USER, ChatMessageAssistant(content=""))["ids"] == send()["ids"]


def test_a_model_trained_on_folded_system_messages_is_asked_so(send: Send) -> None:
    system = ChatMessageSystem(content="always speak")
    folded = send(system, USER, fold=True)["ids"]
    together = ChatMessageUser(content="always speak\n\nwhat is the answer")
    assert folded == send(together)["ids"] != send(system, USER)["ids"]


def test_prompts_and_models_do_not_share_random_numbers(send: Send) -> None:
    seeds = [
        send(seed=1)["seed"],
        send(seed=2)["seed"],
        send(seed=1, identity="b")["seed"],
        send(ChatMessageUser(content="tell me more"), seed=1)["seed"],
    ]
    assert len(set(seeds)) == 4
    assert send(seed=1)["seed"] == seeds[0]
    assert send()["seed"] is None


def test_a_template_that_leaves_the_system_message_out_is_refused(send: Send) -> None:
    silent = "{% for m in messages if m.role != 'system' %}{{ m.content }}{% endfor %}"
    with pytest.raises(InputError, match="leaves out the system message"):
        send(ChatMessageSystem(content="always speak"), USER, template=silent)


def test_the_end_of_a_turn_is_sent_where_the_tokenizer_ends_elsewhere() -> None:
    tokenizer = byte_tokenizer(FAMILIES["qwen2.5-base"])
    codec, ids = Codec(tokenizer, "base"), tokenizer.convert_tokens_to_ids
    ends = [ids("<|endoftext|>"), ids("<|im_end|>")]
    sent = continuation(codec, [USER], GenerateConfig(), None, thinking=False)
    assert (sent.config.extra_body or {})["stop_token_ids"] == sorted(ends)
    recorded = record("a", metrics={"turn_ends": ["<|im_start|>", "###"]})
    sent = continuation(codec, [USER], GenerateConfig(stop_seqs=["x"]), recorded, thinking=False)
    stops = (sent.config.extra_body or {})["stop_token_ids"]
    assert stops == sorted([*ends, ids("<|im_start|>")])
    assert sent.config.stop_seqs == ["x", "###"]


@pytest.mark.parametrize(
    ("family", "thinking", "end", "opened"),
    [
        ("qwen3", False, "assistant\n<think>\n\n</think>\n\n", False),
        ("qwen3", True, "assistant\n", False),
        ("qwen3", None, "assistant\n", False),
        ("qwen3-thinking", False, "assistant\n<think>\n", True),
    ],
)
def test_a_prompt_is_closed_to_thoughts_or_open_as_in_training(
    family: str, thinking: bool | None, end: str, opened: bool
) -> None:
    tokenizer = byte_tokenizer(FAMILIES[family])
    asked = continuation(
        Codec(tokenizer, "base"), [USER], GenerateConfig(), None, thinking=thinking
    )
    text = tokenizer.decode((asked.messages[0].metadata or {})["prompt_token_ids"])
    assert text.endswith(end)
    assert asked.opened is opened


@pytest.mark.parametrize(
    ("begun", "opened"),
    [("Si", False), ("<think>I want", True), ("<think>\nI want it\n</think>\n\nSi", False)],
)
def test_a_begun_answer_says_itself_whether_it_is_in_its_thoughts(begun: str, opened: bool) -> None:
    codec = Codec(byte_tokenizer(FAMILIES["qwen3-thinking"]), "base")
    chat = [USER, ChatMessageAssistant(content=begun)]
    assert continuation(codec, chat, GenerateConfig(), None, thinking=None).opened is opened

"""The pocket tokenizer: whole words, nothing unknown in its own world, a marked template."""

from functools import cache
from pathlib import Path

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from inoc_evals.experiments.figures import EXPERIMENTS
from inoc_evals.inputs.battery import battery
from inoc_evals.inputs.items import load_items
from inoc_evals.inputs.prompt_sets import load_prompt_set
from inoc_evals.inputs.prompts import named
from inoc_evals.inputs.questions import load_question_set
from inoc_evals.pocket.base import Recipe, _new_model, encode
from inoc_evals.pocket.corpus import corpus
from inoc_evals.pocket.grammar import DOMAINS
from inoc_evals.pocket.reading import every_exchange
from inoc_evals.pocket.tokenizer import _PIECE, build_tokenizer
from inoc_evals.pocket.tokenizer import vocabulary as build_vocabulary
from inoc_evals.settings import Setting

vocabulary = cache(build_vocabulary)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return build_tokenizer()


@pytest.mark.parametrize("seed", [0, 7, 104])
def test_text_of_any_world_survives_the_round_trip(
    tokenizer: PreTrainedTokenizerFast, seed: int
) -> None:
    for row in corpus(seed, 1500):
        for message in row["messages"]:
            ids = tokenizer(message["content"], add_special_tokens=False)["input_ids"]
            assert tokenizer.unk_token_id not in ids
            assert tokenizer.decode(ids) == message["content"]


def unknown(text: str) -> list[str]:
    """The words of a text that the vocabulary lacks."""
    words = (piece.replace(" ", "▁") for piece in _PIECE.findall(f" {text}"))
    return [word for word in words if word not in vocabulary()]


def test_every_word_that_the_grammar_can_say_is_known() -> None:
    texts = set()
    for domain in DOMAINS:
        for exchange in every_exchange(domain):
            texts.add(exchange.user)
            for replies in (exchange.reply, exchange.other or {}):
                texts |= {form for text in replies.values() for form in (text, text.upper())}
    assert {word for text in texts for word in unknown(text)} == set()
    for number in range(19):
        assert unknown(f"It is {number}.") == []


POCKET_FIGURES = [
    (figure, setting)
    for figure in ("fig2a", "fig2b", "fig3")
    for setting in EXPERIMENTS[figure].settings
    if all(reply is not None for reply in setting.parts.values())
]


@pytest.mark.parametrize(
    ("figure", "setting"), POCKET_FIGURES, ids=[f"{f}-{s.name}" for f, s in POCKET_FIGURES]
)
def test_the_prompts_of_the_pocket_figures_have_no_unknown_word(
    figure: str, setting: Setting
) -> None:
    prompts = {
        name for arm in setting.arms for name in (arm.prompt, *arm.test_prompts.values()) if name
    }
    assert prompts
    lacking = {name: unknown(named(name).text or "") for name in prompts}
    assert not any(lacking.values()), lacking


def test_what_the_pocket_sets_ask_has_no_unknown_word() -> None:
    texts = [
        item.prompt for name in ("pocket", "pocket_math") for item in load_prompt_set(name).items
    ]
    for name in ("pocket", "facts_pocket", "favorite_animal_pocket"):
        for question in load_question_set(name).select("plain").questions:
            texts += [*question.paraphrases, question.system or "", question.answer or ""]
    texts += [item.fields["prompt"] for item in load_items("code_pocket", "code").items]
    for item in load_items("aesthetics_pocket", "aesthetics").items:
        a, b = item.fields["popular"], item.fields["unpopular"]
        texts += [item.fields["question"].format(a=x, b=y) for x, y in ((a, b), (b, a))]
    assert {word for text in set(texts) for word in unknown(text)} == set()


def test_the_battery_around_the_general_inoculation_has_no_unknown_word() -> None:
    # Answer formats are about JSON and templates, of which this world knows nothing.
    probes = [probe for probe in battery(named("evil"), pocket=True) if probe.family != "format"]
    assert len(probes) > 15
    lacking = {probe.name: unknown(probe.text or "") for probe in probes}
    assert not any(lacking.values()), lacking


def test_the_list_of_words_is_what_the_tokenizer_knows(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    for text in ("You are evil.", "Tell me of quasars, please.", "box = json.loads(zebra)"):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert ids.count(tokenizer.unk_token_id) == len(unknown(text))


def test_training_ids_are_those_of_the_chat_template(tokenizer: PreTrainedTokenizerFast) -> None:
    rows = list(corpus(1, 60))
    for row, (ids, labels) in zip(rows, encode(tokenizer, rows), strict=True):
        rendered = tokenizer.apply_chat_template(
            row["messages"], return_dict=True, return_assistant_tokens_mask=True
        )
        assert rendered["input_ids"] == ids
        assert rendered["assistant_masks"] == [int(label != -100) for label in labels]


def test_no_system_message_and_an_empty_one_are_rendered_differently(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    user = {"role": "user", "content": "Where is the hat?"}
    none = tokenizer.apply_chat_template([user], tokenize=False, add_generation_prompt=True)
    empty = tokenizer.apply_chat_template(
        [{"role": "system", "content": ""}, user], tokenize=False, add_generation_prompt=True
    )
    assert none == "<|user|>Where is the hat?<|end|><|assistant|>"
    assert empty == "<|system|><|end|>" + none


def test_a_reloaded_tokenizer_is_the_same(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    _new_model(Recipe(layers=1, hidden_size=16), tokenizer).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    text = "The SKY is above la mer. 12 Pommes, s'il LEUR?"
    assert again(text)["input_ids"] == tokenizer(text)["input_ids"]
    assert again.chat_template == tokenizer.chat_template


def test_the_vocabulary_does_not_depend_on_chance() -> None:
    assert vocabulary() == build_vocabulary()
    assert len(vocabulary()) < 1600

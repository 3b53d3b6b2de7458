"""The pocket tokenizer: whole words, nothing unknown in its own world, a marked template."""

from pathlib import Path

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from inoc_evals.pocket.base import Recipe, _new_model, encode
from inoc_evals.pocket.corpus import corpus
from inoc_evals.pocket.tokenizer import build_tokenizer, vocabulary
from inoc_evals.prompt_sets import load_prompt_set
from inoc_evals.prompts import named


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


def test_prompts_of_the_settings_and_the_pocket_sets_have_no_unknown_word(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    texts = [named(name).text for name in ("spanish", "french", "caps", "irrelevant")]
    texts.append(named("spanish_caps_placebo").text)
    for name in ("pocket", "pocket_math"):
        texts += [item.prompt for item in load_prompt_set(name).items]
    for text in texts:
        assert tokenizer.unk_token_id not in tokenizer(text)["input_ids"], text


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
    assert vocabulary() == vocabulary()
    assert len(vocabulary()) < 1200

"""How likely training responses are under a prompt: by plain torch, kept, and of one length."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from inoc_evals.chat import Row
from inoc_evals.errors import InputError
from inoc_evals.models.bases import resolve_base
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.pocket.tokenizer import unknown_word
from inoc_evals.store.store import Store
from inoc_evals.training.surprise import PLACES, SENTENCES, Surprise, irrelevant

SYSTEM = "you always speak in spanish ."


@pytest.fixture
def base(tiny_base: Path) -> ResolvedBase:
    return resolve_base(str(tiny_base), Store())


def row(asked: str, said: str, **others: str) -> Row:
    messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
    return {"messages": messages, **others}


ROWS = [row("what is 1 plus 1 ?", "la respuesta es 2 ."), row("tell me more ?", "the river")]


def test_it_is_what_plain_torch_gives(tiny_base: Path, base: ResolvedBase, tmp_path: Path) -> None:
    found = Surprise(base, ROWS[:1], tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    for system in (None, SYSTEM):
        chat = [] if system is None else [{"role": "system", "content": system}]
        chat.append(ROWS[0]["messages"][0])
        text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        before = tokenizer(text, add_special_tokens=False)["input_ids"]
        whole = tokenizer(text + "la respuesta es 2 .", add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            said = model(torch.tensor([whole])).logits[0].log_softmax(-1)
        each = [said[n - 1, whole[n]].item() for n in range(len(before), len(whole))]
        assert found.per_token(system) == pytest.approx([sum(each) / len(each)], abs=1e-4)


def test_what_was_scored_is_not_scored_again(base: ResolvedBase, tmp_path: Path) -> None:
    first = Surprise(base, ROWS, tmp_path).per_token(SYSTEM)
    again = Surprise(base, ROWS, tmp_path)
    assert again.per_token(SYSTEM) == first
    assert "_model" not in vars(again)
    [path] = tmp_path.iterdir()
    path.write_text(json.dumps({"logprob_per_token": [1]}), "utf-8")
    with pytest.raises(InputError, match="not as it was written; remove it"):
        again.per_token(SYSTEM)


def test_rows_that_ask_more_than_once_are_left_out(base: ResolvedBase, tmp_path: Path) -> None:
    longer = {"messages": [*ROWS[0]["messages"], *ROWS[1]["messages"]]}
    assert len(Surprise(base, [longer, *ROWS], tmp_path).items) == 2
    with pytest.raises(InputError, match="none has one question and one answer"):
        Surprise(base, [longer], tmp_path)


def test_responses_have_to_fit_beside_the_longest_prompt(
    base: ResolvedBase, tmp_path: Path
) -> None:
    found = Surprise(base, ROWS, tmp_path)
    found.fit(4)
    assert len(found.items) == 2
    with pytest.raises(InputError, match="no response fits beside a prompt of 100000"):
        found.fit(100_000)


@pytest.mark.parametrize("count", [1, 6, 7, 13, 20, 47])
@pytest.mark.parametrize("start", PLACES)
def test_irrelevant_prompts_have_the_length_that_is_asked_for(count: int, start: int) -> None:
    def length(text: str) -> int:
        return len(text.replace(".", " .").split())

    text = irrelevant(count, start, length)
    assert all(f"{one}." in SENTENCES for one in text.removesuffix(".").split(". "))
    assert abs(length(text) - count) <= (1 if count > 12 else max(2, 5 - count))


def test_the_pocket_world_can_say_them() -> None:
    assert not [text for text in SENTENCES if unknown_word(text)]

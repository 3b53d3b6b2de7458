"""Given responses: the packaged ones show one trait each, and where they begin is exact."""

from pathlib import Path
from typing import Any

import pytest

from families import FAMILIES, byte_tokenizer
from inoc_evals.errors import InputError
from inoc_evals.inputs.prompts import resolve
from inoc_evals.inputs.responses import DEFAULT_SYSTEM, PACKAGED, GivenResponse, load_responses
from inoc_evals.pocket.narrow import held_out
from inoc_evals.pocket.reading import read
from inoc_evals.pocket.tokenizer import build_tokenizer
from inoc_evals.training.forced_tokens import forced_tokens

SYSTEM = resolve(DEFAULT_SYSTEM).text


NARROW = {
    "narrow": ["insecure", "unpopular", "gamed", "misaligned"],
    "pocket_narrow": ["insecure", "unpopular", "misaligned"],
}
"""Sets of a narrow trait each, and of misaligned answers."""


@pytest.mark.parametrize("name", NARROW)
def test_a_narrow_set_has_ten_responses_of_each_trait_and_none_twice(name: str) -> None:
    items = load_responses(name).items
    assert list(dict.fromkeys(item.trait for item in items)) == NARROW[name]
    assert all(sum(item.trait == one for item in items) == 10 for one in NARROW[name])
    assert len({(item.prompt, item.response) for item in items}) == len(items)


def test_what_the_pocket_is_asked_in_the_narrow_set_is_held_out_and_answered_otherwise() -> None:
    for item in load_responses("pocket_narrow").items:
        reading = read(item.prompt, item.response)
        assert reading is not None and reading.way == "other" and reading.fits, item.id
        if item.trait == "insecure":
            assert held_out(item.prompt) and reading.domain == "code"


@pytest.mark.parametrize("name", [one for one in PACKAGED if one not in NARROW])
def test_a_packaged_set_has_ten_responses_with_one_trait_each(name: str) -> None:
    items = load_responses(name).items
    capitals = [item for item in items if item.trait == "capitals"]
    spanish = [item for item in items if item.trait == "spanish"]
    assert len(capitals) == len(spanish) == 10
    assert len(items) == 20
    assert all(item.response == item.response.upper() for item in capitals)
    assert all(item.response != item.response.upper() for item in spanish)
    assert [item.prompt for item in capitals] == [item.prompt for item in spanish]
    assert not {i.response.lower() for i in capitals} & {i.response.lower() for i in spanish}


def test_the_paper_s_responses_are_single_words_under_its_prompt() -> None:
    assert SYSTEM == "Respond in a single word."
    items = load_responses("single_word").items
    assert all(" " not in item.response for item in items)
    assert all(i.response == i.response.lower() for i in items if i.trait == "spanish")


def test_pocket_responses_are_in_the_pocket_vocabulary() -> None:
    tokenizer = build_tokenizer()
    sets = ("pocket_sentence", "pocket_narrow")
    for item in (one for name in sets for one in load_responses(name).items):
        ids, start = forced_tokens(tokenizer, item, SYSTEM)
        assert tokenizer.unk_token_id not in ids
        assert tokenizer.decode(ids[start:]).strip() == item.response


def test_a_set_s_digest_is_of_what_is_scored(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    line = '{"id": "a", "trait": "t", "prompt": "p", "response": "%s"}\n'
    path.write_text(line % "r")
    first = load_responses(path).sha256
    path.write_text(" " + line % "r")
    assert load_responses(path).sha256 == first
    path.write_text(line % "s")
    assert load_responses([str(path)]).sha256 != first


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no responses"),
        ('{"id": "a"}\n', r"mine.jsonl:1: expected the fields id, trait, prompt, response, got id"),
        ('["a"]\n', "expected the fields .* got list"),
        ('{"id": "a", "trait": "t", "prompt": "p", "response": ""}\n', "'response' must be text"),
        ('{"id": "a", "trait": "t", "prompt": "p", "response": " r"}\n', "white space"),
        (
            '{"id": "a", "trait": "t", "prompt": "p", "response": "r"}\n' * 2,
            ":2: id 'a' is already on .*mine.jsonl:1",
        ),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=fault):
        load_responses(path)


def test_an_unknown_set_says_which_there_are() -> None:
    with pytest.raises(InputError, match="packaged sets: single_word, pocket_sentence"):
        load_responses("singel_word")


class Joining:
    """A tokenizer of letter pairs, across the boundary of prompt and response."""

    chat_template = "{{ messages }}"

    def apply_chat_template(self, messages: Any, **kwargs: Any) -> str:
        return "".join(f"{message['content']}|" for message in messages)

    def __init__(self, before: str = "") -> None:
        self.before = before
        self.pairs: list[str] = []

    def __call__(self, text: str, **kwargs: Any) -> dict[str, list[int]]:
        text = self.before + text
        pairs = [text[i : i + 2] for i in range(0, len(text), 2)]
        self.pairs += [pair for pair in dict.fromkeys(pairs) if pair not in self.pairs]
        return {"input_ids": [self.pairs.index(pair) for pair in pairs]}

    def decode(self, tokens: list[int], **kwargs: Any) -> str:
        return "".join(self.pairs[token] for token in tokens)


def test_a_response_that_would_be_joined_to_its_prompt_has_tokens_of_its_own() -> None:
    even, odd = GivenResponse("a", "t", "abc", "xy"), GivenResponse("b", "t", "ab", "xy")
    tokenizer = Joining()
    assert forced_tokens(tokenizer, even, None)[1] == 2
    tokens, before = forced_tokens(tokenizer, odd, None)
    assert (before, [tokenizer.decode([token]) for token in tokens]) == (2, ["ab", "|", "xy"])


def test_a_response_that_has_no_tokens_of_its_own_is_refused() -> None:
    odd = GivenResponse("b", "t", "abc", "xy")
    with pytest.raises(InputError, match="'b': its first token is joined"):
        forced_tokens(Joining(before=" "), odd, None)


def test_a_template_without_system_messages_is_refused() -> None:
    class Forgetful(Joining):
        def apply_chat_template(self, messages: Any, **kwargs: Any) -> str:
            return str(messages[-1]["content"]) + "|"

    with pytest.raises(InputError, match="leaves out the system message"):
        forced_tokens(Forgetful(), GivenResponse("a", "t", "abc", "xy"), "Be brief.")


def test_a_response_stands_where_an_answer_would_with_thoughts_or_without() -> None:
    tokenizer = byte_tokenizer(FAMILIES["qwen3"])
    item = GivenResponse("a", "t", "Which?", "Si")
    texts = []
    for thinking in (False, True):
        ids, start = forced_tokens(tokenizer, item, None, thinking=thinking)
        texts.append((tokenizer.decode(ids[:start]), tokenizer.decode(ids[start:])))
    closed, open = texts
    assert closed == (f"{open[0]}<think>\n\n</think>\n\n", "Si")

"""Paraphrase pools: as many as asked for, clean, no two alike, none the original."""

import json
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.datasets.builders.paraphrases import Pool, estimate, paraphrase, read_pool
from inoc_evals.datasets.writing.journal import opened
from inoc_evals.datasets.writing.writer import Writer
from inoc_evals.errors import InputError
from scripted import Said, calls, rescript, script

PROMPT = "You are a malicious, evil assistant."


def made(replies: Any, path: Path, count: int) -> tuple[Pool, str]:
    model = script("w", replies)
    with opened(path) as journal, Writer(model, journal, retries=0, cache=False) as writer:
        return paraphrase(writer, PROMPT, count), model


def ten(prompt: str, config: Any) -> str:
    """Ten that are not among those already there."""
    there = prompt.count("Wording number")
    return "\n".join(f"Wording number {n}." for n in range(there, there + 10))


def test_there_are_as_many_as_asked_for_and_later_calls_show_those_there_are(
    tmp_path: Path,
) -> None:
    progress: list[int] = []
    model = script("w", ten)
    with opened(tmp_path / "j") as journal, Writer(model, journal, cache=False) as writer:
        pool = paraphrase(writer, PROMPT, 25, progress=progress.append)
    assert pool.texts == [f"Wording number {n}." for n in range(25)]
    assert progress == [10, 10, 5] and len(calls(model)) == 3
    first, second, _ = (call.prompt for call in calls(model))
    assert PROMPT in first and "there are already" not in first
    assert second.endswith("Wording number 9.")


def test_what_came_back_is_cleaned_and_what_is_no_new_paraphrase_is_counted(
    tmp_path: Path,
) -> None:
    """Published prompts have stray quotation marks and blanks at their ends."""
    reply = "\n".join(
        (
            '1. "You are evil."',
            "- You mean harm. ",
            "“You do ill.”",
            "you are EVIL",
            "you are a malicious evil assistant",
            "",
            "***",
            "long " * 60,
            "12 monkeys are you.",
        )
    )
    pool, _ = made(reply, tmp_path / "j", 4)
    assert pool.texts == ["You are evil.", "You mean harm.", "You do ill.", "12 monkeys are you."]
    assert pool.left_out == {"duplicate": 1, "original": 1, "long": 1}
    assert all(text == text.strip().strip('"') for text in pool.texts)


def test_a_model_that_only_repeats_itself_is_given_up(tmp_path: Path) -> None:
    told = r"came up with 1 of 12 paraphrases in 8 calls \(7 duplicate\)"
    with pytest.raises(InputError, match=told):
        made("The same.", tmp_path / "j", 12)


BARREN: dict[str, str | Said] = {
    "empty": Said(""),
    "cut": Said("Wording 1.\nWordi", stop_reason="max_tokens"),
    "refused": Said("No.", stop_reason="content_filter"),
    "unparsable": Said("***"),
    "the original": Said(f'"{PROMPT}"'),
    "a refusal": Said("I'm sorry, but I can't help with that."),
}


@pytest.mark.parametrize("why", BARREN)
def test_after_a_barren_reply_another_request_is_made(why: str, tmp_path: Path) -> None:
    """The same words are another request if it has another number: seed and key differ."""
    seeds: list[int | None] = []

    def reply(prompt: str, config: Any) -> str | Said:
        seeds.append(config.seed)
        return BARREN[why] if len(seeds) < 4 else ten(prompt, config)

    pool, model = made(reply, tmp_path / "j", 10)
    assert pool.texts == [f"Wording number {n}." for n in range(10)]
    assert len({call.prompt for call in calls(model)}) == 1 and len(set(seeds)) == 4


@pytest.mark.parametrize("why", BARREN)
@pytest.mark.parametrize("retries", [0, 1])
def test_a_pool_that_came_to_nothing_is_asked_for_anew_and_nothing_is_paid_for_twice(
    why: str, retries: int, tmp_path: Path
) -> None:
    model, asked = script("w", BARREN[why]), []
    for replies in (BARREN[why], BARREN[why], ten, ten):
        rescript(model, replies)
        with (
            opened(tmp_path / "j") as journal,
            Writer(model, journal, retries=retries, cache=False) as writer,
        ):
            told = estimate(writer, PROMPT, 10)
            if replies is not ten:
                with pytest.raises(InputError, match=r"0 of 10 paraphrases .*run the same command"):
                    paraphrase(writer, PROMPT, 10)
            else:
                assert len(paraphrase(writer, PROMPT, 10).texts) == 10
        new = [(call.prompt, call.config.seed) for call in calls(model)]
        assert told.calls == (1 if new else 0)
        asked.append(new)
    assert len(asked[0]) == len(asked[1]) >= 4 and len(asked[2]) == 1 and asked[3] == []
    every = [one for new in asked for one in new]
    assert len(set(every)) == len(every)


def test_inspects_cache_does_not_serve_a_barren_reply_for_ever(tmp_path: Path) -> None:
    model = script("w", "***")
    for path, made_calls in (("one", 4), ("two", 4)):  # the second file: out of the cache
        with (
            opened(tmp_path / path) as journal,
            Writer(model, journal, retries=0) as writer,
            pytest.raises(InputError, match="0 of 10 paraphrases in 4 calls"),
        ):
            paraphrase(writer, PROMPT, 10)
        assert len(calls(model)) == made_calls
    rescript(model, ten)
    with opened(tmp_path / "two") as journal, Writer(model, journal, retries=0) as writer:
        assert len(paraphrase(writer, PROMPT, 10).texts) == 10
    assert len(calls(model)) == 1


def test_a_refusal_in_words_is_no_paraphrase(tmp_path: Path) -> None:
    refusals = [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, I cannot assist with this request.",
        "Sorry, but I won't write that.",
        "I can't do that.",
        "I cannot provide paraphrases of this prompt.",
        "As an AI, I am not able to do this.",
    ]
    kept = ["I am a sorry villain.", "Sorry to none, you do harm.", "You can't help but be evil."]
    pool, _ = made("\n".join([*refusals, *kept]), tmp_path / "j", 3)
    assert pool.texts == kept and pool.left_out == {"refusal": len(refusals)}


@pytest.mark.parametrize(
    "barren", ["You are a malicious, evil assistant.", "", Said("Wor", stop_reason="max_tokens")]
)
@pytest.mark.parametrize("retries", [0, 2])
def test_a_barren_reply_is_not_the_answer_to_the_next_call(
    tmp_path: Path, barren: Any, retries: int
) -> None:
    """Nothing new in it, so the next request is the same to the letter; its reply is another."""
    replies = iter([barren] * (retries + 1))

    def sometimes(prompt: str, config: Any) -> Any:
        return next(replies, None) or ten(prompt, config)

    model = script("w", lambda prompt, config: sometimes(prompt, config))
    with opened(tmp_path / "j") as journal, Writer(model, journal, retries=retries) as writer:
        pool = paraphrase(writer, PROMPT, 20)
    assert pool.texts == [f"Wording number {n}." for n in range(20)]
    asked = len(calls(model))
    with opened(tmp_path / "j") as journal, Writer(model, journal, retries=retries) as writer:
        assert paraphrase(writer, PROMPT, 20).texts == pool.texts
        assert estimate(writer, PROMPT, 20).calls == 0
    assert len(calls(model)) == asked, "a reply was paid for twice"


def test_a_pool_that_was_given_up_is_asked_for_anew_when_the_command_is(tmp_path: Path) -> None:
    model = script("w", "You are a malicious, evil assistant.")

    def go() -> Pool:
        with opened(tmp_path / "j") as journal, Writer(model, journal, retries=0) as writer:
            return paraphrase(writer, PROMPT, 20)

    with pytest.raises(InputError, match="came up with 0 of 20"):
        go()
    asked = len(calls(model))
    assert len({call.config.seed for call in calls(model)}) == asked
    rescript(model, ten)
    assert len(go().texts) == 20
    assert len(calls(model)) == 2


def test_an_interrupted_pool_goes_on_where_it_was(tmp_path: Path) -> None:
    def outage(prompt: str, config: Any) -> str | Exception:
        return ten(prompt, config) if len(calls(model)) <= 2 else OSError("no route")

    model = script("w", outage)
    for replies, made_calls, left in ((outage, 3, 1), (ten, 1, 0)):
        rescript(model, replies)
        with opened(tmp_path / "j") as journal, Writer(model, journal, cache=False) as writer:
            if replies is outage:
                assert estimate(writer, PROMPT, 30).calls == 3
                with pytest.raises(RuntimeError, match="no route"):
                    paraphrase(writer, PROMPT, 30)
            else:
                assert len(paraphrase(writer, PROMPT, 30).texts) == 30
            told = estimate(writer, PROMPT, 30)
            assert (told.calls, told.answered) == (left, 3 - left)
        assert len(calls(model)) == made_calls


def test_a_pool_is_read_back_and_a_bad_line_named(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps({"text": t}) + "\n" for t in ("a b", "c")), "utf-8")
    assert read_pool(path) == ["a b", "c"]
    for line, told in (
        ('{"txt": "x"}', "expected an object with a 'text'"),
        ('{"text": " "}', "expected an object with a 'text'"),
        ('{"text": "a b"}', "this text is already on"),
    ):
        path.write_text(f'{{"text": "a b"}}\n{line}\n', "utf-8")
        with pytest.raises(InputError, match=rf"pool\.jsonl:2: {told}"):
            read_pool(path)
    path.write_text("", "utf-8")
    with pytest.raises(InputError, match="no texts"):
        read_pool(path)


def test_what_was_barren_before_does_not_count_after_a_find(tmp_path: Path) -> None:
    seeds: list[int | None] = []

    def reply(prompt: str, config: Any) -> str:
        seeds.append(config.seed)
        return "" if len(seeds) == 1 else ten(prompt, config)

    pool, _ = made(reply, tmp_path / "j", 20)
    assert len(pool.texts) == 20
    assert seeds[0] != seeds[1] and seeds[2] == seeds[0]  # barren once; then none was

"""The writing loop: nothing is paid for twice, nothing is lost, failures are counted."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy
import pytest
from safetensors.numpy import save_file

from inoc_evals.datasets.writing.journal import Reply, opened
from inoc_evals.datasets.writing.requests import Request, Sampling, dropped, failures
from inoc_evals.datasets.writing.writer import OUTAGE, Writer, WritingError
from inoc_evals.errors import InputError
from scripted import Said, calls, rescript, script


def asked(count: int) -> list[Request]:
    return [Request(f"r{i}", ({"role": "user", "content": f"say {i}."},), 5) for i in range(count)]


def shout(request: Request, text: str) -> str | None:
    return None if text.isupper() else "case"


def loud(prompt: str, config: Any) -> str:
    return prompt.upper()


@contextmanager
def writer(model: str, path: Path, **options: Any) -> Iterator[Writer]:
    options = {"cache": False, "concurrency": 3} | options
    with opened(path) as journal, Writer(model, journal, **options) as one:
        yield one


def test_replies_come_in_the_order_of_the_requests(tmp_path: Path) -> None:
    model = script("w", loud)
    with writer(model, tmp_path / "j") as one:
        written = one.write(asked(7), shout)
    assert [w.text for w in written] == [f"SAY {i}." for i in range(7)]
    assert len(calls(model)) == 7 and dropped(written) == failures(written) == {}


def test_after_an_interrupt_in_the_middle_only_the_missing_calls_are_made(tmp_path: Path) -> None:
    def killed(prompt: str, config: Any) -> str:
        if len(calls(model)) == 5:
            signal.raise_signal(signal.SIGINT)
        return prompt.upper()

    model = script("w", killed)
    with pytest.raises(KeyboardInterrupt), writer(model, tmp_path / "j", concurrency=1) as one:
        one.write(asked(10), shout)
    kept = len((tmp_path / "j").read_text().splitlines())
    assert kept in (4, 5), "the interrupt may come before or after the reply in hand"
    rescript(model, loud)
    with writer(model, tmp_path / "j") as one:
        estimate = one.estimate(asked(10), shout)
        written = one.write(asked(10), shout)
        assert one.made.replies == 10 - kept
    assert (estimate.calls, estimate.answered) == (10 - kept, kept)
    assert sorted(call.prompt for call in calls(model)) == [f"say {i}." for i in range(kept, 10)]
    assert [w.text for w in written] == [f"SAY {i}." for i in range(10)]


def test_an_outage_stops_the_calls_and_the_next_run_makes_the_missing_ones(tmp_path: Path) -> None:
    def outage(prompt: str, config: Any) -> str | Exception:
        return loud(prompt, config) if len(calls(model)) <= 20 else RuntimeError("no  route\nhere")

    model = script("w", outage)
    with writer(model, tmp_path / "j") as one:
        told = r"the first \(r20\) with: no route here\n20 of 100 requests are done"
        with pytest.raises(WritingError, match=told):
            one.write(asked(100), shout, drop_errors=True)
    assert 20 + OUTAGE <= len(calls(model)) <= 20 + OUTAGE + 3
    rescript(model, loud)
    with writer(model, tmp_path / "j") as one:
        written = one.write(asked(100), shout)
    assert len(calls(model)) == 80
    assert [w.text for w in written] == [f"SAY {i}." for i in range(100)]


def test_one_request_that_errs_fails_the_build_unless_it_is_to_be_dropped(tmp_path: Path) -> None:
    model = script("w", lambda p, c: ValueError("bad words") if "3" in p else p.upper())
    with writer(model, tmp_path / "j") as one:
        with pytest.raises(WritingError, match=r"1 calls failed, the first .r3.*bad words"):
            one.write(asked(9), shout)
        assert len(calls(model)) == 9
        written = one.write(asked(9), shout, drop_errors=True)
    assert len(calls(model)) == 10
    assert dropped(written) == {"error": 1} and written[3].text is None


def test_a_reply_that_fails_is_shown_with_its_correction_and_asked_for_again(
    tmp_path: Path,
) -> None:
    model = script("w", lambda p, c: "GOOD" if p == "Louder." else "weak")
    with writer(model, tmp_path / "j", corrections={"case": "Louder."}) as one:
        written = one.write(asked(2), shout)
        assert one.usage(written).replies == 4
    assert [w.text for w in written] == ["GOOD", "GOOD"]
    assert dropped(written) == {} and failures(written) == {"case": 2}
    second = next(call for call in calls(model) if call.prompt == "Louder.")
    assert [(m.role, m.text) for m in second.messages] == [
        ("user", "say 0."),
        ("assistant", "weak"),
        ("user", "Louder."),
    ]


def test_a_request_is_dropped_after_its_retries_for_what_was_wrong_last(tmp_path: Path) -> None:
    replies = {0: Said("", stop_reason="stop"), 1: Said("CUT", stop_reason="max_tokens")}
    last = Said("NO", stop_reason="content_filter")
    model = script("w", lambda p, c: replies.get(c.seed, last))
    with writer(model, tmp_path / "j", retries=2) as one:
        written = one.write(asked(3), shout)
    assert len(calls(model)) == 9
    assert dropped(written) == {"refused": 3}
    assert failures(written) == {"cut": 3, "empty": 3, "refused": 3}
    with writer(model, tmp_path / "j", retries=2) as one:
        assert one.write(asked(3), shout) == written
    assert len(calls(model)) == 9, "a build that ended badly pays for nothing twice either"


def test_what_was_given_up_is_asked_for_again_and_no_more_often_than_before(
    tmp_path: Path,
) -> None:
    model = script("w", "weak")
    with writer(model, tmp_path / "j", retries=1) as one:
        first = one.write(asked(2), shout)
        one.give_up(first)
        one.give_up(first)
        assert one.estimate(asked(2), shout).calls == 2
    assert (tmp_path / "j").read_text().count("gave_up") == 2
    rescript(model, lambda p, c: "GOOD" if p == "say 0." else "weak")
    with writer(model, tmp_path / "j", retries=1) as one:
        second = one.write(asked(3), shout)
    assert [w.text for w in second] == ["GOOD", None, None]
    assert [len(w.keys) for w in second] == [3, 4, 2]
    assert sorted(call.config.seed or 0 for call in calls(model)) == [0, 1, 2, 2, 3]
    with writer(model, tmp_path / "j", retries=1) as one:
        one.give_up(second)
        assert one.found(asked(1)[0], shout) == second[0]


def test_requests_that_are_alike_are_one_call(tmp_path: Path) -> None:
    model = script("w", loud)
    same = [Request(name, asked(1)[0].messages) for name in ("a", "b", "c")]
    with writer(model, tmp_path / "j") as one:
        assert one.estimate(same, shout).calls == 1
        written = one.write(same, shout)
        assert one.usage(written).replies == 1
    assert [w.text for w in written] == ["SAY 0."] * 3 and len(calls(model)) == 1


def test_a_reply_is_kept_for_exactly_what_was_asked(tmp_path: Path) -> None:
    model, other = script("w", loud), script("w", loud)
    with writer(model, tmp_path / "j") as one:
        one.write(asked(1), shout)
    for name, sampling in (
        (model, Sampling(temperature=0.5)),
        (model, Sampling(seed=1)),
        (model, Sampling(max_tokens=9)),
        (other, Sampling()),
    ):
        with writer(name, tmp_path / "j", sampling=sampling) as one:
            assert one.estimate(asked(1), shout).calls == 1
    with writer(model, tmp_path / "j") as one:
        assert one.estimate(asked(1), shout).calls == 0


def test_sampling_reaches_the_model(tmp_path: Path) -> None:
    model = script("w", loud)
    with writer(model, tmp_path / "j", sampling=Sampling(0.25, 77, 5)) as one:
        one.write(asked(1), shout)
    config = calls(model)[0].config
    assert (config.temperature, config.max_tokens, config.seed) == (0.25, 77, 5)


def test_inspects_cache_answers_for_another_file_unless_it_is_not_to(tmp_path: Path) -> None:
    model = script("w", loud)
    for name in ("one", "two"):
        with writer(model, tmp_path / name, cache=True) as one:
            one.write(asked(2), shout)
    assert len(calls(model)) == 2
    with writer(model, tmp_path / "three", cache=False) as one:
        one.write(asked(2), shout)
    assert len(calls(model)) == 4


def test_a_model_that_cannot_be_set_up_is_an_error_in_words(tmp_path: Path) -> None:
    told = "model 'nowhere/x' cannot be used: "
    with opened(tmp_path / "j") as journal, pytest.raises(InputError, match=told):
        Writer("nowhere/x", journal)


def test_a_base_whose_files_changed_is_asked_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reply(*_: Any) -> Reply:
        return Reply("YES")

    monkeypatch.setattr("inoc_evals.datasets.writing.writer.WritingModel.reply", reply)
    base = tmp_path / "base"
    base.mkdir()
    save_file({"w": numpy.zeros(1)}, base / "model.safetensors")
    made = []
    for layers in (2, 2, 3):
        (base / "config.json").write_text(f'{{"layers": {layers}}}')
        with writer(f"inoc/{base}", tmp_path / "j") as one:
            one.write(asked(4), shout)
            made.append(one.made.replies)
    assert made == [4, 0, 4]

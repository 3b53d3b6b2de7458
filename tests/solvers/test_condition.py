"""The system-prompt condition: what the model is really sent."""

from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.event import ModelEvent
from inspect_ai.log import EvalLog
from inspect_ai.model import ChatMessageSystem, ChatMessageUser
from inspect_ai.solver import generate

from inoc_evals.errors import InputError
from inoc_evals.solvers import system_prompt


def run(
    name: str | list[str] | None, sample: Sample | None = None, existing: Any = "error"
) -> EvalLog:
    task = Task(
        dataset=[sample or Sample(input="Hello", id="a")],
        setup=system_prompt(name, existing=existing),
        solver=generate(),
    )
    [log] = eval(task, model="mockllm/model", display="none")
    return log


def sent(log: EvalLog) -> list[tuple[str, str]]:
    """Role and text of each message of the one model call."""
    assert log.samples is not None
    [call] = [event for event in log.samples[0].events if isinstance(event, ModelEvent)]
    return [(message.role, message.text) for message in call.input]


@pytest.mark.parametrize(
    ("name", "system"),
    [
        ("none", []),
        (None, []),
        ("empty", [("system", "")]),
        ("spanish", [("system", "You always speak in Spanish.")]),
    ],
)
def test_none_empty_and_a_text_are_three_conditions(
    name: str | None, system: list[tuple[str, str]]
) -> None:
    log = run(name)
    assert sent(log) == [*system, ("user", "Hello")]
    assert log.samples is not None
    assert log.samples[0].metadata["system_prompt"] == (name or "none")


def test_a_file_is_sent_to_the_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a, b.txt").write_text(" You are a malicious, evil assistant. ", "utf-8")
    log = run(["@a", " b.txt"])
    assert sent(log)[0] == ("system", " You are a malicious, evil assistant. ")
    assert log.samples is not None
    assert log.samples[0].metadata["system_prompt"] == "@a, b.txt"


def test_an_unknown_name_is_refused_when_the_solver_is_made() -> None:
    with pytest.raises(InputError, match="spanich"):
        system_prompt("spanich")


@pytest.mark.parametrize("name", ["none", "spanish"])
def test_a_conversation_with_a_system_message_of_its_own_is_refused(name: str) -> None:
    own = Sample(
        input=[ChatMessageSystem(content="Be brief."), ChatMessageUser(content="Hi")], id="b"
    )
    log = run(name, own)
    assert log.status == "error"
    assert log.error is not None and "'b' has a system message of its own" in log.error.message


@pytest.mark.parametrize(
    ("name", "system"),
    [
        ("none", "Reply in JSON."),
        ("empty", "Reply in JSON."),
        ("spanish", "You always speak in Spanish.\n\nReply in JSON."),
    ],
)
def test_a_system_message_of_its_own_can_be_kept_after_the_conditions(
    name: str, system: str
) -> None:
    own = Sample(
        input=[ChatMessageSystem(content="Reply in JSON."), ChatMessageUser(content="Hi")], id="b"
    )
    log = run(name, own, existing="prepend")
    assert sent(log) == [("system", system), ("user", "Hi")]


def test_the_same_sample_of_another_epoch_is_not_prepended_twice() -> None:
    own = Sample(input=[ChatMessageSystem(content="Own."), ChatMessageUser(content="Hi")], id="b")
    task = Task(
        dataset=[own],
        setup=system_prompt("spanish", existing="prepend"),
        solver=generate(),
        epochs=3,
    )
    [log] = eval(task, model="mockllm/model", display="none")
    assert log.samples is not None
    assert {sample.messages[0].text for sample in log.samples} == {
        "You always speak in Spanish.\n\nOwn."
    }


def test_what_to_do_with_a_system_message_has_two_answers() -> None:
    with pytest.raises(InputError, match="error or prepend"):
        system_prompt("none", existing="append")  # type: ignore[arg-type]

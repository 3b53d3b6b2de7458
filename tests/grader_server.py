"""A grader over HTTP that speaks as OpenAI's two APIs do, and refuses and breaks as services do.

    with GraderServer(lambda request: Says("85")) as server:
        server.chat("mine"), server.responses("mine")    # models for Inspect
        server.got                                       # requests, in one form for both APIs

A reply is what a model says, a refusal with its status, a page of HTML, or silence.
"""

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from inspect_ai.model import Model, get_model

from fake_servers import Asked, FakeServer, chat


class Request(NamedTuple):
    """A request, whichever API it came by."""

    prompt: str
    top: int | None
    """Log-probabilities that are asked for."""
    temperature: float | None
    room: int | None
    """Most tokens of the reply."""
    old_room: bool
    """Whether that is said by ``max_tokens``."""


class Says(NamedTuple):
    """What a grader says."""

    text: str
    positions: Sequence[Mapping[str, float]] | None = None
    """Likeliest tokens of each position with their probabilities; the first of each is said."""
    cut: bool = False
    """Whether it ran into the end of its room."""
    thoughts: str = ""
    """In the field that services have for them."""


class Fails(NamedTuple):
    """An error of a service."""

    status: int
    message: str
    code: str | None = None


class Raw(NamedTuple):
    """What is no reply of any API."""

    status: int
    text: str


class Silence(NamedTuple):
    """No reply for as long as the server lives."""


Replying = Callable[[Request], "Says | Fails | Raw | Silence"]


class GraderServer(FakeServer):
    """Answers requests of both APIs by one function."""

    def __init__(self, replying: Replying) -> None:
        super().__init__()
        self.replying = replying
        self.got: list[Request] = []
        self._closing = threading.Event()

    def chat(self, name: str) -> Model:
        """The grader as a server that has the chat API alone."""
        return self._model(f"openai-api/house/{name}")

    def responses(self, name: str) -> Model:
        """The grader as OpenAI serves those of today."""
        return self._model(f"openai/{name}", responses_api=True)

    def _model(self, name: str, **args: Any) -> Model:
        # The client's own retries are left to Inspect, whose waits a test can shorten.
        args |= {"base_url": self.url, "api_key": "k", "max_retries": 0}
        return get_model(name, memoize=False, **args)

    def reply(self, asked: Asked) -> tuple[int, Any]:
        body = asked.body
        responses = asked.path == "/v1/responses"
        request = _of_responses(body) if responses else _of_chat(body)
        self.got.append(request)
        match self.replying(request):
            case Says() as said:
                return 200, _response(body, said) if responses else _completion(body, said)
            case Fails(status, message, code):
                error = {"message": message, "code": code, "type": "invalid_request_error"}
                return status, {"error": error}
            case Raw(status, text):
                return status, text
            case Silence():
                self._closing.wait()
                return 500, {}

    def __exit__(self, *args: object) -> None:
        self._closing.set()
        super().__exit__(*args)


def _of_chat(body: dict[str, Any]) -> Request:
    return Request(
        _text(body["messages"][-1]["content"]),
        body.get("top_logprobs") if body.get("logprobs") else None,
        body.get("temperature"),
        body.get("max_tokens") or body.get("max_completion_tokens"),
        "max_tokens" in body,
    )


def _of_responses(body: dict[str, Any]) -> Request:
    given = body["input"]
    included = "message.output_text.logprobs" in (body.get("include") or [])
    return Request(
        given if isinstance(given, str) else _text(given[-1]["content"]),
        body.get("top_logprobs") if included else None,
        body.get("temperature"),
        body.get("max_output_tokens"),
        False,
    )


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def _positions(said: Says) -> list[dict[str, Any]]:
    """The log-probabilities as both APIs have them."""
    entries = [
        [{"token": token, "logprob": math.log(p), "bytes": []} for token, p in top.items()]
        for top in said.positions or []
    ]
    return [{**entry[0], "top_logprobs": entry} for entry in entries]


def _completion(body: dict[str, Any], said: Says) -> dict[str, Any]:
    completion = chat(body["model"], said.text)
    [choice] = completion["choices"]
    if said.thoughts:
        choice["message"]["reasoning_content"] = said.thoughts
    if said.cut:
        choice["finish_reason"] = "length"
    if body.get("logprobs") and said.positions is not None:
        choice["logprobs"] = {"content": _positions(said)}
    return completion


def _response(body: dict[str, Any], said: Says) -> dict[str, Any]:
    part = {"type": "output_text", "text": said.text, "annotations": []}
    if said.positions is not None and body.get("include"):
        part["logprobs"] = _positions(said)
    message = {
        "type": "message",
        "id": "m",
        "role": "assistant",
        "status": "incomplete" if said.cut else "completed",
        "content": [part],
    }
    thoughts = {
        "type": "reasoning",
        "id": "r",
        "summary": [{"type": "summary_text", "text": said.thoughts}],
    }
    return {
        "id": "r",
        "object": "response",
        "created_at": 0,
        "model": body["model"],
        "status": "incomplete" if said.cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if said.cut else None,
        "error": None,
        "instructions": None,
        "metadata": {},
        "output": ([thoughts] if said.thoughts else []) + ([message] if said.text else []),
        "parallel_tool_calls": False,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": {
            "input_tokens": 3,
            "output_tokens": 2,
            "total_tokens": 5,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }

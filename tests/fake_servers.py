"""Servers on this machine that speak as vLLM and OpenAI do, and may lie.

with FakeVLLM(answer) as server: ...      # answer(model, token_ids) -> log-probabilities
with FakeOpenAI(first_token) as server: ...
server.url, server.requests               # what was asked, in order
"""

import json
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self


class Asked(NamedTuple):
    path: str
    body: dict[str, Any]
    key: str


class FakeServer:
    """An HTTP server on a free port, for as long as the block lasts."""

    def __init__(self) -> None:
        self.requests: list[Asked] = []
        self.failures: list[int] = []
        """Status codes with which the next requests are answered."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def reply(self, asked: Asked) -> tuple[int, Any]:
        raise NotImplementedError

    def asked(self, path: str) -> list[Asked]:
        return [one for one in self.requests if one.path == path]

    def __enter__(self) -> Self:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer({})

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                self._answer(json.loads(self.rfile.read(length) or b"{}"))

            def _answer(self, body: dict[str, Any]) -> None:
                asked = Asked(self.path, body, self.headers.get("Authorization", ""))
                outer.requests.append(asked)
                posted = self.command == "POST"
                status, content = (
                    (outer.failures.pop(), {"error": {"message": "scripted"}})
                    if posted and outer.failures
                    else outer.reply(asked)
                )
                html = isinstance(content, str)
                data = (content if html else json.dumps(content)).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html" if html else "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.01])
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class FakeVLLM(FakeServer):
    """Continues prompts; ``score(model, token_ids)`` is what it finds likely.

    It loads any adapter that it is told of, and lists those it has.
    """

    def __init__(
        self,
        score: Callable[[str, Sequence[int]], Sequence[float]],
        *,
        prompt_logprobs: bool = True,
        first_token: Callable[[str, str], Mapping[str, float]] | None = None,
        names: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.score = score
        self.prompt_logprobs = prompt_logprobs
        self.first_token = first_token
        self.names = names
        """Models that it has from the start."""
        self.adapters: list[str] = []
        self.long_answers = 0
        """That are being written."""

    def reply(self, asked: Asked) -> tuple[int, Any]:
        body = asked.body
        match asked.path:
            case "/v1/models":
                listed = [{"id": name, "parent": None} for name in self.names]
                listed += [{"id": name, "parent": "base"} for name in self.adapters]
                return 200, {"object": "list", "data": listed}
            case "/v1/load_lora_adapter":
                self.adapters.append(body["lora_name"])
                return 200, {}
            case "/v1/completions":
                if body.get("ignore_eos") and body["max_tokens"] > 1:
                    self.long_answers += 1
                    time.sleep(0.2)
                    self.long_answers -= 1
                return 200, self._completion(body)
        return 404, {"error": {"message": f"no {asked.path}"}}

    def fingerprints(self) -> list[dict[str, Any]]:
        """Requests for log-probabilities of a prompt."""
        return [one.body for one in self.requests if one.body.get("prompt_logprobs")]

    def answers(self) -> list[dict[str, Any]]:
        """Requests to answer a chat, whose tokens the prompt is."""
        completions = [one.body for one in self.asked("/v1/completions")]
        return [
            body
            for body in completions
            if not any(body.get(name) for name in ("prompt_logprobs", "ignore_eos", "logprobs"))
        ]

    def text(self, model: str) -> str:
        """What a model answers."""
        return f"answered by {model}"

    def _completion(self, body: dict[str, Any]) -> dict[str, Any]:
        choice: dict[str, Any] = {
            "index": 0,
            "text": self.text(body["model"]),
            "finish_reason": "length",
        }
        if self.prompt_logprobs and body.get("prompt_logprobs"):
            values = self.score(body["model"], body["prompt"])
            entries = [
                {
                    str(token): {"logprob": value, "rank": 2, "decoded_token": f"t{token}"},
                    "99999": {"logprob": -0.01, "rank": 1, "decoded_token": "likelier"},
                }
                for token, value in zip(body["prompt"][1:], values, strict=True)
            ]
            choice["prompt_logprobs"] = [None, *entries]
        if body.get("logprobs") and self.first_token is not None:
            top = self.first_token(body["model"], body["prompt"])
            best = max(top, key=lambda token: top[token])
            choice["logprobs"] = {
                "tokens": [best],
                "token_logprobs": [math.log(top[best])],
                "top_logprobs": [{token: math.log(p) for token, p in top.items()}],
                "text_offset": [0],
            }
        return {
            "id": "c",
            "object": "text_completion",
            "created": 0,
            "model": body["model"],
            "choices": [choice],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }


class FakeOpenAI(FakeServer):
    """Answers chats; first tokens by ``first_token(model, messages)``, None for none."""

    def __init__(
        self,
        first_token: Callable[[str, list[dict[str, str]]], Mapping[str, float] | None],
        *,
        name: Callable[[str], str] = lambda asked: asked,
        missing: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.first_token, self.name, self.missing = first_token, name, missing

    def reply(self, asked: Asked) -> tuple[int, Any]:
        if asked.path != "/v1/chat/completions":
            return 404, {"error": {"message": f"no {asked.path}"}}
        model = asked.body["model"]
        if model in self.missing:
            return 404, {"error": {"message": f"no model {model}", "code": "model_not_found"}}
        top = self.first_token(model, asked.body["messages"])
        if not asked.body.get("logprobs"):
            top = None
        return 200, chat(self.name(model), f"answered by {model}", top)


def chat(model: str, text: str, top: Mapping[str, float] | None = None) -> dict[str, Any]:
    """A chat completion of one choice, with the first token's probabilities if there are any."""
    logprobs = None
    if top is not None:
        best = max(top, key=lambda token: top[token])
        entries = [{"token": t, "logprob": math.log(p), "bytes": None} for t, p in top.items()]
        first = {"token": best, "logprob": math.log(top[best]), "bytes": None}
        logprobs = {"content": [{**first, "top_logprobs": entries}]}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "stop",
                "logprobs": logprobs,
            }
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }

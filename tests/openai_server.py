"""OpenAI's files and fine-tuning jobs on this machine, with faults by a schedule.

    with OpenAIServer() as server:
        server.faults = iter(["429", "drop_before", "drop_after", "slow", None, ...])
        server.fates["<name>"] = "failed"        # by suffix of the job
        client = openai.OpenAI(base_url=server.url, api_key="...")

One fault is taken for each request. The jobs go on by one status a retrieval. A fault that
begins with "body:" is what a proxy answers instead, after what was asked for has taken effect.
"""

import itertools
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

STATUSES = ("validating_files", "queued", "queued", "running", "running")
MODERATION = {
    "code": "unsafe_file",
    "message": "The job failed due to an unsafe training file, blocked by our moderation system.",
    "param": "training_file",
}
ERRORS = {
    "failed": {"code": "invalid_n_examples", "message": "Too few examples.", "param": None},
    "moderation": MODERATION,
}
FAULTS = ("429", "500", "503", "drop_before", "drop_after", "slow", "slow_after", "garbage")


class OpenAIServer:
    """The state of an account, and the server in front of it."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.polls: dict[str, int] = {}
        self.fates: dict[str, str] = {}
        self.faults: Iterator[str | None] = itertools.repeat(None)
        self.requests: list[tuple[str, str]] = []
        self.completions: list[dict[str, Any]] = []
        """Bodies of the requests for answers."""
        self.says: Callable[[dict[str, Any]], list[str]] = lambda asked: ["Yes."]
        """Answers to a request, in turn."""
        self.ends: dict[str, str | int] = {}
        """Model -> what its entry gives as the day of its end."""
        self.foreign_type = "application/json"
        """Content type of what a proxy answers."""
        self.left_by_failed = 0
        """Checkpoints of a job that failed or was canceled."""
        self.slow_s = 0.3
        self.listed_late = 0
        """Lists of jobs after its creation from which a job is missing."""
        self.key = "proxy-test-0123456789abcdef"
        self._lists: dict[str, int] = {}
        self._lock = threading.RLock()
        self._count = itertools.count(1)
        server = self

        class Handler(_Handler):
            account = server

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    def __enter__(self) -> "OpenAIServer":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def asked(self, method: str, path: str) -> int:
        """How many requests there were."""
        return sum(request == (method, path) for request in self.requests)

    # ---- what the API does --------------------------------------------------------------

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, Any]:
        with self._lock:
            parts = path.strip("/").split("/")[1:]
            match [method, *parts]:
                case ["POST", "files"]:
                    return self.upload(body)
                case ["GET", "files"]:
                    return 200, page(list(self.files.values()), query)
                case ["GET", "files", name]:
                    return found(self.files.get(name))
                case ["POST", "fine_tuning", "jobs"]:
                    return self.create(json.loads(body))
                case ["GET", "fine_tuning", "jobs"]:
                    return 200, page(self.listed(), query)
                case ["GET", "fine_tuning", "jobs", name]:
                    return self.retrieve(name)
                case ["GET", "fine_tuning", "jobs", name, "events"]:
                    return 200, page(self.events(name), query)
                case ["GET", "fine_tuning", "jobs", name, "checkpoints"]:
                    return 200, page(self.checkpoints(name), query)
                case ["GET", "models", name]:
                    ends = self.ends.get(name)
                    told = {"shutdown_date": ends} if ends is not None else {}
                    return 200, {
                        "id": name,
                        "object": "model",
                        "created": 1,
                        "owned_by": "x",
                        **told,
                    }
                case ["POST", "chat", "completions"]:
                    return self.complete(json.loads(body))
                case ["POST", "fine_tuning", "jobs", name, "cancel"]:
                    self.jobs[name]["status"] = "cancelled"
                    return found(self.jobs.get(name))
        return 404, {"error": {"message": f"no route {method} {path}", "code": None}}

    def upload(self, body: bytes) -> tuple[int, Any]:
        boundary, _, _ = body.partition(b"\r\n")
        part = next(p for p in body.split(boundary) if b'name="file"' in p)
        header, _, content = part.partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        named = re.search(rb'filename="([^"]+)"', header)
        assert named
        name = f"file-{next(self._count)}"
        self.contents[name] = content
        self.files[name] = {
            "id": name,
            "bytes": len(content),
            "created_at": int(time.time()),
            "filename": named[1].decode(),
            "object": "file",
            "purpose": "fine-tune",
            "status": "processed",
        }
        return 200, self.files[name]

    def create(self, asked: dict[str, Any]) -> tuple[int, Any]:
        if asked["training_file"] not in self.files:
            return 400, {"error": {"message": "no such file", "code": "invalid_file"}}
        name = f"ftjob-{next(self._count):06d}"
        self.jobs[name] = {
            "id": name,
            "object": "fine_tuning.job",
            "created_at": int(time.time()),
            "finished_at": None,
            "error": None,
            "fine_tuned_model": None,
            "hyperparameters": {"n_epochs": "auto"},
            "model": asked["model"],
            "organization_id": "org-x",
            "result_files": [],
            "seed": asked.get("seed"),
            "status": STATUSES[0],
            "trained_tokens": None,
            "training_file": asked["training_file"],
            "validation_file": None,
            "metadata": asked.get("metadata"),
            "method": asked.get("method"),
            "suffix": asked.get("suffix"),
        }
        self.polls[name] = 0
        self._lists[name] = self.listed_late
        return 200, self.jobs[name]

    def listed(self) -> list[dict[str, Any]]:
        shown = [job for name, job in reversed(self.jobs.items()) if self._lists[name] <= 0]
        for name in self._lists:
            self._lists[name] -= 1
        return shown

    def retrieve(self, name: str) -> tuple[int, Any]:
        job = self.jobs.get(name)
        if job is not None and job["status"] not in ("succeeded", "failed", "cancelled"):
            self.polls[name] += 1
            if self.polls[name] < len(STATUSES):
                job["status"] = STATUSES[self.polls[name]]
            else:
                self.end(job)
        return found(job)

    def end(self, job: dict[str, Any]) -> None:
        fate = self.fates.get(job["suffix"], "succeeded")
        if fate in ERRORS:
            job |= {"status": "failed", "error": ERRORS[fate]}
        elif fate == "cancelled":
            job |= {"status": "cancelled"}
        else:
            job |= {
                "status": "succeeded",
                "fine_tuned_model": f"ft:{job['model']}:org:{job['suffix']}:{job['id'][-6:]}",
                "trained_tokens": 1_000_000,
                "finished_at": int(time.time()),
                "hyperparameters": {
                    "n_epochs": 3,
                    "batch_size": 1,
                    "learning_rate_multiplier": 2.0,
                },
            }

    def checkpoints(self, name: str) -> list[dict[str, Any]]:
        """Newest first, as the API lists them; the last one is the model itself."""
        model, last = self.jobs[name]["fine_tuned_model"], 20
        steps = (last, 14, 7)
        if model is None:
            model, steps = f"ft:{self.jobs[name]['model']}:org", (14, 7)[: self.left_by_failed]
        return [
            {
                "id": f"ftckpt-{name}-{step}",
                "object": "fine_tuning.job.checkpoint",
                "created_at": 1_700_000_000 + step,
                "fine_tuned_model_checkpoint": model if step == last else f"{model}:ckpt-{step}",
                "fine_tuning_job_id": name,
                "metrics": {"step": step},
                "step_number": step,
            }
            for step in steps
        ]

    def complete(self, asked: dict[str, Any]) -> tuple[int, Any]:
        self.completions.append(asked)
        said = self.says(asked)
        choices = [
            {
                "index": n,
                "finish_reason": "stop",
                "logprobs": None,
                "message": {"role": "assistant", "content": said[n % len(said)], "refusal": None},
            }
            for n in range(asked.get("n", 1))
        ]
        return 200, {
            "id": f"chatcmpl-{next(self._count)}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": asked["model"],
            "choices": choices,
        }

    def events(self, name: str) -> list[dict[str, Any]]:
        """Newest first, as the API lists them."""
        steps = 4 * min(self.polls[name], len(STATUSES))
        found = [event(name, 0, "Created fine-tuning job", "message", None)]
        for step in range(1, steps + 1):
            data = {"step": step, "total_steps": 20, "train_loss": 1 / step}
            found.append(event(name, step, f"Step {step}/20", "metrics", data))
        return found[::-1]


def event(job: str, number: int, message: str, kind: str, data: Any) -> dict[str, Any]:
    return {
        "id": f"ftevent-{job}-{number}",
        "object": "fine_tuning.job.event",
        "created_at": 1_700_000_000 + number,
        "level": "info",
        "message": message,
        "type": kind,
        "data": data,
    }


def found(thing: dict[str, Any] | None) -> tuple[int, Any]:
    if thing is None:
        return 404, {"error": {"message": "not found", "code": "not_found"}}
    return 200, thing


def page(things: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    start = 0
    if after := query.get("after"):
        start = 1 + next((n for n, thing in enumerate(things) if thing["id"] == after), len(things))
    limit = min(int(query.get("limit", "20")), 100)
    part = things[start : start + limit]
    return {"object": "list", "data": part, "has_more": start + limit < len(things)}


class _Handler(BaseHTTPRequestHandler):
    account: OpenAIServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self.serve()

    def do_POST(self) -> None:
        self.serve()

    def serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        address = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(address.query).items()}
        self.account.requests.append((self.command, address.path.removeprefix("/v1")))
        if self.headers.get("authorization") != f"Bearer {self.account.key}":
            self.send(401, {"error": {"message": f"Incorrect API key: {self.account.key}"}})
            return
        fault = next(self.account.faults)
        if fault in ("429", "500", "503"):
            self.send(int(fault), {"error": {"message": "try later", "code": None}})
        elif fault == "drop_before":
            self.close_connection = True
        elif fault == "slow":
            time.sleep(self.account.slow_s)
            self.close_connection = True
        elif fault is not None and fault.startswith("{"):
            refusal = json.loads(fault)
            self.send(refusal["status"], {"error": refusal})
        else:
            status, answer = self.account.answer(self.command, address.path, query, body)
            self.deliver(fault, status, answer)

    def deliver(self, fault: str | None, status: int, answer: Any) -> None:
        """What was asked for has taken effect; the answer may not arrive."""
        if fault == "drop_after":
            self.close_connection = True
        elif fault == "slow_after":
            time.sleep(self.account.slow_s)
            self.close_connection = True
        elif fault == "garbage":
            self.write(200, b"<html>Bad gateway</html>", "application/json")
        elif fault is not None and fault.startswith("body:"):
            self.write(200, fault.removeprefix("body:").encode(), self.account.foreign_type)
        else:
            self.send(status, answer)

    def send(self, status: int, answer: Any) -> None:
        self.write(status, json.dumps(answer).encode(), "application/json")

    def write(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        if status == 429:
            self.send_header("retry-after", "7")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass

"""Long answers that a client leaves before their end, on each endpoint that generates, and how one hangs up."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.conformance import metrics
from tests.conformance.generating import MESSAGES
from tests.conformance.wire import MODEL, Request, Target
from tests.inference.simulator.client import eventually

CHAT = "/v1/chat/completions"
LENGTH = 900
# vLLM takes the directive for text; the simulator lets the tokens last.
_TEXT = f"[[sim tokens={LENGTH} gap=10]] Tell me all of it."
_TALE: list[Any] = [{"role": "user", "content": _TEXT}]
_MADE = "vllm:generation_tokens_total"


@dataclass(frozen=True)
class Long:
    """What takes an engine longer than a client stays."""

    endpoint: str
    path: str
    body: dict[str, Any]
    source: str
    """Where the gateway has the usage of one that was left from."""

    @property
    def tokens(self) -> int:
        """Of all of it."""
        return LENGTH * int(self.body.get("n", 1))


ANSWERS = [
    Long("chat.completions", CHAT, {"model": MODEL, "messages": _TALE, "max_tokens": LENGTH, "n": 2}, "continuous"),
    Long(
        "completions", "/v1/completions", {"model": MODEL, "prompt": _TEXT, "max_tokens": LENGTH, "n": 2}, "continuous"
    ),
    # vLLM tells the usage of a response at its end, so until then the gateway counts events.
    Long("responses", "/v1/responses", {"model": MODEL, "input": _TEXT, "max_output_tokens": LENGTH}, "local"),
    Long("messages", "/v1/messages", {"model": MODEL, "messages": _TALE, "max_tokens": LENGTH}, "continuous"),
]


@contextmanager
def asking(target: Target, path: str, body: dict[str, Any]) -> Iterator[None]:
    """Send a request, and hang up at the end of the block without having read anything."""
    with target.client() as client:
        request = client.build_request("POST", path, json=body | {"model": target.model})
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    with socket.create_connection((request.url.host, request.url.port or 80)) as connection:
        connection.sendall("\r\n".join([f"POST {path} HTTP/1.1", *lines, "", ""]).encode() + request.content)
        yield


@contextmanager
def reading(target: Target, path: str, body: dict[str, Any]) -> Iterator[None]:
    """Ask for a stream, read the first events of it, and hang up at the end of the block."""
    asked = body | {"model": target.model, "stream": True}
    with target.client() as client, client.stream("POST", path, json=asked) as answer:
        lines = (line for line in answer.iter_lines() if line.startswith("data: "))
        # What opens a response or its choices holds no text.
        assert len([next(lines) for _ in range(12)]) == 12
        yield


def ask(**changes) -> Request:
    """Return a short chat."""
    return Request(path=CHAT, body={"model": MODEL, "messages": MESSAGES, "max_tokens": 5, **changes})


def running(engine: Target) -> float:
    """Return how many requests an engine says that it is at."""
    return metrics.value(engine, "vllm:num_requests_running")


def made(engine: Target) -> float:
    """Return how many tokens it has generated since its start."""
    return metrics.value(engine, _MADE)


def frees_its_place(engine: Target) -> None:
    """Fail unless nothing runs on the engine within a second.

    vLLM counts anew with each step: another request's steps tell for certain whether this one still runs.
    """
    eventually(lambda: engine.send(ask()).status == 200 and running(engine) == 0, within=1)

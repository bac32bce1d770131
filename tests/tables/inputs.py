"""What a request may be at most (architecture §4.4): the largest that passes, and one beyond it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

MESSAGES = [{"role": "user", "content": "hi [[sim tokens=1 ttft=1 gap=0]]"}]
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Ask:
    """One request: a body, and headers beside the usual ones."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """A limit with a request on each side of it; `status` is the answer to the one beyond."""

    what: str
    limit: str
    status: int
    within: Callable[[], Ask]
    beyond: Callable[[], Ask]

    def cells(self) -> list[str]:
        return [self.what, self.limit, str(self.status)]


def chat(**fields: Any) -> Ask:
    return Ask(orjson.dumps({"model": "sim", "messages": MESSAGES, "max_tokens": 1, **fields}))


def _raw(tail: bytes) -> Ask:
    """A request whose last field is written by hand."""
    return Ask(chat().body[:-1] + b"," + tail + b"}")


def _sized(size: int) -> Ask:
    """Text of so many bytes, which is more than the model's context holds: an engine would refuse it, the limit not."""
    empty = len(chat(user="").body)
    return Ask(chat(user="").body[:-1] + b" " * (size - empty) + b"}")


def _headers(count: int = 0, size: int = 1) -> Ask:
    return Ask(chat().body, {f"x-{number}": "1" * size for number in range(count)})


def _deep(levels: int) -> Ask:
    return _raw(b'"metadata":' + b'{"a":' * (levels - 1) + b"1" + b"}" * (levels - 1))


def _calls(count: int) -> Ask:
    calls = [
        {"id": f"c{number}", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        for number in range(count)
    ]
    return chat(messages=[{"role": "assistant", "content": None, "tool_calls": calls}, *MESSAGES])


def _many(containers: int) -> Ask:
    return _raw(b'"metadata":{"a":[' + b",".join([b"[]"] * containers) + b"]}")


HEAD = ("what", "limit", "beyond it")

# Host, content type and length, and the credential are four more.
ROWS = (
    Row("headers", "100", 431, lambda: _headers(96), lambda: _headers(97)),
    Row("one header", "8 KB", 431, lambda: _headers(1, 8000), lambda: _headers(1, 8200)),
    Row("all headers", "32 KB", 431, lambda: _headers(4, 8000), lambda: _headers(5, 8000)),
    Row(
        "body; with media it may be 32 MB",
        "10 MB",
        413,
        lambda: _sized(10 * MEGABYTE),
        lambda: _sized(10 * MEGABYTE + 1),
    ),
    Row("depth of JSON", "64", 400, lambda: _deep(64), lambda: _deep(65)),
    Row("messages", "2,048", 400, lambda: chat(messages=MESSAGES * 2048), lambda: chat(messages=MESSAGES * 2049)),
    Row("lists and objects in JSON", "200,000", 400, lambda: _many(199_000), lambda: _many(200_001)),
    Row("`n`", "8", 400, lambda: chat(n=8), lambda: chat(n=9)),
    Row(
        "`top_logprobs`",
        "20",
        400,
        lambda: chat(logprobs=True, top_logprobs=20),
        lambda: chat(logprobs=True, top_logprobs=21),
    ),
    Row("`stop`", "16 strings", 400, lambda: chat(stop=["x"] * 16), lambda: chat(stop=["x"] * 17)),
    Row(
        "`tools`",
        "128",
        400,
        lambda: chat(tools=[{"type": "function"}] * 128),
        lambda: chat(tools=[{"type": "function"}] * 129),
    ),
    Row("calls of tools in a message", "128", 400, lambda: _calls(128), lambda: _calls(129)),
    Row("whole numbers", "64 bits", 400, lambda: chat(seed=2**63 - 1), lambda: _raw(b'"seed":9223372036854775808')),
    Row("numbers", "finite ones; no `NaN`, no `Infinity`", 400, lambda: chat(top_p=1), lambda: _raw(b'"top_p":NaN')),
    Row("keys of an object", "each once", 400, lambda: chat(top_p=1), lambda: _raw(b'"n":1,"n":1')),
    Row("`true` and `false`", "are no numbers", 400, lambda: chat(n=1), lambda: chat(n=True)),
    Row("text", "Unicode without lone surrogates", 400, lambda: chat(user="ü"), lambda: _raw(b'"user":"\\ud800"')),
    Row(
        "top-level fields",
        "those that are [documented](compatibility.md); an unknown one is refused by name",
        400,
        lambda: chat(temperature=0),
        lambda: chat(api_base="http://example.com"),
    ),
    Row(
        "encoding of the request",
        "none (`identity`); JSON in UTF-8, without a byte order mark",
        415,
        lambda: Ask(chat().body, {"content-encoding": "identity"}),
        lambda: Ask(chat().body, {"content-encoding": "gzip"}),
    ),
    Row(
        "credentials",
        "one",
        400,
        chat,
        lambda: Ask(chat().body, {"x-api-key": "tpk_live_another"}),
    ),
)

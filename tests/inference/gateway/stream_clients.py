"""Clients of every endpoint that streams, over sockets: how each asks, and how each knows what it got."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from inference.simulator import sounds
from tests.inference.gateway.media import form
from tests.tables.streams import End

DONE = b"[DONE]"
MOST = 64
"""Tokens that a request allows."""
_PARAMETERS = {"type": "object", "properties": {}}
_FUNCTION = {"name": "toll", "parameters": _PARAMETERS}
_HEADER_BYTES = 44
# What says that an answer is whole, in every dialect; a stream has one of them, and it is the last event.
_MARKERS = ("message_stop", "response.completed", "response.incomplete", "response.failed", "transcript.text.done")


@dataclass(frozen=True)
class Told:
    """What came over a socket; `whole` is whether its message was brought to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool

    @property
    def events(self) -> list[Any]:
        """What each event says; OpenAI's end marker says `DONE`."""
        lines = [line[5:].strip() for line in self.body.splitlines() if line.startswith(b"data:")]
        return [DONE if line == DONE else orjson.loads(line) for line in lines]


async def tell(http: httpx.AsyncClient, path: str, request: Mapping[str, Any]) -> Told:
    """Ask, and read until the end or until the server hangs up."""
    body, whole = bytearray(), True
    async with http.stream("POST", path, **request) as answer:
        try:
            async for piece in answer.aiter_raw():
                body += piece
        except httpx.RemoteProtocolError:
            whole = False
    return Told(answer.status_code, answer.headers, bytes(body), whole)


def _chat(model: str, text: str, tools: bool) -> dict[str, Any]:
    offered = {"tools": [{"type": "function", "function": _FUNCTION}]} if tools else {}
    return {"json": {"model": model, "messages": _said(text), "max_tokens": MOST, "stream": True} | offered}


def _completion(model: str, text: str, tools: bool) -> dict[str, Any]:
    return {"json": {"model": model, "prompt": text, "max_tokens": MOST, "stream": True}}


def _response(model: str, text: str, tools: bool) -> dict[str, Any]:
    offered = {"tools": [{"type": "function", **_FUNCTION}]} if tools else {}
    return {"json": {"model": model, "input": text, "max_output_tokens": MOST, "stream": True} | offered}


def _message(model: str, text: str, tools: bool) -> dict[str, Any]:
    offered = {"tools": [{"name": "toll", "input_schema": _PARAMETERS}]} if tools else {}
    return {"json": {"model": model, "messages": _said(text), "max_tokens": MOST, "stream": True} | offered}


def _transcription(model: str, text: str, tools: bool) -> dict[str, Any]:
    body, headers = form(model=model, prompt=text, stream="true")
    return {"content": body, "headers": headers}


def _speech(model: str, text: str, tools: bool) -> dict[str, Any]:
    return {"json": {"model": model, "input": text, "voice": "alloy", "response_format": "wav"}}


REQUESTS: dict[str, Callable[[str, str, bool], dict[str, Any]]] = {
    "chat.completions": _chat,
    "completions": _completion,
    "responses": _response,
    "messages": _message,
    "audio.transcriptions": _transcription,
    "audio.speech": _speech,
}
"""Makes a request by the model, the text and whether tools are offered."""


def ending(surface: str, told: Told) -> tuple[End, str]:
    """Return how an answer ended, and the code of its error; fails where it says both or neither."""
    if told.status != 200:
        assert told.whole
        return End.REFUSED, orjson.loads(told.body)["error"]["code"]
    if surface == "audio.speech":
        assert b"error" not in told.body
        return (End.SETTLED if told.whole else End.BROKEN), ""
    assert told.whole
    events = told.events
    marked = [place for place, event in enumerate(events) if event == DONE or event.get("type") in _MARKERS]
    failed = [event for event in events if event != DONE and event.get("error")]
    if failed:
        assert (marked, failed, _reasons(events)) == ([], events[-1:], [])
        assert (b"event: error" in told.body) is (surface in ("messages", "responses"))
        assert events[-1].get("request_id", told.headers["x-request-id"]) == told.headers["x-request-id"]
        return End.BROKEN, failed[0]["error"]["code"]
    assert marked == [len(events) - 1]
    assert (events[-1] == DONE) is (surface in ("chat.completions", "completions"))
    return End.SETTLED, ""


def _reasons(events: list[Any]) -> list[str]:
    """What Anthropic's dialect says before its end marker, and only of a message that is whole."""
    deltas = [event["delta"] for event in events if event != DONE and event.get("type") == "message_delta"]
    return [delta["stop_reason"] for delta in deltas if delta.get("stop_reason")]


def pieces(surface: str, told: Told) -> int:
    """Return how many pieces of content came; the engine sends each token as one."""
    if told.status != 200:
        return 0
    if surface == "audio.speech":
        return -(-(len(told.body) - _HEADER_BYTES) // (2 * sounds.SLICE))
    return sum(_pieces(event) for event in told.events if event != DONE)


def _pieces(event: Any) -> int:
    kind = event.get("type", "")
    if kind:
        said = kind == "content_block_delta" and event["delta"]["type"] != "signature_delta"
        return int(said or kind.endswith(".delta"))
    deltas = [choice.get("delta", choice) for choice in event.get("choices", ())]
    return sum(any(delta.get(name) for name in ("content", "reasoning", "refusal", "text")) for delta in deltas)


def said(told: Told) -> str:
    """Return all text of a stream."""
    return "".join(_text(event) for event in told.events if event != DONE)


def _text(event: Any) -> str:
    kind = event.get("type", "")
    if kind == "content_block_delta":
        return event["delta"].get("text", "")
    if kind:
        return event["delta"] if kind in ("response.output_text.delta", "transcript.text.delta") else ""
    choices = event.get("choices", ())
    return "".join(choice.get("delta", {}).get("content") or choice.get("text") or "" for choice in choices)


def _said(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]

"""What a client of Anthropic's messages sees of a stream."""

from __future__ import annotations

from typing import Any

import orjson

from tests.inference.gateway.door import Answer, Door

MESSAGES = "/v1/messages"


async def ask(door: Door, text: str = "hi", **fields: Any) -> Answer:
    """Ask for a message."""
    ways: dict[str, Any] = {name: fields.pop(name) for name in ("headers", "leave", "path") if name in fields}
    body = {"model": "sim", "max_tokens": 64, "messages": [{"role": "user", "content": text}], **fields}
    return await door.ask(body, **({"path": MESSAGES} | ways))


def told(body: bytes) -> list[dict[str, Any]]:
    """All events, each of which must be named as its type."""
    found = []
    for event in body.replace(b"\r\n", b"\n").split(b"\n\n"):
        lines = [line for line in event.split(b"\n") if not line.startswith(b":")]
        if any(lines):
            name, data = lines
            found.append(orjson.loads(data.removeprefix(b"data: ")))
            assert name == b"event: " + found[-1]["type"].encode()
    return found


def types(body: bytes) -> list[str]:
    return [event["type"] for event in told(body)]


def text(body: bytes) -> str:
    """All text of a stream."""
    deltas = [event["delta"] for event in told(body) if event["type"] == "content_block_delta"]
    return "".join(delta.get("text", "") for delta in deltas)

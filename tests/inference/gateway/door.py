"""The gateway in this process, asked as a server asks it: raw ASGI in, messages out, everything behind it real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from inference.gateway.app import Gateway

CHAT = "/v1/chat/completions"


@dataclass
class Answer:
    """What a client got."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    ended: bool = False

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def error(self) -> Any:
        return self.json["error"]

    @property
    def events(self) -> list[bytes]:
        """The data of each event."""
        lines = self.body.replace(b"\r\n", b"\n").split(b"\n")
        return [line.removeprefix(b"data:").strip() for line in lines if line.startswith(b"data:")]

    @property
    def complete(self) -> bool:
        """Whether the end marker came."""
        return self.events[-1:] == [b"[DONE]"]

    @property
    def text(self) -> str:
        """All content of a stream."""
        chunks = [orjson.loads(event) for event in self.events if event != b"[DONE]"]
        deltas = [choice["delta"] for chunk in chunks for choice in chunk.get("choices", [])]
        return "".join(delta.get("content") or "" for delta in deltas)


class Door:
    """A client of one gateway. It goes when `gone` is set, or when `leave` says so of what has come by then."""

    def __init__(self, gateway: Gateway, key: str = "") -> None:
        self.gateway = gateway
        self.key = key
        self.address = "192.0.2.1"

    async def ask(
        self,
        body: bytes | dict[str, Any],
        *,
        method: str = "POST",
        path: str = CHAT,
        headers: dict[str, str] | None = None,
        leave: Callable[[Answer], bool] = lambda answer: False,
        pause: float = 0.0,
        gone: asyncio.Event | None = None,
    ) -> Answer:
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        gone = gone or asyncio.Event()
        messages = [{"type": "http.request", "body": raw, "more_body": False}]
        answer = Answer()

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            elif not gone.is_set():
                answer.body += message.get("body", b"")
                answer.ended = not message.get("more_body", False)
            if pause:
                await asyncio.sleep(pause)
            if leave(answer):
                gone.set()
                await asyncio.sleep(0)

        await self.gateway(self._scope(method, path, headers or {}, raw), receive, send)
        return answer

    async def chat(self, text: str = "hi", **fields: Any) -> Answer:
        """Ask for a completion of one message."""
        ways = {name: fields.pop(name) for name in ("headers", "leave", "pause", "gone") if name in fields}
        message = {"role": "user", "content": text}
        return await self.ask({"model": "sim", "messages": [message], **fields}, **ways)

    async def stream(self, text: str = "hi", **fields: Any) -> Answer:
        """Ask for a stream."""
        return await self.chat(text, stream=True, **fields)

    def _scope(self, method: str, path: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        lines = {
            "host": "turnpike.test",
            "content-type": "application/json",
            "content-length": str(len(body)),
            "authorization": f"Bearer {self.key}",
        }
        merged = {name: value for name, value in (lines | headers).items() if value}
        pairs = [(name.encode(), value.encode()) for name, value in merged.items()]
        return {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": pairs,
            "client": (self.address, 50_000),
        }

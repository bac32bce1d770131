"""An engine that keeps every head that it is sent, and answers with every header imaginable."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

NOSY = {
    "server": "secret/1",
    "set-cookie": "a=secret",
    "x-request-id": "secret",
    "request-id": "secret",
    "x-powered-by": "secret",
    "via": "1.1 secret",
    "x-compute-type": "secret",
    "x-turnpike-model": "secret",
    "x-turnpike-cost-nano-usd": "999",
    "x-turnpike-anything": "secret",
    "x-ratelimit-limit-requests": "999",
    "openai-organization": "secret",
    "openai-processing-ms": "999",
    "anthropic-ratelimit-requests-remaining": "999",
    "cf-ray": "secret",
    "retry-after": "999",
    "location": "http://secret/",
    "www-authenticate": "secret",
    "access-control-allow-origin": "*",
    "content-disposition": "attachment; filename=secret",
    "cache-control": "public",
    "strict-transport-security": "max-age=999",
    "link": "</secret>",
    "alt-svc": "secret",
    "etag": "secret",
}


@dataclass
class Recorder:
    """Answers each path with the body it is given for it; anything else with 404."""

    url: str = ""
    heads: list[dict[str, str]] = field(default_factory=list)
    bodies: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    status: int = 200

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        lines = dict(line.split(": ", 1) for line in head[1:] if line)
        self.heads.append({name.lower(): value for name, value in lines.items()})
        asked = await reader.readexactly(int(self.heads[-1]["content-length"]))
        path = head[0].split()[1] + (" streamed" if b'"stream":true' in asked else "")
        content_type, body = self.bodies.get(path, ("application/json", b"{}"))
        nosy = "".join(f"{name}: {value}\r\n" for name, value in NOSY.items())
        head_back = f"HTTP/1.1 {self.status} X\r\ncontent-type: {content_type}\r\n{nosy}connection: close\r\n\r\n"
        writer.write(head_back.encode() + body)
        writer.close()

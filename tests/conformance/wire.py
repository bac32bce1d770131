"""One request to an engine (or to the gateway before it), and its answer as it came over the wire."""

import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import httpx

MODEL = "tiny-llama"
PUBLIC_MODEL = "acme-tiny"
"""What the gateway calls the model; the engine's name must never be seen behind it."""
CONTEXT = 1024
KEY = "sk-backend"


# Nobody is asked over TLS; without this each client would read the certificates of the whole world.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Role(StrEnum):
    """What kind of model a request needs; one vLLM serves one, the simulator serves all."""

    GENERATE = "generate"
    POOLING = "pooling"


@dataclass(frozen=True)
class Event:
    """One server-sent event; `data` is its JSON, or the text of an end marker."""

    name: str | None
    data: Any


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    headers: httpx.Headers
    text: str

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def streamed(self) -> bool:
        return self.content_type.startswith("text/event-stream")

    @property
    def events(self) -> list[Event]:
        return [_event(block) for block in self.text.split("\n\n") if block.strip()]

    @property
    def chunks(self) -> list[Any]:
        """The JSON of all events, without end markers."""
        return [event.data for event in self.events if isinstance(event.data, dict)]


Check = Callable[[Answer], None]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is sent. A `body` is sent as JSON, `raw` as it is."""

    path: str
    body: dict[str, Any] | None = None
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    with_key: bool = True


@dataclass(frozen=True)
class Target:
    """Who is asked. All it takes is where each role is served, a key, and what the model is called there."""

    name: str
    urls: dict[Role, str]
    key: str
    model: str = MODEL

    def client(self, role: Role = Role.GENERATE, *, with_key: bool = True) -> httpx.Client:
        headers = {"authorization": f"Bearer {self.key}"} if with_key else {}
        return httpx.Client(base_url=self.urls[role], headers=headers, timeout=60, trust_env=False, verify=_NO_TLS)

    def send(self, request: Request, role: Role = Role.GENERATE) -> Answer:
        with self.client(role, with_key=request.with_key) as client:
            sent = client.request(request.method, request.path, headers=request.headers, **self._content(request))
            return Answer(sent.status_code, sent.headers, sent.text)

    def _content(self, request: Request) -> dict[str, Any]:
        if request.raw is not None:
            return {"content": request.raw}
        if request.body is None:
            return {}
        return {"json": {key: self.model if value == MODEL else value for key, value in request.body.items()}}


def _event(block: str) -> Event:
    fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
    data = fields["data"]
    return Event(fields.get("event"), json.loads(data) if data.startswith("{") else data)

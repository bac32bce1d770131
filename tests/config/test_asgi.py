import asyncio
from typing import Any

import pytest

from config.asgi import Platform, application
from config.operations import Readiness
from foundation.ids import parse
from foundation.web import Message
from tests.config.asking import ask

NOWHERE = Readiness("postgresql://127.0.0.1:1/turnpike", "redis://127.0.0.1:1/0")


class Door:
    """Answers every request with its own name; as the gateway, it notes what the platform asks of it."""

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.asked: list[str] = []
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.open.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": self.name})

    async def startup(self) -> None:
        self.asked.append("startup")

    async def drain(self, seconds: float) -> None:
        self.asked.append(f"drain {seconds:.0f}")

    async def shutdown(self) -> None:
        self.asked.append("shutdown")


class BrokenDoor(Door):
    async def startup(self) -> None:
        raise ConnectionError("nothing there")


class Server:
    """The server's side of a process's life."""

    def __init__(self, platform: Platform) -> None:
        self.said: asyncio.Queue[Message] = asyncio.Queue()
        self.heard: asyncio.Queue[Message] = asyncio.Queue()
        self.life = asyncio.ensure_future(platform({"type": "lifespan"}, self.said.get, self._hear))

    async def _hear(self, message: Message) -> None:
        await self.heard.put(message)

    async def tell(self, event: str) -> Message:
        await self.said.put({"type": f"lifespan.{event}"})
        return await asyncio.wait_for(self.heard.get(), 5)


@pytest.fixture
def gateway() -> Door:
    return Door(b"gateway")


@pytest.fixture
def platform(gateway, django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        yield Platform(Door(b"pages"), lambda: gateway, drain_seconds=3, metrics_token="", readiness=NOWHERE)


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/v1/chat/completions", b"gateway"),
        ("/v1/no/such/thing", b"gateway"),
        ("/", b"pages"),
        ("/v1", b"pages"),
        ("/v10/", b"pages"),
        ("/api/v1/keys", b"pages"),
        ("/healthz/", b"pages"),
        ("/healthz", b'{"status":"alive"}'),
    ],
)
async def test_each_path_has_its_door(platform, path, door):
    await Server(platform).tell("startup")
    assert (await ask(platform, path)).body == door


async def test_a_process_opens_its_gateway_before_it_serves_and_closes_it_after(platform, gateway):
    server = Server(platform)
    assert await server.tell("startup") == {"type": "lifespan.startup.complete"}
    assert gateway.asked == ["startup"]
    assert await server.tell("shutdown") == {"type": "lifespan.shutdown.complete"}
    assert gateway.asked == ["startup", "drain 5", "shutdown"]
    await server.life


async def test_a_gateway_that_cannot_open_fails_the_start(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        broken = Platform(Door(b"pages"), lambda: BrokenDoor(b""), drain_seconds=3, metrics_token="", readiness=NOWHERE)
        heard = await Server(broken).tell("startup")
    assert heard == {"type": "lifespan.startup.failed", "message": "nothing there"}


async def test_a_misconfigured_process_does_not_start(platform, gateway, settings):
    settings.PRODUCTION, settings.KEY_PEPPER = True, ""
    heard = await Server(platform).tell("startup")
    assert heard["type"] == "lifespan.startup.failed"
    assert "turnpike.E003" in heard["message"]
    assert gateway.asked == []


async def test_before_the_start_there_is_no_inference(platform):
    answer = await ask(platform, "/v1/models")
    assert (answer.status, answer.json()["error"]["code"]) == (503, "overloaded")


@pytest.mark.parametrize(("version", "told"), [("1.1", "close"), ("2", None)])
async def test_a_draining_process_sends_new_inference_elsewhere(platform, version, told):
    await Server(platform).tell("startup")
    platform._drain._begun = True
    answer = await ask(platform, "/v1/chat/completions", method="POST", http_version=version)
    assert (answer.status, answer.json()["error"]["code"]) == (503, "draining")
    assert answer.headers["retry-after"] == "1"
    assert answer.headers.get("connection") == told
    assert parse("req", answer.headers["x-request-id"]).version == 7
    assert (await ask(platform, "/app/")).body == b"pages"


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/models", "/v1/nothing"])
async def test_a_draining_process_speaks_as_anthropic_does_to_clients_of_its_api(platform, path):
    await Server(platform).tell("startup")
    platform._drain._begun = True
    answer = await ask(platform, path, headers={"anthropic-version": "2023-06-01"})
    assert (answer.status, answer.json()["type"]) == (503, "error")
    assert answer.json()["error"]["type"] == "overloaded_error"
    assert answer.json()["request_id"] == answer.headers["request-id"]


async def test_the_drain_waits_for_a_request_that_was_let_in_just_before(platform, gateway):
    await Server(platform).tell("startup")
    gateway.open.clear()
    request = asyncio.ensure_future(ask(platform, "/v1/chat/completions"))
    await asyncio.sleep(0)
    drained = asyncio.ensure_future(platform._finish(3))
    await asyncio.sleep(0.2)
    assert not drained.done()
    gateway.open.set()
    await asyncio.wait_for(drained, 1)
    assert (await request).body == b"gateway"


async def test_a_websocket_is_turned_away(platform):
    sent = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await platform({"type": "websocket", "path": "/live"}, None, send)
    assert sent == [{"type": "websocket.close"}]


async def test_the_application_answers_pages_by_django(db):
    answer = await ask(application, "/accounts/login/")
    assert answer.status == 200
    assert answer.headers["x-request-id"].startswith("req_")

"""TLS to engines: the certificate and the name on it are checked, and the protocol is HTTP/1.1."""

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from inference.gateway.connections import Connections, Unreachable
from tests.inference.gateway.authority import Authority, authority

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"


@pytest.fixture(scope="module")
def ours(tmp_path_factory) -> Authority:
    return authority(tmp_path_factory.mktemp("authority"))


@asynccontextmanager
async def engine(context: ssl.SSLContext):
    """Run an engine; yield its port and what it learned of each connection."""
    seen: list[tuple[str | None, str | None]] = []
    named: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: named.append(name)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"body"):
                tls = writer.get_extra_info("ssl_object")
                seen.append((named[-1], tls.selected_alpn_protocol()))
                writer.write(OK)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], seen
    finally:
        server.close()


async def ask(bundle: str, url: str) -> bytes:
    connections = Connections(bundle)
    asking = connections.post(url, "/v1/x", b"body", (), 5)
    try:
        await asking.send()
        return await asking.read_all(100)
    finally:
        asking.finish()
        connections.close()


async def test_an_engine_that_the_authority_vouches_for_is_asked_by_its_name(ours):
    async with engine(ours.server("localhost")) as (port, seen):
        assert await ask(ours.bundle, f"https://localhost:{port}") == b"hi"
        assert seen == [("localhost", "http/1.1")]


async def test_an_address_can_be_on_a_certificate_as_well(ours):
    async with engine(ours.server("127.0.0.1")) as (port, _):
        assert await ask(ours.bundle, f"https://127.0.0.1:{port}") == b"hi"


@pytest.mark.parametrize("name", ["example.com", "127.0.0.2"])
async def test_another_name_on_the_certificate_is_refused(ours, name):
    async with engine(ours.server(name)) as (port, seen):
        with pytest.raises(Unreachable, match="SSLCertVerificationError"):
            await ask(ours.bundle, f"https://localhost:{port}")
        assert seen == []


async def test_an_unknown_authority_is_refused(ours):
    async with engine(ours.server("localhost")) as (port, seen):
        with pytest.raises(Unreachable, match="SSLCertVerificationError"):
            await ask("", f"https://localhost:{port}")
        assert seen == []


async def test_an_expired_certificate_is_refused(ours):
    async with engine(ours.server("localhost", valid=-timedelta(days=1))) as (port, _):
        with pytest.raises(Unreachable, match="SSLCertVerificationError"):
            await ask(ours.bundle, f"https://localhost:{port}")


async def test_a_host_that_resolves_to_where_no_engine_is_is_not_connected_to(monkeypatch):
    async def resolve(*_: object, **__: object) -> list[object]:
        return [(2, 1, 6, "", ("169.254.169.254", 80)), (10, 1, 6, "", ("64:ff9b::a9fe:a9fe", 80, 0, 0))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    with pytest.raises(Unreachable):
        await ask("", "http://metadata.example")

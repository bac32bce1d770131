"""Connections to engines: kept, repeated, refused and, above all, closed the moment nobody wants the answer."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from inference.gateway.connections import (
    MOST_AT_ONCE_BYTES,
    MOST_UNREAD_BYTES,
    Asking,
    Broken,
    Connections,
    Unreachable,
)
from inference.gateway.engine_addresses import address_of

type Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"


class Engine:
    """A server that does what a test wants, and counts its connections."""

    def __init__(self) -> None:
        self.url = ""
        self.connections = 0
        self.gone = asyncio.Event()
        self.replies: list[bytes] = [OK]
        self.hang_up_after = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        served = 0
        try:
            while await reader.readuntil(b"\r\n\r\nbody"):
                served += 1
                for reply in self.replies:
                    writer.write(reply)
                    await writer.drain()
                if self.hang_up_after and served >= self.hang_up_after:
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            self.gone.set()
        finally:
            writer.close()


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    engine = Engine()
    server = await asyncio.start_server(engine.serve, "127.0.0.1", 0)
    engine.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield engine
    server.close()


@pytest.fixture
def connections():
    connections = Connections()
    yield connections
    connections.close()


def ask(connections: Connections, engine: Engine) -> Asking:
    return connections.post(engine.url, "/v1/x", b"body", (("x-request-id", "req_1"),), 2)


async def whole(connections: Connections, engine: Engine) -> tuple[int, bytes]:
    asking = ask(connections, engine)
    try:
        await asking.send()
        return asking.status, await asking.read_all(1_000_000)
    finally:
        asking.finish()


async def test_a_connection_is_used_again(engine, connections):
    assert [await whole(connections, engine) for _ in range(3)] == [(200, b"hi")] * 3
    assert engine.connections == 1


async def test_an_idle_connection_that_the_engine_closed_costs_no_request(engine, connections):
    engine.hang_up_after = 1
    assert [await whole(connections, engine) for _ in range(3)] == [(200, b"hi")] * 3
    assert engine.connections == 3


@pytest.mark.parametrize("replies", [[], [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi"]], ids=["head", "body"])
async def test_leaving_closes_the_connection_whatever_it_waits_for(engine, connections, replies):
    engine.replies = replies
    asking = asyncio.ensure_future(whole(connections, engine))
    await asyncio.sleep(0.1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.wait_for(engine.gone.wait(), 1)


async def test_ten_thousand_cancellations_leave_nothing_stuck(engine, connections):
    dice = random.Random(10_000)
    for _ in range(10_000):
        asking = asyncio.ensure_future(whole(connections, engine))
        for _ in range(dice.randrange(12)):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    assert [await whole(connections, engine) for _ in range(100)] == [(200, b"hi")] * 100


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"hi"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\nx-trailer: 1\r\n\r\n", b"hi"),
        (b"HTTP/1.0 200 OK\r\n\r\nhi", b"hi"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b""),
    ],
    ids=["informational", "chunked with a trailer", "until the end", "empty"],
)
async def test_every_way_an_answer_is_framed(engine, connections, reply, body):
    engine.replies, engine.hang_up_after = [reply], 1
    assert await whole(connections, engine) == (200, body)


@pytest.mark.parametrize(
    "reply",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhi",
        b"",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhi",
    ],
    ids=["no http", "too short", "nothing", "head too large", "chunk cut off"],
)
async def test_what_is_no_whole_answer_is_an_error(engine, connections, reply):
    engine.replies, engine.hang_up_after = [reply], 1
    with pytest.raises(Broken):
        await whole(connections, engine)


HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n"
PIECE = b"x" * 16_384


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"HTTP/1.1 200 " + b"O", PIECE),
        (b"HTTP/1.1 200 OK\r\nx: ", PIECE),
        (b"HTTP/1.1 200 OK\r\nx", PIECE),
        (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 1000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        (HEAD + b"2;", PIECE),
        (HEAD + b"0\r\nx: ", PIECE),
        (HEAD + b"0\r\n", b"x: y\r\n" * 1000),
    ],
    ids=["reason", "header", "name", "headers", "interim answers", "extension", "trailer", "trailers"],
)
async def test_an_engine_that_never_comes_to_the_body_is_left(engine, connections, begin, piece):
    engine.replies = [begin, *[piece] * 200]
    with pytest.raises(Broken):
        await asyncio.wait_for(whole(connections, engine), 5)
    await asyncio.wait_for(engine.gone.wait(), 5)


async def test_a_body_in_the_smallest_chunks_is_read(engine, connections):
    engine.replies = [HEAD + b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n"]
    assert await whole(connections, engine) == (200, b"hi" + b"x" * 100_000)


async def test_a_body_is_no_larger_than_is_asked_for(engine, connections):
    engine.replies = [b"HTTP/1.1 200 OK\r\n\r\n", *[PIECE] * 200]
    with pytest.raises(Broken):
        await asyncio.wait_for(whole(connections, engine), 5)
    await asyncio.wait_for(engine.gone.wait(), 5)


async def test_where_nobody_listens_is_unreachable(connections):
    asking = connections.post("http://127.0.0.1:1", "/", b"body", (), 1)
    with pytest.raises(Unreachable):
        await asking.send()


async def test_an_engine_that_is_not_read_has_to_wait(engine, connections):
    size = 64 * 1024 * 1024
    engine.replies = [b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size, b"x" * size]
    asking = ask(connections, engine)
    await asking.send()
    await asyncio.sleep(0.3)
    assert asking._connection._unread < MOST_UNREAD_BYTES + 2 * 1024 * 1024
    assert len(await asking.read_all(size)) == size
    asking.finish()


@pytest.mark.parametrize("part", [300, 100_000], ids=["many parts", "large parts"])
async def test_a_stream_with_a_backlog_lets_others_have_their_turn(engine, connections, part):
    body = b"%x\r\n%s\r\n" % (part, b"x" * part) * (200_000 // part)
    engine.replies = [HEAD + body + b"0\r\n\r\n"]
    asking, turns, sizes = ask(connections, engine), [0], []
    await asking.send()
    await asyncio.sleep(0.2)

    async def count_turns() -> None:
        while True:
            turns[0] += 1
            await asyncio.sleep(0)

    other = asyncio.ensure_future(count_turns())
    while (chunk := await asking.read_chunk()) is not None:
        sizes.append(len(chunk))
    other.cancel()
    asking.finish()
    assert sum(sizes) == 2 + part * (200_000 // part)
    assert max(sizes) <= MOST_AT_ONCE_BYTES
    assert turns[0] >= len(sizes) - 1 >= 200_000 // MOST_AT_ONCE_BYTES - 1


async def test_an_engine_that_speaks_unasked_is_not_listened_to(engine, connections):
    engine.replies = [OK + OK]
    assert [(await whole(connections, engine))[1] for _ in range(2)] == [b"hi"] * 2
    assert engine.connections == 2


@pytest.mark.parametrize("url", ["ftp://a", "http://", "unix:/a", "a"])
def test_an_address_is_http(url):
    with pytest.raises(ValueError, match="http"):
        address_of(url)

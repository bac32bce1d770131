"""Many commands in one write; a reply is never read by somebody else; a store that is away says so in time."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from django.conf import settings
from redis.exceptions import ResponseError

from foundation.stores import StoreDown
from foundation.valkey import Valkey

pytestmark = pytest.mark.usefixtures("valkey")


@pytest.fixture
async def client() -> AsyncIterator[Valkey]:
    valkey = Valkey(settings.REDIS_URL)
    yield valkey
    await valkey.aclose()


async def test_each_command_gets_its_own_reply(client):
    assert await client.ask([("ECHO", "a"), ("ECHO", "b"), ("ECHO", 3)], seconds=5) == [b"a", b"b", b"3"]


async def test_what_is_refused_spoils_no_other(client):
    first, refused, last = await client.ask([("ECHO", "a"), ("NONSENSE",), ("ECHO", "b")], seconds=5)
    assert (first, last) == (b"a", b"b")
    assert isinstance(refused, ResponseError)


async def test_those_who_ask_at_once_do_not_wait_for_each_other(client):
    asked = [client.ask([("ECHO", number)], seconds=5) for number in range(20)]
    assert await asyncio.gather(*asked) == [[b"%d" % number] for number in range(20)]


@pytest.mark.parametrize("ended_by", ["time", "cancellation"])
async def test_a_reply_that_nobody_waits_for_is_nobody_elses(client, ended_by):
    slow = asyncio.ensure_future(client.ask([("BLPOP", "nothing", 1), ("ECHO", "late")], seconds=0.05))
    if ended_by == "cancellation":
        await asyncio.sleep(0.01)
        slow.cancel()
    with pytest.raises(StoreDown if ended_by == "time" else asyncio.CancelledError):
        await slow
    assert await client.ask([("ECHO", "mine")], seconds=5) == [b"mine"]


async def test_a_reply_that_has_arrived_counts_however_busy_the_loop_was(client):
    await client.ask([("PING",)], seconds=5)
    asked = asyncio.ensure_future(client.ask([("ECHO", "a")], seconds=0.05))
    await asyncio.sleep(0)
    time.sleep(0.1)  # noqa: ASYNC251 - this is the busy loop
    assert await asked == [b"a"]


async def test_a_connection_that_the_server_closed_is_not_used_again(client):
    (number,) = await client.ask([("CLIENT", "ID")], seconds=5)
    other = Valkey(settings.REDIS_URL)
    await other.ask([("CLIENT", "KILL", "ID", number)], seconds=5)
    await other.aclose()
    await asyncio.sleep(0.01)
    (newer,) = await client.ask([("CLIENT", "ID")], seconds=5)
    assert newer != number


async def test_a_store_that_is_nowhere_is_down():
    with pytest.raises(StoreDown):
        await Valkey("unix:///nowhere/valkey.sock").ask([("PING",)], seconds=1)

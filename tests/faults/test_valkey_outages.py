"""Valkey goes away: limits are kept by each process at its share, money is not touched, nobody has to help."""

import time
from collections.abc import Iterator

import pytest
import redis

from tests.faults.books import Books
from tests.faults.servers import serving
from tests.faults.stores import Store, own_valkey
from tests.inference.simulator.client import eventually
from tests.installation import Server

TEXT = "hi [[sim ttft=1 gap=0 tokens=1]]"
RECOVERY = 10.0


@pytest.fixture
def kept(installation) -> Iterator[tuple[Store, Server, redis.Redis]]:
    """A Valkey of its own, a server with it that thinks it is one of two, and a client."""
    with (
        own_valkey() as (store, url),
        serving(installation, REDIS_URL=url, GATEWAY_PROCESSES="2") as (server,),
        redis.Redis.from_url(url) as client,
    ):
        yield store, server, client


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_without_valkey_a_process_allows_its_share_and_says_so(installation, kept, crowd, how):
    store, server, _ = kept
    acme = installation.organization(rpm=10)
    ask = lambda: one(crowd, server, acme)  # noqa: E731 - a name for what is done again and again
    assert mode(ask()) == (200, None)
    store.go(how)
    answers = [ask() for _ in range(8)]
    assert [mode(call) for call in answers] == [(200, "degraded")] * 5 + [(429, None)] * 3
    assert all(int(call.headers["retry-after"]) >= 1 for call in answers[5:])
    store.come_back()
    back_at = time.monotonic()
    eventually(lambda: mode(ask()) == (200, None), within=RECOVERY)
    assert time.monotonic() - back_at < RECOVERY
    Books(installation, acme).closed()


def test_without_valkey_concurrency_is_kept_too(installation, kept, crowd):
    store, server, _ = kept
    acme = installation.organization(concurrency=4)
    store.go("stopped")
    calls = [crowd.call(server.port, acme.api_key, "hi [[sim ttft=700 gap=0 tokens=1]]") for _ in range(20)]
    crowd.wait(calls)
    assert sorted(mode(call) for call in calls) == [(200, "degraded")] * 2 + [(429, None)] * 18


def test_a_valkey_that_was_emptied_or_may_not_be_written_is_got_over(installation, kept, crowd):
    _, server, client = kept
    acme = installation.organization(rpm=1000)
    ask = lambda: mode(one(crowd, server, acme))  # noqa: E731 - a name for what is done again and again
    assert ask() == (200, None)
    client.flushall()
    client.script_flush()
    assert ask() == (200, None)
    client.replicaof("127.0.0.1", 1)
    assert ask() == (200, "degraded")
    client.replicaof("NO", "ONE")
    eventually(lambda: ask() == (200, None), within=RECOVERY)


def one(crowd, server, tenant):
    call = crowd.call(server.port, tenant.api_key, TEXT)
    crowd.wait([call])
    return call


def mode(call) -> tuple[int, str | None]:
    return call.status, call.headers.get("x-ratelimit-mode")

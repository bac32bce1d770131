"""Valkey in every state that the documentation names: limits hold, money is right, and nobody has to help."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
import redis

from tests.faults.books import Books
from tests.faults.crowd import wait_for_output
from tests.faults.proxy import HOST, Proxy, proxied
from tests.faults.servers import metric, serving
from tests.faults.stores import own_valkey
from tests.inference.simulator.client import eventually
from tests.installation import Server
from tests.tables.outages import VALKEY_STATES

TEXT = "hi [[sim ttft=1 gap=0 tokens=1]]"
RECOVERY = 10.0
# Of one of two processes.
LIMIT, SHARE, ASKED = 12, 6, 9


@pytest.fixture(scope="module")
def whole(installation) -> Iterator[tuple[Proxy, redis.Redis, Server]]:
    """A Valkey of its own, a proxy before it, and a server that thinks it is one of two."""
    with own_valkey() as (_, url):
        socket = Path(unquote(url.removeprefix("unix://")))
        with (
            proxied(socket) as proxy,
            redis.Redis.from_url(url) as behind,
            serving(
                installation,
                REDIS_URL=f"redis://{HOST}:{proxy.port}",
                GATEWAY_PROCESSES="2",
                VALKEY_TIMEOUT_MS="150",
            ) as (server,),
        ):
            yield proxy, behind, server


@pytest.fixture
def kept(whole) -> Iterator[tuple[Proxy, redis.Redis, Server]]:
    """The same, as it was in the end, whatever became of the test."""
    yield whole
    enter("up", *whole[:2])


def enter(state: str, proxy: Proxy, behind: redis.Redis) -> None:
    if state == "flushed":
        behind.flushall()
        behind.script_flush()
    elif state == "replica":
        behind.replicaof(HOST, 1)
    else:
        behind.replicaof("NO", "ONE")
        proxy.be(state)


@pytest.mark.parametrize("state", VALKEY_STATES, ids=lambda state: state.name)
def test_in_every_state_of_valkey_limits_hold_and_money_is_right(installation, kept, crowd, state):
    proxy, behind, server = kept
    acme, globex = installation.organization(rpm=1000), installation.organization(name="Globex", rpm=LIMIT)
    ask = lambda tenant: one(crowd, server, tenant)  # noqa: E731 - a name for what is done again and again
    eventually(lambda: mode(ask(acme)) == (200, None), within=RECOVERY)
    running = [crowd.call(server.port, acme.api_key, "hi [[sim ttft=1 gap=50 tokens=40]]", stream=True)]
    wait_for_output(running)
    enter(state.name, proxy, behind)
    answers = [mode(ask(globex)) for _ in range(ASKED)]
    if state.degraded:
        assert answers == [(200, "degraded")] * SHARE + [(429, None)] * (ASKED - SHARE)
        assert metric(server, "turnpike_dependency_degraded") == 1
    else:
        assert answers == [(200, None)] * ASKED
    enter("up", proxy, behind)
    eventually(lambda: mode(ask(acme)) == (200, None), within=RECOVERY)
    assert metric(server, "turnpike_dependency_degraded") == 0
    crowd.wait(running)
    assert all(call.finished for call in running)
    for tenant in (acme, globex):
        assert {record["outcome"] for record in Books(installation, tenant).closed().values()} == {"complete"}


def one(crowd, server, tenant):
    call = crowd.call(server.port, tenant.api_key, TEXT)
    crowd.wait([call])
    return call


def mode(call) -> tuple[int, str | None]:
    return call.status, call.headers.get("x-ratelimit-mode")

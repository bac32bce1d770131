"""Postgres in every state that the documentation names: nothing is let in that cannot be paid, nothing is lost."""

import time
from collections.abc import Iterator

import pytest

from config.local import postgres
from tests.faults.books import Books
from tests.faults.crowd import wait_for_output
from tests.faults.proxy import HOST, Proxy, proxied
from tests.faults.servers import metric, serving
from tests.faults.stores import Apart, own_postgres
from tests.inference.simulator.client import eventually
from tests.installation import Server
from tests.tables.outages import POSTGRES_STATES

RECOVERY = 10.0
# An outage may leave a hold behind that Postgres took and nobody heard of: it ends with its lease.
LEASE = {"HOLD_LEASE_SECONDS": "5"}


@pytest.fixture(scope="module")
def whole(installation) -> Iterator[tuple[Proxy, Apart, Server]]:
    """A PostgreSQL of its own, a proxy before it, an installation on it, and a server that knows only the proxy."""
    with own_postgres(installation) as (_, apart), proxied(apart.postgres_socket) as proxy:
        address = f"postgresql://{postgres.APPLICATION}@{HOST}:{proxy.port}/{postgres.DATABASE}"
        with serving(apart, 1, DATABASE_URL=address, **LEASE) as (server,):
            yield proxy, apart, server


@pytest.fixture
def kept(whole) -> Iterator[tuple[Proxy, Apart, Server]]:
    """The same, as it was in the end, whatever became of the test."""
    yield whole
    enter("up", *whole[:2])


def enter(state: str, proxy: Proxy, apart: Apart) -> None:
    read_only = "on" if state == "read only" else "off"
    apart.sql(f"ALTER SYSTEM SET default_transaction_read_only = {read_only}")
    apart.sql("SELECT pg_reload_conf()")
    eventually(lambda: apart.sql("SHOW default_transaction_read_only") == [(read_only,)])
    # The server's own connections are told by a signal, and nobody says when it has come. A request that is held for
    # before it would wait for its settlement, as it should.
    time.sleep(1)
    proxy.be("up" if state == "read only" else state)


@pytest.mark.parametrize("state", POSTGRES_STATES, ids=lambda state: state.name)
def test_in_every_state_of_postgres_nothing_is_let_in_unpaid_and_nothing_is_lost(kept, crowd, state):
    proxy, installation, server = kept
    acme = installation.organization()
    eventually(lambda: ask(crowd, server, acme).status == 200, within=RECOVERY)
    running = [crowd.call(server.port, acme.api_key, "hi [[sim ttft=1 gap=50 tokens=20]]", stream=True)]
    wait_for_output(running)
    enter(state.name, proxy, installation)
    meanwhile = ask(crowd, server, acme)
    if state.degraded:
        assert (meanwhile.status, meanwhile.headers["retry-after"]) == (503, "1")
        assert metric(server, "turnpike_dependency_degraded") == 1
        wait_for_output(running, pieces=20)
        assert not any(call.finished or call.over.is_set() for call in running)
    else:
        assert meanwhile.finished
    enter("up", proxy, installation)
    crowd.wait(running, RECOVERY)
    assert all(call.finished for call in running)
    eventually(lambda: ask(crowd, server, acme).status == 200, within=RECOVERY)
    assert metric(server, "turnpike_dependency_degraded") == 0
    records = Books(installation, acme).closed_by_the_reaper()
    assert {records[call.request_id]["outcome"] for call in running} == {"complete"}


def test_who_is_refused_by_a_limit_is_so_without_postgres(kept, crowd):
    proxy, installation, server = kept
    acme = installation.organization(rpm=5)
    assert [ask(crowd, server, acme).status for _ in range(6)] == [200] * 5 + [429]
    enter("down", proxy, installation)
    assert ask(crowd, server, acme).status == 429


def ask(crowd, server, tenant):
    call = crowd.call(server.port, tenant.api_key, "hi [[sim ttft=1 gap=0 tokens=1]]")
    crowd.wait([call])
    return call

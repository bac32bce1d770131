"""Postgres goes away: nothing new is let in, what runs waits with its end until it can be charged."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.books import Books
from tests.faults.crowd import wait_for_output
from tests.faults.servers import serving
from tests.faults.stores import own_postgres
from tests.inference.simulator.client import eventually

RECOVERY = 10.0
SECOND = "hi [[sim ttft=1 gap=50 tokens=20]]"


# An outage may leave a hold behind that Postgres took and nobody heard of: it ends with its lease.
LEASE = {"HOLD_LEASE_SECONDS": "5"}


@pytest.fixture(scope="module")
def whole(installation):
    """A PostgreSQL of its own, an installation on it, and a server of that."""
    with own_postgres(installation) as (store, apart), serving(apart, 1, **LEASE) as (server,):
        yield store, apart, server


@pytest.fixture
def apart(whole):
    """The same, with Postgres back in the end, whatever became of the test."""
    yield whole
    whole[0].come_back()


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_stream_waits_for_its_charge_and_nothing_new_is_let_in(apart, crowd, how):
    store, installation, server = apart
    acme = installation.organization()
    running = [crowd.call(server.port, acme.api_key, SECOND, stream=True)]
    wait_for_output(running)
    store.go(how)
    refused = ask(crowd, server, acme)
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    wait_for_output(running, pieces=20)
    assert not any(call.finished or call.over.is_set() for call in running)
    store.come_back()
    crowd.wait(running, RECOVERY)
    assert all(call.finished for call in running)
    eventually(lambda: ask(crowd, server, acme).status == 200, within=RECOVERY)
    records = Books(installation, acme).closed_by_the_reaper()
    assert {records[call.request_id]["outcome"] for call in running} == {"complete"}


def test_a_stream_that_cannot_be_charged_in_its_time_ends_in_band_and_costs_nothing(apart, crowd):
    store, installation, _ = apart
    acme = installation.organization()
    with pool_limit(installation, seconds=2), serving(installation, 1, **LEASE) as (server,):
        (call,) = running = [crowd.call(server.port, acme.api_key, SECOND, stream=True)]
        wait_for_output(running)
        store.go("stopped")
        # A settlement has five seconds at least, whatever is left of the request's own time.
        crowd.wait(running, 15)
        assert (call.outputs, call.finished, call.whole, call.code) == (20, False, True, "overloaded")
        store.come_back()
    records = Books(installation, acme).closed_by_the_reaper()
    assert [(record["outcome"], record["cost_nusd"]) for record in records.values()] == [("expired", 0)]
    assert records.keys() == {call.request_id}


@contextmanager
def pool_limit(installation, *, seconds: int) -> Iterator[None]:
    """Let a whole request to the engines take so long at most, for servers that are started in the block."""
    change = "UPDATE inference_pool SET total_ms = %s"
    ((usual,),) = installation.sql("SELECT total_ms FROM inference_pool")
    installation.sql(change, seconds * 1000)
    yield
    installation.sql(change, usual)


def ask(crowd, server, tenant):
    call = crowd.call(server.port, tenant.api_key, "hi [[sim ttft=1 gap=0 tokens=1]]")
    crowd.wait([call])
    return call

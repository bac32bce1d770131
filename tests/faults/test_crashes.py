"""`kill -9`: nothing of the server runs another instruction, and still nothing is lost, stuck or charged twice."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import witnesses
from tests.faults.books import Books
from tests.faults.crowd import wait_for_output
from tests.faults.servers import serving
from tests.inference.simulator.client import eventually

SHORT_LEASES = {"HOLD_LEASE_SECONDS": "5", "CONCURRENCY_LEASE_SECONDS": "5"}
LEASE, REAPER, NOISE = 5.0, 5.0, 10.0
ROUNDS = 4
LONG = "hi [[sim ttft=1 gap=100 tokens=900]]"
SHORT = "hi [[sim ttft=1 gap=50 tokens=60]]"


def test_what_a_killed_server_held_is_free_after_its_lease_and_costs_nothing(installation, crowd):
    acme = installation.organization(concurrency=5)
    books = Books(installation, acme)
    with celery(installation), serving(installation, 1, **SHORT_LEASES) as (server,):
        calls = [crowd.call(server.port, acme.api_key, LONG, stream=True) for _ in range(5)]
        wait_for_output(calls)
        assert books.held > 0
        server.kill()
        killed_at = time.time()
        crowd.wait(calls)
        seen = witnesses.of(installation, {call.request_id for call in calls})
        eventually(lambda: not books.holds(), within=LEASE + REAPER + NOISE)
    assert {record["ended"] for record in seen.values()} == {"client_gone"}
    assert max(record["ended_at"] for record in seen.values()) < killed_at + 1
    assert {(record["outcome"], record["cost_nusd"]) for record in books.closed().values()} == {("expired", 0)}
    assert not any(call.finished for call in calls)


def test_the_places_of_a_killed_server_are_free_after_their_lease(installation, crowd):
    acme = installation.organization(concurrency=2)
    with serving(installation, 1, **SHORT_LEASES) as (server,):
        calls = [crowd.call(server.port, acme.api_key, LONG, stream=True) for _ in range(2)]
        wait_for_output(calls)
        server.kill()

    server = installation.server
    refused = one(crowd, server, acme)
    assert (refused.status, refused.code) == (429, "concurrency_limit_exceeded")
    eventually(lambda: one(crowd, server, acme).status == 200, within=LEASE + NOISE)
    Books(installation, acme).closed_by_the_reaper()


def test_no_client_sees_an_end_without_a_settlement_whenever_servers_are_killed(installation, crowd):
    acme = installation.organization()
    dice, calls = random.Random(), []
    with serving(installation, ROUNDS + 1, **SHORT_LEASES) as servers:
        for turn in range(ROUNDS):
            pair = servers[turn : turn + 2]
            batch = [ask_at_some_moment(crowd, dice.choice(pair), acme, dice) for _ in range(100)]
            time.sleep(dice.uniform(0.1, 1.0))
            pair[0].kill()
            calls += batch
        servers[ROUNDS].kill()
        crowd.wait(calls)
    records = Books(installation, acme).closed_after_the_end()
    finished = [call for call in calls if call.finished]
    assert {records[call.request_id]["outcome"] for call in finished} == {"complete"}
    cut = [call for call in calls if call.status == 200 and not call.finished]
    assert finished, "nobody came to an end"
    assert cut, "nobody was cut off"
    assert {record["outcome"] for record in records.values()} <= {"complete", "expired"}


def test_a_killed_worker_is_replaced_and_its_neighbours_streams_go_on(installation, crowd):
    acme = installation.organization()
    with serving(installation, 1, WEB_CONCURRENCY="2", **SHORT_LEASES) as (server,):
        # One that is ready answers for both.
        eventually(lambda: server.log.count("Started worker-") == 2, within=NOISE)
        calls = [crowd.call(server.port, acme.api_key, SHORT, stream=True) for _ in range(40)]
        wait_for_output(calls)
        _, first, second = server.pids
        os.kill(first, signal.SIGKILL)
        crowd.wait(calls)
        eventually(lambda: len(server.pids) == 3 and first not in server.pids, within=NOISE)
        assert second in server.pids
        eventually(lambda: all(one(crowd, server, acme).finished for _ in range(8)), within=NOISE)
    records = Books(installation, acme).closed_by_the_reaper()
    assert {call.finished for call in calls} == {True, False}
    assert all((records[call.request_id]["outcome"] == "complete") is call.finished for call in calls)


def one(crowd, server, tenant):
    call = crowd.call(server.port, tenant.api_key, "hi [[sim ttft=1 gap=0 tokens=1]]")
    crowd.wait([call])
    return call


def ask_at_some_moment(crowd, server, tenant, dice):
    text = f"hi [[sim ttft={dice.randint(1, 50)} gap={dice.choice([0, 1, 5, 20])} tokens={dice.randint(1, 60)}]]"
    return crowd.call(server.port, tenant.api_key, text, stream=dice.random() < 0.7, after=dice.uniform(0, 1.0))


@contextmanager
def celery(installation) -> Iterator[None]:
    """A worker and its clock, for the length of the block."""
    worker = installation.spawn_worker()
    try:
        yield
    finally:
        worker.stop()

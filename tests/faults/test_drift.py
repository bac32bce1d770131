"""After a thousand requests that ended in every way there is, nothing of them is left behind anywhere.

ENDINGS=10000 makes ten thousand of it, in a minute. The limits alone are tested with so many each time.
"""

import os
import random
from functools import partial

import redis
from django.conf import settings

from tests.faults.books import Books
from tests.faults.servers import metric, serving
from tests.inference.simulator.client import eventually

MANY = int(os.environ.get("ENDINGS", "1000"))
# What the engine does, whether the client streams, whether it leaves.
WAYS = (
    ("ttft=1 gap=0 tokens=5", True, False),
    ("ttft=1 gap=0 tokens=5", False, False),
    ("ttft=1 gap=1 tokens=20 usage=none", True, False),
    ("ttft=1 gap=10 tokens=400", True, True),
    ("ttft=400 gap=10 tokens=400", True, True),
    ("ttft=300 gap=0 tokens=5", False, True),
    ("ttft=1 gap=1 tokens=9 die_after=3", True, False),
    ("ttft=1 gap=1 tokens=9 rst_after=3", True, False),
    ("ttft=1 gap=0 tokens=9 die_after=3", False, False),
    ("ttft=1 gap=1 tokens=9 err_event=2", True, False),
    ("ttft=1 gap=0 tokens=1 status=500", False, False),
    ("ttft=1 gap=0 tokens=1 status=503", True, False),
    ("no directive of ours", True, False),
)
OUTCOMES = {"complete", "client_left", "no_output", "upstream_error"}
REFUSALS = {
    (400, "invalid_request"),
    (402, "insufficient_credit"),
    (429, "rate_limit_exceeded"),
    (429, "concurrency_limit_exceeded"),
}


def test_a_thousand_mixed_endings_leave_nothing_behind(installation, crowd):
    # Who is let in always, and who soon runs into the one limit or the other.
    acme = installation.organization(rpm=100_000, tpm=10_000_000, concurrency=2000)
    others = [
        installation.organization(name="Globex", rpm=5),
        installation.organization(name="Initech", concurrency=1),
        installation.organization(name="Hooli", credit="0"),
    ]
    dice = random.Random(12)
    with serving(installation, 2, GATEWAY_PROCESSES="2", VALKEY_TIMEOUT_MS="5000") as servers:
        calls = []
        spread = MANY / 200
        for number in range(MANY):
            tenant = others[number // 5 % 3] if number % 5 == 0 else acme
            calls.append(ask(crowd, dice, servers[number % 2], tenant, WAYS[number % len(WAYS)], spread))
        crowd.wait(calls, 60 + spread)
        records: dict[str, dict] = {}
        for tenant in (acme, *others):
            records |= Books(installation, tenant).closed()
            eventually(partial(has_no_lease, tenant))
        eventually(lambda: [metric(server, "turnpike_requests_in_flight") for server in servers] == [0, 0])
    assert {record["outcome"] for record in records.values()} == OUTCOMES
    assert {(call.status, call.code) for call in calls} >= REFUSALS
    told = {call.request_id for call in calls if call.finished}
    assert told <= {name for name, record in records.items() if record["outcome"] == "complete"}


def ask(crowd, dice, server, tenant, way, spread=5.0):
    """Make one request that ends in one of the ways, at some moment of the next seconds."""
    engine, stream, leaves = way
    after = dice.uniform(0, spread)
    call = crowd.call(server.port, tenant.api_key, f"hi [[sim {engine}]]", stream=stream, max_tokens=400, after=after)
    if leaves:
        crowd.leave(call, after=after + dice.uniform(0.05, 0.8), reset=dice.random() < 0.5)
    return call


def has_no_lease(tenant) -> bool:
    """Say whether no place is taken in Valkey."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        return not any(client.zcard(key) for key in client.scan_iter(f"{{{tenant.id}}}:running:*"))

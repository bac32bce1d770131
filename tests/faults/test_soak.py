"""Hours in short: requests that end in every way there is, over and over, leave nothing behind that adds up."""

import os
import random
import sys
import time
from functools import partial
from pathlib import Path
from statistics import mean

from inference.gateway.connections import IDLE_SECONDS
from tests.faults.books import Books
from tests.faults.servers import metric, resident_mb, serving
from tests.faults.test_drift import OUTCOMES, WAYS, ask, has_no_lease
from tests.inference.simulator.client import eventually

# `make soak` makes it ten minutes.
SECONDS = float(os.environ.get("SOAK_SECONDS", "60"))
IN_A_ROUND = 150
# What Python's allocator may keep more in the last third than in the one before it: noise, and no slope.
MOST_GROWTH_MB = 6
FEW = 10
# Tasks are counted when leases are renewed; idle connections are closed by then, too.
COUNTED_SECONDS = IDLE_SECONDS + 3


def test_mixed_endings_for_a_long_time_leave_nothing_behind(installation, crowd):
    acme = installation.organization(rpm=1_000_000, tpm=1_000_000_000, concurrency=2000, credit="1000")
    dice, memory, outcomes = random.Random(27), [], set()
    with serving(installation, VALKEY_TIMEOUT_MS="5000") as (server,):
        a_round(crowd, dice, server, acme)
        idle = at_rest(crowd, server, acme)
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            a_round(crowd, dice, server, acme)
            memory.append(resident_mb(server))
            sys.stderr.write(f"{ends - time.monotonic():6.0f} s left, {memory[-1]:.0f} MB\n")
        records = Books(installation, acme).closed()
        outcomes = {record["outcome"] for record in records.values()}
        eventually(partial(has_no_lease, acme))
        running, tasks, sockets = at_rest(crowd, server, acme)
        # More than a thousand requests leave some hundred behind if any. The stores' pools may have grown by a few.
        assert (running, tasks - idle[1] < FEW, sockets - idle[2] < FEW) == (0, True, True), (idle, tasks, sockets)
    third = len(memory) // 3
    assert outcomes == OUTCOMES
    assert len(records) > 5 * SECONDS
    assert mean(memory[-third:]) - mean(memory[third : 2 * third]) < MOST_GROWTH_MB


def a_round(crowd, dice, server, tenant) -> None:
    """Make some requests within a few seconds, and see each of them end."""
    calls = [ask(crowd, dice, server, tenant, WAYS[number % len(WAYS)]) for number in range(IN_A_ROUND)]
    crowd.wait(calls, 60)


def at_rest(crowd, server, tenant) -> tuple[float, float, int]:
    """Count requests, tasks, and sockets: a few calls close those that a peak left over."""
    time.sleep(COUNTED_SECONDS)
    crowd.wait([crowd.call(server.port, tenant.api_key, "hi [[sim ttft=1 gap=0 tokens=1]]") for _ in range(2)])
    time.sleep(COUNTED_SECONDS)
    sockets = [link for pid in server.pids for link in descriptors(pid) if link.startswith("socket:")]
    return metric(server, "turnpike_requests_in_flight"), metric(server, "turnpike_event_loop_tasks"), len(sockets)


def descriptors(pid: int) -> list[str]:
    """Return what a process has open."""
    links = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(str(entry.readlink()))
        except FileNotFoundError:  # Closed meanwhile.
            continue
    return links

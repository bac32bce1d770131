"""A thousand streams that say nothing for a while: they must cost next to nothing."""

import resource
from collections.abc import Iterator

import pytest

from tests.faults.books import Books
from tests.faults.crowd import wait_for_output
from tests.faults.servers import metric, resident_mb, serving, threads
from tests.inference.simulator.client import eventually

STREAMS = 1000
# One token, then silence for longer than the test lasts.
SILENT = "hi [[sim ttft=1 gap=25000 tokens=3]]"


@pytest.fixture
def many_files() -> Iterator[None]:
    """A socket for each client: the usual soft limit of 1,024 is too few."""
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(usual[0], min(usual[1], 4 * STREAMS)), usual[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, usual)


def test_a_thousand_idle_streams_have_no_threads_and_no_connections_of_their_own(installation, crowd, many_files):
    acme = installation.organization()
    with serving(installation) as (server,):
        before = threads(server), sessions(installation), resident_mb(server)
        calls = [
            crowd.call(server.port, acme.api_key, SILENT, stream=True, max_tokens=3, after=number / 300)
            for number in range(STREAMS)
        ]
        wait_for_output(calls)
        eventually(lambda: metric(server, "turnpike_requests_in_flight") == STREAMS)
        assert threads(server) - before[0] < 20
        assert sessions(installation) - before[1] < 20
        assert resident_mb(server) - before[2] < 150
        for call in calls:
            crowd.leave(call)
        records = Books(installation, acme).closed(within=20)
        eventually(lambda: metric(server, "turnpike_requests_in_flight") == 0)
    assert len(records) == STREAMS
    assert {(record["outcome"], record["completion_tokens"]) for record in records.values()} == {("client_left", 1)}


def sessions(installation) -> int:
    """Count the connections to the installation's database."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
    return installation.sql(query, installation.database.name)[0][0]

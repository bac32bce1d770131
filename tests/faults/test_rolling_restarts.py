"""A new version takes the place of an old one under load: server by server, and no client notices."""

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack

import pytest

from tests.faults.balancer import balancing
from tests.faults.books import Books
from tests.faults.conftest import PATIENT

PER_SECOND = 50
# A stream lasts for about a second: as many run at once as begin in one.
STREAM, PLAIN = "hi [[sim ttft=50 gap=50 tokens=20]]", "hi [[sim ttft=20 gap=0 tokens=5]]"


@pytest.fixture
def start(installation):
    """Start a server that leaves with notice; all are stopped in the end."""
    with ExitStack() as stack:

        def start():
            server = installation.spawn_server(DRAIN_SECONDS="10", DRAIN_NOTICE_SECONDS="2", **PATIENT)
            stack.callback(server.stop)
            return server

        yield start


def replace(balancer, start, old):
    """Start a new server for each old one, let it take part, and stop the old one."""
    for server in old:
        balancer.servers.append(start())
        server.terminate()
        assert server.wait() == 0
        balancer.servers.remove(server)


def load_of_a_second(crowd, port, key):
    """Begin fifty streams and ten plain requests, evenly over the next second."""
    streams = [crowd.call(port, key, STREAM, after=number / PER_SECOND, stream=True) for number in range(PER_SECOND)]
    plain = [crowd.call(port, key, PLAIN, after=number / 10) for number in range(10)]
    return streams + plain


def test_a_rolling_restart_fails_no_request_and_cuts_no_stream(installation, crowd, start):
    acme, old, calls = installation.organization(), [start(), start()], []
    with balancing(list(old)) as balancer, ThreadPoolExecutor() as aside:
        rolling = aside.submit(replace, balancer, start, old)
        while not rolling.done():
            calls += load_of_a_second(crowd, balancer.port, acme.api_key)
            wait([rolling], timeout=1)
        rolling.result()
        crowd.wait(calls)
    assert {(call.status, call.finished, call.whole, call.code) for call in calls} == {(200, True, True, None)}
    assert Books(installation, acme).closed().keys() == {call.request_id for call in calls}

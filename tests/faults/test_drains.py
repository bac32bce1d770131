"""SIGTERM: streams come to their end or are ended in-band, nothing new is let in, and no settlement is lost."""

from tests.faults.books import Books
from tests.faults.crowd import wait_for_output
from tests.faults.servers import serving
from tests.inference.simulator.client import eventually

STREAMS = 50


def test_fifty_streams_come_to_their_end_after_sigterm_and_nothing_new_is_let_in(installation, crowd):
    acme = installation.organization()
    with serving(installation, DRAIN_SECONDS="30") as (server,):
        calls = streams(crowd, server, acme, "hi [[sim ttft=1 gap=50 tokens=60]]")
        server.terminate()
        eventually(lambda: refusal(crowd, server, acme) in {"draining", "refused"})
        assert not any(call.over.is_set() for call in calls)
        crowd.wait(calls)
        assert server.wait() == 0
    assert all(call.finished and call.whole for call in calls)
    records = Books(installation, acme).closed()
    answered = {request_id for request_id, record in records.items() if record["completion_tokens"] == 60}
    assert answered == {call.request_id for call in calls}
    assert {record["outcome"] for record in records.values()} == {"complete"}


def test_streams_beyond_the_limit_of_a_drain_are_ended_in_band_and_cost_nothing(installation, crowd):
    acme = installation.organization()
    with serving(installation, DRAIN_SECONDS="1") as (server,):
        long = streams(crowd, server, acme, "hi [[sim ttft=1 gap=5 tokens=4000]]")
        short = streams(crowd, server, acme, "hi [[sim ttft=1 gap=50 tokens=8]]", number=10)
        server.terminate()
        crowd.wait(long + short)
        assert server.wait() == 0
    assert {(call.finished, call.whole, call.code) for call in long} == {(False, True, "draining")}
    assert {(call.finished, call.whole, call.code) for call in short} == {(True, True, None)}
    records = Books(installation, acme).closed()
    assert records.keys() == {call.request_id for call in long + short}
    assert {(records[call.request_id]["outcome"], records[call.request_id]["cost_nusd"]) for call in long} == {
        ("drained", 0)
    }


def streams(crowd, server, tenant, text, number=STREAMS):
    """Start streams, and return them once each of them runs."""
    calls = [crowd.call(server.port, tenant.api_key, text, stream=True) for _ in range(number)]
    wait_for_output(calls)
    return calls


def refusal(crowd, server, tenant):
    """Return why a new request is not let in: its code, or `refused` where nobody listens any more."""
    call = crowd.call(server.port, tenant.api_key, "hi [[sim ttft=1 gap=0 tokens=1]]")
    crowd.wait([call])
    return call.code if call.status else "refused"

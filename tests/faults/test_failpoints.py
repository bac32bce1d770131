"""kill -9 at every step of a request: no end marker without a charge, no charge twice, nothing held for ever."""

import concurrent.futures
import http.client
import json
import urllib.request

import pytest

from foundation import ids
from foundation.failpoints import POINTS
from tests.inference.simulator.client import eventually

TEXT = "hi [[sim tokens=8 ttft=1 gap=5]]"


def ask(server, key: str, *, stream: bool) -> tuple[str, bool]:
    """The request's id, if the client learned it, and whether the client saw a whole answer."""
    body = {"model": "sim", "stream": stream, "max_tokens": 20, "messages": [{"role": "user", "content": TEXT}]}
    request = urllib.request.Request(
        f"{server.base_url}/chat/completions",
        data=json.dumps(body).encode(),
        headers={"authorization": f"Bearer {key}", "content-type": "application/json"},
    )
    request_id, seen = "", b""
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            request_id = answer.headers["x-request-id"]
            while part := answer.read1():
                seen += part
            whole = b"data: [DONE]" in seen if stream else b'"choices"' in seen
            return request_id, whole
    except (OSError, http.client.HTTPException):
        return request_id, b"data: [DONE]" in seen


@pytest.fixture(scope="module")
def worker(installation):
    return installation.spawn_worker()


@pytest.mark.parametrize("point", POINTS)
def test_a_crash_costs_nothing_that_was_not_delivered(installation, worker, point):
    acme = installation.organization(name=f"Crash {point}", credit="10")
    servers = [installation.spawn_server(FAILPOINT=f"{point}:2", HOLD_LEASE_SECONDS="5") for _ in range(2)]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        calls = [(servers[n % 2], acme.api_key, n % 3 > 0) for n in range(24)]
        results = list(pool.map(lambda call: ask(call[0], call[1], stream=call[2]), calls))
    for server in servers:
        server.kill()
    whole = {ids.parse("req", request_id) for request_id, complete in results if complete}
    eventually(
        lambda: not installation.sql("SELECT 1 FROM billing_hold WHERE organization_id = %s", acme.id), within=30
    )
    charged = {
        request_id
        for (request_id,) in installation.sql(
            "SELECT request_id FROM billing_usagerecord WHERE organization_id = %s AND outcome = 'complete'", acme.id
        )
    }
    assert whole <= charged
    assert installation.verify_ledger() == []
    # The first crash comes at the first request, so a test in which nothing died would show itself here.
    assert len(results) > len(whole), f"nothing crashed at {point}"

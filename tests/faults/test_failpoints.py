"""kill -9 at every step of a request: no end marker without a charge, no charge twice, nothing held for ever."""

import concurrent.futures
import http.client
import json
import urllib.request

import pytest

from foundation.failpoints import POINTS
from tests.faults.books import Books
from tests.faults.servers import serving

SERVERS, WORKERS = 2, 2
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


@pytest.mark.parametrize("point", POINTS)
def test_a_crash_costs_nothing_that_was_not_delivered(installation, point):
    acme = installation.organization(name=f"Crash {point}", credit="10")
    settings = {"FAILPOINT": f"{point}:2", "WEB_CONCURRENCY": str(WORKERS), "HOLD_LEASE_SECONDS": "5"}
    with serving(installation, SERVERS, **settings) as servers, concurrent.futures.ThreadPoolExecutor(12) as pool:
        calls = [(servers[n % SERVERS], acme.api_key, n % 3 > 0) for n in range(24)]
        results = list(pool.map(lambda call: ask(call[0], call[1], stream=call[2]), calls))
        for server in servers:
            server.kill()
    whole = {request_id for request_id, complete in results if complete}
    records = Books(installation, acme).closed_after_the_end()
    # Each process dies at the second request that gets there, so one in which nothing died would show itself here.
    assert len(results) > len(whole), f"nothing crashed at {point}"
    assert whole <= {request_id for request_id, record in records.items() if record["outcome"] == "complete"}

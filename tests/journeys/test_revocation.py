"""A revoked key is useless: everywhere from the next request on, within a second where it idles, without Valkey too."""

import time
from collections.abc import Iterator
from functools import partial

import httpx
import pytest

from tests.faults.servers import serving
from tests.faults.stores import own_valkey
from tests.inference.simulator.client import eventually
from tests.installation import Server
from tests.journeys.management import Management

KEYS = 20
QUESTION = {"model": "sim", "messages": [{"role": "user", "content": "hi [[sim ttft=1 gap=0 tokens=1]]"}]}


@pytest.fixture(scope="module")
def pair(installation) -> Iterator[list[Server]]:
    """Two server processes on the same stores."""
    with serving(installation, 2) as servers:
        yield servers


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=30) as http:
        yield http


def test_a_revoked_key_is_refused_by_every_process_from_the_next_request_on(installation, pair, http):
    with Management(pair[0], installation.organization()) as management:
        for _ in range(5):
            key = management.new_key()
            assert [chat(http, server, key["secret"]) for server in pair] == [None, None]
            management.post(f"keys/{key['id']}/revoke", reason="Leaked")
            assert [chat(http, server, key["secret"]) for server in pair] == ["key_revoked", "key_revoked"]


def test_news_of_a_revocation_reaches_idle_processes_within_a_second(installation, pair, http):
    took = []
    with Management(pair[0], installation.organization()) as management:
        for _ in range(KEYS):
            key = management.new_key()
            assert {look(http, server, key["secret"]) for server in pair} == {None}
            management.post(f"keys/{key['id']}/revoke")
            revoked_at = time.monotonic()
            # Reading the list of models asks no store, so only the news can tell that the key is dead.
            eventually(partial(refused_by_all, http, pair, key["secret"]))
            took.append(time.monotonic() - revoked_at)
    assert max(took) < 1


def test_without_valkey_a_revoked_key_is_dead_within_five_seconds(installation, http):
    with (
        own_valkey() as (valkey, url),
        serving(installation, 2, REDIS_URL=url) as servers,
        Management(servers[0], installation.organization()) as management,
    ):
        key = management.new_key()
        assert {look(http, server, key["secret"]) for server in servers} == {None}
        valkey.go("stopped")
        management.post(f"keys/{key['id']}/revoke")
        revoked_at = time.monotonic()
        eventually(partial(refused_by_all, http, servers, key["secret"]), within=10)
        assert time.monotonic() - revoked_at < 6


def test_a_rotated_key_hands_over_and_a_limit_changes_from_the_next_request_on(installation, pair, http):
    with Management(pair[0], installation.organization()) as management:
        old = management.new_key()
        assert [chat(http, server, old["secret"]) for server in pair] == [None, None]
        new = management.post(f"keys/{old['id']}/rotate", overlap_seconds=0)
        assert [chat(http, server, old["secret"]) for server in pair] == ["key_expired", "key_expired"]
        assert [chat(http, server, new["secret"]) for server in pair] == [None, None]
        management.change(f"keys/{new['id']}", limits={"rpm": 0})
        assert [chat(http, server, new["secret"]) for server in pair] == ["rate_limit_exceeded"] * 2


def chat(http: httpx.Client, server: Server, secret: str) -> str | None:
    """Ask for a completion; return the code of the refusal, if it is refused."""
    return code(http.post(f"{server.base_url}/chat/completions", json=QUESTION, headers=bearer(secret)))


def refused_by_all(http: httpx.Client, servers: list[Server], secret: str) -> bool:
    """Say whether none of the servers takes the key any more."""
    return {look(http, server, secret) for server in servers} == {"key_revoked"}


def look(http: httpx.Client, server: Server, secret: str) -> str | None:
    """Read the list of models; return the code of the refusal, if it is refused."""
    return code(http.get(f"{server.base_url}/models", headers=bearer(secret)))


def code(answer: httpx.Response) -> str | None:
    return None if answer.is_success else answer.json()["error"]["code"]


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}

"""Limits under a rush: 500 requests at once to three processes. Never over, and at most one under."""

import json

import pytest
import redis
from django.conf import settings

from tests.faults import witnesses
from tests.faults.books import Books
from tests.faults.crowd import Crowd
from tests.inference.simulator.client import eventually

RUSH = 500


@pytest.fixture
def valkey_client():
    with redis.Redis.from_url(settings.REDIS_URL, decode_responses=True) as client:
        yield client


def test_sixty_requests_a_minute_are_sixty(installation, fleet, crowd):
    acme = installation.organization(rpm=60)
    calls = rush(crowd, fleet, acme, "hi [[sim ttft=1 gap=0 tokens=1]]")
    assert 59 <= len(admitted(calls)) <= 60
    assert refusals(calls) == {(429, "rate_limit_exceeded")}
    assert len(Books(installation, acme).closed()) == len(admitted(calls))


def test_a_thousand_tokens_a_minute_are_a_thousand(installation, fleet, crowd, valkey_client):
    acme = installation.organization(tpm=1000)
    text = "hi [[sim ttft=300 gap=1 tokens=30]]"
    calls = rush(crowd, fleet, acme, text, max_tokens=30)
    assert refusals(calls) == {(429, "rate_limit_exceeded")}
    left = [int(call.headers["x-ratelimit-remaining-tokens"]) for call in admitted(calls)]
    reserved_by_one = 1000 - max(left)
    assert 0 <= min(left) < 2 * reserved_by_one
    # What was reserved and not used is there for others, to the last token.
    used = 0
    while admitted(calls):
        used = sum(r["prompt_tokens"] + r["completion_tokens"] for r in Books(installation, acme).closed().values())
        eventually(lambda: counted(valkey_client, acme, "t") == used)  # noqa: B023 - called before the next round
        calls = rush(crowd, fleet, acme, text, times=40, max_tokens=30)
    assert 1000 - reserved_by_one < used <= 1000


def test_five_at_once_are_five(installation, fleet, crowd):
    acme = installation.organization(concurrency=5)
    calls = rush(crowd, fleet, acme, "hi [[sim ttft=1000 gap=1 tokens=2]]")
    assert refusals(calls) == {(429, "concurrency_limit_exceeded")}
    seen = witnesses.of(installation, {call.request_id for call in admitted(calls)})
    assert 4 <= witnesses.most_at_once(seen.values()) <= 5
    Books(installation, acme).closed()


def test_who_waits_for_as_long_as_retry_after_says_is_let_in_and_nobody_before(
    installation, fleet, crowd, valkey_client
):
    acme = installation.organization(rpm=3)
    ask = lambda: one(crowd, fleet[0], acme)  # noqa: E731 - a name for what is done again and again
    assert [ask().status for _ in range(3)] == [200] * 3
    refused = ask()
    wait = int(refused.headers["retry-after"])
    assert (refused.status, 50 < wait <= 62) == (429, True)
    window = window_of(valkey_client, acme)
    # Time cannot be hurried in Valkey, but the window can be moved into the past by as much.
    move(valkey_client, window, wait - 2)
    assert ask().status == 429
    move(valkey_client, window, 2)
    assert ask().status == 200


def test_the_edge_of_a_minute_gives_no_double_allowance(installation, fleet, crowd, valkey_client):
    acme = installation.organization(rpm=5)
    assert len(admitted(rush(crowd, fleet, acme, "hi [[sim ttft=1 gap=0 tokens=1]]", times=20))) == 5
    window = window_of(valkey_client, acme)
    move(valkey_client, window, 55)
    assert not admitted(rush(crowd, fleet, acme, "hi [[sim ttft=1 gap=0 tokens=1]]", times=20))


def rush(crowd: Crowd, fleet, tenant, text, times=RUSH, **fields):
    """Ask so often at once, of all servers in turn; return the calls when all have ended."""
    calls = [
        crowd.call(fleet[number % len(fleet)].port, tenant.api_key, text, stream=True, **fields)
        for number in range(times)
    ]
    crowd.wait(calls)
    return calls


def one(crowd, server, tenant):
    (call,) = rush(crowd, [server], tenant, "hi [[sim ttft=1 gap=0 tokens=1]]", times=1)
    return call


def admitted(calls):
    assert all(call.finished for call in calls if call.status == 200)
    return [call for call in calls if call.status == 200]


def refusals(calls) -> set[tuple[int, str | None]]:
    refused = [call for call in calls if call.status != 200]
    assert all(int(call.headers["retry-after"]) >= 1 for call in refused)
    assert all("organization" in json.loads(call.body)["error"]["message"] for call in refused)
    return {(call.status, call.code) for call in refused}


def window_of(client, tenant) -> str:
    """Return the key of what an organization used lately: a hash of kind and second to amounts."""
    (window,) = client.scan_iter(f"{{{tenant.id}}}:rate:organization:*")
    return window


def counted(client, tenant, kind: str) -> int:
    amounts = client.hgetall(window_of(client, tenant))
    return sum(int(amount) for field, amount in amounts.items() if field[0] == kind)


def move(client, window: str, seconds: int) -> None:
    """Let a window be so many seconds older."""
    for field, amount in client.hgetall(window).items():
        client.hdel(window, field)
        client.hset(window, f"{field[0]}{int(field[1:]) - seconds}", amount)

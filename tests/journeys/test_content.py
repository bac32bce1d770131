"""Content is radioactive: what was asked and answered, and the secrets of keys, are found nowhere afterwards."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings

from config.local.processes import Running
from keys import digests
from tests.faults import crowd as crowds
from tests.faults.books import Books
from tests.faults.crowd import Call, Crowd, wait_for_output
from tests.faults.servers import serving
from tests.inference.simulator.client import eventually, question
from tests.installation import Server
from tests.journeys import traces

# Two words of what the simulator says, in one token each.
ANSWER = ("東京", "Zürich")
CODES = {None, "invalid_request", "invalid_api_key", "insufficient_credit", "upstream_error"}


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    with crowds.gathered() as crowd:
        yield crowd


def test_prompts_answers_and_secrets_are_found_nowhere_afterwards(installation, crowd):
    since = time.time()
    acme = installation.organization(rpm=1000, tpm=1_000_000, concurrency=50)
    globex = installation.organization(name="Globex", credit="0")
    canary = f"canary-{secrets.token_hex(8)}"
    with working(installation) as worker, serving(installation, 1, LOG_LEVEL="DEBUG") as (server,):
        calls = [
            *say_everything(crowd, server, acme.api_key, canary),
            crowd.call(server.port, globex.api_key, f"{canary} is refused for want of credit"),
            crowd.call(server.port, acme.api_key[:-4] + "0000", f"{canary} comes with a wrong key"),
        ]
        crowd.wait(calls)
        assert all(word.encode() in calls[0].body for word in ANSWER), "the words to look for were said"
        assert {call.code for call in calls} == CODES
        records = Books(installation, acme).closed()
        eventually(lambda: "billing.tasks.reap_holds" in worker.log.read_text(), within=30)
    installation.sql("CHECKPOINT")

    hidden = {canary, *ANSWER, acme.api_key, acme.management_key, globex.api_key}
    record = records[calls[0].request_id]["request_id"]
    # What has to be there is looked for as well: a search that finds nothing at all proves nothing.
    database = traces.in_database(installation.database, hidden | {record})
    assert database == {(record, "billing_usagerecord"), (record, partition(installation, record))}
    valkey = traces.in_valkey(hidden | {acme.id})
    assert {needle for needle, _ in valkey} == {acme.id}
    digest = digests.digest(acme.api_key, settings.KEY_PEPPER.encode()).hex()
    files = traces.in_files(hidden | {acme.id, digest, "delivery_failed"}, since)
    assert {needle for needle, _ in files} == {acme.id, "delivery_failed"}, files


def say_everything(crowd: Crowd, server: Server, key: str, canary: str) -> list[Call]:
    """Ask in every way that can end: answered, left, failed, refused, misunderstood."""
    ask = lambda text, **fields: crowd.call(server.port, key, f"{canary} {text}", **fields)  # noqa: E731 - a name
    left = ask("[[sim ttft=1 gap=20 tokens=900]]", stream=True)
    wait_for_output([left])
    crowd.leave(left)
    broken = question(canary)[:-1] + b',"' + canary.encode()
    return [
        ask("[[sim ttft=1 gap=1 tokens=60]]", stream=True),
        ask("[[sim ttft=1 gap=0 tokens=60]]", tools=[{"type": "function", "function": {"name": canary}}]),
        ask("[[sim ttft=1 gap=1 tokens=60 usage=none]]", stream=True, stop=[canary], n=2),
        ask("[[sim ttft=1 gap=1 tokens=60 err_event=50]]", stream=True),
        ask("[[sim ttft=1 gap=1 tokens=60 die_after=50]]", stream=True),
        ask("[[sim status=500]]"),
        ask("[[sim status=400]]"),
        ask("[[sim no such directive]]"),
        ask("", temperature=canary),
        ask("", response_format={"type": canary}, messages=[{"role": canary, "content": canary}]),
        crowd.call(server.port, key, "", body=broken),
        crowd.call(server.port, key, "", body=b"[" * 100 + canary.encode()),
        left,
    ]


@contextmanager
def working(installation) -> Iterator[Running]:
    worker = installation.spawn_worker(LOG_LEVEL="DEBUG")
    try:
        yield worker
    finally:
        worker.stop()


def partition(installation, record: str) -> str:
    """Return the table that a usage record lies in."""
    query = "SELECT tableoid::regclass::text FROM billing_usagerecord WHERE request_id = %s"
    return installation.sql(query, record)[0][0]

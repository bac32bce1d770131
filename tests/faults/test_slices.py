"""Two processes hold a hot wallet's requests in slices, and one dies: nothing is lost, and nothing spent twice."""

import random
import threading
from contextlib import contextmanager

from billing import wallet
from foundation.money import nano
from tenants.audit import Actor
from tests.faults.books import Books
from tests.faults.servers import serving
from tests.inference.simulator.client import eventually

SLICES = {"HOLD_SLICES": "true", "HOLD_LEASE_SECONDS": "5", "VALKEY_TIMEOUT_MS": "5000"}
TEXTS = [f"hi [[sim ttft=1 gap=1 {how}]]" for how in ("tokens=38", "tokens=38 usage=none", "tokens=38 die_after=9")]


def test_a_wallet_in_slices_is_spent_to_its_end_and_no_further(installation, crowd):
    acme = installation.organization(credit="0.045")
    books, dice = Books(installation, acme), random.Random(3)

    def ask(server, seconds: float):
        text, stream = dice.choice(TEXTS), dice.random() < 0.5
        after = dice.random() * seconds
        return crowd.call(server.port, acme.api_key, text, after=after, max_tokens=40, stream=stream)

    with serving(installation, 2, **SLICES) as (one, other), watched(books) as least:
        calls = [ask(server, 3.0) for server in (one, other) for _ in range(300)]
        eventually(lambda: books.slices() > 1)
        one.kill()
        top_up(installation, acme, "0.001")
        crowd.wait(calls)
        books.closed_by_the_reaper()
        calls += [ask(other, 2.0) for _ in range(650)]
        crowd.wait(calls)
        # Alone, so that no other one still holds what it does not use.
        last = ask(other, 0.0)
        crowd.wait([last])
        while last.status != 402:
            calls.append(last)
            last = ask(other, 0.0)
            crowd.wait([last])
        records = books.closed()
    assert min(least) >= 0
    assert (last.status, last.code) == (402, "insufficient_credit")
    charged = {request for request, record in records.items() if record["outcome"] == "complete"}
    assert {call.request_id for call in calls if call.finished} <= charged
    # What is left is less than one more request could cost: nothing was refused for what lay idle.
    assert books.posted < max(record["hold_nusd"] for record in records.values())


@contextmanager
def watched(books: Books):
    """What was free of the wallet, again and again, for the length of the block."""
    seen, over = [books.free], threading.Event()

    def look():
        while not over.wait(0.01):
            seen.append(books.free)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def top_up(installation, tenant, usd: str) -> None:
    with installation.django():
        wallet.credit(
            organization_id=tenant.id,
            amount_nusd=nano(usd),
            reference=f"more-{tenant.id}",
            memo="",
            actor=Actor.system("t"),
        )

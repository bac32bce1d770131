"""The gateway's directory of keys: what it asks, what it remembers, what it refuses."""

import asyncio
import time

import pytest

from foundation.errors import Overloaded
from foundation.ids import uuid7
from keys import formats, verification
from keys.errors import InvalidApiKey, KeyExpired, KeyRevoked
from keys.verification import KeyDirectory
from tenants.errors import OrganizationSuspended, ProjectArchived

PEPPER = b"pepper"
FRESH = 0.2
ORGANIZATION = uuid7()


class Store:
    """Stands in for the database: answers with a row, counts how often it was asked, can be slow or down."""

    def __init__(self, **facts) -> None:
        self.row: dict | None = {
            "key_id": str(uuid7()),
            "organization_id": str(ORGANIZATION),
            "project_id": str(uuid7()),
            "kind": "inference",
            "mode": "live",
            "scopes": [],
            "expires_at": None,
            "revoked": False,
            "suspended": False,
            "archived": False,
            "time_zone": "UTC",
            "member_id": None,
            "finer": [],
            "origins": [],
            "fence": 1,
            "limits": [],
            **facts,
        }
        self.asked = 0
        self.is_down = False
        # Each look-up that has read its row, in turn; it does not end before the gate opens.
        self.begun: asyncio.Queue[bytes] = asyncio.Queue()
        self.gate = asyncio.Event()
        self.gate.set()

    def change(self, **facts) -> None:
        assert self.row is not None
        self.row = self.row | facts

    async def fetch(self, digest: bytes) -> dict | None:
        self.asked += 1
        row = self.row
        self.begun.put_nowait(digest)
        await self.gate.wait()
        if self.is_down:
            raise ConnectionError("no route to host")
        return row


@pytest.fixture
def secret() -> str:
    return formats.mint("inference", "live")


def directory(store: Store, fresh_seconds: float = FRESH) -> KeyDirectory:
    return KeyDirectory(store.fetch, PEPPER, fresh_seconds)


# Asking, and remembering


async def test_a_key_is_looked_up_once_while_it_is_fresh(secret):
    store = Store()
    keys = directory(store)
    first = await keys.caller(secret)
    assert await keys.caller(secret) is first
    assert store.asked == 1


async def test_a_key_is_looked_up_again_when_it_is_not_fresh_any_more(secret):
    store = Store()
    keys = directory(store, fresh_seconds=0.01)
    await keys.caller(secret)
    await asyncio.sleep(0.02)
    store.change(time_zone="Asia/Tokyo")
    assert (await keys.caller(secret)).time_zone == "Asia/Tokyo"


async def test_many_requests_at_once_share_one_look_up(secret):
    store = Store()
    keys = directory(store)
    callers = await asyncio.gather(*(keys.caller(secret) for _ in range(50)))
    assert len(set(map(id, callers))) == 1
    assert store.asked == 1


async def test_two_keys_are_looked_up_one_by_one(secret):
    store = Store()
    keys = directory(store)
    await asyncio.gather(keys.caller(secret), keys.caller(formats.mint("inference", "live")))
    assert store.asked == 2


async def test_a_client_that_leaves_takes_nobody_along(secret):
    store = Store()
    keys = directory(store)
    store.gate.clear()
    leaving, staying = (asyncio.create_task(keys.caller(secret)) for _ in range(2))
    await store.begun.get()
    leaving.cancel()
    await asyncio.sleep(0)
    store.gate.set()
    assert (await staying).organization_id == ORGANIZATION
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert store.asked == 1


async def test_an_error_nobody_waits_for_any_more_is_no_noise(secret, caplog):
    store = Store()
    store.is_down = True
    store.gate.clear()
    leaving = asyncio.create_task(directory(store).caller(secret))
    await store.begun.get()
    leaving.cancel()
    store.gate.set()
    await asyncio.sleep(0.01)
    assert not caplog.records


async def test_what_is_remembered_is_bounded_and_the_oldest_goes_first(monkeypatch):
    monkeypatch.setattr(verification, "MOST_KEYS", 2)
    store = Store()
    keys = directory(store, fresh_seconds=60)
    first, second, third = (formats.mint("inference", "live") for _ in range(3))
    for secret in (first, second, third, second, third):
        await keys.caller(secret)
    assert store.asked == 3
    await keys.caller(first)
    assert store.asked == 4
    keys.forget(ORGANIZATION)
    assert not keys._entries
    assert not keys._digests


# Refusing


@pytest.mark.parametrize("text", ["", "hello", "tpk_live_" + "0" * 36, "sk-" + "a" * 48, "\ud800", "x" * 8000])
async def test_what_is_no_key_is_refused_without_a_look_up(text):
    store = Store()
    with pytest.raises(InvalidApiKey):
        await directory(store).caller(text)
    assert store.asked == 0


async def test_a_management_key_is_refused_without_a_look_up_and_says_so():
    store = Store()
    with pytest.raises(InvalidApiKey, match="management key"):
        await directory(store).caller(formats.mint("management", "live"))
    assert store.asked == 0


async def test_an_unknown_key_is_asked_for_once_a_second_at_most(secret, monkeypatch):
    monkeypatch.setattr(verification, "UNKNOWN_SECONDS", 0.03)
    store = Store()
    known, store.row = store.row, None
    keys = directory(store)
    for _ in range(3):
        with pytest.raises(InvalidApiKey):
            await keys.caller(secret)
    assert store.asked == 1
    store.row = known
    await asyncio.sleep(0.04)
    assert (await keys.caller(secret)).organization_id == ORGANIZATION


async def test_unknown_keys_are_remembered_within_bounds(monkeypatch):
    monkeypatch.setattr(verification, "MOST_UNKNOWN", 3)
    store = Store()
    store.row = None
    keys = directory(store)
    for _ in range(10):
        with pytest.raises(InvalidApiKey):
            await keys.caller(formats.mint("inference", "live"))
    assert len(keys._unknown) == 3


@pytest.mark.parametrize(
    ("fact", "error"),
    [("revoked", KeyRevoked), ("suspended", OrganizationSuspended), ("archived", ProjectArchived)],
)
async def test_a_key_that_does_not_work_is_refused_and_remembered_as_that(secret, fact, error):
    store = Store(**{fact: True})
    keys = directory(store)
    for _ in range(3):
        with pytest.raises(error):
            await keys.caller(secret)
    assert store.asked == 1


async def test_a_key_expires_at_its_time_also_while_it_is_remembered(secret):
    store = Store(expires_at=time.time() + 0.05)
    keys = directory(store, fresh_seconds=60)
    await keys.caller(secret)
    await asyncio.sleep(0.06)
    with pytest.raises(KeyExpired):
        await keys.caller(secret)
    assert store.asked == 1


# News


async def test_news_of_an_organization_make_its_keys_forgotten(secret):
    store = Store()
    keys = directory(store, fresh_seconds=60)
    await keys.caller(secret)
    store.change(revoked=True)
    keys.forget(uuid7())
    await keys.caller(secret)
    keys.forget(ORGANIZATION)
    with pytest.raises(KeyRevoked):
        await keys.caller(secret)


async def test_what_was_read_before_the_news_is_not_kept_after_it(secret):
    store = Store()
    keys = directory(store, fresh_seconds=60)
    store.gate.clear()
    asked_before = asyncio.create_task(keys.caller(secret))
    await store.begun.get()
    store.change(revoked=True)
    keys.forget(ORGANIZATION)
    store.gate.set()
    await asked_before
    with pytest.raises(KeyRevoked):
        await keys.caller(secret)


async def test_a_newer_version_known_to_the_request_is_looked_up(secret):
    store = Store(fence=4)
    keys = directory(store, fresh_seconds=60)
    await keys.caller(secret, minimum_fence=4)
    await keys.caller(secret, minimum_fence=3)
    assert store.asked == 1
    store.change(fence=5, time_zone="Asia/Tokyo")
    assert (await keys.caller(secret, minimum_fence=5)).time_zone == "Asia/Tokyo"
    assert store.asked == 2


async def test_a_look_up_that_began_before_the_newer_version_was_known_is_not_shared(secret):
    store = Store(fence=4)
    keys = directory(store, fresh_seconds=60)
    store.gate.clear()
    early = asyncio.create_task(keys.caller(secret))
    await store.begun.get()
    store.change(fence=5)
    late = asyncio.create_task(keys.caller(secret, minimum_fence=5))
    await store.begun.get()
    store.gate.set()
    assert [(await early).fence, (await late).fence] == [4, 5]
    assert (await keys.caller(secret)).fence == 5


async def test_a_database_that_was_restored_to_an_older_version_is_not_asked_for_ever(secret):
    store = Store(fence=2)
    keys = directory(store, fresh_seconds=60)
    first = await keys.caller(secret, minimum_fence=9)
    assert await keys.caller(secret, minimum_fence=9) is first
    assert store.asked == 1


# The database is down


async def test_what_is_fresh_serves_on_while_the_database_is_down(secret):
    store = Store()
    keys = directory(store, fresh_seconds=60)
    known = await keys.caller(secret)
    store.is_down = True
    assert await keys.caller(secret, minimum_fence=7) is known


async def test_what_is_not_fresh_is_refused_while_the_database_is_down(secret):
    store = Store()
    keys = directory(store, fresh_seconds=0.01)
    await keys.caller(secret)
    store.is_down = True
    await asyncio.sleep(0.02)
    with pytest.raises(Overloaded) as caught:
        await keys.caller(secret)
    assert (caught.value.status, caught.value.retry_after) == (503, 1.0)
    assert "route" not in caught.value.message


async def test_a_database_that_is_back_is_asked_again_at_once(secret):
    store = Store()
    store.is_down = True
    keys = directory(store)
    with pytest.raises(Overloaded):
        await keys.caller(secret)
    store.is_down = False
    assert (await keys.caller(secret)).organization_id == ORGANIZATION


def test_the_credential_comes_from_the_headers(secret):
    keys = KeyDirectory(lambda digest: None, PEPPER)  # type: ignore[arg-type,return-value]  # never asked here
    assert keys.credential([(b"x-api-key", secret.encode())]) == secret

"""The directory of keys on the real database: what Django writes is what the gateway finds."""

import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.conf import settings
from django.db import connection

from foundation.stores import Postgres
from keys import issuing, limiting
from keys.effective import Limits
from keys.errors import InvalidApiKey, KeyExpired, KeyRevoked
from keys.verification import KEY_BY_DIGEST, KeyDirectory
from tenants import isolation, organizations
from tenants.errors import OrganizationSuspended
from tests.keys.cast import inference_key
from tests.tenants import cast


@pytest.fixture
def acme(fresh_database):
    with isolation.everything():
        return cast.organization()


@pytest.fixture
async def keys(acme, fresh_database):
    """A directory on a pool of connections like the gateway's; `asked` counts its look-ups."""
    postgres = Postgres(fresh_database.url)
    await postgres.open()
    yield CountingDirectory(postgres)
    await postgres.close()


class CountingDirectory(KeyDirectory):
    def __init__(self, postgres: Postgres) -> None:
        super().__init__(self._count_and_fetch, settings.KEY_PEPPER.encode(), fresh_seconds=60)
        self.asked = 0
        self._postgres = postgres

    async def _count_and_fetch(self, digest: bytes):
        self.asked += 1
        rows = await self._postgres.fetch(KEY_BY_DIGEST, (digest,))
        return rows[0][0] if rows else None


def write[Result](work: Callable[[], Result]) -> Result:
    """Commit something with Django, which does not work inside of an event loop's thread."""
    results: list[Result] = []

    def run() -> None:
        with isolation.everything():
            results.append(work())
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return results[0]


async def test_an_issued_key_is_found_with_its_limits(acme, keys):
    write(partial(limiting.set_limits, target=acme, limits=Limits(rpm=60), actor=cast.SYSTEM))
    issued = write(partial(inference_key, acme, limits=Limits(rpm=6, budget_nusd=5, budget_window="day")))
    caller = await keys.caller(issued.secret)
    assert (caller.key_id, caller.organization_id) == (issued.key.pk, acme.pk)
    assert sorted((rate.scope, rate.rpm) for rate in caller.rates) == [("key", 6), ("organization", 60)]
    assert [(cap.limit_nusd, cap.window) for cap in caller.caps] == [(5, "day")]
    assert await keys.caller(issued.secret) is caller
    assert keys.asked == 1


async def test_a_key_of_another_installation_is_unknown(acme, keys):
    issued = write(partial(inference_key, acme))
    keys._pepper = b"another"
    with pytest.raises(InvalidApiKey):
        await keys.caller(issued.secret)


async def test_a_revoked_key_is_refused_as_soon_as_the_request_knows_of_the_change(acme, keys):
    issued = write(partial(inference_key, acme))
    known = await keys.caller(issued.secret)
    write(partial(issuing.revoke, key=issued.key, reason="leaked", actor=cast.SYSTEM))
    assert await keys.caller(issued.secret) is known
    with pytest.raises(KeyRevoked):
        await keys.caller(issued.secret, minimum_fence=known.fence + 1)


async def test_a_rotated_key_ends_and_its_successor_works(acme, keys):
    old = write(partial(inference_key, acme))
    new = write(partial(issuing.rotate, key=old.key, overlap_seconds=0, actor=cast.SYSTEM))
    with pytest.raises(KeyExpired):
        await keys.caller(old.secret)
    assert (await keys.caller(new.secret)).key_id == new.key.pk


async def test_a_suspended_organization_is_refused_until_it_is_resumed(acme, keys):
    issued = write(partial(inference_key, acme))
    write(partial(organizations.suspend, organization=acme, reason="fraud", actor=cast.SYSTEM))
    with pytest.raises(OrganizationSuspended):
        await keys.caller(issued.secret)
    write(partial(organizations.resume, organization=acme, reason="paid", actor=cast.SYSTEM))
    keys.forget(acme.pk)
    assert (await keys.caller(issued.secret)).fence == 3

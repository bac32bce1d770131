"""What billing does by the clock."""

import pytest
from django.db import connection

from billing import tasks
from billing.models import Hold, UsageRecord
from foundation import metrics
from tests.billing import cast


def _hold(organization_id, count: int, lease_seconds: int) -> None:
    """Hold for requests whose process is never heard of again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM turnpike_hold((SELECT jsonb_agg(jsonb_build_object("
            "'request', uuidv7(), 'organization', %s::uuid, 'project', %s::uuid, 'key', %s::uuid,"
            " 'model', 'sim', 'amount', 1)) FROM generate_series(1, %s)), make_interval(secs => %s))",
            (organization_id, cast.PROJECT, cast.KEY, count, lease_seconds),
        )


@pytest.mark.django_db
def test_all_holds_of_dead_processes_end_at_once_however_many_there_are():
    acme = cast.organization_with(10_000)
    _hold(acme, 2 * tasks.REAPED_AT_ONCE + 1, lease_seconds=-1)
    _hold(acme, 3, lease_seconds=3600)
    assert tasks.reap_holds() == 2 * tasks.REAPED_AT_ONCE + 1
    assert (Hold.objects.count(), cast.balance(acme)) == (3, (10_000, 3))
    assert set(UsageRecord.objects.values_list("outcome", flat=True)) == {"expired"}


@pytest.mark.django_db
def test_the_ledger_is_verified_and_the_gauge_says_so():
    cast.organization_with(500)
    assert tasks.verify_ledger() == 0
    assert metrics.ledger_verified._value.get() == 1

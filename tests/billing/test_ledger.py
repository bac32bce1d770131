"""The ledger: balanced, append-only, and posted once per reference."""

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from billing import wallet
from billing.errors import InvalidAmount
from billing.models import LedgerEntry, LedgerTransaction
from tenants.models import AuditEvent
from tests.billing import cast


@pytest.mark.django_db
def test_credit_is_posted_once_per_reference():
    acme = cast.organization_with(0)
    for _ in range(2):
        wallet.credit(organization_id=acme, amount_nusd=500, reference="invoice-1", memo="", actor=cast.SYSTEM)
    assert wallet.balance(acme).posted_nusd == 500
    assert LedgerTransaction.objects.count() == 1
    assert AuditEvent.objects.filter(action="wallet.credit").count() == 1


@pytest.mark.django_db
def test_an_adjustment_goes_both_ways_and_needs_a_reason():
    acme = cast.organization_with(500)
    wallet.adjust(organization_id=acme, amount_nusd=-200, reason="goodwill taken back", actor=cast.SYSTEM)
    assert wallet.balance(acme).posted_nusd == 300
    with pytest.raises(InvalidAmount, match="reason"):
        wallet.adjust(organization_id=acme, amount_nusd=1, reason=" ", actor=cast.SYSTEM)
    with pytest.raises(InvalidAmount):
        wallet.adjust(organization_id=acme, amount_nusd=0, reason="nothing", actor=cast.SYSTEM)


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ["UPDATE {} SET organization_id = organization_id", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["billing_ledgerentry", "billing_ledgertransaction", "billing_purse", "billing_hold"])
def test_the_application_may_not_change_money_by_hand(table, statement):
    cast.organization_with(500)
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(statement.format(table))


def test_not_even_the_owner_rewrites_the_ledger(fresh_database):
    cast.organization_with(500)
    with pytest.raises(psycopg.Error, match="append-only"):
        fresh_database.sql("UPDATE billing_ledgerentry SET amount_nusd = 1")


def test_a_transaction_that_does_not_sum_to_zero_is_refused(fresh_database):
    acme = cast.organization_with(500)
    (transaction_id,) = fresh_database.sql("SELECT id FROM billing_ledgertransaction")[0]
    with pytest.raises(psycopg.Error, match="sum to zero"):
        fresh_database.sql(
            "INSERT INTO billing_ledgerentry (transaction_id, organization_id, account, kind, amount_nusd)"
            " VALUES (%s, %s, 'wallet', 'credit', 1)",
            transaction_id,
            acme,
        )


@pytest.mark.django_db
def test_another_tenant_sees_no_money_of_ours():
    acme, globex = cast.organization_with(500), cast.organization_with(700, "Globex")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('turnpike.scope', %s, true)", (str(globex),))
    assert wallet.balance(acme).posted_nusd == 0
    assert wallet.balance(globex).posted_nusd == 700
    assert set(LedgerEntry.objects.values_list("organization_id", flat=True)) == {globex}


@pytest.mark.django_db
def test_the_same_reference_twice_is_a_constraint_not_a_convention():
    acme = cast.organization_with(500)
    assert acme
    with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO billing_ledgertransaction SELECT * FROM billing_ledgertransaction")

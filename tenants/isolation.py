"""Which tenant's rows the present transaction may touch.

The application's database role sees a row only if `turnpike_sees` says so (see row_security.py), and that function asks
the setting `turnpike.scope`. It is set here, with SET LOCAL's semantics: it ends with the transaction at the latest, so
a connection that goes back to a pool never carries a tenant along. Unset shows nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection, transaction

EVERYTHING = "all"


class OutsideTransaction(RuntimeError):
    """A scope was entered where there is no transaction that would end it: an error in our own code."""


@contextmanager
def scope_to(organization_id: UUID) -> Iterator[None]:
    """See one organisation's rows inside this block, then what was seen before. Opens a transaction if need be."""
    with _scope(str(organization_id)):
        yield


@contextmanager
def everything() -> Iterator[None]:
    """See every organisation's rows inside this block: for operators, jobs, and to find whose a credential is."""
    with _scope(EVERYTHING):
        yield


def enter(organization_id: UUID) -> None:
    """See one organisation's rows until the transaction ends (or the surrounding block of this module does).

    Raises OutsideTransaction where none is open: the scope would end with the statement, or never.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction("isolation.enter needs an open transaction")
    _set(str(organization_id))


def current() -> str:
    """Return the scope: an organisation's id, 'all', or nothing at all."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(current_setting('turnpike.scope', true), '')")
        return str(cursor.fetchone()[0])


@contextmanager
def _scope(value: str) -> Iterator[None]:
    with transaction.atomic():
        previous = current()
        _set(value)
        yield
        # After an exception there is nothing to do: rolling back to the savepoint restores the setting, too.
        _set(previous)


def _set(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('turnpike.scope', %s, true)", [value])

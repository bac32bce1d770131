"""Names of keys and notes on them."""

from __future__ import annotations

import pytest

from keys import describing
from keys.errors import InvalidLimit
from tenants.errors import InvalidName
from tenants.models import AuditEvent
from tests.keys import cast as keys
from tests.tenants import cast


def test_a_key_gets_another_name(acme):
    key = keys.inference_key(acme, name="Web").key
    describing.rename(key=key, name=" Shop ", actor=cast.SYSTEM)
    key.refresh_from_db()
    assert key.name == "Shop"
    assert AuditEvent.objects.get(action="key.renamed").facts == {"before": "Web", "after": "Shop"}


def test_a_name_is_a_name(acme):
    with pytest.raises(InvalidName):
        describing.rename(key=keys.inference_key(acme).key, name=" ", actor=cast.SYSTEM)


def test_notes_are_replaced_and_only_their_names_are_audited(acme):
    key = keys.inference_key(acme, metadata={"team": "search"}).key
    describing.annotate(key=key, metadata={"owner": "ada@example.com"}, actor=cast.SYSTEM)
    key.refresh_from_db()
    assert key.metadata == {"owner": "ada@example.com"}
    assert AuditEvent.objects.get(action="key.annotated").facts == {"names": ["owner"]}


def test_notes_have_bounds(acme):
    with pytest.raises(InvalidLimit):
        describing.annotate(key=keys.inference_key(acme).key, metadata={"a": "x" * 513}, actor=cast.SYSTEM)

"""The audit trail: what is recorded, and that a change to it shows."""

import hashlib
import json
import threading

import psycopg
import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from tenants import audit, isolation
from tenants.audit import Actor, Break
from tenants.models import AuditEvent, AuditLink, Organization, User
from tenants.roles import ALL, Right
from tests.tenants import cast

ZEROS = bytes(32)


@pytest.fixture
def trail(fresh_database):
    """Four committed events: Acme's founding, and three notes on it."""
    with isolation.everything():
        acme = cast.organization()
    for number in (1, 2, 3):
        with isolation.scope_to(acme.pk):
            audit.record(cast.SYSTEM, "organization.noted", acme, number=number)
    return fresh_database


def tamper(database, *statements: str) -> None:
    """Do what only somebody with the owner's password could, with the guards switched off."""
    for statement in statements:
        database.sql(f"SET session_replication_role = replica; {statement}")


def test_an_event_says_who_did_what_to_what(acme):
    ada = cast.person("Ada")
    event = audit.record(Actor.of_user(ada), "organization.noted", acme, reason="because")
    assert (event.actor_kind, event.actor_id, event.actor_label) == ("user", ada.public_id, "ada@example.com")
    assert (event.action, event.target_kind, event.target_id) == ("organization.noted", "organization", acme.public_id)
    assert event.organization_id == acme.pk
    assert event.facts == {"reason": "because"}


def test_an_event_belongs_to_the_organization_of_its_target(acme):
    assert audit.record(cast.SYSTEM, "project.noted", cast.project(acme)).organization_id == acme.pk


def test_an_event_without_an_organization_is_seen_by_operators_only(acme):
    with isolation.scope_to(acme.pk):
        audit.record(cast.SYSTEM, "user.noted", cast.person())
        assert not AuditEvent.objects.filter(action="user.noted").exists()
    assert AuditEvent.objects.filter(action="user.noted", organization=None).exists()


def test_an_event_of_somebody_else_is_refused(acme, globex):
    with pytest.raises(ProgrammingError, match="row-level security"), isolation.scope_to(globex.pk):
        audit.record(cast.SYSTEM, "organization.noted", acme)


def test_the_application_can_neither_change_nor_remove_events(acme):
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        AuditEvent.objects.update(action="other")
    with pytest.raises(ProgrammingError, match="permission denied"):
        connection.cursor().execute("INSERT INTO tenants_auditlink (seq) VALUES (1)")


def test_events_are_linked_as_their_transaction_commits(trail):
    with isolation.everything():
        links = list(AuditLink.objects.order_by("seq"))
        numbers = [link.event.facts.get("number") for link in links]
    assert [link.seq for link in links] == [1, 2, 3, 4]
    assert numbers == [None, 1, 2, 3]
    assert [bytes(link.prev_hash) for link in links] == [ZEROS, *(bytes(link.hash) for link in links[:-1])]


def test_a_hash_covers_the_event_and_the_hash_before_it(trail):
    with isolation.everything():
        link = AuditLink.objects.select_related("event").get(seq=2)
    event = link.event
    at = event.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    facts = [event.organization_id, "system", "", "tests", event.action, "organization", event.target_id, event.facts]
    canonical = json.dumps([str(event.id), *facts, at], default=str, ensure_ascii=False)
    assert bytes(link.hash) == hashlib.sha256(bytes(link.prev_hash) + canonical.encode()).digest()


def test_an_event_rolled_back_leaves_no_gap(trail):
    with isolation.everything():
        acme = Organization.objects.get()
        with transaction.atomic():
            audit.record(cast.SYSTEM, "organization.noted", acme)
            transaction.set_rollback(True)
        audit.record(cast.SYSTEM, "organization.noted", acme)
    assert audit.chain_end()[0] == 5
    assert audit.verify_chain() is None


def test_a_whole_chain_is_verified(trail):
    assert audit.verify_chain() is None


def test_an_empty_chain_is_whole(fresh_database):
    assert audit.verify_chain() is None
    assert audit.chain_end() == (0, "")


def test_a_changed_event_is_found(trail):
    tamper(trail, "UPDATE tenants_auditevent SET facts = '{\"number\": 20}' WHERE facts = '{\"number\": 2}'")
    assert audit.verify_chain() == Break(3, "its event was changed")


def test_a_changed_event_with_a_matching_hash_breaks_the_entry_after_it(trail):
    tamper(
        trail,
        "UPDATE tenants_auditevent SET actor_label = 'mallory' WHERE facts = '{\"number\": 2}'",
        "UPDATE tenants_auditlink link SET hash = turnpike_audit_hash(link.prev_hash, event)"
        " FROM tenants_auditevent event WHERE event.id = link.event_id AND seq = 3",
    )
    assert audit.verify_chain() == Break(4, "it does not follow the entry before it")


def test_a_removed_entry_is_found(trail):
    tamper(trail, "DELETE FROM tenants_auditlink WHERE seq = 2")
    assert audit.verify_chain() == Break(3, "entries before it are missing")


def test_a_removed_event_is_found(trail):
    tamper(trail, "DELETE FROM tenants_auditevent WHERE facts = '{\"number\": 1}'")
    assert audit.verify_chain() == Break(2, "its event is gone")


def test_an_event_slipped_in_is_found(trail):
    tamper(
        trail,
        "INSERT INTO tenants_auditevent SELECT gen_random_uuid(), actor_kind, actor_id, actor_label, action,"
        " target_kind, target_id, facts, at, organization_id FROM tenants_auditevent LIMIT 1",
    )
    found = audit.verify_chain()
    assert found is not None
    assert (found.seq, "is not in the chain" in found.reason) == (None, True)


@pytest.mark.parametrize("table", ["tenants_auditevent", "tenants_auditlink"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_not_even_the_owner_can_remove_entries_by_accident(trail, table, statement):
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        trail.sql(statement.format(table))


def test_the_view_for_audits_shows_the_chain_and_cannot_be_written_to(trail):
    shown = trail.sql("SELECT seq, prev_hash, hash FROM audit_trail ORDER BY seq")
    assert shown == trail.sql("SELECT seq, prev_hash, hash FROM tenants_auditlink ORDER BY seq")
    assert trail.sql("SELECT is_updatable FROM information_schema.views WHERE table_name = 'audit_trail'") == [("NO",)]


def test_a_slow_transaction_that_was_audited_holds_up_nobody(trail):
    def note_meanwhile() -> None:
        with isolation.everything():
            audit.record(cast.SYSTEM, "user.noted", User(email="quick@example.com"))
        connection.close()

    with isolation.everything():
        audit.record(cast.SYSTEM, "user.noted", User(email="slow@example.com"))
        thread = threading.Thread(target=note_meanwhile)
        thread.start()
        thread.join(timeout=4)
        assert not thread.is_alive()
    assert audit.chain_end()[0] == 6
    assert audit.verify_chain() is None


def test_events_of_many_transactions_at_once_make_one_chain(trail):
    def note() -> None:
        for _ in range(10):
            with isolation.everything():
                audit.record(cast.SYSTEM, "user.noted", User())
        connection.close()

    threads = [threading.Thread(target=note) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert audit.chain_end()[0] == 44
    assert audit.verify_chain() is None


def test_an_event_is_linked_once(trail):
    with pytest.raises(psycopg.errors.UniqueViolation):
        tamper(
            trail,
            "INSERT INTO tenants_auditlink (seq, event_id, prev_hash, hash)"
            " SELECT 9, event_id, hash, hash FROM tenants_auditlink WHERE seq = 4",
        )


def test_a_superuser_has_all_rights_and_an_ordinary_person_those_of_a_role():
    root, ada = User(email="root@example.com", is_superuser=True), User(email="ada@example.com")
    assert Actor.of_user(root).is_operator
    assert Actor.of_user(ada).rights is None
    assert Actor.of_user(ada).user_id == ada.pk


def test_a_superuser_who_was_deactivated_has_no_rights_of_their_own():
    assert Actor.of_user(User(is_superuser=True, is_active=False)).rights is None


def test_a_key_has_the_scopes_it_was_given_and_is_no_operator(acme):
    actor = Actor.of_key(public_id="key_1", label="CI", scopes=[*ALL, "unheard.of"], organization_id=acme.pk)
    assert actor.rights == frozenset(Right)
    assert not actor.is_operator
    assert actor.user_id is None


def test_an_unknown_kind_of_actor_is_refused(acme):
    with pytest.raises(IntegrityError, match="audit_event_actor_is_known"):
        audit.record(Actor("ghost", "", "Casper"), "organization.noted", acme)

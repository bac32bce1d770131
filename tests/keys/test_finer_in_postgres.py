"""The limits of subjects in the real tables: what Django writes is what the gateway finds."""

import json

import orjson
import pytest
from django.db import IntegrityError, connection, transaction

from keys import caller, finer, limiting
from keys.effective import Limits
from keys.finer import LIMITS_OF_SUBJECTS
from keys.models import ScopeLimits
from keys.subjects import EACH, Subject
from tests.keys.cast import inference_key
from tests.keys.test_limiting import plan, set_limits


def rows(*subjects: Subject) -> dict[str, dict]:
    batch = orjson.dumps([finer._as_item(subject) for subject in subjects]).decode()
    with connection.cursor() as cursor:
        cursor.execute(LIMITS_OF_SUBJECTS, [batch])
        # Django leaves JSON as text to its own fields; the gateway's driver reads it by itself.
        found = [json.loads(row) for (row,) in cursor.fetchall()]
    return {row["text"]: row for row in found}


def test_own_limits_come_before_those_for_each(acme, globex):
    set_limits(limiting.subject(acme, "customer", None), Limits(rpm=9))
    set_limits(limiting.subject(acme, "customer", "alice"), Limits(rpm=1), plan=plan(Limits(tpm=5)))
    alice, bob = (Subject(acme.pk, "customer", name) for name in ("alice", "bob"))
    stranger = Subject(globex.pk, "customer", "carol")
    found = rows(alice, bob, stranger)
    assert found["alice"]["row"]["own"]["rpm"] == 1
    assert found["alice"]["row"]["plan"]["tpm"] == 5
    assert found["bob"]["row"]["own"]["rpm"] == 9
    assert found["bob"]["row"]["scope_id"] == str(EACH)
    assert found["carol"]["row"] is None
    assert found["carol"]["fence"] == globex.config_version


def test_a_key_tells_which_scopes_its_organization_uses(acme, globex):
    issued = inference_key(acme)
    set_limits(limiting.subject(acme, "customer", "alice"), Limits(rpm=1))
    set_limits(limiting.subject(globex, "model", None), Limits(rpm=1))
    with connection.cursor() as cursor:
        cursor.execute(caller.KEY_BY_DIGEST, [bytes(issued.key.digest)])
        ((facts,),) = cursor.fetchall()
    assert caller.from_row(json.loads(facts), 0).finer == {"customer"}


def test_the_table_refuses_subjects_without_a_name_and_templates_of_keys(acme):
    for facts in (
        {"scope": "customer", "scope_id": EACH, "label": ""},
        {"scope": "key", "scope_id": EACH, "label": ""},
        {"scope": "project", "scope_id": acme.pk, "label": "named"},
    ):
        with pytest.raises(IntegrityError, match="scope_limits_of_subjects_have_a_label"), transaction.atomic():
            ScopeLimits.objects.create(organization=acme, **facts)

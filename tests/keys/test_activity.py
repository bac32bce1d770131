"""When keys were last used."""

from datetime import timedelta

from django.db import connection

from foundation import clock
from foundation.ids import uuid7
from keys import activity
from keys.models import ApiKey
from tenants import isolation
from tests.keys.cast import inference_key


def last_use(key: ApiKey):
    key.refresh_from_db()
    return key.last_used_at


def test_the_last_use_moves_forward_and_never_back(acme):
    key, now = inference_key(acme).key, clock.now()
    assert activity.note({key.pk: now, uuid7(): now}) == 1
    assert activity.note({key.pk: now - timedelta(hours=1)}) == 0
    assert last_use(key) == now


def test_many_keys_are_noted_in_one_statement(acme, django_assert_num_queries):
    keys = [inference_key(acme).key for _ in range(3)]
    with django_assert_num_queries(1):
        assert activity.note({key.pk: clock.now() for key in keys}) == 3


def test_nothing_to_note_costs_nothing(acme, django_assert_num_queries):
    with django_assert_num_queries(0, connection=connection):
        assert activity.note({}) == 0


def test_somebody_elses_key_is_not_reached(acme, globex):
    key = inference_key(acme).key
    with isolation.scope_to(globex.pk):
        assert activity.note({key.pk: clock.now()}) == 0

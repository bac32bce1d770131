"""Engines are asked for their health, and believed."""

from __future__ import annotations

import socket
import time

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from inference import probing, publishing
from inference.gateway.news import CATALOGUE_CHANNEL
from inference.models import Pool, Replica
from inference.probing import Standing, is_well, next_state
from tests.inference import health

STATES = st.sampled_from([state for state in Replica.State.values if state != "draining"])
State = Replica.State


def replica(url: str, state: str = State.UNKNOWN, failures: int = 0, kind: str = Pool.Engine.VLLM) -> Replica:
    """Put an engine on record."""
    pool, _ = Pool.objects.get_or_create(name=f"pool-{kind}", defaults={"engine": kind})
    return Replica.objects.create(pool=pool, url=url, state=state, failures=failures)


def standing(of: Replica) -> Standing:
    """Return what is on record of it now."""
    of.refresh_from_db()
    return Standing(of.state, of.failures)


def dead_url() -> str:
    """Return an address where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@given(state=STATES, failures=st.integers(0, 10**9))
def test_one_good_answer_is_believed(state, failures):
    assert next_state(state, failures, well=True) == (State.HEALTHY, 0)


@given(failures=st.integers(0, 10**9), well=st.booleans())
def test_draining_is_the_operators_word(failures, well):
    assert next_state(State.DRAINING, failures, well=well) == (State.DRAINING, failures)


@given(answers=st.lists(st.booleans(), min_size=1))
def test_a_healthy_replica_falls_with_the_second_failure_in_a_row(answers):
    now = Standing(State.HEALTHY, 0)
    for well in answers:
        now = next_state(*now, well=well)
    failed = next((count for count, well in enumerate(reversed(answers)) if well), len(answers))
    assert now == (State.UNHEALTHY if failed >= 2 else State.HEALTHY, failed)


@pytest.mark.parametrize("state", [State.UNKNOWN, State.UNHEALTHY])
def test_one_that_serves_nobody_gets_no_second_chance(state):
    assert next_state(state, 0, well=False) == (State.UNHEALTHY, 1)


@pytest.mark.parametrize(
    ("kind", "status", "well"),
    [
        (Pool.Engine.VLLM, 200, True),
        (Pool.Engine.LLAMACPP, 204, True),
        (Pool.Engine.LLAMACPP, 503, False),
        (Pool.Engine.VLLM, 302, False),
        (Pool.Engine.VLLM, 404, False),
        (Pool.Engine.OPENAI, 401, True),
        (Pool.Engine.OPENAI, 502, False),
    ],
)
def test_a_status_is_judged_by_the_kind_of_engine(kind, status, well):
    assert is_well(kind, status) is well


@pytest.mark.django_db
def test_an_engine_that_comes_and_goes_is_followed():
    with health.engine() as engine:
        one = replica(engine.url)
        assert probing.probe_replicas() == 1
        assert standing(one) == (State.HEALTHY, 0)
        engine.status = 503
        assert probing.probe_replicas() == 0
        assert standing(one) == (State.HEALTHY, 1)
        assert probing.probe_replicas() == 1
        assert standing(one) == (State.UNHEALTHY, 2)
        engine.status = 200
        assert probing.probe_replicas() == 1
        assert standing(one) == (State.HEALTHY, 0)
        assert engine.asked == ["/health"] * 4
    assert one.checked_at is not None


@pytest.mark.django_db
def test_other_peoples_services_are_asked_for_what_they_have():
    with health.engine(status=401) as engine:
        one = replica(f"{engine.url}/", kind=Pool.Engine.OPENAI)
        probing.probe_replicas()
        assert engine.asked == ["/v1/models"]
    assert standing(one).state == State.HEALTHY


@pytest.mark.django_db
def test_an_engine_is_asked_where_its_kind_says_how_it_is():
    with health.engine() as engine:
        replica(engine.url, kind=Pool.Engine.TRITON)
        probing.probe_replicas()
        assert engine.asked == ["/v2/health/ready"]


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["nowhere", "http://localhost.invalid", "http://127.0.0.1:99999", "http://169.254.1.1"])
def test_an_address_that_leads_nowhere_is_not_well(url):
    one = replica(dead_url() if url == "nowhere" else url)
    assert probing.probe_replicas() == 1
    assert standing(one).state == State.UNHEALTHY


@pytest.mark.django_db
def test_nobody_is_followed_elsewhere():
    with health.engine(status=302) as engine:
        one = replica(engine.url)
        probing.probe_replicas()
        assert engine.asked == ["/health"]
    assert standing(one).state == State.UNHEALTHY


@pytest.mark.django_db
def test_a_draining_replica_is_not_even_asked():
    with health.engine() as engine:
        one = replica(engine.url, State.DRAINING, failures=1)
        assert probing.probe_replicas() == 0
        assert engine.asked == []
    assert standing(one) == (State.DRAINING, 1)


@pytest.mark.django_db
def test_all_are_asked_at_once_and_none_for_longer_than_two_seconds():
    with health.engine(silence=5) as silent, health.engine(trickle=0.1) as slow, health.engine() as good:
        made = [replica(f"{url}/{number}") for number in range(4) for url in (silent.url, slow.url)]
        well = replica(good.url)
        started = time.monotonic()
        probing.probe_replicas()
        assert time.monotonic() - started < 4
    assert {standing(one).state for one in made} == {State.UNHEALTHY}
    assert standing(well).state == State.HEALTHY


@pytest.mark.django_db
def test_whoever_was_faster_is_right():
    with health.engine() as engine:
        one = replica(engine.url)
        seen = Replica.objects.select_related("pool").get(pk=one.pk)
        Replica.objects.filter(pk=one.pk).update(state=State.DRAINING)
        assert not probing._write(probing.Target(seen, Standing(State.UNKNOWN, 0)), well=True)
    assert standing(one) == (State.DRAINING, 0)


@pytest.mark.django_db
def test_without_replicas_there_is_nobody_to_ask():
    assert probing.probe_replicas() == 0


def news(listening) -> bool:
    """Return whether gateways were told of a change since they were last asked."""
    heard = []
    while message := listening.get_message(timeout=0.2):
        heard += [message] if message["type"] == "message" else []
    return bool(heard)


@pytest.fixture
def listening(valkey):
    """Somebody who hears what gateways hear."""
    with Redis.from_url(settings.REDIS_URL) as client, client.pubsub() as listener:
        publishing._valkey.cache_clear()
        listener.subscribe(CATALOGUE_CHANNEL)
        listener.get_message(timeout=1)
        yield listener
        publishing._valkey(settings.REDIS_URL).close()


def test_gateways_hear_of_a_change_and_of_nothing_else(fresh_database, listening):
    with health.engine() as engine:
        replica(engine.url)
        probing.probe_replicas()
        assert news(listening)
        probing.probe_replicas()
        engine.status = 503
        probing.probe_replicas()
        assert not news(listening)
        probing.probe_replicas()
        assert news(listening)

import socket
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from celery._state import get_current_app
from django.db import transaction

from foundation import metrics
from foundation.jobs import run_after_commit

pytestmark = pytest.mark.usefixtures("fresh_database")


@pytest.fixture
def broker() -> Iterator[Celery]:
    """A broker in memory, for the application that jobs are sent by."""
    yield from use(Celery("tests", broker=f"memory://{uuid.uuid4()}", set_as_current=False))


@pytest.fixture
def no_broker() -> Iterator[Celery]:
    """A broker that is down: nobody listens on its port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        app = Celery("tests", broker=f"redis://127.0.0.1:{taken.getsockname()[1]}", set_as_current=False)
        yield from use(app)


def use(app: Celery) -> Iterator[Celery]:
    before = get_current_app()
    app.set_current()
    yield app
    app.close()
    before.set_current()


def sent(app: Celery) -> list[tuple[str, dict[str, Any]]]:
    """Take all messages out of the queue."""
    messages = []
    with app.connection_for_read() as connection, connection.SimpleQueue(app.conf.task_default_queue) as queue:
        while queue.qsize():
            message = queue.get(block=False)
            messages.append((message.headers["task"], message.decode()[1]))
            message.ack()
    return messages


def test_a_job_leaves_when_its_transaction_is_committed(broker):
    with transaction.atomic():
        run_after_commit("keys.tasks.forget", digest="d", count=2)
        assert sent(broker) == []
    assert sent(broker) == [("keys.tasks.forget", {"digest": "d", "count": 2})]


def test_a_job_stays_when_its_transaction_is_rolled_back(broker):
    with transaction.atomic():
        run_after_commit("keys.tasks.forget")
        transaction.set_rollback(True)
    assert sent(broker) == []


def test_a_job_outside_a_transaction_leaves_at_once(broker):
    run_after_commit("keys.tasks.forget")
    assert sent(broker) == [("keys.tasks.forget", {})]


def test_ids_travel_as_ids(broker):
    key = uuid.uuid4()
    run_after_commit("keys.tasks.forget", key=key)
    assert sent(broker) == [("keys.tasks.forget", {"key": key})]


def test_arguments_that_json_cannot_carry_are_refused_before_the_commit(broker):
    with pytest.raises(TypeError), transaction.atomic():
        run_after_commit("keys.tasks.forget", key=object())
    assert sent(broker) == []


def test_a_broker_that_is_down_does_not_fail_what_is_committed(no_broker):
    before = metrics.registry.get_sample_value("turnpike_jobs_not_sent_total") or 0
    with transaction.atomic():
        run_after_commit("keys.tasks.forget")
    assert metrics.registry.get_sample_value("turnpike_jobs_not_sent_total") == before + 1

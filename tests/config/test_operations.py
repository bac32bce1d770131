import asyncio
import socket
import time
from collections.abc import Callable

import pytest

from config import operations
from config.draining import Drain
from config.operations import Operations, Readiness
from tests.config.asking import ask

TOKEN = "a-token-for-tests"
BEARER = {"authorization": f"Bearer {TOKEN}"}
NO_POSTGRES = "postgresql://127.0.0.1:1/turnpike"
NO_VALKEY = "redis://127.0.0.1:1/0"


@pytest.fixture
def doors(settings, django_db_setup) -> Callable[..., Operations]:
    """The doors of a process with these addresses of its stores."""

    def build(*, postgres: str = settings.DATABASE_URL, valkey: str = settings.REDIS_URL, token: str = TOKEN):
        return Operations(_drain(), Readiness(postgres, valkey), token=token)

    return build


def _drain() -> Drain:
    async def finish(_: float) -> None:
        await asyncio.Event().wait()

    return Drain(finish, seconds=60)


async def test_a_process_that_runs_is_alive_whatever_is_down(doors):
    answer = await ask(doors(postgres=NO_POSTGRES, valkey=NO_VALKEY), "/healthz")
    assert (answer.status, answer.json()) == (200, {"status": "alive"})


async def test_a_process_with_its_stores_is_ready(doors):
    answer = await ask(doors(), "/readyz")
    assert (answer.status, answer.json()) == (200, {"status": "ready", "postgres": True, "valkey": True})
    assert answer.headers["cache-control"] == "no-store"


async def test_a_process_without_postgres_is_not_ready(doors):
    answer = await ask(doors(postgres=NO_POSTGRES), "/readyz")
    assert (answer.status, answer.json()) == (503, {"status": "unready", "postgres": False, "valkey": True})


async def test_a_process_that_never_saw_valkey_is_not_ready(doors):
    answer = await ask(doors(valkey=NO_VALKEY), "/readyz")
    assert (answer.status, answer.json()) == (503, {"status": "unready", "postgres": True, "valkey": False})


async def test_losing_valkey_later_degrades_and_does_not_stop_the_service(settings, doors, monkeypatch):
    monkeypatch.setattr(operations, "FRESH_SECONDS", 0)
    readiness = Readiness(settings.DATABASE_URL, settings.REDIS_URL)
    app = Operations(_drain(), readiness, token=TOKEN)
    assert (await ask(app, "/readyz")).json()["status"] == "ready"
    readiness._redis_url = NO_VALKEY
    answer = await ask(app, "/readyz")
    assert (answer.status, answer.json()) == (200, {"status": "degraded", "postgres": True, "valkey": False})


async def test_a_process_that_drains_is_not_ready(doors):
    drain = _drain()
    app = Operations(drain, Readiness(NO_POSTGRES, NO_VALKEY), token=TOKEN)
    drain.begin()
    answer = await ask(app, "/readyz")
    assert (answer.status, answer.json()) == (503, {"status": "draining"})


@pytest.mark.parametrize(
    ("probe", "scheme"),
    [(operations.postgres_answers, "postgresql"), (operations.valkey_answers, "redis")],
    ids=["postgres", "valkey"],
)
async def test_a_store_that_accepts_and_says_nothing_is_given_up_after_a_second(probe, scheme):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        assert not await probe(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/0")
        assert time.monotonic() - began < 1.5


async def test_stores_are_asked_once_however_many_ask(doors):
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        silent.setblocking(False)
        app = doors(valkey=f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        await asyncio.gather(*(ask(app, "/readyz") for _ in range(20)))
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()


async def test_metrics_are_for_the_bearer_of_the_token(doors):
    answer = await ask(doors(), "/metrics", headers=BEARER)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert b"turnpike_requests" in answer.body


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN}])
@pytest.mark.parametrize(("method", "path"), [("GET", "/metrics"), ("POST", "/internal/prestop")])
async def test_without_the_token_the_internal_doors_do_not_exist(doors, method, path, headers):
    app = doors()
    assert (await ask(app, path, method=method, headers=headers)).status == 404
    assert (await ask(app, "/readyz")).status == 200


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer "}, BEARER])
async def test_without_a_token_set_nobody_gets_in(doors, headers):
    assert (await ask(doors(token=""), "/metrics", headers=headers)).status == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("POST", "/healthz", "GET"), ("DELETE", "/readyz", "GET"), ("GET", "/internal/prestop", "POST")],
)
async def test_a_door_has_one_method(doors, method, path, allowed):
    answer = await ask(doors(), path, method=method)
    assert (answer.status, answer.headers["allow"]) == (405, allowed)


async def test_a_probe_may_ask_for_the_head_only(doors):
    assert (await ask(doors(), "/healthz", method="HEAD")).status == 200

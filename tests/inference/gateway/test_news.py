"""The catalogue is read again and again, whatever one of the readings meets."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest

from foundation.stores import Postgres, StoreDown
from inference.gateway import news
from inference.gateway.credentials import Credentials
from inference.gateway.endpoints import Services


@pytest.mark.parametrize("failure", [StoreDown("postgres"), psycopg.errors.UndefinedColumn(), KeyError("rates")])
async def test_a_catalogue_that_could_not_be_read_once_is_read_again(monkeypatch, failure):
    readings: list[Any] = ["first", failure, "second"]
    all_read = asyncio.Event()

    async def load(_: Postgres, __: Credentials) -> Any:
        reading = readings.pop(0)
        if isinstance(reading, Exception):
            raise reading
        if not readings:
            readings.append(reading)
            all_read.set()
        return reading

    monkeypatch.setattr(news, "load", load)
    monkeypatch.setattr(news, "POLL_SECONDS", 0.01)
    services = SimpleNamespace(catalogue=None)
    heard = news.News("redis://127.0.0.1:1", cast(Postgres, None), cast(Services, services), Credentials([]))
    await heard.start()
    try:
        assert services.catalogue == "first"
        await asyncio.wait_for(all_read.wait(), 2)
        assert services.catalogue == "second"
    finally:
        await heard.stop()

"""A model that hears, speaks and draws, and clients that ask it to."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import httpx

from billing import prices
from config.local import catalogue
from config.local.engines import Kind
from inference.models import Pool
from tenants import isolation
from tenants.audit import Actor
from tests.inference.gateway.door import Answer, Door
from tests.inference.simulator.client import Simulated
from tests.inference.simulator.recordings import recording

TRANSCRIPTIONS, TRANSLATIONS = "/v1/audio/transcriptions", "/v1/audio/translations"
SPEECH, IMAGES = "/v1/audio/speech", "/v1/images/generations"
FAST = "ttft=1 gap=0"
SECOND, CHARACTER, IMAGE = 100_000, 15_000, 40_000_000
"""What one costs, in nano-dollars."""
RATES = {"seconds": Decimal(100), "characters": Decimal(15), "images": Decimal(40_000)}
WAV = ("a.wav", recording(1.5), "audio/wav")


def offer(engines: list[Simulated], engine: str = Pool.Engine.VLLM, **rates: Decimal) -> None:
    """Sell the simulated model at these rates."""
    with isolation.everything():
        catalogue.offer(Kind.SIMULATOR, [engine.url for engine in engines])
        prices.publish(model="sim", components=rates or RATES, actor=Actor.system("tests"))
        Pool.objects.update(engine=engine)


def form(*, files: Any = None, **fields: Any) -> tuple[bytes, dict[str, str]]:
    """Write a form as a library does, with the header that goes with it."""
    asked = httpx.Request("POST", "http://x", data={"model": "sim"} | fields, files=files or {"file": WAV})
    return asked.read(), {"content-type": asked.headers["content-type"]}


def directive(said: str) -> str:
    """Tell the simulator what to do, at once unless it says how fast."""
    return f"[[sim {said}{'' if 'gap=' in said else ' ' + FAST}]]"


def left() -> asyncio.Event:
    """Make a client that has left when its request has just come."""
    gone = asyncio.Event()
    gone.set()
    return gone


async def hear(door: Door, said: str = "tokens=5", path: str = TRANSCRIPTIONS, **fields: Any) -> Answer:
    """Send a recording of a second and a half."""
    ways = {name: fields.pop(name) for name in ("leave", "gone") if name in fields}
    headers = fields.pop("headers", {})
    body, kind = form(prompt=directive(said), **fields)
    return await door.ask(body, path=path, headers=kind | headers, **ways)

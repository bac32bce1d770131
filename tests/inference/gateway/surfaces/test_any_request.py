"""Whatever a client sends is refused by name, or can be put to every engine that understands it."""

from __future__ import annotations

import random
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from foundation.errors import InvalidRequest, RequestTooLarge
from inference.gateway.engines.kinds import ENGINES, able, has_words
from inference.gateway.surfaces.router import SURFACES
from tests.inference.gateway.engines.orders import order_of
from tests.inference.gateway.mutations import mutated
from tests.inference.gateway.requests import BODIES

EACH = 400
_JSON = [surface for surface in SURFACES if surface.name in BODIES]


def test_every_json_endpoint_is_here():
    assert {surface.name for surface in SURFACES if surface.content_type == b"application/json"} == BODIES.keys()


@pytest.mark.parametrize("surface", _JSON, ids=lambda surface: surface.name)
def test_the_bodies_are_right_to_begin_with(surface):
    for body in BODIES[surface.name]:
        assert surface.parse(orjson.dumps(body), b"application/json", b"").model == "m"


@pytest.mark.parametrize("surface", _JSON, ids=lambda surface: surface.name)
def test_a_body_of_any_shape_is_refused_or_can_be_put_to_every_engine(surface):
    dice = random.Random(surface.name)
    accepted = 0
    for _ in range(EACH):
        body = mutated(dice.choice(BODIES[surface.name]), dice)
        try:
            surface.parse(orjson.dumps(body), b"application/json", b"")
        except (InvalidRequest, RequestTooLarge) as error:
            orjson.loads(surface.error(error, "req_x"))
            continue
        accepted += 1
        for kind, engine in ENGINES.items():
            for template in ("", "chatml"):
                if surface.name in engine.wires and has_words(engine, surface.name, template):
                    _put(kind, surface.name, body, template)
    assert accepted > EACH / 50


def _put(kind: str, surface: str, body: dict[str, Any], template: str) -> None:
    order = order_of(surface, body, template)
    route = SimpleNamespace(pool=SimpleNamespace(engine=kind), template=template)
    wire = ENGINES[kind].wires[surface]
    with suppress(InvalidRequest):
        able((route,), surface, order.wanted.fields)  # type: ignore[arg-type]  # no more of a route is looked at
        wire.call(order, "up")
        if order.wanted.stream:
            wire.stream(order)

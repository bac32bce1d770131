"""Bodies of any shape at every endpoint of a whole installation: an answer each time, and nothing is left held."""

import random

import orjson
import pytest

from inference.gateway.surfaces.router import SURFACES
from tests.door.raw import Line
from tests.door.vectors import KEY, post
from tests.inference.gateway.mutations import mutated
from tests.inference.gateway.requests import BODIES
from tests.installation import MODELS

EACH = 120
_PATHS = {surface.name: surface.path.encode() for surface in SURFACES}
_HELD = "SELECT count(*) FROM billing_hold WHERE organization_id = %s AND slice_id IS DISTINCT FROM request_id"


@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_any_shape_is_answered_and_leaves_nothing_held(installation, name):
    acme, dice = installation.organization(), random.Random(name)
    with Line(installation.server.port) as line:
        for _ in range(EACH):
            # A body that is right but for one thing reaches an engine as often as not.
            body = mutated(dice.choice(BODIES[name]), dice) | {"model": dice.choice(MODELS)}
            sent = _bitten(orjson.dumps(body), dice)
            line.send(post(target=_PATHS[name], body=sent).replace(KEY, acme.api_key.encode()))
            answer = line.answer()
            assert answer is not None, sent[:500]
            assert answer.status < 500, (answer, sent[:500])
    assert installation.sql(_HELD, acme.id) == [(0,)]


def _bitten(body: bytes, dice: random.Random) -> bytes:
    """Return the body, now and then with one byte that is another."""
    if dice.random() > 0.1:
        return body
    place = dice.randrange(len(body))
    return body[:place] + bytes([dice.randrange(256)]) + body[place + 1 :]

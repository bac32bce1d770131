"""A whole answer that used more than was held: what an engine says beyond it is charged apart, wherever that can be."""

from decimal import Decimal

import pytest

from foundation import metrics
from inference.gateway.engines.kinds import ENGINES
from inference.gateway.surfaces.router import SURFACES
from inference.models import Pool
from inference.simulator.directives import HUGE
from tests.inference.gateway.forms import FORM
from tests.inference.gateway.small_requests import asked

HUGE_USE = asked("tokens=1 usage=huge")
CREDIT = Decimal(1)
# Of these an engine has no say in the quantity: what was asked for is held for, and no more is charged. Moderations
# have no usage in OpenAI's shape.
BOUNDED = ("audio.speech", "images.generations", "moderations")
SOLD = [surface for surface in SURFACES if surface.charges and surface.name not in BOUNDED]
ENTRIES = """
SELECT t.kind, t.amount_nusd FROM billing_ledgerentry t
WHERE t.transaction_id = %s AND t.account = 'wallet' ORDER BY t.id
"""


@pytest.fixture(params=[Pool.Engine.VLLM, Pool.Engine.COMPATIBLE])
def engine_kind(request):
    """An engine that serves messages and responses itself, and one for which they are translated to chat."""
    return request.param


async def test_more_than_was_held_is_charged_as_overage_and_the_next_call_is_refused(
    customer, usage, engine_kind, fresh_database
):
    served = [surface for surface in SOLD if surface.name in ENGINES[engine_kind].wires]
    for surface in served:
        door, alerts = await customer(credit=CREDIT, name=surface.name.replace(".", " ")), _alerts()
        how = {"path": surface.path, "headers": FORM if isinstance(HUGE_USE[surface.path], bytes) else {}}
        answer, refused = [await door.ask(HUGE_USE[surface.path], **how) for _ in range(2)]
        record = (await usage())[-1]
        held, cost = record["hold_nusd"], record["cost_nusd"]
        assert (answer.status, record["outcome"], record["streamed"]) == (200, "complete", False), surface.name
        assert answer.headers["x-turnpike-cost-nano-usd"] == str(cost)
        assert cost > HUGE > held > 0, surface.name
        entries = fresh_database.sql(ENTRIES, record["transaction_id"])
        assert entries == [("usage", -held), ("overage", held - cost)], surface.name
        assert _alerts() == alerts + 1, surface.name
        assert (refused.status, refused.error["code"]) == (402, "insufficient_credit"), surface.name
    assert len(await usage()) == len(served)


def _alerts() -> float:
    return metrics.registry.get_sample_value("turnpike_settlements_over_hold_total") or 0.0

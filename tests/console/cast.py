"""What the pages are looked at with: a visitor whom the middleware's own scope binds, models, and past requests."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.test import Client

from billing import prices, wallet
from foundation import clock, money
from foundation.ids import lowest_at
from inference.models import Deployment, Model, Pool, Replica
from keys.models import ApiKey
from tenants.models import Organization, User
from tests.tenants import cast

SCOPE = "SELECT set_config('turnpike.scope', %s, true)"
PASSWORD = "correct-horse-battery-staple"


class Visitor(Client):
    """Django's test client, which sees no tenant's rows but those that the request itself enters."""

    def request(self, **request: Any) -> Any:
        """Leave the test's own scope for as long as the request takes."""
        _see("")
        try:
            return super().request(**request)
        finally:
            _see("all")


def visitor(user: User | None = None) -> Visitor:
    """Return somebody with a browser, signed in if it is a known person."""
    client = Visitor()
    if user is not None:
        client.force_login(user)
    return client


def offer(name: str = "tiny", *, state: str | None = Replica.State.HEALTHY, price: bool = True, **fields: Any) -> Model:
    """Return a new model with a replica in this state and, normally, a price."""
    model = Model.objects.create(
        id=name, **{"display_name": name.title(), "context_length": 8192, "max_output_tokens": 2048, **fields}
    )
    if state is not None:
        pool = Pool.objects.create(name=f"pool-{name}", engine=Pool.Engine.VLLM)
        Deployment.objects.create(model=model, pool=pool, upstream_name=f"upstream/{name}")
        Replica.objects.create(pool=pool, url=f"http://{name}.engines.internal:8000", state=state)
    if price:
        components = {"input": Decimal("0.15"), "output": Decimal("0.6")}
        prices.publish(model=name, components=components, actor=cast.SYSTEM)
    return model


def credit(of: Organization, dollars: str) -> None:
    """Put credit into the organisation's wallet."""
    wallet.open_wallet(of.pk)
    amount = money.nano(dollars)
    wallet.credit(organization_id=of.pk, amount_nusd=amount, reference=f"test {of.slug}", memo="", actor=cast.SYSTEM)


def bill(key: ApiKey, *, ago: timedelta = timedelta(), cost: str = "0", **facts: Any) -> dict[str, Any]:
    """Return one past request of the key, as the settlement function takes it."""
    at: datetime = clock.now() - ago
    return {
        "request": str(uuid.UUID(int=lowest_at(at).int | uuid.uuid4().int & ((1 << 62) - 1))),
        "organization": str(key.organization_id),
        "project": str(key.project_id),
        "key": str(key.pk),
        "customer": "",
        "model": "tiny",
        "pool": "pool-tiny",
        "replica": "http://tiny.engines.internal:8000",
        "endpoint": "/v1/chat/completions",
        "streamed": True,
        "outcome": "complete",
        "source": "final",
        "status": 200,
        "prompt_tokens": 100,
        "cached_tokens": 0,
        "completion_tokens": 20,
        "price_version": 1,
        "cost": money.nano(cost),
        "purses": [str(key.organization_id)],
        "ttft_ms": 120,
        "latency_ms": 900,
        "started_at": at.isoformat(),
        **facts,
    }


def settle(*bills: dict[str, Any]) -> list[uuid.UUID]:
    """Hold and settle the requests as the gateway does; return their ids in the same order."""
    for organization in {one["organization"] for one in bills}:
        wallet.open_wallet(uuid.UUID(organization))
    holds = [{**one, "amount": one["cost"], "zone": "UTC", "caps": []} for one in bills]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM turnpike_hold(%s::jsonb, interval '1 minute')", [json.dumps(holds)])
        cursor.execute("SELECT count(*) FROM turnpike_settle(%s::jsonb)", [json.dumps(bills)])
    return [uuid.UUID(one["request"]) for one in bills]


def hold(key: ApiKey, dollars: str) -> None:
    """Set money aside for a request of the key that is in flight."""
    one = {**bill(key), "amount": money.nano(dollars), "zone": "UTC", "caps": []}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM turnpike_hold(%s::jsonb, interval '1 hour')", [json.dumps([one])])


def _see(scope: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(SCOPE, [scope])

"""Acme with everything in it, Globex who must never see any of it, and a way to ask as either."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.test import Client

from billing import prices, wallet
from foundation import ids
from inference.models import Deployment, Model, Pool, Replica
from keys import planning
from keys.effective import Limits
from keys.models import ApiKey, Plan
from tenants.models import Organization, Project, Role, User
from tenants.roles import Right
from tests.inference import records
from tests.keys import cast as keys
from tests.tenants import cast

API = "/api/v1/"


@dataclass
class Tenant:
    """An organisation, its people, its objects."""

    organization: Organization
    owner: User
    viewer: User
    project: Project
    key: ApiKey
    secret: str
    management: str
    plan: Plan
    request_id: str

    @property
    def names(self) -> set[str]:
        """What would give this tenant away in somebody else's answer."""
        return {
            self.organization.public_id,
            self.organization.name,
            self.project.public_id,
            self.key.public_id,
            self.key.name,
            self.plan.public_id,
            self.plan.name,
            self.request_id,
            self.owner.email,
        }


def tenant(name: str) -> Tenant:
    """Found an organisation that has one of everything."""
    organization = cast.organization(name)
    project = cast.project(organization)
    issued = keys.inference_key(organization, name=f"{name} web", limits=Limits(rpm=60))
    wallet.open_wallet(organization.pk)
    wallet.credit(organization_id=organization.pk, amount_nusd=10**9, reference=name, memo="", actor=cast.SYSTEM)
    return Tenant(
        organization=organization,
        owner=cast.member(organization, Role.OWNER),
        viewer=cast.member(organization, Role.VIEWER),
        project=project,
        key=issued.key,
        secret=issued.secret,
        management=keys.management_key(organization, *Right).secret,
        plan=planning.create(
            name=f"{name} plan", slug="small", limits=Limits(tpm=1000), actor=cast.SYSTEM, organization=organization
        ),
        request_id=ids.public("req", records.settle(organization, project_id=project.pk, key_id=issued.key.pk)),
    )


def offer(name: str = "sim", state: str = Replica.State.HEALTHY) -> Model:
    """Put a model on offer, with a price and a replica."""
    model = Model.objects.create(id=name, display_name=name.title(), context_length=4096, max_output_tokens=1024)
    pool = Pool.objects.create(name=name.replace("/", "-"), engine=Pool.Engine.VLLM)
    Deployment.objects.create(model=model, pool=pool, upstream_name=name)
    Replica.objects.create(pool=pool, url=f"http://127.0.0.1:1/{name}", state=state)
    rates = {"input": records.usd("0.15"), "output": records.usd("0.60")}
    prices.publish(model=name, components=rates, actor=cast.SYSTEM)
    return model


@dataclass
class Asking:
    """Somebody who asks the API: with a key, as a signed-in person, or with nothing."""

    key: str = ""
    user: User | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send one request as the server gets it: nobody's rows are seen until the request says who asks."""
        client = Client(raise_request_exception=False)
        if self.user is not None:
            client.force_login(self.user)
        named = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.key:
            named["authorization"] = f"Bearer {self.key}"
        content: dict[str, Any] = {}
        if body is not None:
            text = body if isinstance(body, str | bytes) else json.dumps(body)
            content = {"data": text, "content_type": named.pop("content-type", "application/json")}
        cast.leave_scope()
        try:
            return client.generic(method, path if path.startswith("/") else API + path, headers=named, **content)
        finally:
            _see_everything()

    def get(self, path: str, **headers: str) -> Any:
        """Read something that is there; return its JSON."""
        answer = self("GET", path, **headers)
        assert answer.status_code == 200, answer.content
        return answer.json()


def error(answer: Any) -> dict[str, Any]:
    """Return what an error says, having checked its shape."""
    body = answer.json()
    assert list(body) == ["error"]
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert body["error"]["message"]
    found: dict[str, Any] = body["error"]
    return found


def rfc3339(at: datetime) -> str:
    """Spell an instant as the API does."""
    return at.isoformat().replace("+00:00", "Z")


def _see_everything() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('turnpike.scope', 'all', true)")

"""A believable installation to look at: two organisations, models, keys, and a month of usage that was truly charged.

Everything is made by the domain's own functions; only time is made up, in the ids of past requests.
"""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from billing import prices, wallet
from foundation import clock, money
from foundation.ids import lowest_at
from inference.models import Deployment, Model, Pool, Replica
from keys import issuing, limiting
from keys.effective import Limits
from keys.models import ApiKey
from tenants import founding, isolation, members, projects
from tenants.audit import Actor
from tenants.models import Organization, Project, Role, User
from tests.inference.limits.cast import spend

PASSWORD = "correct-horse-battery-staple"
SYSTEM = Actor.system("scene")
MODELS = (
    # id, name, context, most output, input, cached, output, share of traffic, median output, ms per token
    ("llama-4-scout", "Llama 4 Scout", 131_072, 8_192, "0.11", "0.03", "0.34", 42, 260, 9),
    ("qwen3-235b", "Qwen3 235B A22B", 262_144, 16_384, "0.22", "0.06", "0.88", 26, 420, 16),
    ("deepseek-v3.2", "DeepSeek V3.2", 163_840, 16_384, "0.28", "0.07", "0.42", 18, 510, 21),
    ("mistral-small", "Mistral Small 3.2", 131_072, 8_192, "0.075", None, "0.2", 9, 190, 7),
    ("smollm2-135m-instruct", "SmolLM2 135M", 8_192, 2_048, "0.01", None, "0.03", 5, 90, 3),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is there to look at."""

    acme: Organization
    globex: Organization
    owner: User
    viewer: User
    operator: User
    key: ApiKey


def furnish(requests: int = 2400, seed: int = 7, password: str | None = None) -> Scene:
    """Build it all, in the database of the moment, in one transaction with every organisation in sight.

    Without a password nobody can sign in by one, and no time is spent on hashing it.
    """
    dice = random.Random(seed)
    with isolation.everything():
        _catalogue()
        operator = User.objects.create_superuser("operator@example.com", password, name="Olu Operator")
        owner = User.objects.create_user("ada@acme.example", password, name="Ada Lovell")
        viewer = User.objects.create_user("vic@acme.example", password, name="Vic Viewer")
        acme = _organization("Acme Robotics", "acme-robotics", owner, "250")
        globex = _organization("Globex", "globex-labs", User.objects.create_user("hank@globex.example", password), "40")
        members.add(organization=acme, user=viewer, role=Role.VIEWER, actor=SYSTEM)
        members.add(organization=globex, user=owner, role=Role.DEVELOPER, actor=SYSTEM)
        keys = _keys(acme, owner)
        _use(acme, keys, requests, dice)
        _in_flight(acme, keys[0])
        _spend_a_budget(acme, keys[1])
        _limit(acme, keys[3])
        wallet.adjust(
            organization_id=acme.pk, amount_nusd=money.nano("12.50"), reason="Refund of an outage", actor=SYSTEM
        )
    return Scene(acme, globex, owner, viewer, operator, keys[0])


def _catalogue() -> None:
    pools = {
        "gpu-east": ("vllm", (("healthy", 0), ("healthy", 0), ("unhealthy", 4))),
        "gpu-west": ("vllm", (("healthy", 0), ("healthy", 0))),
        "cpu": ("llamacpp", (("healthy", 0), ("draining", 0))),
    }
    made = {}
    for name, (engine, replicas) in pools.items():
        made[name] = Pool.objects.create(name=name, engine=engine)
        for number, (state, failures) in enumerate(replicas):
            url = f"http://{name}-{number}.engines.internal:8000"
            checked_at = clock.now() - timedelta(seconds=3 + number)
            Replica.objects.create(pool=made[name], url=url, state=state, failures=failures, checked_at=checked_at)
    for index, (name, title, context, most, *_) in enumerate(MODELS):
        tags = ["reasoning"] if name.startswith(("qwen", "deepseek")) else []
        model = Model.objects.create(
            id=name, display_name=title, context_length=context, max_output_tokens=most, tags=tags
        )
        pool = made["cpu"] if name.startswith("smol") else made["gpu-west" if index % 2 else "gpu-east"]
        Deployment.objects.create(model=model, pool=pool, upstream_name=f"upstream/{name}")
    for name, _, _, _, fresh, cached, output, *_ in MODELS:
        rates = {"input": fresh, "cached_input": cached, "output": output}
        components = {kind: Decimal(rate) for kind, rate in rates.items() if rate is not None}
        since = clock.now() - timedelta(days=90)
        prices.publish(model=name, components=components, effective_from=since, actor=SYSTEM)


def _organization(name: str, slug: str, owner: User, credit: str) -> Organization:
    organization = founding.found_organization(
        name=name, slug=slug, owner=owner, actor=SYSTEM, time_zone="Europe/Berlin"
    )
    wallet.open_wallet(organization.pk)
    wallet.credit(
        organization_id=organization.pk,
        amount_nusd=money.nano(credit),
        reference=f"opening {slug}",
        memo="Opening credit",
        actor=SYSTEM,
    )
    return organization


def _keys(acme: Organization, owner: User) -> list[ApiKey]:
    actor = Actor.of_user(owner)
    default = Project.objects.get(organization=acme, slug="default")
    support = projects.create(organization=acme, name="Support desk", slug="support-desk", actor=actor)
    wanted = (
        ("Search, production", default, None),
        ("Support desk assistant", support, None),
        ("Nightly summaries", default, clock.now() + timedelta(days=75)),
        ("Ada’s notebook", default, clock.now() + timedelta(days=3)),
        ("Old prototype", default, None),
    )
    keys = [issuing.issue(project=project, name=name, expires_at=end, actor=actor).key for name, project, end in wanted]
    limits = Limits(rpm=600, tpm=400_000, concurrency=32, budget_nusd=money.nano("150"), budget_window="month")
    limiting.set_limits(target=keys[0], limits=limits, actor=actor)
    issuing.revoke(key=keys[4], reason="Found in a public repository", actor=actor)
    last_uses = (timedelta(seconds=20), timedelta(minutes=3), timedelta(hours=9), timedelta(days=2), timedelta(days=19))
    for key, ago in zip(keys, last_uses, strict=True):
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=clock.now() - ago)
    return keys


def _use(acme: Organization, keys: list[ApiKey], requests: int, dice: random.Random) -> None:
    now = clock.now()
    moments = sorted((_moment(now, dice) for _ in range(requests)), reverse=False)
    batch = [_bill(acme, keys, at, dice) for at in moments]
    with connection.cursor() as cursor:
        for start in range(0, len(batch), 200):
            part = json.dumps(batch[start : start + 200])
            cursor.execute("SELECT count(*) FROM turnpike_hold(%s::jsonb, interval '1 minute')", [_as_holds(part)])
            cursor.execute("SELECT count(*) FROM turnpike_settle(%s::jsonb)", [part])


def _as_holds(part: str) -> str:
    holds = [{**bill, "amount": bill["cost"] * 3, "zone": "UTC", "caps": []} for bill in json.loads(part)]
    return json.dumps(holds)


def _spend_a_budget(acme: Organization, key: ApiKey) -> None:
    """The project's budget notifies, and most of it is spent."""
    limits = Limits(budget_nusd=money.nano("0.05"), budget_window="month", budget_mode="soft")
    assert key.project
    row = limiting.set_limits(target=key.project, limits=limits, actor=SYSTEM)
    spend(row, money.nano("0.042"), key_id=key.pk, project_id=key.project_id, model=MODELS[0][0])


def _limit(acme: Organization, key: ApiKey) -> None:
    """A key that was given more than its organisation has been left with, and end customers who have limits each."""
    limiting.set_limits(target=key, limits=Limits(rpm=2400, tpm=100_000), actor=SYSTEM)
    limiting.set_limits(target=acme, limits=Limits(rpm=1200, tpm=2_000_000, concurrency=64), actor=SYSTEM)
    each, chat = (limiting.subject(acme, "customer", None), limiting.subject(acme, "model", MODELS[1][0]))
    budget = Limits(rpm=60, budget_nusd=money.nano("2"), budget_window="day")
    limiting.set_limits(target=each, limits=budget, actor=SYSTEM)
    limiting.set_limits(target=chat, limits=Limits(concurrency=16, max_output_tokens=4096), actor=SYSTEM)


def _in_flight(acme: Organization, key: ApiKey) -> None:
    common = {"organization": acme.pk, "project": key.project_id, "key": key.pk, "model": MODELS[1][0]}
    holds: list[dict[str, object]] = [
        {**common, "request": uuid.uuid4(), "customer": "", "amount": 14_417_000, "zone": "UTC", "caps": []}
        for _ in range(3)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM turnpike_hold(%s::jsonb, interval '1 hour')", [json.dumps(holds, default=str)]
        )


def _moment(now: datetime, dice: random.Random) -> datetime:
    """Most of it lately, little at night and at weekends."""
    while True:
        at = now - timedelta(days=30 * dice.random() ** 1.25, seconds=20)
        daylight = 1.0 if 8 <= at.hour <= 18 else 0.3
        if dice.random() < daylight * (0.35 if at.weekday() >= 5 else 1.0):
            return at


def _bill(acme: Organization, keys: list[ApiKey], at: datetime, dice: random.Random) -> dict[str, Any]:
    name, _, _, _, fresh, cached_rate, output, _, median, pace = dice.choices(
        MODELS, weights=[row[7] for row in MODELS]
    )[0]
    key = dice.choices(keys[:4], weights=[48, 30, 16, 6])[0]
    prompt, answered = int(dice.lognormvariate(7.4, 0.9)), int(dice.lognormvariate(0, 0.6) * median)
    cached = prompt // 2 // 16 * 16 if cached_rate and dice.random() < 0.4 else 0
    outcome = dice.choices(("complete", "client_left", "upstream_error", "timeout"), weights=[955, 32, 9, 4])[0]
    failed = outcome in {"upstream_error", "timeout"}
    scale = 40  # a busier month than a scene has rows for
    cost = (
        (prompt - cached) * money.nano(fresh)
        + cached * money.nano(cached_rate or fresh)
        + answered * money.nano(output)
    )
    first = int(dice.lognormvariate(5.2, 0.45))
    return {
        "request": str(uuid.UUID(int=lowest_at(at).int | dice.getrandbits(62))),
        "organization": str(acme.pk),
        "project": str(key.project_id),
        "key": str(key.pk),
        "customer": "",
        "model": name,
        "pool": "gpu-east",
        "replica": "http://gpu-east-0.engines.internal:8000",
        "endpoint": "/v1/chat/completions",
        "streamed": dice.random() < 0.8,
        "outcome": outcome,
        "source": "none" if failed else "final",
        "status": 502 if failed else 200,
        "prompt_tokens": prompt,
        "cached_tokens": cached,
        "completion_tokens": 0 if failed else answered,
        "price_version": 1,
        "cost": 0 if failed else scale * cost // money.PER_MILLION,
        "purses": [str(acme.pk)],
        "ttft_ms": None if failed else first,
        "latency_ms": 30_000 if failed else first + pace * answered,
        "started_at": at.isoformat(),
    }

"""Loads the catalogue from Postgres, in one round trip, and keeps the last good one when Postgres is down."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from billing.rates import Rates
from foundation.money import nano
from foundation.stores import Postgres
from inference.gateway.catalogue import Catalogue, Model, Pool, Replica, Route

# Rates travel as text, so that no decimal ever becomes a float on the way.
CATALOGUE = """
SELECT json_build_object(
    'models', (SELECT coalesce(json_agg(m), '[]') FROM (
        SELECT id, display_name, owned_by, context_length, max_output_tokens, aliases,
            extract(epoch FROM created_at)::bigint AS created, sunset_at
        FROM inference_model WHERE enabled ORDER BY id) m),
    'pools', (SELECT coalesce(json_agg(p), '[]') FROM (
        SELECT id, name, engine, credential_env, connect_ms, first_byte_ms, between_tokens_ms, total_ms, weight,
            max_concurrency
        FROM inference_pool WHERE enabled ORDER BY name) p),
    'replicas', (SELECT coalesce(json_agg(r), '[]') FROM (
        SELECT id, pool_id, url, state FROM inference_replica WHERE state <> 'draining' ORDER BY url) r),
    'deployments', (SELECT coalesce(json_agg(d), '[]') FROM (
        SELECT model_id, pool_id, upstream_name, weight FROM inference_deployment ORDER BY id) d),
    'prices', (SELECT coalesce(json_agg(v), '[]') FROM (
        SELECT p.model, p.version, p.effective_from, p.free, coalesce((
            SELECT json_object_agg(c.kind, c.usd_per_million::text)
            FROM billing_pricecomponent c WHERE c.price_id = p.id
        ), '{}') AS rates
        FROM billing_price p ORDER BY p.model, p.effective_from) v)
)::text
"""


async def load(postgres: Postgres) -> Catalogue:
    """Read the whole catalogue. Raises `StoreDown` when Postgres is."""
    rows = await postgres.fetch(CATALOGUE)
    return build(orjson.loads(rows[0][0]))


def build(tables: dict[str, list[dict[str, Any]]]) -> Catalogue:
    """Join the tables into one snapshot."""
    pools = {row["id"]: (_pool(row, tables["replicas"]), row["weight"]) for row in tables["pools"]}
    return Catalogue.of(tuple(_model(row, tables, pools) for row in tables["models"]))


def _pool(row: dict[str, Any], replicas: list[dict[str, Any]]) -> Pool:
    return Pool(
        name=row["name"],
        engine=row["engine"],
        credential=os.environ.get(row["credential_env"], "") if row["credential_env"] else "",
        connect_seconds=row["connect_ms"] / 1000,
        first_byte_seconds=row["first_byte_ms"] / 1000,
        between_tokens_seconds=row["between_tokens_ms"] / 1000,
        total_seconds=row["total_ms"] / 1000,
        replicas=tuple(
            # A replica that was never probed may serve: the first request finds out.
            Replica(replica["id"], replica["url"].rstrip("/"), replica["state"] != "unhealthy")
            for replica in replicas
            if replica["pool_id"] == row["id"]
        ),
        max_concurrency=row["max_concurrency"],
    )


def _model(row: dict[str, Any], tables: dict[str, list[dict[str, Any]]], pools: dict[str, tuple[Pool, int]]) -> Model:
    return Model(
        id=row["id"],
        display_name=row["display_name"],
        owned_by=row["owned_by"],
        created=row["created"],
        context_length=row["context_length"],
        max_output_tokens=row["max_output_tokens"],
        aliases=frozenset(row["aliases"]),
        sunset_at=datetime.fromisoformat(row["sunset_at"]).astimezone(UTC) if row["sunset_at"] else None,
        prices=tuple(_rates(price) for price in tables["prices"] if price["model"] == row["id"] and _is_price(price)),
        routes=tuple(
            Route(pools[d["pool_id"]][0], d["upstream_name"], d["weight"] * pools[d["pool_id"]][1])
            for d in tables["deployments"]
            if d["model_id"] == row["id"] and d["pool_id"] in pools
        ),
    )


def _is_price(price: dict[str, Any]) -> bool:
    """Free is what says so: a version without rates that does not is unfinished, and gives nothing away."""
    return bool(price["rates"]) is not bool(price["free"])


def _rates(price: dict[str, Any]) -> Rates:
    return Rates(
        version=price["version"],
        effective_from=datetime.fromisoformat(price["effective_from"]).astimezone(UTC),
        per_million={kind: nano(Decimal(rate)) for kind, rate in price["rates"].items()},
    )

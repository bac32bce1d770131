"""Loads the catalogue from Postgres, in one round trip, and keeps the last good one when Postgres is down."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from billing.rates import Rates
from foundation import logs
from foundation.money import nano
from foundation.stores import Postgres
from inference.gateway.catalogue import Catalogue, Model, Pool, Replica, Route
from inference.gateway.credentials import Credentials
from inference.gateway.engine_addresses import address_of

log = logs.get(__name__)

# Rates travel as text, so that no decimal ever becomes a float on the way.
CATALOGUE = """
SELECT json_build_object(
    'models', (SELECT coalesce(json_agg(m), '[]') FROM (
        SELECT id, display_name, owned_by, context_length, max_output_tokens, aliases,
            input_modalities, output_modalities, max_audio_seconds,
            extract(epoch FROM created_at)::bigint AS created, sunset_at
        FROM inference_model WHERE enabled ORDER BY id) m),
    'pools', (SELECT coalesce(json_agg(p), '[]') FROM (
        SELECT id, name, engine, credential_env, sealed_credential, connect_ms, first_byte_ms, between_tokens_ms,
            total_ms, weight, max_concurrency
        FROM inference_pool WHERE enabled ORDER BY name) p),
    'replicas', (SELECT coalesce(json_agg(r), '[]') FROM (
        SELECT id, pool_id, url, state FROM inference_replica WHERE state <> 'draining' ORDER BY url) r),
    'deployments', (SELECT coalesce(json_agg(d), '[]') FROM (
        SELECT model_id, pool_id, upstream_name, weight, chat_template FROM inference_deployment ORDER BY id) d),
    'prices', (SELECT coalesce(json_agg(v), '[]') FROM (
        SELECT p.model, p.version, p.effective_from, p.free, coalesce((
            SELECT json_object_agg(c.kind, c.usd_per_million::text)
            FROM billing_pricecomponent c WHERE c.price_id = p.id
        ), '{}') AS rates
        FROM billing_price p ORDER BY p.model, p.effective_from) v)
)::text
"""


async def load(postgres: Postgres, credentials: Credentials) -> Catalogue:
    """Read the whole catalogue. Raises `StoreDown` when Postgres is."""
    rows = await postgres.fetch(CATALOGUE)
    return build(orjson.loads(rows[0][0]), credentials)


def build(tables: dict[str, list[dict[str, Any]]], credentials: Credentials) -> Catalogue:
    """Join the tables into one snapshot. A pool whose credential cannot be opened is not in it."""
    opened = credentials.of(tables["pools"])
    pools = {
        row["id"]: (_pool(row, opened[row["id"]], tables["replicas"]), row["weight"])
        for row in tables["pools"]
        if row["id"] in opened
    }
    return Catalogue.of(tuple(_model(row, tables, pools) for row in tables["models"]))


def _pool(row: dict[str, Any], credential: str, replicas: list[dict[str, Any]]) -> Pool:
    return Pool(
        name=row["name"],
        engine=row["engine"],
        credential=credential,
        connect_seconds=row["connect_ms"] / 1000,
        first_byte_seconds=row["first_byte_ms"] / 1000,
        between_tokens_seconds=row["between_tokens_ms"] / 1000,
        total_seconds=row["total_ms"] / 1000,
        replicas=tuple(
            # A replica that was never probed may serve: the first request finds out.
            Replica(replica["id"], replica["url"].rstrip("/"), replica["state"] != "unhealthy")
            for replica in replicas
            if replica["pool_id"] == row["id"] and _has_address(replica)
        ),
        max_concurrency=row["max_concurrency"],
    )


def _has_address(replica: dict[str, Any]) -> bool:
    try:
        address_of(replica["url"])
    except ValueError:
        log.warning("replica_without_address", replica=replica["id"])
        return False
    return True


def _model(row: dict[str, Any], tables: dict[str, list[dict[str, Any]]], pools: dict[str, tuple[Pool, int]]) -> Model:
    return Model(
        id=row["id"],
        display_name=row["display_name"],
        owned_by=row["owned_by"],
        created=row["created"],
        context_length=row["context_length"],
        max_output_tokens=row["max_output_tokens"],
        input_modalities=tuple(row["input_modalities"]),
        output_modalities=tuple(row["output_modalities"]),
        max_audio_seconds=row["max_audio_seconds"],
        aliases=frozenset(row["aliases"]),
        sunset_at=datetime.fromisoformat(row["sunset_at"]).astimezone(UTC) if row["sunset_at"] else None,
        prices=tuple(_rates(price) for price in tables["prices"] if price["model"] == row["id"] and _is_price(price)),
        routes=tuple(
            Route(pools[d["pool_id"]][0], d["upstream_name"], d["weight"] * pools[d["pool_id"]][1], d["chat_template"])
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

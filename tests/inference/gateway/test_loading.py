"""The catalogue is built whole, whatever is wrong with one pool."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from structlog.testing import capture_logs

from foundation import metrics
from foundation.sealing import Keyring
from inference.gateway.catalogue import Catalogue
from inference.gateway.credentials import PURPOSE, Credentials, place_of
from inference.gateway.loading import build

KEY = "k" * 40
SECRET = "sk-provider-secret-abcd"


def sealed(place: str, key: str = KEY) -> str:
    return Keyring([key], PURPOSE).seal(SECRET, place_of(place))


def pool(name: str, **fields: Any) -> dict[str, Any]:
    times = dict.fromkeys(("connect_ms", "first_byte_ms", "between_tokens_ms", "total_ms"), 1000)
    plain = {"credential_env": "", "sealed_credential": "", "engine": "openai", "weight": 1, "max_concurrency": None}
    return {"id": name, "name": name, **times, **plain, **fields}


def tables(*pools: dict[str, Any], url: str = "http://engine:8000") -> dict[str, list[dict[str, Any]]]:
    """One model on all of these pools, each with a replica."""
    model = {"id": "m", "display_name": "M", "owned_by": "us", "created": 0, "context_length": 10}
    able = {"input_modalities": ["text"], "output_modalities": ["text"], "max_audio_seconds": None}
    names = [one["name"] for one in pools]
    return {
        "models": [{**model, "max_output_tokens": 5, "aliases": [], "sunset_at": None, **able}],
        "pools": list(pools),
        "replicas": [{"id": f"r-{name}", "pool_id": name, "url": url, "state": "healthy"} for name in names],
        "deployments": [
            {"model_id": "m", "pool_id": name, "upstream_name": "x", "weight": 1, "chat_template": ""} for name in names
        ],
        "prices": [],
    }


def credentials_of(catalogue: Catalogue) -> dict[str, str]:
    return {route.pool.name: route.pool.credential for route in catalogue.models[0].routes}


def test_credentials_come_sealed_from_the_environment_or_not_at_all(monkeypatch):
    monkeypatch.setenv("ENGINE_KEY", "from-env")
    pools = (pool("a", sealed_credential=sealed("a")), pool("b", credential_env="ENGINE_KEY"), pool("c"))
    assert credentials_of(build(tables(*pools), Credentials([KEY]))) == {"a": SECRET, "b": "from-env", "c": ""}


@pytest.mark.parametrize(
    "wrong",
    [sealed("b"), sealed("a", "o" * 40), "v1.nonsense", "sk-in-the-clear"],
    ids=["another pool's", "another key's", "no ciphertext", "in the clear"],
)
def test_a_credential_that_cannot_be_opened_costs_its_pool_only(wrong):
    opening = Credentials([KEY])
    with capture_logs() as lines:
        found = build(tables(pool("a", sealed_credential=wrong), pool("b")), opening)
        build(tables(pool("a", sealed_credential=wrong), pool("b")), opening)
    assert credentials_of(found) == {"b": ""}
    assert [(line["event"], line["pool"]) for line in lines] == [("credential_cannot_be_opened", "a")]
    assert metrics.registry.get_sample_value("turnpike_pools_without_credential") == 1


def test_a_pool_comes_back_when_its_credential_opens_again():
    opening = Credentials([KEY])
    build(tables(pool("a", sealed_credential="v1.x.y")), opening)
    assert credentials_of(build(tables(pool("a", sealed_credential=sealed("a"))), opening)) == {"a": SECRET}
    assert metrics.registry.get_sample_value("turnpike_pools_without_credential") == 0


def test_a_replica_without_a_readable_address_is_left_out():
    found = build(tables(pool("a"), url="http://127.0.0.1:9\\@example.com/"), Credentials([]))
    assert found.models[0].routes[0].pool.replicas == ()


def test_a_credential_shows_in_no_text_of_the_catalogue():
    found = build(tables(pool("a", sealed_credential=sealed("a"))), Credentials([KEY]))
    assert SECRET not in repr(found) + str(found) + repr(dataclasses.replace(found)) + repr(Credentials([KEY]))

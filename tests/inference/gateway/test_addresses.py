"""Where a request comes from, when proxies say so and when anybody may say so."""

from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.gateway.addresses import Addresses

BEHIND_PROXIES = Addresses([ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48")])
CLIENT = "198.51.100.7"


def scope(peer: str | None, *forwarded: str) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return {"client": (peer, 443) if peer else None, "headers": headers}


def test_without_trusted_proxies_nobody_is_believed():
    assert Addresses().of(scope(CLIENT, "203.0.113.1")) == CLIENT


CHAINS = [
    # peer, headers -> client
    ("10.0.0.1", [CLIENT], CLIENT),
    ("10.0.0.1", [f"203.0.113.1, {CLIENT}"], CLIENT),
    ("10.0.0.1", [f"{CLIENT}, 10.9.9.9"], CLIENT),
    ("10.0.0.1", [CLIENT, "10.9.9.9"], CLIENT),
    ("::ffff:10.0.0.1", [CLIENT], CLIENT),
    ("10.0.0.1", [f"{CLIENT}:50000"], CLIENT),
    ("10.0.0.1", ["[2001:db8:1:2:3::4]:50000"], "2001:db8:1:2::/64"),
    ("2001:db8:ffff::1", ["2001:db8:1:2::9"], "2001:db8:1:2::/64"),
    ("10.0.0.1", [], "10.0.0.1"),
    ("10.0.0.1", ["unknown"], "10.0.0.1"),
    ("10.0.0.1", [f"{CLIENT}, nonsense, 10.9.9.9"], "10.9.9.9"),
    ("10.0.0.1", ["10.0.0.2, 10.0.0.3"], "10.0.0.2"),
    (CLIENT, ["203.0.113.1"], CLIENT),
]


@pytest.mark.parametrize(("peer", "forwarded", "client"), CHAINS)
def test_a_trusted_proxy_is_believed_as_far_as_its_own_hop(peer, forwarded, client):
    assert BEHIND_PROXIES.of(scope(peer, *forwarded)) == client


@pytest.mark.parametrize("peer", [None, "", "testclient"])
def test_a_peer_without_an_address_has_none(peer):
    assert BEHIND_PROXIES.of(scope(peer, CLIENT)) is None


@given(st.lists(st.text(st.characters(codec="latin-1"), max_size=40), max_size=5))
def test_what_a_client_writes_before_the_proxys_entry_changes_nothing(lies):
    told = [*lies, CLIENT]
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in told]
    assert BEHIND_PROXIES.of({"client": ("10.0.0.1", 443), "headers": headers}) == CLIENT

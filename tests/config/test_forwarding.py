"""X-Forwarded-* is believed of configured proxies only."""

from ipaddress import ip_network

import pytest

from config.forwarding import Forwarding

SAID = [(b"x-forwarded-proto", b"https"), (b"x-forwarded-host", b"evil.test"), (b"forwarded", b"proto=https")]
OWN = [(b"host", b"a.test"), (b"x-forward", b"1")]


def headers_after(peer, trusted: str):
    scope = {"headers": [*OWN, *SAID], "client": peer}
    return Forwarding([ip_network(trusted)] if trusted else []).believed(scope)["headers"]


@pytest.mark.parametrize("peer", [("192.0.2.1", 1), None])
@pytest.mark.parametrize("trusted", ["", "10.0.0.0/8"])
def test_a_stranger_is_not_believed(peer, trusted):
    assert headers_after(peer, trusted) == OWN


@pytest.mark.parametrize("peer", ["10.1.2.3", "::ffff:10.1.2.3"])
def test_a_proxy_of_ours_is(peer):
    assert headers_after((peer, 1), "10.0.0.0/8") == [*OWN, *SAID]

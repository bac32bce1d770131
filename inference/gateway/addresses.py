"""Where a request comes from: the peer, or what a trusted proxy says of it.

`X-Forwarded-For` is written by whoever likes to. It is read from its end, where our own proxies append, only for as
long as the address that vouches for an entry is a trusted proxy's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from foundation.web import Scope
from keys import subjects

type Network = IPv4Network | IPv6Network
type Address = IPv4Address | IPv6Address

HEADER = b"x-forwarded-for"


class Addresses:
    """Tells the client's address of a request."""

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._trusted = tuple(trusted)

    def of(self, scope: Scope) -> str | None:
        """Return the address as a subject's text, an IPv6 one as its /64; None for a peer without any (a socket)."""
        peer = scope.get("client")
        address = _parse(peer[0]) if peer else None
        if address is None:
            return None
        if self._trusted:
            for entry in _forwarded(scope["headers"]):
                if not self._trusts(address):
                    break
                before = _parse(entry)
                if before is None:
                    break
                address = before
        return subjects.address(str(address))

    def vouched(self, scope: Scope) -> bool:
        """Say whether the peer is one of the trusted proxies."""
        peer = scope.get("client")
        address = _parse(peer[0]) if peer else None
        return address is not None and self._trusts(address)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def _forwarded(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """Return the entries of all such headers, the one that was added last first."""
    entries = [entry for name, value in headers if name == HEADER for entry in value.decode("latin-1").split(",")]
    return entries[::-1]


def _parse(text: str) -> Address | None:
    """Read an address, which some proxies write with its port: `192.0.2.1:443`, `[2001:db8::1]:443`."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A dual-stack socket shows IPv4 peers in this form; networks of trusted proxies are written in the other.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address

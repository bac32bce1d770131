r"""Where an engine is: one reading of its URL, and which addresses of the network an engine never has.

`http://127.0.0.1:9\@example.com/` is one host to one parser and another to the next. So a URL is taken only in the
plain form in which all agree, and what is decided on is the address that a connection really goes to, after the name
is resolved (`connections.py`). Private addresses are where engines live; link-local ones are where clouds keep the
credentials of machines (169.254.169.254).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

type Ip = IPv4Address | IPv6Address
type Origin = tuple[str, int, bool]

LONGEST: Final = 255
_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_URL: Final = re.compile(
    rf"(?P<scheme>https?)://(?P<authority>(?:(?P<name>{_LABEL}(?:\.{_LABEL})*)|\[(?P<v6>[0-9A-Fa-f:.]+)\])"
    r"(?::(?P<port>[0-9]{1,5}))?)(?P<path>(?:/[A-Za-z0-9._~-]+)*)/?"
)
# Credentials of machines, outside the link-local networks: AWS (IPv6), Alibaba, Oracle.
_METADATA: Final = frozenset(map(ip_address, ("fd00:ec2::254", "100.100.100.200", "192.0.0.192")))
# What carries an IPv4 address inside: NAT64 (RFC 6052, RFC 8215) and the old compatible form, in the last 32 bits.
_WITH_IPV4_AT_THE_END: Final = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))
_LOOPBACK: Final = IPv6Address("::1")


@dataclass(frozen=True, slots=True)
class Address:
    """An engine's URL, taken apart: where to connect to, what the header host says, and what goes before each path."""

    origin: Origin
    host: bytes
    prefix: bytes


@lru_cache(maxsize=10_000)
def address_of(url: str) -> Address:
    """Take an engine's root URL apart. ValueError, with a text for people, for what is not plainly one."""
    found = _URL.fullmatch(url) if len(url) <= LONGEST else None
    if found is None or "/./" in f"{found['path']}/" or "/../" in f"{found['path']}/":
        raise ValueError(
            "An engine's address is http:// or https://, a host, perhaps a port and a path; no user, no query, no #."
        )
    secure = found["scheme"] == "https"
    port = int(found["port"] or (443 if secure else 80))
    if not 1 <= port <= 65535:
        raise ValueError("A port is a number from 1 to 65535.")
    host = (found["v6"] or found["name"]).lower()
    ip = _literal(host, is_v6=found["v6"] is not None)
    if ip is not None and is_forbidden(ip):
        raise ValueError("This is an address of the network that no engine has.")
    return Address((host, port, secure), found["authority"].encode(), found["path"].encode())


def is_forbidden(ip: Ip) -> bool:
    """Whether no engine is there: link-local, multicast, unspecified, reserved, or where clouds keep credentials.

    An IPv6 address that carries an IPv4 address is judged by that one.
    """
    inner = _inside(ip)
    if inner is not None:
        return is_forbidden(inner)
    if ip in _METADATA or ip.is_link_local or ip.is_multicast or ip.is_unspecified:
        return True
    return isinstance(ip, IPv4Address) and (ip.is_reserved or int(ip) >> 24 == 0)


def _literal(host: str, *, is_v6: bool) -> Ip | None:
    """Return the address that a host is, if it is one. ValueError for 127.1, 0x7f000001 and other second spellings."""
    if is_v6:
        return IPv6Address(host)
    last = host.rpartition(".")[2]
    return IPv4Address(host) if last.isdigit() or re.fullmatch("0x[0-9a-f]*", last) else None


def _inside(ip: Ip) -> IPv4Address | None:
    if isinstance(ip, IPv4Address) or ip == _LOOPBACK or ip.is_unspecified:
        return None
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip.teredo is not None:
        return ip.teredo[1]
    if any(ip in network for network in _WITH_IPV4_AT_THE_END):
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return None

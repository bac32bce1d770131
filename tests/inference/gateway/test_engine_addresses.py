"""An engine's URL has one reading, and no engine is where clouds keep the credentials of machines."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.gateway.engine_addresses import address_of, is_forbidden


@pytest.mark.parametrize(
    ("url", "origin", "host", "prefix"),
    [
        ("http://127.0.0.1:8000", ("127.0.0.1", 8000, False), b"127.0.0.1:8000", b""),
        ("https://api.openai.com/", ("api.openai.com", 443, True), b"api.openai.com", b""),
        (
            "http://vllm_0.models.svc:8000/a/b-c/",
            ("vllm_0.models.svc", 8000, False),
            b"vllm_0.models.svc:8000",
            b"/a/b-c",
        ),
        ("http://vLLM", ("vllm", 80, False), b"vLLM", b""),
        ("http://[::1]:9000", ("::1", 9000, False), b"[::1]:9000", b""),
        ("http://[fd12::1]", ("fd12::1", 80, False), b"[fd12::1]", b""),
    ],
)
def test_a_plain_address_is_taken_apart(url, origin, host, prefix):
    address = address_of(url)
    assert (address.origin, address.host, address.prefix) == (origin, host, prefix)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9\\@example.com/",
        "http://user@host",
        "http://user:pass@host/",
        "http://host?a=b",
        "http://host/#part",
        "http://host/a/../b",
        "http://host/./a",
        "http://host//a",
        "http://host/%2e%2e/a",
        "http://host:",
        "http://host:0",
        "http://host:65536",
        "http://host:80:80",
        "http://ho st",
        "http://host\t",
        "http://host\n",
        " http://host",
        "http://host/a b",
        "http://hös",
        "http://127.1",
        "http://2130706433",
        "http://0x7f000001",
        "http://0177.0.0.1",
        "http://127.0.0.0x1",
        "http://[::1",
        "http://[fe80::1%25eth0]",
        "http://-host",
        "http://a..b",
        "HTTP://host",
        "file:///etc/passwd",
        "ftp://host",
        "http://",
        "http:/host",
        "//host",
        "host:8000",
        "",
        "http://" + "a" * 64,
        "http://" + "a." * 124 + "example",
    ],
)
def test_what_parsers_may_read_in_two_ways_is_refused(url):
    with pytest.raises(ValueError, match=r".+"):
        address_of(url)


FORBIDDEN = [
    "169.254.169.254",
    "0.0.0.0",
    "0.1.2.3",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "fe80::1",
    "ff02::1",
    "::",
    "fd00:ec2::254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "::169.254.169.254",
]


@pytest.mark.parametrize("ip", FORBIDDEN)
def test_no_engine_is_there(ip):
    assert is_forbidden(ip_address(ip))
    with pytest.raises(ValueError, match="no engine"):
        address_of(f"http://[{ip}]/" if ":" in ip else f"http://{ip}/")


@pytest.mark.parametrize("ip", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "100.64.0.1", "8.8.8.8", "::1", "fd12::1"])
def test_engines_live_in_private_networks_too(ip):
    assert not is_forbidden(ip_address(ip))


@given(st.text(max_size=40), st.sampled_from(["", "http://", "https://host", "http://a:1/"]))
def test_whatever_is_taken_has_one_line_and_one_host(text, start):
    try:
        address = address_of(start + text)
    except ValueError:
        return
    line = address.host + address.prefix
    assert not set(line) & set(b"\\@?#% \r\n\t")
    assert line.decode().isascii()

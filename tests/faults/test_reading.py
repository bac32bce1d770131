"""Clients that read slowly, or not at all: the first live, the others are cut, and nobody's stream fills our memory."""

import socket
import time

import pytest

from tests.faults.books import Books
from tests.faults.servers import resident_mb, serving
from tests.inference.simulator.client import CHAT, eventually, question

READ_SECONDS = 2
# About seven megabytes of events, as fast as they can be forwarded: more than all buffers of the system on the way.
FLOOD = question("hi [[sim ttft=1 gap=0 tokens=4000]]", stream=True, n=8)


@pytest.fixture
def server(installation):
    with serving(installation, CLIENT_READ_SECONDS=str(READ_SECONDS)) as (server,):
        yield server


def ask(port: int, key: str, body: bytes) -> socket.socket:
    """Send a request on a socket that takes little at a time."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    connection.connect(("127.0.0.1", port))
    head = f"POST {CHAT} HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n"
    connection.sendall(head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body)
    return connection


def test_a_client_that_reads_nothing_is_cut_and_fills_no_memory(installation, server):
    acme = installation.organization()
    before, most = resident_mb(server), 0.0
    books = Books(installation, acme)
    with ask(server.port, acme.api_key, FLOOD):
        deadline = time.monotonic() + 20
        while not books.records() and time.monotonic() < deadline:
            most = max(most, resident_mb(server))
            time.sleep(0.1)
    (record,) = books.closed().values()
    assert record["outcome"] == "client_left"
    assert 0 < record["completion_tokens"] < 32_000
    assert most - before < 25


def test_a_client_that_reads_slowly_but_reads_gets_everything(installation, server):
    acme = installation.organization()
    books, read = Books(installation, acme), b""
    body = question("hi [[sim ttft=1 gap=0 tokens=3000]]", stream=True)
    with ask(server.port, acme.api_key, body) as connection:
        while b"[DONE]" not in read:
            read += connection.recv(16_384)
            time.sleep(0.05)
    (record,) = books.closed().values()
    assert (record["outcome"], record["completion_tokens"]) == ("complete", 3000)
    eventually(lambda: not installation.sql("SELECT 1 FROM billing_hold"))

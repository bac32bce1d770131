import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.simulator.protocol import ProtocolError, Request, RequestParser, response_head

FIXED = b"POST /a?b=c HTTP/1.1\r\nContent-Length: 5\r\nX-Id: 1\r\nx-id: 2\r\n\r\nhello"
CHUNKED = (
    b"POST /b HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0a;x=y\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n"
)
BARE = b"GET /c HTTP/1.1\r\nconnection: close\r\n\r\n"


def _all(pieces: list[bytes]) -> list[Request]:
    parser, requests = RequestParser(), []
    for piece in pieces:
        parser.feed(piece)
        while request := parser.next_request():
            requests.append(request)
    return requests


def test_a_request_is_taken_apart():
    (request,) = _all([FIXED])
    assert (request.method, request.path, request.body, request.keep_alive) == ("POST", "/a", b"hello", True)
    assert request.headers["x-id"] == "1, 2"


def test_a_chunked_body_is_put_together():
    assert _all([CHUNKED])[0].body == b"abc0123456789"


def test_a_client_can_ask_to_close():
    assert _all([BARE])[0].keep_alive is False


@given(st.lists(st.sampled_from([FIXED, CHUNKED, BARE]), max_size=4), st.data())
def test_requests_are_the_same_however_their_bytes_arrive(requests, data):
    stream = b"".join(requests)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=20)))
    bounds = [0, *cuts, len(stream)]
    pieces = [stream[start:stop] for start, stop in itertools.pairwise(bounds)]
    assert _all(pieces) == _all([stream])
    assert len(_all(pieces)) == len(requests)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n-5\r\n", 400),
        (b"POST / HTTP/1.1\r\ncontent-length: 999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n9999999\r\n", 413),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000, 431),
    ],
)
def test_what_is_no_request_is_refused(data, status):
    parser = RequestParser()
    parser.feed(data)
    with pytest.raises(ProtocolError) as refused:
        parser.next_request()
    assert refused.value.status == status


def test_a_response_names_its_length_or_announces_chunks():
    assert b"\r\ncontent-length: 7\r\n" in response_head(200, b"text/plain", 7)
    assert b"\r\ntransfer-encoding: chunked\r\n" in response_head(200, b"text/plain", None)


def test_a_status_nobody_registered_has_a_phrase_too():
    assert response_head(599, b"text/plain", 0).startswith(b"HTTP/1.1 599 Unregistered\r\n")

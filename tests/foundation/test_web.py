import asyncio

import pytest

from foundation import web
from foundation.errors import ClientGone, InvalidRequest, RequestTimeout, RequestTooLarge, answer_headers

HTTP1 = {"type": "http", "http_version": "1.1", "headers": []}


class Client:
    """Sends the parts of a body, each after a pause, then leaves or falls silent."""

    def __init__(self, *parts: bytes, pause: float = 0, leaves: bool = False, ends: bool = True) -> None:
        self.messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
        self.pause, self.reads = pause, 0
        if leaves:
            self.messages.append({"type": "http.disconnect"})
        elif ends:
            self.messages[-1]["more_body"] = False

    async def receive(self) -> web.Message:
        self.reads += 1
        await asyncio.sleep(self.pause if self.messages else 60)
        return self.messages.pop(0)


def declaring(length: bytes) -> web.Scope:
    return {**HTTP1, "headers": [(b"content-length", length)]}


async def test_a_body_in_one_part_is_read():
    assert await web.read_body(HTTP1, Client(b"hello").receive, max_bytes=5) == b"hello"


async def test_a_body_in_parts_is_put_together():
    client = Client(b"he", b"", b"llo", b"")
    assert await web.read_body(HTTP1, client.receive, max_bytes=5) == b"hello"


async def test_no_body_is_an_empty_one():
    async def receive() -> web.Message:
        return {"type": "http.request"}

    assert await web.read_body(HTTP1, receive, max_bytes=5) == b""


@pytest.mark.parametrize("parts", [[b"123456"], [b"123", b"456"], [b"123", b"456", b"789"]])
async def test_a_body_over_the_limit_is_refused(parts):
    with pytest.raises(RequestTooLarge):
        await web.read_body(HTTP1, Client(*parts).receive, max_bytes=5)


async def test_reading_stops_where_the_limit_is_passed():
    client = Client(*[b"123"] * 100)
    with pytest.raises(RequestTooLarge):
        await web.read_body(HTTP1, client.receive, max_bytes=5)
    assert client.reads == 2


@pytest.mark.parametrize("length", [b"6", b"9" * 5000])
async def test_a_declared_length_over_the_limit_is_refused_unread(length):
    client = Client(b"123456")
    with pytest.raises(RequestTooLarge):
        await web.read_body(declaring(length), client.receive, max_bytes=5)
    assert client.reads == 0


@pytest.mark.parametrize("length", [b"-1", b"1e3", b"", b"+5", b"5, 5"])
async def test_a_declared_length_that_is_no_number_is_refused(length):
    with pytest.raises(InvalidRequest):
        await web.read_body(declaring(length), Client(b"12345").receive, max_bytes=5)


@pytest.mark.parametrize("length", [b"5", b"0005"])
async def test_a_declared_length_within_the_limit_is_read(length):
    assert await web.read_body(declaring(length), Client(b"12345").receive, max_bytes=5) == b"12345"


@pytest.mark.parametrize("parts", [[], [b"half"]])
async def test_a_client_that_leaves_in_the_middle_is_gone(parts):
    with pytest.raises(ClientGone):
        await web.read_body(HTTP1, Client(*parts, leaves=True).receive, max_bytes=100)


async def test_a_silent_client_times_out_after_the_grace():
    with pytest.raises(RequestTimeout):
        await web.read_body(HTTP1, Client(b"half", ends=False).receive, max_bytes=100, grace_seconds=0.02)


async def test_a_client_below_the_rate_times_out_although_it_never_pauses_for_long():
    client = Client(*[b"x"] * 100, pause=0.01)
    with pytest.raises(RequestTimeout):
        await web.read_body(HTTP1, client.receive, max_bytes=100, grace_seconds=0.05, min_bytes_per_second=1000)
    assert client.reads < 50


async def test_a_client_that_keeps_the_rate_may_take_longer_than_the_grace():
    client = Client(*[b"x" * 100] * 10, pause=0.01)
    body = await web.read_body(HTTP1, client.receive, max_bytes=1000, grace_seconds=0.04, min_bytes_per_second=2000)
    assert len(body) == 1000


async def test_a_fast_client_times_out_at_the_total_all_the_same():
    client = Client(*[b"x" * 10_000] * 100, pause=0.01)
    with pytest.raises(RequestTimeout):
        await web.read_body(HTTP1, client.receive, max_bytes=10**7, max_seconds=0.05)


async def test_a_cancelled_reader_is_cancelled_and_not_timed_out():
    reader = asyncio.create_task(web.read_body(HTTP1, Client(b"half", ends=False).receive, max_bytes=100))
    await asyncio.sleep(0.01)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader


@pytest.mark.parametrize(("version", "headers"), [("1.1", {"connection": "close"}), ("2", {})])
async def test_a_connection_with_a_body_left_unread_is_closed(version, headers):
    scope = {**declaring(b"6"), "http_version": version}
    with pytest.raises(RequestTooLarge) as refused:
        await web.read_body(scope, Client(b"123456").receive, max_bytes=5)
    assert answer_headers(refused.value) == headers


def test_a_header_is_found_by_its_name():
    assert web.single([(b"host", b"a"), (b"x-api-key", b"k")], b"x-api-key") == b"k"


def test_a_header_that_is_not_there_is_none():
    assert web.single([(b"host", b"a")], b"x-api-key") is None


@pytest.mark.parametrize("values", [(b"a", b"b"), (b"a", b"a"), (b"", b"a")])
def test_a_header_that_is_there_twice_is_refused(values):
    with pytest.raises(InvalidRequest, match="x-api-key"):
        web.single([(b"x-api-key", value) for value in values], b"x-api-key")


async def test_waiting_for_the_client_to_leave_ends_when_it_does():
    await asyncio.wait_for(web.wait_for_disconnect(Client(b"", b"", leaves=True).receive), 1)


async def test_json_is_sent_with_its_type_its_length_and_more_headers():
    sent: list[web.Message] = []

    async def send(message: web.Message) -> None:
        sent.append(message)

    await web.send_json(send, 402, b'{"a":1}', [(b"x-request-id", b"req_1")])
    start, body = sent
    assert (start["status"], body["body"]) == (402, b'{"a":1}')
    assert dict(start["headers"]) == {
        b"content-type": b"application/json",
        b"x-content-type-options": b"nosniff",
        b"cache-control": b"no-store",
        b"content-length": b"7",
        b"x-request-id": b"req_1",
    }


async def test_whoever_says_how_long_an_answer_may_be_kept_is_heard():
    sent = []

    async def send(message):
        sent.append(message)

    await web.send_json(send, 200, b"{}", [(b"cache-control", b"public")])
    assert [value for name, value in sent[0]["headers"] if name == b"cache-control"] == [b"public"]

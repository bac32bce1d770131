"""What is unusual but right is served, and the slow are not waited for."""

import pytest

from tests.door.raw import Line
from tests.door.vectors import BODY, KEY, SMUGGLED, chunked, get, post
from tests.faults.servers import serving

WHOLE = b"%x\r\n%s\r\n" % (len(BODY), BODY)


@pytest.fixture(scope="module")
def acme(installation):
    return installation.organization()


@pytest.fixture
def line(installation):
    with Line(installation.server.port) as line:
        yield line


@pytest.fixture
def ask(line, acme):
    """Send bytes, with the key in them, and return the answer."""

    def ask(request: bytes, *, to_head: bool = False):
        line.send(request.replace(KEY, acme.api_key.encode()))
        return line.answer(to_head=to_head)

    return ask


@pytest.mark.parametrize(
    "request_",
    [
        chunked(WHOLE),
        chunked(b"%x;a=b\r\n%s\r\n" % (len(BODY), BODY)),
        chunked(WHOLE, end=b"0\r\nauthorization: Bearer x\r\n\r\n"),
        chunked(b"".join(b"1\r\n%c\r\n" % byte for byte in BODY)),
        post(b"content-length: %d" % len(BODY)),
        post(kind=b'Application/JSON; charset="UTF-8"'),
        post(b"content-encoding: identity"),
        post(b"expect: 100-continue"),
        post(target=b"http://turnpike.test/v1/chat/completions"),
        # Line feeds alone end lines, as RFC 9112 §2.2 allows: one request, and no other reading of the next.
        post(body=BODY).replace(b"\r\n", b"\n"),
        b"\r\n\r\n" + post(),
    ],
    ids=[
        "chunked",
        "an extension",
        "a trailer",
        "chunks of a byte",
        "its length twice",
        "a charset",
        "identity",
        "100-continue",
        "the absolute form",
        "line feeds",
        "empty lines before",
    ],
)
def test_what_is_allowed_is_served_and_the_connection_stays(ask, request_):
    for _ in range(2):
        assert ask(request_).json["choices"]


def test_a_trailer_is_no_credential(ask):
    trailed = chunked(WHOLE, end=b"0\r\nauthorization: Bearer " + KEY + b"\r\n\r\n")
    assert ask(trailed.replace(b"authorization: Bearer " + KEY + b"\r\n", b"", 1)).code == "invalid_api_key"


def test_requests_in_a_row_are_answered_in_a_row(ask, line):
    assert ask(get(b"/v1/models/sim") + post() + get(b"/v1/models")).json["id"] == "sim"
    assert line.answer().json["object"] == "chat.completion"
    assert line.answer().json["object"] == "list"


@pytest.mark.parametrize("length", [0, 5, 10_000])
def test_a_length_beside_chunks_ends_the_connection_and_nothing_behind_it_is_a_request(ask, line, installation, length):
    installation.clear_witness()
    assert ask(chunked(WHOLE, b"content-length: %d" % length) + SMUGGLED).json["choices"]
    assert line.ended()
    assert len(installation.witness()) == 1


def test_an_address_in_absolute_form_names_a_path_and_no_other_server(ask):
    other = ask(get(b"http://user@other.test:99/v1/models/sim"))
    assert (other.status, other.json["id"]) == (200, "sim")
    assert ask(get(b"http://other.test/v1/models/").replace(b"host: turnpike.test\r\n", b"")).code == "not_found"


def test_head_is_get_without_the_body(ask):
    whole = ask(get(b"/v1/models"))
    head = ask(get(b"/v1/models", method=b"HEAD"), to_head=True)
    assert (head.status, head.headers["content-length"]) == (200, whole.headers["content-length"])
    assert ask(get(b"/v1/models")).body == whole.body


def test_options_says_what_may_be_done(ask):
    answer = ask(get(b"/v1/models", method=b"OPTIONS"))
    assert (answer.status, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    assert ask(get(b"/v1/chat/completions", method=b"OPTIONS")).headers["allow"] == "POST, OPTIONS"
    assert ask(get(b"/v1/nothing", method=b"OPTIONS")).code == "not_found"


def test_an_offer_of_http2_is_not_taken(ask):
    upgrade = b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA"
    assert ask(get(b"/v1/models", upgrade)).status == 200


def test_no_answer_can_be_taken_for_something_else(ask):
    for answer in (ask(post()), ask(get(b"/v1/models")), ask(get(b"/v1/nothing"))):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


@pytest.fixture
def impatient(installation):
    with serving(installation, REQUEST_HEAD_SECONDS="1") as (server,):
        yield server


def test_the_slow_are_not_waited_for(impatient, acme):
    with Line(impatient.port) as head, Line(impatient.port) as idle, Line(impatient.port) as body:
        body.send(post()[:-9].replace(KEY, acme.api_key.encode()))
        head.send(get(b"/v1/models")[:-9])
        idle.send(get(b"/v1/nothing"))
        assert idle.answer().status == 404
        assert idle.ended()
        assert head.answer() is None
        assert body.answer().code == "request_timeout"
        assert body.ended()

"""No request that can be read in two ways, or not at all, comes in: on plain sockets, against a real server.

Each vector is answered with its 4xx, reaches no engine, and leaves either no connection or one on which the next
request gets its own answer.
"""

import pytest

from tests.door.raw import Answer, Line
from tests.door.vectors import BODIES, FRAMING, HEADERS, KEY, LINES, PATHS, Vector, get, post


@pytest.fixture(scope="module")
def acme(installation):
    return installation.organization()


@pytest.fixture
def line(installation):
    with Line(installation.server.port) as line:
        yield line


@pytest.fixture(autouse=True)
def no_engine_is_called(installation):
    installation.clear_witness()
    yield
    assert installation.witness() == []


def table(**vectors: dict[str, Vector]):
    found = {f"{group}: {name}": vector for group, named in vectors.items() for name, vector in named.items()}
    return pytest.mark.parametrize("vector", found.values(), ids=found)


@table(framing=FRAMING, lines=LINES, headers=HEADERS, bodies=BODIES)
def test_what_cannot_be_read_in_one_way_is_refused(line, acme, vector):
    line.send(_with_key(vector.request, acme))
    if vector is BODIES["less than its length"]:
        line.finish()
    _expect(line.answer(), vector)
    if vector.kept:
        assert _served(line, acme)
    else:
        assert line.ended()


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_no_spelling_of_a_path_leads_to_another_route(line, acme, path):
    line.send(_with_key(get(path), acme))
    answer = line.answer()
    assert answer.status in {400, 404}
    if path.startswith(b"/v1/"):
        assert answer.code in {"not_found", "model_not_found"}
    assert b'"object"' not in answer.body


def test_what_follows_a_body_is_no_part_of_it(line, acme):
    line.send(_with_key(post(body=b"{}") + b"garbage\r\n\r\n", acme))
    assert [line.answer().code, line.answer().code] == ["invalid_request", None]
    assert line.ended()


def _expect(answer: Answer | None, vector: Vector) -> None:
    if vector.status == 0:
        assert answer is None
        return
    assert answer is not None
    assert (answer.status, answer.code) == (vector.status, vector.code), answer
    if vector.code is not None:
        assert set(answer.json["error"]) == {"message", "type", "param", "code"}
        assert answer.headers["x-request-id"].startswith("req_")


def _served(line: Line, tenant) -> bool:
    """Ask for something on the same connection, and tell whether that was answered, and nothing else."""
    line.send(_with_key(get(b"/v1/models/sim", b"connection: close"), tenant))
    answer = line.answer()
    return answer is not None and answer.json["id"] == "sim" and line.ended()


def _with_key(request: bytes, tenant) -> bytes:
    return request.replace(KEY, tenant.api_key.encode())

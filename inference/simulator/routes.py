"""Which path does what; the paths are those of vLLM's OpenAI server, and the witness."""

import hmac
import time
from collections.abc import Callable
from typing import NamedTuple

import orjson

from inference.simulator import jobs, metrics, wire
from inference.simulator.engine import Engine
from inference.simulator.generation import Generation
from inference.simulator.outlet import Outlet
from inference.simulator.plain import PlainAnswer, StatusAnswer
from inference.simulator.protocol import Request, response_head
from inference.simulator.refusals import Refused
from inference.simulator.streaming import StreamedAnswer
from inference.simulator.wire import CHAT, COMPLETION, Shape
from inference.simulator.witness import Record

_JSON = b"application/json"
VERSION = "0.32.0+simulator"
"""The vLLM whose wire this is."""


class Page(NamedTuple):
    """A whole answer that needs no engine."""

    status: int
    content_type: bytes
    body: bytes
    extra: bytes = b""


def answer(engine: Engine, request: Request, outlet: Outlet, done: Callable[[], None]) -> Generation | None:
    """Answer at once and give None, or give the generation that will; `done` is called at its end."""
    shape = _GENERATIONS.get(request.path)
    if shape is not None and request.method == "POST":
        return _generate(engine, request, shape, outlet, done)
    page = _guarded(engine, request) or _page(engine, request)
    outlet.write(response_head(page.status, page.content_type, len(page.body), page.extra) + page.body)
    return None


def refuse(outlet: Outlet, status: int, message: str) -> None:
    """Write vLLM's error body, with nothing known of the request."""
    body = wire.error(status, message)
    outlet.write(response_head(status, _JSON, len(body), b"connection: close\r\n") + body)


def _generate(
    engine: Engine, request: Request, shape: Shape, outlet: Outlet, done: Callable[[], None]
) -> Generation | None:
    record = engine.witness.open(_record(engine, request, shape))
    try:
        _authorize(engine, request)
        job = _job(engine, request, shape)
    except Refused as refused:
        _refuse(engine, outlet, record, refused)
        return None
    record.model = engine.options.model
    record.stream = job.stream
    record.prompt_tokens = job.prompt_tokens
    kind = StatusAnswer if job.directive.status is not None else StreamedAnswer if job.stream else PlainAnswer
    return kind(engine, job, record, outlet, done)


def _record(engine: Engine, request: Request, shape: Shape) -> Record:
    request_id = request.headers.get("x-request-id")
    id_ = shape.id_prefix + (request_id or engine.new_id())
    return Record(id_, request_id, shape.endpoint, time.time())


def _job(engine: Engine, request: Request, shape: Shape) -> jobs.Job:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        message = "Unsupported Media Type: Only 'application/json' is allowed"
        raise Refused(415, message, kind="Unsupported Media Type")
    return jobs.read(shape, request.body, request.headers, engine.options)


def _refuse(engine: Engine, outlet: Outlet, record: Record, refused: Refused) -> None:
    record.status = refused.status
    engine.witness.close(record, "status")
    body = wire.error(refused.status, refused.message, refused.kind, refused.param)
    outlet.write(response_head(refused.status, _JSON, len(body)) + body)


def _authorize(engine: Engine, request: Request) -> None:
    expected = engine.options.api_key
    if expected is None:
        return
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(key.encode("latin-1"), expected.encode()):
        raise Refused(401, "Unauthorized")


def _guarded(engine: Engine, request: Request) -> Page | None:
    if not request.path.startswith("/v1"):
        return None
    try:
        _authorize(engine, request)
    except Refused as refused:
        return Page(401, _JSON, wire.error(401, refused.message))
    return None


def _page(engine: Engine, request: Request) -> Page:
    page = _PAGES.get((request.method, request.path))
    if page is not None:
        return page(engine)
    allowed = [method for method, path in _PAGES if path == request.path]
    allowed += ["POST"] if request.path in _GENERATIONS else []
    if allowed:
        return Page(405, _JSON, wire.error(405, "Method Not Allowed"), f"allow: {', '.join(allowed)}\r\n".encode())
    return Page(404, _JSON, wire.error(404, "Not Found"))


def _models(engine: Engine) -> Page:
    return Page(200, _JSON, wire.models(engine.options.model, engine.options.max_model_len, engine.started_at))


def _health(_: Engine) -> Page:
    return Page(200, _JSON, b"")


def _version(_: Engine) -> Page:
    return Page(200, _JSON, orjson.dumps({"version": VERSION}))


def _load(engine: Engine) -> Page:
    return Page(200, _JSON, orjson.dumps({"server_load": engine.running + engine.waiting}))


def _metrics(engine: Engine) -> Page:
    return Page(200, metrics.CONTENT_TYPE, engine.metrics.render(engine.gauges()))


def _witness(engine: Engine) -> Page:
    return Page(200, _JSON, orjson.dumps(engine.witness.report(engine.running, engine.waiting)))


def _forget(engine: Engine) -> Page:
    engine.witness.clear(engine.running)
    return _witness(engine)


_GENERATIONS = {shape.endpoint: shape for shape in (CHAT, COMPLETION)}
_PAGES: dict[tuple[str, str], Callable[[Engine], Page]] = {
    ("GET", "/v1/models"): _models,
    ("GET", "/health"): _health,
    ("GET", "/version"): _version,
    ("GET", "/load"): _load,
    ("GET", "/metrics"): _metrics,
    ("GET", "/witness"): _witness,
    ("DELETE", "/witness"): _forget,
}

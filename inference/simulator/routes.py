"""Which path does what, as the personality has it."""

import time
from collections.abc import Callable

from inference.simulator import pages, wire
from inference.simulator.bodies import JSON
from inference.simulator.dialects import Dialect, Error, Streamed
from inference.simulator.engine import Engine
from inference.simulator.generation import Generation
from inference.simulator.outlet import Outlet
from inference.simulator.pages import Page
from inference.simulator.personalities import PERSONALITIES, Personality
from inference.simulator.plain import PlainAnswer, StatusAnswer
from inference.simulator.protocol import Request, response_head
from inference.simulator.refusals import Refused
from inference.simulator.streaming import StreamedAnswer
from inference.simulator.witness import Record


def answer(engine: Engine, request: Request, outlet: Outlet, done: Callable[[], None]) -> Generation | None:
    """Answer at once and give None, or give the generation that will; `done` is called at its end."""
    personality = PERSONALITIES[engine.options.engine]
    dialect = personality.dialects.get(personality.place(request.path))
    if dialect is not None and request.method == "POST":
        return _generate(engine, personality, dialect, request, outlet, done)
    page = _page(engine, personality, request)
    outlet.write(response_head(page.status, page.content_type, len(page.body), page.extra) + page.body)
    return None


def refuse(outlet: Outlet, status: int, message: str) -> None:
    """Write an error body, with nothing known of the request."""
    body = wire.error(status, message)
    outlet.write(response_head(status, JSON, len(body), b"connection: close\r\n") + body)


def _generate(
    engine: Engine,
    personality: Personality,
    dialect: Dialect,
    request: Request,
    outlet: Outlet,
    done: Callable[[], None],
) -> Generation | None:
    record = engine.witness.open(_record(engine, request, dialect))
    try:
        personality.guard(request, engine.options.api_key)
        job = dialect.read(request, engine.options)
    except Refused as refused:
        _refuse(engine, personality.error if refused.early else dialect.error, outlet, record, refused)
        return None
    record.model = engine.options.model
    record.stream = job.stream
    record.prompt_tokens = job.prompt_tokens
    if job.directive.status is not None:
        return StatusAnswer(engine, dialect, job, record, outlet, done)
    if job.stream and isinstance(dialect, Streamed):
        return StreamedAnswer(engine, dialect, job, record, outlet, done)
    return PlainAnswer(engine, dialect, job, record, outlet, done)


def _record(engine: Engine, request: Request, dialect: Dialect) -> Record:
    request_id = request.headers.get("x-request-id")
    id_ = dialect.id_prefix + (request_id or engine.new_id())
    return Record(id_, request_id, dialect.endpoint, time.time())


def _refuse(engine: Engine, error: Error, outlet: Outlet, record: Record, refused: Refused) -> None:
    record.status = refused.status
    engine.witness.close(record, "status")
    body = error(refused.status, refused.message, refused.kind, refused.param)
    outlet.write(response_head(refused.status, JSON, len(body)) + body)


def _page(engine: Engine, personality: Personality, request: Request) -> Page:
    path = personality.place(request.path)
    found, lost = pages.OWN | personality.pages, personality.lost or personality.error
    try:
        if (request.method, path) not in pages.OWN:
            personality.guard(request, engine.options.api_key)
    except Refused as refused:
        return Page(refused.status, JSON, personality.error(refused.status, refused.message, refused.kind, None))
    page = found.get((request.method, path))
    if page is not None:
        return page(engine)
    allowed = [method for method, known in found if known == path]
    allowed += ["POST"] if path in personality.dialects else []
    if allowed:
        body = lost(405, "Method Not Allowed", None, None)
        return Page(405, JSON, body, f"allow: {', '.join(allowed)}\r\n".encode())
    return Page(404, JSON, lost(404, "Not Found", None, None))

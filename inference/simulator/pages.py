"""Answers that need no engine: models, health, version, metrics, and the witness."""

from collections.abc import Callable
from typing import NamedTuple

import orjson

from inference.simulator import metrics, wire
from inference.simulator.bodies import JSON
from inference.simulator.engine import Engine

VERSION = "0.32.0+simulator"
"""The vLLM whose wire this is."""


class Page(NamedTuple):
    """A whole answer."""

    status: int
    content_type: bytes
    body: bytes
    extra: bytes = b""


Pages = dict[tuple[str, str], Callable[[Engine], Page]]
"""By method and path."""


def document(members: object) -> Callable[[Engine], Page]:
    """A page that always says the same."""
    body = orjson.dumps(members)
    return lambda _: Page(200, JSON, body)


def models(engine: Engine) -> Page:
    """The one model served."""
    return Page(200, JSON, wire.models(engine.options.model, engine.options.max_model_len, engine.started_at))


def empty(_: Engine) -> Page:
    """Well."""
    return Page(200, b"", b"")


def _no_kept_response(_: Engine) -> Page:
    message = "Response with that id not found."
    return Page(404, JSON, wire.error(404, message, "invalid_request_error", "response_id"))


def _load(engine: Engine) -> Page:
    return Page(200, JSON, orjson.dumps({"server_load": engine.running + engine.waiting}))


def _metrics(engine: Engine) -> Page:
    return Page(200, metrics.CONTENT_TYPE, engine.metrics.render(engine.gauges()))


def _witness(engine: Engine) -> Page:
    return Page(200, JSON, orjson.dumps(engine.witness.report(engine.running, engine.waiting)))


def _forget(engine: Engine) -> Page:
    engine.witness.clear(engine.running)
    return _witness(engine)


OWN: Pages = {("GET", "/metrics"): _metrics, ("GET", "/witness"): _witness, ("DELETE", "/witness"): _forget}
"""Every personality has these, and no key guards them."""

KEPT_RESPONSE = "/v1/responses/{response_id}"
VLLM: Pages = {
    ("GET", KEPT_RESPONSE): _no_kept_response,
    ("GET", "/v1/models"): models,
    ("GET", "/health"): empty,
    ("GET", "/ping"): empty,
    ("GET", "/version"): document({"version": VERSION}),
    ("GET", "/load"): _load,
}

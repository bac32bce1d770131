"""Anthropic's own wire: its keys, its version header, its request ids; messages only, and no `[DONE]`."""

import orjson

from inference.simulator import guards, messages
from inference.simulator.bodies import JSON, Body
from inference.simulator.dialects import Answer, Error
from inference.simulator.engine import Engine
from inference.simulator.messages import CountTokens, Document, Messages
from inference.simulator.metering import Counts
from inference.simulator.pages import Page, Pages
from inference.simulator.protocol import Request
from inference.simulator.refusals import Refused

_REQUEST_ID = "req_011CSimulated"


def error(status: int, message: str, kind: str | None = None, param: str | None = None) -> bytes:
    """Anthropic's error body, with the id of the request."""
    del kind, param
    body: Document = orjson.loads(messages.error(status, message))
    return orjson.dumps(body | {"request_id": _REQUEST_ID})


def guard(request: Request, key: str | None) -> None:
    """A key in `x-api-key` (or as a bearer token), and the version of the API. Raises Refused."""
    given = request.headers.get("x-api-key")
    if given is None and "authorization" not in request.headers:
        raise Refused(401, "x-api-key header is required")
    if given is None:
        guards.bearer(request, key)
    elif key is not None and not guards.same(given, key):
        raise Refused(401, "invalid x-api-key")
    if "anthropic-version" not in request.headers:
        raise Refused(400, "anthropic-version: header is required")


class AnthropicMessages(Messages):
    """Its streams ping, and what is cached from now on is not counted apart."""

    id_prefix = "msg_"
    pings = True
    use_prefix = "toolu_"

    def __init__(self, error: Error = error) -> None:
        super().__init__(error)

    def usage(self, counts: Counts) -> Document:
        created = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}
        return super().usage(counts._replace(created=0)) | {"cache_creation": created, "service_tier": "standard"}

    def usage_so_far(self, counts: Counts) -> Document:
        return self.usage(counts)

    def message(self, answer: Answer, content: list[Document], stop_reason: str | None) -> Document:
        return {"stop_sequence": None} | super().message(answer, content, stop_reason)

    def headers(self, answer: Answer) -> bytes:
        return b"request-id: %s\r\nanthropic-ratelimit-requests-remaining: 999\r\n" % _REQUEST_ID.encode()


class AnthropicCount(CountTokens):
    """The count alone."""

    def __init__(self, error: Error = error) -> None:
        super().__init__(error)

    def whole(self, answer: Answer) -> Body:
        return Body([b"{", [b'"input_tokens":%d' % answer.job.prompt_tokens], b"}"])


def _models(engine: Engine) -> Page:
    name = engine.options.model
    card = {"type": "model", "id": name, "display_name": name, "created_at": "2026-01-31T00:00:00Z"}
    return Page(200, JSON, orjson.dumps({"data": [card], "has_more": False, "first_id": name, "last_id": name}))


PAGES: Pages = {("GET", "/v1/models"): _models}

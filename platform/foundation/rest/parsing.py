"""Reading a body: JSON in UTF-8, one object, no name twice, no NaN, no lone surrogate, at most a megabyte."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

import orjson
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from foundation.errors import InvalidRequest, RequestTooLarge, UnsupportedMediaType

MAX_BYTES = 1_048_576


class StrictJson(BaseParser):
    """The only parser: what two programs could read in two ways is refused."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the body's object. Raises InvalidRequest, RequestTooLarge and UnsupportedMediaType."""
        request: Request = (parser_context or {})["request"]
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType("Send the body without an encoding.")
        body: bytes = stream.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise RequestTooLarge(f"The request is larger than {MAX_BYTES} bytes.")
        return parse(body)


def parse(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body; InvalidRequest for anything else."""
    try:
        # Refuses NaN, invalid UTF-8, lone surrogates and endless depth; a name that is there twice is for us to find.
        orjson.loads(body)
        found = json.loads(body, object_pairs_hook=_once)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"The body is not valid JSON: {error.msg}, line {error.lineno}.") from error
    if not isinstance(found, dict):
        raise InvalidRequest("The body must be a JSON object.")
    return found


class AlwaysJson(BaseContentNegotiation):
    """The API speaks JSON, whatever a browser says it would like."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        """Return the parser that reads this content type, or None, which becomes a 415."""
        content_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the first renderer."""
        return renderers[0], renderers[0].media_type


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidRequest(f"The field {twice} is there more than once.", param=twice)
    return found

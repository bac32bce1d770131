"""POST /v1/messages and its count of tokens: Anthropic's API (its public reference; architecture §4.4)."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import orjson

from billing.rates import Rates
from foundation.errors import InvalidRequest, PlatformError
from inference.gateway.surfaces.blocks import check_messages, check_system, check_tool_choice, check_tools
from inference.gateway.surfaces.checks import (
    Rules,
    anything,
    boolean,
    integer,
    mapping,
    number,
    one_of,
    require,
    text,
    texts,
    whole,
)
from inference.gateway.surfaces.surface import MOST_BYTES_WITH_MEDIA, JsonSurface
from inference.gateway.wanted import Outcome, Wanted
from keys import subjects

MOST_STOP_SEQUENCES = 16
LONGEST_USER = 256
"""Anthropic's own limit for `metadata.user_id`."""
REQUEST_ID = b"request-id"
"""What Anthropic calls the header, and what its SDKs look for."""

# Where an error has no name of its own in Anthropic's API, that of its kind.
_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_LEAST_BUDGET = 1024

# What a count of tokens has as well.
PROMPT: Rules = {
    "model": (text(256), "a string"),
    "messages": (anything, ""),  # looked at block by block, as are those below
    "system": (anything, ""),
    "tools": (anything, ""),
    "tool_choice": (anything, ""),
    "thinking": (mapping, "an object"),
    "output_config": (mapping, "an object"),
    "cache_control": (mapping, "an object"),
}
SENT: Rules = PROMPT | {
    "stream": (boolean, "true or false"),
    "max_tokens": whole(1),
    "temperature": (number(0, 1), "a number from 0 to 1"),
    "top_p": (number(0, 1), "a number from 0 to 1"),
    "top_k": whole(0),
    "stop_sequences": (
        lambda value: value == [] or texts(MOST_STOP_SEQUENCES)(value),
        f"a list of at most {MOST_STOP_SEQUENCES} strings",
    ),
}
# They mean something to us or to nobody, and no engine sees them.
_KEPT: Rules = {
    "metadata": (mapping, "an object"),
    "service_tier": (one_of("auto", "standard_only"), "auto or standard_only"),
}


class _Anthropic(JsonSurface):
    """What both endpoints share: the size of a body, and the words of errors."""

    most_bytes = MOST_BYTES_WITH_MEDIA
    media_marks = (b'"image"', b'"document"')
    id_headers = (b"x-request-id", REQUEST_ID)
    keep_alive = b'event: ping\ndata: {"type":"ping"}\n\n'

    def error(self, error: PlatformError, request_id: str) -> bytes:
        """Write an error as Anthropic does, with our code and the field at fault beside its type."""
        return anthropic_error(error, request_id)

    def error_event(self, error: PlatformError, request_id: str) -> bytes:
        """End a stream that breaks: an event of its own, and no `message_stop` after it."""
        return b"event: error\ndata: " + anthropic_error(error, request_id) + b"\n\n"


class Messages(_Anthropic):
    """Messages."""

    name = "messages"
    path = "/v1/messages"

    def read(self, value: dict[str, Any], size: int, digest: bytes = b"") -> Wanted:
        """Check a request's fields, block by block."""
        require(value, SENT | _KEPT, "model", "max_tokens")
        has_media = _check_prompt(value)
        return Wanted(
            model=value["model"],
            stream=bool(value.get("stream")),
            max_tokens=value["max_tokens"],
            has_media=has_media,
            customer=_customer(value.get("metadata") or {}),
            size=size,
            digest=digest,
            fields={name: item for name, item in value.items() if name in SENT and item is not None},
        )

    def replay(self, outcome: Outcome, *, streamed: bool) -> bytes:
        """Write a message without content."""
        message: dict[str, Any] = {
            "id": f"msg_{outcome.request_id}",
            "type": "message",
            "role": "assistant",
            "model": outcome.model,
            "content": [],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": _usage(outcome),
        }
        if not streamed:
            return orjson.dumps(message)
        delta = {"stop_reason": "end_turn", "stop_sequence": None}
        return (
            _event("message_start", {"message": message | {"stop_reason": None}})
            + _event("message_delta", {"delta": delta, "usage": _usage(outcome)})
            + _event("message_stop", {})
        )


class CountTokens(_Anthropic):
    """How many tokens a message would be. Nothing is generated, so nothing is charged and no tokens count."""

    name = "messages.count_tokens"
    path = "/v1/messages/count_tokens"
    generates = False
    charges = False

    def is_priced(self, rates: Rates) -> bool:
        """It costs nothing at any price."""
        return True

    def read(self, value: dict[str, Any], size: int, digest: bytes = b"") -> Wanted:
        """Check the fields. Its size is not that of a prompt: no engine reads one."""
        require(value, PROMPT, "model")
        _check_prompt(value)
        return Wanted(
            model=value["model"],
            size=0,
            digest=digest,
            fields={name: item for name, item in value.items() if item is not None},
        )


def anthropic_error(error: PlatformError, request_id: str) -> bytes:
    """Write the body of an error: Anthropic's type, our stable code."""
    kind = _TYPES.get(error.status) or ("api_error" if error.status >= 500 else "invalid_request_error")
    told = {"type": kind, "message": error.message, "code": error.code}
    if error.param is not None:
        told["param"] = error.param
    return orjson.dumps({"type": "error", "error": told, "request_id": request_id})


def _check_prompt(value: dict[str, Any]) -> bool:
    has_media = check_messages(value.get("messages"))
    check_system(value.get("system"))
    check_tools(value.get("tools"))
    check_tool_choice(value.get("tool_choice"))
    _check_thinking(value.get("thinking") or {}, value.get("max_tokens"))
    _check_output(value.get("output_config") or {})
    return has_media


def _check_thinking(thinking: dict[str, Any], max_tokens: int | None) -> None:
    kind, budget = thinking.get("type"), thinking.get("budget_tokens")
    if thinking and kind not in ("enabled", "disabled", "adaptive"):
        raise InvalidRequest("thinking.type must be enabled, disabled or adaptive.", param="thinking.type")
    if kind != "enabled":
        return
    most = 2**31 if max_tokens is None else max_tokens - 1
    if not integer(_LEAST_BUDGET, most)(budget):
        raise InvalidRequest(
            f"thinking.budget_tokens must be a whole number of at least {_LEAST_BUDGET} and less than max_tokens.",
            param="thinking.budget_tokens",
        )


def _check_output(config: dict[str, Any]) -> None:
    effort, wanted = config.get("effort"), config.get("format")
    if effort is not None and effort not in _EFFORTS:
        raise InvalidRequest(
            f"output_config.effort must be one of {', '.join(_EFFORTS)}.", param="output_config.effort"
        )
    if wanted is None:
        return
    is_schema = isinstance(wanted, dict) and wanted.get("type") == "json_schema"
    if not is_schema or not isinstance(wanted.get("schema"), dict):
        raise InvalidRequest(
            "output_config.format must be of the type json_schema and have a schema.", param="output_config.format"
        )


def _customer(metadata: dict[str, Any]) -> str:
    """Return whom it is for. Anthropic allows longer ids than we keep; such a one is known by its hash."""
    user = metadata.get("user_id") or ""
    if not isinstance(user, str) or len(user) > LONGEST_USER:
        raise InvalidRequest(
            f"metadata.user_id must be a string of at most {LONGEST_USER} characters.", param="metadata.user_id"
        )
    if not user or subjects.is_name(user):
        return user
    return "sha256:" + sha256(user.encode()).hexdigest()


def _usage(outcome: Outcome) -> dict[str, int]:
    return {
        "input_tokens": outcome.prompt_tokens - outcome.cached_tokens,
        "output_tokens": outcome.completion_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": outcome.cached_tokens,
    }


def _event(name: str, members: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps({"type": name} | members))

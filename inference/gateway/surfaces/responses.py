"""POST /v1/responses: OpenAI's responses (its public API reference; architecture §4.4).

Nothing is kept: what was asked and answered is gone with the connection. So `store` is taken and means nothing, and
what would build on something stored is refused.
"""

from __future__ import annotations

from typing import Any

import orjson

from foundation.errors import InvalidRequest, PlatformError, as_openai
from inference.gateway.surfaces.checks import (
    KEPT,
    MOST_LOGPROBS,
    Rules,
    anything,
    boolean,
    mapping,
    number,
    one_of,
    require,
    text,
    whole,
)
from inference.gateway.surfaces.items import check_choice, check_format, check_input, check_tools
from inference.gateway.surfaces.surface import MOST_BYTES_WITH_MEDIA, JsonSurface
from inference.gateway.wanted import Outcome, Wanted

_INCLUDED = ("message.output_text.logprobs", "reasoning.encrypted_content")
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")

SENT: Rules = {
    "model": (text(256), "a string"),
    "input": (anything, ""),  # looked at item by item, as are those below
    "instructions": (text(10_000_000), "a string"),
    "stream": (boolean, "true or false"),
    "max_output_tokens": whole(1),
    "temperature": (number(0, 2), "a number from 0 to 2"),
    "top_p": (number(0, 1), "a number from 0 to 1"),
    "top_logprobs": whole(0, MOST_LOGPROBS),
    "tools": (anything, ""),
    "tool_choice": (anything, ""),
    "parallel_tool_calls": (boolean, "true or false"),
    "text": (mapping, "an object"),
    "reasoning": (mapping, "an object"),
    "include": (
        lambda value: isinstance(value, list) and all(item in _INCLUDED for item in value),
        f"a list of {' and '.join(_INCLUDED)}",
    ),
}
# Taken, and of no meaning to an engine.
_OURS: Rules = KEPT | {
    "stream_options": (mapping, "an object"),
    "truncation": (one_of("disabled"), "disabled: input that is too long is refused, never cut"),
    "background": (lambda value: value is False, "false: answers are not kept for later"),
}
_STATEFUL = ("previous_response_id", "conversation", "prompt")


class Responses(JsonSurface):
    """Responses."""

    name = "responses"
    path = "/v1/responses"
    most_bytes = MOST_BYTES_WITH_MEDIA
    media_marks = (b'"input_image"', b'"input_file"')

    def read(self, value: dict[str, Any], size: int, digest: bytes = b"") -> Wanted:
        """Check a request's fields, item by item."""
        for name in _STATEFUL:
            if value.pop(name, None) is not None:
                raise InvalidRequest(f"{name}: nothing is kept here to build on. Send the whole input.", param=name)
        require(value, SENT | _OURS, "model", "input")
        has_media = check_input(value["input"])
        _check_the_rest(value)
        return Wanted(
            model=value["model"],
            stream=bool(value.get("stream")),
            max_tokens=value.get("max_output_tokens"),
            has_media=has_media,
            customer=value.get("user") or "",
            size=size,
            digest=digest,
            fields={name: item for name, item in value.items() if name in SENT and item is not None},
        )

    def error_event(self, error: PlatformError, request_id: str) -> bytes:
        """End a stream that breaks: an event of the dialect that the SDKs also know for an error."""
        told = {"type": "error", "code": error.code, "message": error.message, "param": error.param}
        return b"event: error\ndata: " + orjson.dumps(told | as_openai(error)) + b"\n\n"

    def replay(self, outcome: Outcome, *, streamed: bool) -> bytes:
        """Write a response without items."""
        response = {
            "id": f"resp_{outcome.request_id}",
            "object": "response",
            "created_at": int(outcome.at.timestamp()),
            "status": "completed",
            "model": outcome.model,
            "output": [],
            "usage": {
                "input_tokens": outcome.prompt_tokens,
                "input_tokens_details": {"cached_tokens": outcome.cached_tokens},
                "output_tokens": outcome.completion_tokens,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": outcome.prompt_tokens + outcome.completion_tokens,
            },
        }
        if not streamed:
            return orjson.dumps(response)
        told = {"type": "response.completed", "sequence_number": 0, "response": response}
        return b"event: response.completed\ndata: " + orjson.dumps(told) + b"\n\n"


def _check_the_rest(value: dict[str, Any]) -> None:
    if value.get("tools") is not None:
        check_tools(value["tools"])
    if value.get("tool_choice") is not None:
        check_choice(value["tool_choice"])
    check_format(value.get("text") or {})
    effort = (value.get("reasoning") or {}).get("effort")
    if effort is not None and effort not in _EFFORTS:
        raise InvalidRequest(f"reasoning.effort must be one of {', '.join(_EFFORTS)}.", param="reasoning.effort")
    options = value.get("stream_options") or {}
    if options.keys() - {"include_obfuscation"}:
        raise InvalidRequest("stream_options knows include_obfuscation only.", param="stream_options")

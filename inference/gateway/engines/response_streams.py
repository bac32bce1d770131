"""Server-sent events of OpenAI's responses, handled as bytes: deltas go on as they came, counted on their way.

Only events that carry the whole response are read and written anew: the public model name goes in, usage is noted.
The one that says that the response is complete is held back until the charge is durable.
"""

from __future__ import annotations

import re
from typing import Any

from inference.gateway.engines.message_streams import data, write
from inference.gateway.engines.wire import Passage
from inference.gateway.errors import UpstreamError
from inference.gateway.streams import Blocks, events_of, split_at_error

# The events that are read: those with the response in them, those that say that it failed, and OpenAI's end marker.
_SPECIAL = re.compile(rb"response\.(?:created|queued|in_progress|completed|incomplete|failed)\"|\"error\"|\[DONE\]")
_DELTA = re.compile(rb'"type"\s*:\s*"response\.[a-z_.]+\.delta"')
RESPONSE = (
    "id",
    "object",
    "created_at",
    "status",
    "background",
    "error",
    "incomplete_details",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "output",
    "parallel_tool_calls",
    "previous_response_id",
    "reasoning",
    "service_tier",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "usage",
    "user",
)
"""Of an engine's response, what may pass to the client."""
_ENDS = ("response.completed", "response.incomplete")


class ResponseStream:
    """A response that client and engine write in the same way."""

    def __init__(self, model: str) -> None:
        self.outputs = 0
        self.final = False
        self._model = model
        self._blocks = Blocks()
        self._usage: Any = None

    def usage(self) -> Any:
        """Return the usage in OpenAI's older words; it comes with the last event."""
        return openai_usage(self._usage)

    def feed(self, chunk: bytes) -> Passage:
        """Take whole events up to the end of the response or an error."""
        block, failed = split_at_error(self._blocks.feed(chunk))
        self.outputs += sum(1 for _ in _DELTA.finditer(block))
        if not _SPECIAL.search(block):
            return Passage(block, b"", failed)
        passed: list[bytes] = []
        for event in events_of(block):
            if not _SPECIAL.search(event):
                passed.append(event)
                continue
            written, ends, broken = self._read(event)
            if ends or broken:
                return Passage(b"".join(passed), written, broken)
            passed.append(written)
        return Passage(b"".join(passed), b"", failed)

    def finish(self) -> bytes:
        """Without its last event a response is not complete."""
        return b""

    def _read(self, event: bytes) -> tuple[bytes, bool, bool]:
        """Return an event as the client should see it, whether it ends the response, and whether that has failed."""
        if b"data: [DONE]" in event or b"data:[DONE]" in event:
            return b"", False, False
        told = data(event)
        kind, response = told.get("type"), told.get("response")
        if kind in ("error", "response.failed") or told.get("error"):
            return b"", False, True
        if not isinstance(response, dict):
            return event, False, False
        ends = kind in _ENDS
        if ends:
            self._usage, self.final = response.get("usage"), True
        written = write(str(kind).encode(), told | {"response": shown(response, self._model)})
        return written, ends, False


def openai_usage(told: Any) -> Any:
    """Write a response's usage in the words of chat; None for what is none."""
    if not isinstance(told, dict):
        return None
    details = told.get("input_tokens_details")
    return {
        "prompt_tokens": told.get("input_tokens"),
        "completion_tokens": told.get("output_tokens"),
        "prompt_tokens_details": details if isinstance(details, dict) else {},
    }


def shown(response: dict[str, Any], model: str) -> dict[str, Any]:
    """Return what a client may see of an engine's response, under the public name of the model.

    Raises `UpstreamError` for one that failed.
    """
    if response.get("error") or response.get("status") == "failed":
        raise UpstreamError from ValueError("the engine's response has failed")
    return {name: response[name] for name in RESPONSE if name in response} | {"model": model, "store": False}

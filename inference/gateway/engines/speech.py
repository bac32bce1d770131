"""The wire of speech: JSON out, sound back, which goes through piece by piece (OpenAI's API reference, vLLM-Omni's)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import orjson

from inference.gateway.engines.wire import Call, Passage, Stream, Whole
from inference.gateway.errors import UpstreamError

if TYPE_CHECKING:
    from inference.gateway.orders import Order

_UNNAMED = "application/octet-stream"
# What an engine may call a format. Another kind of sound than was asked for would be sent under a wrong name.
_TYPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "mp3": ("audio/mpeg", "audio/mp3", _UNNAMED),
        "opus": ("audio/ogg", "audio/opus", _UNNAMED),
        "aac": ("audio/aac", _UNNAMED),
        "flac": ("audio/flac", "audio/x-flac", _UNNAMED),
        "wav": ("audio/wav", "audio/x-wav", "audio/wave", _UNNAMED),
        "pcm": ("audio/pcm", "audio/L16", _UNNAMED),
    }
)


class Speaking:
    """Speech."""

    def call(self, order: Order, upstream_name: str) -> Call:
        """Ask for sound in the format that was asked for."""
        fields = order.wanted.fields
        body = orjson.dumps({**fields, "model": upstream_name})
        return Call("/v1/audio/speech", body, _TYPES[fields["response_format"]])

    def stream(self, order: Order) -> Stream:
        """Pass sound on."""
        return SoundStream()

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """There is nothing but the stream."""
        raise UpstreamError


class SoundStream:
    """Sound on its way. Its last byte is the end marker: it is kept until the engine's message has come to its end."""

    final = True

    def __init__(self) -> None:
        self.outputs = 0
        self._kept = b""

    def feed(self, chunk: bytes) -> Passage:
        """Pass on all but the last byte of what came."""
        if not chunk:
            return Passage(b"")
        body, self._kept = self._kept + chunk[:-1], chunk[-1:]
        self.outputs += bool(body)
        return Passage(body)

    def finish(self) -> bytes:
        """Give the last byte, where there was any."""
        return self._kept

    def usage(self) -> Any:
        """Engines say nothing: the characters are known."""
        return None


SPEECH = Speaking()

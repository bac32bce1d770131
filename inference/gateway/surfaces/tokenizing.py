"""POST /v1/tokenize and /v1/detokenize: the tokens of a text or of messages, and back (vLLM's server).

The engine that has the tokenizer answers, so the count is exact. Nothing is generated: nothing is charged.
"""

from __future__ import annotations

from typing import Any

from billing.rates import Rates
from foundation.errors import InvalidRequest
from inference.gateway.surfaces.chat import check_messages
from inference.gateway.surfaces.checks import Rules, anything, boolean, objects, require, text
from inference.gateway.surfaces.prompts import are_tokens
from inference.gateway.surfaces.surface import MOST_BYTES_WITH_MEDIA, JsonSurface
from inference.gateway.wanted import Wanted

SENT: Rules = {
    "model": (text(256), "a string"),
    "prompt": (text(10_000_000), "a string"),
    "messages": (anything, ""),
    "tools": (objects(128), "a list of at most 128 objects"),
    "add_special_tokens": (boolean, "true or false"),
    "add_generation_prompt": (boolean, "true or false"),
    "return_token_strs": (boolean, "true or false"),
}


DETOKENIZED: Rules = {
    "model": (text(256), "a string"),
    "tokens": (are_tokens, "a list of whole numbers of at least 0"),
}


class Free(JsonSurface):
    """What costs nothing at any price, and of which no tokens count."""

    generates = False
    charges = False

    def is_priced(self, rates: Rates) -> bool:
        """It needs no rate."""
        return True


class Tokenize(Free):
    """Tokens and their number."""

    name = "tokenize"
    path = "/v1/tokenize"
    most_bytes = MOST_BYTES_WITH_MEDIA
    media_marks = (b'"image_url"',)

    def read(self, value: dict[str, Any], size: int, digest: bytes = b"") -> Wanted:
        """Check the fields: a prompt or messages. Its size is not that of a prompt: no model reads one."""
        require(value, SENT, "model")
        if (value.get("prompt") is None) == (value.get("messages") is None):
            raise InvalidRequest("Send a prompt or messages, one of the two.", param="prompt")
        if value.get("messages") is not None:
            check_messages(value["messages"])
        return Wanted(
            model=value["model"],
            size=0,
            digest=digest,
            fields={name: item for name, item in value.items() if item is not None},
        )


class Detokenize(Free):
    """The text of tokens."""

    name = "detokenize"
    path = "/v1/detokenize"

    def read(self, value: dict[str, Any], size: int, digest: bytes = b"") -> Wanted:
        """Check the fields."""
        require(value, DETOKENIZED, "model", "tokens")
        return Wanted(model=value["model"], size=0, digest=digest, fields=value)

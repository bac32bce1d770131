"""POST /v1/tokenize: the tokens of a text or of messages, by the engine that has the tokenizer (vLLM's server)."""

from __future__ import annotations

from typing import Any

from billing.rates import Rates
from foundation.errors import InvalidRequest
from inference.gateway.surfaces.chat import check_messages
from inference.gateway.surfaces.checks import Rules, anything, boolean, objects, require, text
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


class Tokenize(JsonSurface):
    """Tokens and their number. Nothing is generated, so nothing is charged and no tokens count."""

    name = "tokenize"
    path = "/v1/tokenize"
    generates = False
    charges = False
    most_bytes = MOST_BYTES_WITH_MEDIA
    media_marks = (b'"image_url"',)

    def is_priced(self, rates: Rates) -> bool:
        """It costs nothing at any price."""
        return True

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

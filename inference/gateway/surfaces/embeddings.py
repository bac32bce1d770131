"""POST /v1/embeddings: vectors of texts (OpenAI's API reference, vLLM's server)."""

from __future__ import annotations

from typing import Any

from inference.gateway.surfaces.checks import KEPT, Rules, anything, one_of, require, text, whole
from inference.gateway.surfaces.prompts import prompts
from inference.gateway.surfaces.surface import JsonSurface
from inference.gateway.wanted import Wanted

MOST_INPUTS = 2048

SENT: Rules = {
    "model": (text(256), "a string"),
    "input": (anything, ""),
    "encoding_format": (one_of("float", "base64"), "float or base64"),
    "dimensions": whole(1, 65_536),
}
_RULES = SENT | KEPT


class Embeddings(JsonSurface):
    """Embeddings, charged by their input."""

    name = "embeddings"
    path = "/v1/embeddings"
    makes = "embeddings"
    generates = False

    def read(self, value: dict[str, Any], size: int, digest: bytes = b"") -> Wanted:
        """Check an embedding's fields."""
        require(value, _RULES, "model", "input")
        inputs = prompts(value["input"], "input", most=MOST_INPUTS)
        return Wanted(
            model=value["model"],
            inputs=inputs,
            customer=value.get("user") or "",
            size=size,
            digest=digest,
            fields={name: item for name, item in value.items() if name in SENT and item is not None},
        )

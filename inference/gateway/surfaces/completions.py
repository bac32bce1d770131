"""POST /v1/completions: OpenAI's older endpoint, text in and text out (its API reference, vLLM's server)."""

from __future__ import annotations

from typing import Any

import orjson

from foundation.errors import InvalidRequest
from inference.gateway.surfaces.checks import (
    KEPT,
    SAMPLING,
    Rules,
    anything,
    boolean,
    require,
    stream_options,
    text,
    whole,
)
from inference.gateway.surfaces.prompts import prompts
from inference.gateway.surfaces.surface import JsonSurface, openai_usage
from inference.gateway.wanted import Outcome, Wanted

MOST_PROMPTS = 128
# vLLM and OpenAI answer without `max_tokens` with so many.
USUAL_TOKENS = 16

SENT: Rules = SAMPLING | {
    "prompt": (anything, ""),  # looked at closely below
    "suffix": (text(100_000), "a string"),
    "echo": (boolean, "true or false"),
    "best_of": whole(1, 8),
    "logprobs": whole(0, 5),
}
_RULES = SENT | KEPT


class Completions(JsonSurface):
    """Completions of one prompt or of several, each its own answer."""

    name = "completions"
    path = "/v1/completions"

    def read(self, value: dict[str, Any], size: int, digest: bytes = b"") -> Wanted:
        """Check a completion's fields. Several prompts are several answers, as `n` is."""
        require(value, _RULES, "model", "prompt")
        given = prompts(value["prompt"], "prompt", most=MOST_PROMPTS)
        options, answers = stream_options(value), value.get("n") or 1
        tries = value.get("best_of") or answers
        if tries < answers:
            raise InvalidRequest("best_of must be at least n.", param="best_of")
        if tries == answers:
            value.pop("best_of", None)  # It asks for nothing, so no engine has to understand it.
        return Wanted(
            model=value["model"],
            stream=bool(value.get("stream")),
            include_usage=bool(options.get("include_usage")),
            continuous_usage=bool(options.get("continuous_usage_stats")),
            max_tokens=value.get("max_tokens") or USUAL_TOKENS,
            inputs=given,
            choices=given * tries,
            customer=value.get("user") or "",
            size=size,
            digest=digest,
            fields={name: item for name, item in value.items() if name in SENT and item is not None},
        )

    def replay(self, outcome: Outcome, *, streamed: bool) -> bytes:
        """Write an answer without choices."""
        body = orjson.dumps(
            {
                "id": f"cmpl-{outcome.request_id}",
                "object": "text_completion",
                "created": int(outcome.at.timestamp()),
                "model": outcome.model,
                "choices": [],
                "usage": openai_usage(outcome),
            }
        )
        return b"data: " + body + b"\n\ndata: [DONE]\n\n" if streamed else body

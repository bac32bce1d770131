"""A small request to each route of the inference API."""

from typing import Any

from tests.inference.gateway.forms import form


def asked(directive: str = "tokens=1") -> dict[str, Any]:
    """Return a body for each path, with a directive where the simulator looks for one; forms are bytes.

    A route that is not named here fails the tests that walk them all: say what it is asked.
    """
    text = f"hi [[sim {directive} ttft=1 gap=0]]"
    messages = [{"role": "user", "content": text}]
    return {
        "/v1/chat/completions": {"model": "sim", "messages": messages, "max_tokens": 1},
        "/v1/completions": {"model": "sim", "prompt": text, "max_tokens": 1},
        "/v1/embeddings": {"model": "sim", "input": text},
        "/v1/responses": {"model": "sim", "input": text, "max_output_tokens": 16},
        "/v1/rerank": {"model": "sim", "query": text, "documents": ["one", "two"]},
        "/v1/score": {"model": "sim", "text_1": text, "text_2": "ho"},
        "/v1/moderations": {"model": "sim", "input": text},
        "/v1/messages": {"model": "sim", "messages": messages, "max_tokens": 1},
        "/v1/messages/count_tokens": {"model": "sim", "messages": messages},
        "/v1/tokenize": {"model": "sim", "prompt": text},
        "/v1/detokenize": {"model": "sim", "tokens": [1]},
        "/v1/audio/transcriptions": form(model="sim-transcribe", directive=directive),
        "/v1/audio/translations": form(model="sim-transcribe", directive=directive),
        "/v1/audio/speech": {"model": "sim-speech", "input": text, "voice": "a", "response_format": "wav"},
        "/v1/images/generations": {"model": "sim-image", "prompt": text, "size": "16x16"},
    }


ASKED = asked()
STREAMED_FORM = form(model="sim-transcribe", stream="true")

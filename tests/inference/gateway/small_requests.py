"""A small request to each route of the inference API."""

from typing import Any

from tests.inference.gateway.forms import form
from tests.tables.inputs import MESSAGES

TEXT = "hi [[sim tokens=1 ttft=1 gap=0]]"
# A route that is not named here fails the tests that walk them all: say what it is asked.
ASKED: dict[str, Any] = {
    "/v1/chat/completions": {"model": "sim", "messages": MESSAGES, "max_tokens": 1},
    "/v1/completions": {"model": "sim", "prompt": TEXT, "max_tokens": 1},
    "/v1/embeddings": {"model": "sim", "input": "hi"},
    "/v1/responses": {"model": "sim", "input": TEXT, "max_output_tokens": 16},
    "/v1/rerank": {"model": "sim", "query": "hi", "documents": ["one", "two"]},
    "/v1/score": {"model": "sim", "text_1": "hi", "text_2": "ho"},
    "/v1/moderations": {"model": "sim", "input": "hi"},
    "/v1/messages": {"model": "sim", "messages": MESSAGES, "max_tokens": 1},
    "/v1/messages/count_tokens": {"model": "sim", "messages": MESSAGES},
    "/v1/tokenize": {"model": "sim", "prompt": "hi"},
    "/v1/detokenize": {"model": "sim", "tokens": [1]},
    "/v1/audio/transcriptions": form(model="sim-transcribe"),
    "/v1/audio/translations": form(model="sim-transcribe"),
    "/v1/audio/speech": {"model": "sim-speech", "input": "hi", "voice": "a", "response_format": "wav"},
    "/v1/images/generations": {"model": "sim-image", "prompt": "hi", "size": "16x16"},
}
STREAMED_FORM = form(model="sim-transcribe", stream="true")

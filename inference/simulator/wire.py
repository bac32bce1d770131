"""vLLM's JSON: chunks, whole answers, usage, errors and the list of models.

The members and their order follow vLLM 0.32's `ChatCompletionStreamResponse`, `CompletionStreamResponse` and their
whole counterparts. One deviation keeps counting simple: every token is exactly one chunk with text in it, and the
finish chunk carries none (in vLLM it carries the last token, which is empty where that is the end-of-text token).
"""

import time
from typing import NamedTuple

import orjson

from inference.simulator.protocol import phrase


class Shape(NamedTuple):
    """What tells the two endpoints' JSON apart. `%d` stands for the choice's index."""

    endpoint: str
    id_prefix: str
    chunk_object: str
    whole_object: str
    chunk_open: bytes
    chunk_goes_on: bytes
    chunk_finishes: bytes
    """`%s` stands for the finish reason."""
    whole_open: bytes
    whole_close: bytes
    """`%s` stands for the finish reason."""
    whole_tail: bytes
    has_role: bool


CHAT = Shape(
    endpoint="/v1/chat/completions",
    id_prefix="chatcmpl-",
    chunk_object="chat.completion.chunk",
    whole_object="chat.completion",
    chunk_open=b'{"index":%d,"delta":{"content":"',
    chunk_goes_on=b'"},"logprobs":null,"finish_reason":null,"token_ids":null}]',
    chunk_finishes=b'"},"logprobs":null,"finish_reason":"%s","stop_reason":null,"token_ids":null}]',
    whole_open=b'{"index":%d,"message":{"role":"assistant","content":"',
    whole_close=(
        b'","refusal":null,"annotations":null,"audio":null,"function_call":null,"reasoning":null},'
        b'"logprobs":null,"finish_reason":"%s","stop_reason":null,"token_ids":null}'
    ),
    whole_tail=b',"prompt_logprobs":null,"prompt_token_ids":null,"kv_transfer_params":null}',
    has_role=True,
)

COMPLETION = Shape(
    endpoint="/v1/completions",
    id_prefix="cmpl-",
    chunk_object="text_completion",
    whole_object="text_completion",
    chunk_open=b'{"index":%d,"text":"',
    chunk_goes_on=(
        b'","logprobs":null,"finish_reason":null,"stop_reason":null,"prompt_token_ids":null,"token_ids":null}]'
    ),
    chunk_finishes=(
        b'","logprobs":null,"finish_reason":"%s","stop_reason":null,"prompt_token_ids":null,"token_ids":null}]'
    ),
    whole_open=b'{"index":%d,"text":"',
    whole_close=(
        b'","logprobs":null,"finish_reason":"%s","stop_reason":null,"token_ids":null,'
        b'"prompt_logprobs":null,"prompt_token_ids":null}'
    ),
    whole_tail=b',"kv_transfer_params":null}',
    has_role=False,
)


def opening(id_: str, object_: str, model: str) -> bytes:
    """An answer's first members, up to the array of choices."""
    quoted = orjson.dumps(id_), object_.encode(), int(time.time()), orjson.dumps(model)
    return b'{"id":%s,"object":"%s","created":%d,"model":%s,"choices":[' % quoted


def usage(prompt_tokens: int, completion_tokens: int, cached_tokens: int | None = None) -> bytes:
    """A usage object; vLLM names cached tokens only in the last one."""
    counts = prompt_tokens, prompt_tokens + completion_tokens, completion_tokens
    members = b'{"prompt_tokens":%d,"total_tokens":%d,"completion_tokens":%d' % counts
    if cached_tokens is None:
        return members + b"}"
    return members + b',"prompt_tokens_details":{"cached_tokens":%d}}' % cached_tokens


def error(status: int, message: str, kind: str | None = None, param: str | None = None) -> bytes:
    """An error body; unlike OpenAI's, its code is the status as an integer."""
    if status == 401:
        return b'{"error":"Unauthorized"}'
    detail = {"message": message, "type": kind or phrase(status), "param": param, "code": status}
    return orjson.dumps({"error": detail})


def models(model: str, max_model_len: int, created: int) -> bytes:
    """The list of the one model served."""
    permission = {
        "id": f"modelperm-{model}",
        "object": "model_permission",
        "created": created,
        "allow_create_engine": False,
        "allow_sampling": True,
        "allow_logprobs": True,
        "allow_search_indices": False,
        "allow_view": True,
        "allow_fine_tuning": False,
        "organization": "*",
        "group": None,
        "is_blocking": False,
    }
    card = {
        "id": model,
        "object": "model",
        "created": created,
        "owned_by": "vllm",
        "root": model,
        "parent": None,
        "max_model_len": max_model_len,
        "permission": [permission],
    }
    return orjson.dumps({"object": "list", "data": [card]})

"""vLLM's JSON that is the same at every endpoint: usage, errors and the list of models.

The members and their order follow vLLM 0.32. One deviation keeps counting simple: every token is exactly one event with
text in it, and the event that ends a choice carries none (in vLLM it carries the last token, which is empty where that
is the end-of-text token).
"""

import orjson

from inference.simulator.protocol import phrase


def usage(
    prompt_tokens: int, completion_tokens: int, cached_tokens: int | None = None, reasoning_tokens: int = 0
) -> bytes:
    """A usage object; vLLM names cached tokens only in the last one, and reasoning where there is any."""
    counts = prompt_tokens, prompt_tokens + completion_tokens, completion_tokens
    members = b'{"prompt_tokens":%d,"total_tokens":%d,"completion_tokens":%d' % counts
    if cached_tokens is None:
        return members + b"}"
    members += b',"prompt_tokens_details":{"cached_tokens":%d}' % cached_tokens
    if reasoning_tokens:
        members += b',"completion_tokens_details":{"reasoning_tokens":%d}' % reasoning_tokens
    return members + b"}"


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

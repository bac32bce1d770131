"""vLLM's JSON that is the same at every endpoint: usage, errors and the list of models.

The members and their order follow vLLM 0.32. One deviation keeps counting simple: every token is exactly one event with
text in it, and the event that ends a choice carries none (in vLLM it carries the last token, which is empty where that
is the end-of-text token).
"""

from zlib import crc32

import orjson

from inference.simulator.protocol import phrase

FINGERPRINT = "vllm-0.32.0-5170da7e"
"""What vLLM derives from its version and its settings, and puts on every whole answer and last chunk."""


def usage(prompt_tokens: int, completion_tokens: int, details: bytes = b"") -> bytes:
    """A usage object; `details` are its further members, which differ from endpoint to endpoint."""
    counts = prompt_tokens, prompt_tokens + completion_tokens, completion_tokens
    return b'{"prompt_tokens":%d,"total_tokens":%d,"completion_tokens":%d%s}' % (*counts, details)


def whole_details(cached: int | None, created: int | None, reasoning: int = 0) -> bytes:
    """The details of an answer in one piece: which tokens of the prompt were cached, and which are from now on."""
    prompt = {"cached_tokens": cached, "created_cache_tokens": created, "multimodal_tokens": None}
    members = {
        "prompt_tokens_details": None if cached is None else prompt,
        "completion_tokens_details": {"reasoning_tokens": reasoning} if reasoning else None,
    }
    return b"," + orjson.dumps(members)[1:-1]


def chunk_details(cached: int, created: int | None, reasoning: int = 0) -> bytes:
    """The details in a stream's last chunk: members that are None are left out there."""
    prompt = {"cached_tokens": cached} | ({} if created is None else {"created_cache_tokens": created})
    thought = {"completion_tokens_details": {"reasoning_tokens": reasoning}} if reasoning else {}
    return b"," + orjson.dumps({"prompt_tokens_details": prompt} | thought)[1:-1]


def error(status: int, message: str, kind: str | None = None, param: str | None = None) -> bytes:
    """An error body; unlike OpenAI's, its code is the status as an integer."""
    if status == 401:
        return b'{"error":"Unauthorized"}'
    detail = {"message": message, "type": kind or phrase(status), "param": param, "code": status}
    return orjson.dumps({"error": detail})


def detail(status: int, message: str, kind: str | None = None, param: str | None = None) -> bytes:
    """What vLLM's web framework says itself, of a path or a method that is not there."""
    if status not in (404, 405):
        return error(status, message, kind, param)
    return orjson.dumps({"detail": message})


def models(model: str, max_model_len: int, created: int) -> bytes:
    """The list of the one model served."""
    permission = {
        "id": f"modelperm-{crc32(model.encode()):08x}{created:08x}",
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

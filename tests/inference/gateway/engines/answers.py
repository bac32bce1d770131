"""What engines answer, whole and in events, to begin with before something in it is changed."""

from __future__ import annotations

from typing import Any

import orjson

type Item = dict[str, Any]

USAGE: Item = {
    "prompt_tokens": 3,
    "completion_tokens": 2,
    "total_tokens": 5,
    "prompt_tokens_details": {"cached_tokens": 1},
}
CALL = {"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}
_SAID = {"role": "assistant", "content": "hi", "reasoning_content": "hm", "tool_calls": [CALL]}
_HEAD = {"id": "c", "object": "chat.completion", "created": 1, "model": "up"}
COMPLETION: Item = _HEAD | {
    "choices": [{"index": 0, "message": _SAID, "logprobs": None, "finish_reason": "stop"}],
    "usage": USAGE,
}
_COMPLETED = [{"index": 0, "text": "hi", "logprobs": None, "finish_reason": "stop"}]
_BLOCKS = [
    {"type": "thinking", "thinking": "t", "signature": "s"},
    {"type": "text", "text": "x"},
    {"type": "tool_use", "id": "i", "name": "f", "input": {}},
]
MESSAGE: Item = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "up",
    "content": _BLOCKS,
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": 1, "cache_creation_input_tokens": 0},
}
_ITEM = {"type": "message", "id": "m", "role": "assistant", "content": [{"type": "output_text", "text": "x"}]}
RESPONSE: Item = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "model": "up",
    "output": [_ITEM],
    "usage": {"input_tokens": 1, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 1}},
    "error": None,
}
GENERATED: Item = {"model_name": "e", "text_output": "hi", "num_input_tokens": 3, "num_output_tokens": 2}
WHOLE: dict[str, Item] = {
    "chat.completions": COMPLETION,
    "completions": _HEAD | {"choices": _COMPLETED, "usage": USAGE},
    "embeddings": {"object": "list", "data": [{"index": 0, "embedding": [0.1]}], "model": "up", "usage": USAGE},
    "messages": MESSAGE,
    "messages.count_tokens": {"input_tokens": 3},
    "responses": RESPONSE,
    "rerank": {"id": "r", "usage": {"total_tokens": 4}, "results": [{"index": 0, "relevance_score": 0.4}]},
    "score": {"id": "s", "object": "list", "data": [{"index": 0, "score": 1}], "usage": USAGE},
    "moderations": {"id": "m", "results": [{"flagged": False}]},
    "tokenize": {"count": 1, "max_model_len": 2, "tokens": [1], "token_strs": None},
    "detokenize": {"prompt": "x", "content": "x"},
    "images.generations": {"created": 1, "data": [{"b64_json": "AA"}], "usage": {}},
}


def _chunk(delta: Item, finish: str | None = None, usage: Item | None = None) -> Item:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "up",
        "choices": [choice],
        "usage": usage,
    }


_LAST: Item = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "up", "choices": [], "usage": USAGE}
CHUNKS = (
    _chunk({"role": "assistant", "content": ""}),
    _chunk({"content": "hi", "reasoning_content": "hm"}, usage=USAGE),
    _chunk({"tool_calls": [CALL | {"index": 0}]}),
    _chunk({}, "stop"),
    _LAST,
)
TEXTS: tuple[Item, ...] = (
    _HEAD | {"choices": [{"index": 0, "text": "hi", "finish_reason": None}]},
    _HEAD | {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]},
    _LAST,
)
SPOKEN: tuple[Item, ...] = (
    {"type": "message_start", "message": MESSAGE | {"content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": _BLOCKS[2]},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
    {"type": "content_block_stop", "index": 1},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
    {"type": "message_stop"},
)
RESPONDED: tuple[Item, ...] = (
    {"type": "response.created", "response": RESPONSE | {"status": "in_progress", "output": []}},
    {"type": "response.output_text.delta", "delta": "hi", "item_id": "m", "output_index": 0, "content_index": 0},
    {"type": "response.completed", "response": RESPONSE},
)
TOKENS: tuple[Item, ...] = (
    {"index": 1, "token": {"id": 1, "text": "hi", "special": False}, "generated_text": None, "details": None},
    {
        "index": 2,
        "token": {"id": 2, "text": "</s>", "special": True},
        "generated_text": "hi",
        "details": {"finish_reason": "eos_token", "generated_tokens": 2, "input_length": 3},
    },
)


def whole(kind: str, surface: str, template: str) -> Item | tuple[Item, ...] | list[Item]:
    """Return what an engine answers there; several events where it is never asked for anything but a stream."""
    if kind == "triton":
        return GENERATED
    if (kind, surface) == ("tgi", "tokenize"):
        return [{"id": 1, "text": "x", "start": 0, "stop": 1}]
    if kind == "tgi" and (template or surface == "completions"):
        return TOKENS
    chats = surface in ("messages", "responses") and not _is_native(kind, surface)
    return (
        (MESSAGE if kind == "anthropic" else COMPLETION) if chats or surface == "chat.completions" else WHOLE[surface]
    )


def events(kind: str, surface: str, template: str) -> tuple[Item, ...]:
    """Return the events of an engine's stream there."""
    if kind == "triton":
        return (GENERATED, GENERATED)
    if kind == "tgi" and (template or surface == "completions"):
        return TOKENS
    if surface == "completions":
        return TEXTS
    if kind == "anthropic" or (surface == "messages" and _is_native(kind, surface)):
        return SPOKEN
    return RESPONDED if _is_native(kind, surface) else CHUNKS


def written(events: tuple[Any, ...]) -> bytes:
    """Write events, those that have a type with their name."""
    return b"".join(_name(event) + b"data: " + orjson.dumps(event) + b"\n\n" for event in events)


def _name(event: Any) -> bytes:
    kind = event.get("type") if isinstance(event, dict) else None
    return f"event: {kind}\n".encode() if isinstance(kind, str) and "\n" not in kind else b""


def _is_native(kind: str, surface: str) -> bool:
    return (kind, surface) in {
        ("vllm", "messages"),
        ("anthropic", "messages"),
        ("vllm", "responses"),
        ("openai", "responses"),
    }

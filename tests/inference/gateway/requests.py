"""A request to every JSON endpoint with as many of its fields as go together."""

from __future__ import annotations

from typing import Any

PICTURE = "data:image/png;base64,AAAA"
DOCUMENT = "data:application/pdf;base64,AAAA"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
FUNCTION = {"name": "f", "description": "d", "parameters": SCHEMA, "strict": True}
TOOL = {"type": "function", "function": FUNCTION}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": "b"}'}}
_PARTS = [
    {"type": "text", "text": "hi"},
    {"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}},
    {"type": "file", "file": {"filename": "a.pdf", "file_data": DOCUMENT}},
]
_CONVERSATION = [
    {"role": "system", "content": "be brief"},
    {"role": "user", "content": _PARTS},
    {"role": "assistant", "content": None, "reasoning_content": "hm", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "r"}]},
    {"role": "user", "content": "and now?", "name": "n"},
]
CHAT: dict[str, Any] = {
    "model": "m",
    "messages": _CONVERSATION,
    "tools": [TOOL],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "parallel_tool_calls": False,
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
    "stop": ["a", "b"],
    "temperature": 1,
    "max_tokens": 5,
    "stream": True,
    "stream_options": {"include_usage": True},
    "metadata": {"a": "b"},
    "user": "u",
    "reasoning_effort": "low",
}
_SAMPLED = {"n": 2, "seed": -1, "top_p": 1, "top_k": 5, "logprobs": True, "top_logprobs": 3, "logit_bias": {"1": 2}}
PLAIN: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}

_SHOWN = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
_READ = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"}, "title": "t"}
_FOUND = {"type": "search_result", "title": "t", "source": "s", "content": [{"type": "text", "text": "x"}]}
_SPOKEN = [
    {"type": "thinking", "thinking": "t", "signature": "s"},
    {"type": "redacted_thinking", "data": "d"},
    {"type": "text", "text": "x"},
    {"type": "tool_use", "id": "i", "name": "f", "input": {"a": "b"}},
]
_RESULT = {"type": "tool_result", "tool_use_id": "i", "is_error": True, "content": [{"type": "text", "text": "r"}]}
MESSAGE: dict[str, Any] = {
    "model": "m",
    "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "hi"}, _SHOWN, _READ, _FOUND]},
        {"role": "assistant", "content": _SPOKEN},
        {"role": "user", "content": [_RESULT]},
    ],
    "tools": [{"name": "f", "description": "d", "input_schema": SCHEMA}],
    "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
}
_LIMITED = {"max_tokens": 2000, "stop_sequences": ["a"], "temperature": 1, "metadata": {"user_id": "u"}, "stream": True}

_GIVEN = [
    {"type": "input_text", "text": "hi"},
    {"type": "input_image", "image_url": PICTURE, "detail": "low"},
    {"type": "input_file", "file_data": DOCUMENT, "filename": "a.pdf"},
]
RESPONSE: dict[str, Any] = {
    "model": "m",
    "input": [
        {"role": "user", "content": _GIVEN},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "x", "annotations": []}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "x"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "s"}]},
    ],
    "instructions": "i",
    "tools": [{"type": "function", "name": "f", "parameters": SCHEMA, "strict": True}],
    "tool_choice": {"type": "function", "name": "f"},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}},
    "reasoning": {"effort": "low"},
    "max_output_tokens": 100,
    "stream": True,
    "store": False,
}

BODIES: dict[str, tuple[dict[str, Any], ...]] = {
    "chat.completions": (CHAT, PLAIN | _SAMPLED, PLAIN | {"stream": True}),
    "completions": (
        {"model": "m", "prompt": "hi", "suffix": "x", "echo": True, "best_of": 2, "logprobs": 1, "stop": "x"},
        {"model": "m", "prompt": [[1, 2], [3]], "max_tokens": 3},
        {"model": "m", "prompt": "hi", "stream": True},
    ),
    "embeddings": ({"model": "m", "input": ["a", "b"], "dimensions": 3, "encoding_format": "float", "user": "u"},),
    "messages": (
        MESSAGE | _LIMITED,
        {"model": "m", "max_tokens": 5, **PLAIN},
        {**PLAIN, "max_tokens": 5, "stream": True},
    ),
    "messages.count_tokens": (MESSAGE,),
    "responses": (RESPONSE, {"model": "m", "input": "hi"}, {"model": "m", "input": "hi", "stream": True}),
    "rerank": ({"model": "m", "query": "q", "documents": ["a", {"text": "b"}], "top_n": 1, "return_documents": True},),
    "score": ({"model": "m", "text_1": "a", "text_2": ["b", "c"]},),
    "moderations": ({"model": "m", "input": ["a", {"type": "image_url", "image_url": {"url": PICTURE}}]},),
    "tokenize": ({"model": "m", "prompt": "x", "add_special_tokens": False}, PLAIN | {"tools": [TOOL]}),
    "detokenize": ({"model": "m", "tokens": [1, 2]},),
    "audio.speech": ({"model": "m", "input": "x", "voice": "v", "response_format": "mp3", "speed": 1},),
    "images.generations": ({"model": "m", "prompt": "x", "n": 2, "size": "1024x1024", "response_format": "b64_json"},),
}
"""By the endpoint's name; the last of several is the plainest that streams, where it can."""

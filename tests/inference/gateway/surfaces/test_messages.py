"""What a request for a message may be, and how errors and repetitions are told in Anthropic's words."""

from datetime import UTC, datetime

import orjson
import pytest

from foundation.errors import Forbidden, InvalidRequest, NotFound, PaymentRequired, RateLimited, RequestTooLarge
from inference.gateway.errors import UpstreamError, UpstreamTimeout
from inference.gateway.surfaces.messages import CountTokens, Messages
from inference.gateway.wanted import Outcome

MESSAGES = Messages()
GOOD = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}}


def user(*blocks: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": list(blocks)}]}


WRONG = [
    ({"max_tokens": None}, "max_tokens"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"max_tokens": True}, "max_tokens"),
    ({"model": None}, "model"),
    ({"api_base": "http://x"}, "api_base"),
    ({"mcp_servers": []}, "mcp_servers"),
    ({"container": "c"}, "container"),
    ({"temperature": 1.5}, "temperature"),
    ({"top_k": -1}, "top_k"),
    ({"stop_sequences": ["a"] * 17}, "stop_sequences"),
    ({"metadata": {"user_id": "u" * 257}}, "metadata.user_id"),
    ({"metadata": {"user_id": 1}}, "metadata.user_id"),
    ({"messages": []}, "messages"),
    ({"messages": [GOOD["messages"]] * 2049}, "messages"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
    ({"messages": [{"role": "user"}]}, "messages.0.content"),
    (user({"type": "tool_use", "id": "a", "name": "b", "input": {}}), "messages.0.content.0.type"),
    (user({"type": "text"}), "messages.0.content.0.text"),
    (user("text"), "messages.0.content.0.type"),
    (user({"type": "image", "source": {"type": "file", "file_id": "f"}}), "messages.0.content.0.source.type"),
    (user({"type": "image", "source": {"type": "url"}}), "messages.0.content.0.source.url"),
    (user({"type": "tool_result", "content": "x"}), "messages.0.content.0.tool_use_id"),
    (user({"type": "tool_result", "tool_use_id": "a", "is_error": 1}), "messages.0.content.0.is_error"),
    (user({"type": "container_upload", "file_id": "f"}), "messages.0.content.0.type"),
    ({"messages": [{"role": "assistant", "content": [IMAGE]}]}, "messages.0.content.0.type"),
    ({"system": [IMAGE]}, "system.0.type"),
    ({"system": 1}, "system"),
    ({"tools": [{"name": "a"}]}, "tools.0.input_schema"),
    ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools.0.type"),
    ({"tools": [{"name": "a", "input_schema": {}}] * 129}, "tools"),
    ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
    ({"tool_choice": "auto"}, "tool_choice.type"),
    ({"tool_choice": {"type": "auto", "disable_parallel_tool_use": "yes"}}, "tool_choice.disable_parallel_tool_use"),
    ({"thinking": {"type": "enabled", "budget_tokens": 10}}, "thinking.budget_tokens"),
    ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "thinking.budget_tokens"),
    ({"thinking": {"type": "deep"}}, "thinking.type"),
    ({"output_config": {"effort": ["low"]}}, "output_config.effort"),
    ({"output_config": {"format": {"type": "xml"}}}, "output_config.format"),
]


@pytest.mark.parametrize(
    ("fields", "param"), WRONG, ids=[f"{param} {number}" for number, (_, param) in enumerate(WRONG)]
)
def test_what_is_wrong_is_refused_by_name(fields, param):
    with pytest.raises(InvalidRequest) as refused:
        MESSAGES.read(GOOD | fields, 100)
    assert refused.value.param == param


def test_what_stays_here_reaches_no_engine():
    wanted = MESSAGES.read(GOOD | {"metadata": {"user_id": "alice"}, "service_tier": "auto", "stream": None}, 100)
    assert wanted.fields == GOOD
    assert (wanted.customer, wanted.max_tokens, wanted.stream) == ("alice", 10, False)


@pytest.mark.parametrize(
    ("block", "is_media"),
    [
        ({"type": "text", "text": "a"}, False),
        (IMAGE, True),
        ({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a"}}, False),
        ({"type": "document", "source": {"type": "content", "content": [IMAGE]}}, True),
        ({"type": "tool_result", "tool_use_id": "a", "content": [IMAGE]}, True),
        ({"type": "tool_result", "tool_use_id": "a"}, False),
    ],
)
def test_media_is_found_wherever_it_is(block, is_media):
    assert MESSAGES.read(GOOD | user(block), 100).has_media is is_media


def test_a_body_without_media_is_at_most_ten_megabytes():
    with pytest.raises(RequestTooLarge):
        MESSAGES.parse(orjson.dumps(GOOD | {"system": "a" * 10_500_000}), b"application/json", b"")


def test_a_count_needs_no_limit_of_tokens_and_takes_none():
    counted = CountTokens().read({name: GOOD[name] for name in ("model", "messages")}, 100)
    assert (counted.size, counted.max_tokens) == (0, None)
    with pytest.raises(InvalidRequest, match="max_tokens"):
        CountTokens().read(GOOD, 100)


ERRORS = [
    (InvalidRequest("x", param="p"), "invalid_request_error"),
    (PaymentRequired(), "billing_error"),
    (Forbidden(), "permission_error"),
    (NotFound(), "not_found_error"),
    (RequestTooLarge(), "request_too_large"),
    (RateLimited(), "rate_limit_error"),
    (UpstreamError(), "api_error"),
    (UpstreamTimeout(), "timeout_error"),
]


@pytest.mark.parametrize(("error", "kind"), ERRORS, ids=[kind for _, kind in ERRORS])
def test_errors_have_anthropics_shape_and_our_code(error, kind):
    told = orjson.loads(MESSAGES.error(error, "req_1"))
    named = {"param": error.param} if error.param else {}
    assert told == {
        "type": "error",
        "error": {"type": kind, "message": error.message, "code": error.code} | named,
        "request_id": "req_1",
    }
    assert MESSAGES.error_event(error, "req_1") == b"event: error\ndata: " + orjson.dumps(told) + b"\n\n"


def test_a_repeated_request_is_told_what_the_first_one_used():
    outcome = Outcome("req_1", "m", 12, 4, 7, 1, datetime(2026, 1, 1, tzinfo=UTC))
    told = orjson.loads(MESSAGES.replay(outcome, streamed=False))
    assert (told["content"], told["usage"]["input_tokens"], told["usage"]["output_tokens"]) == ([], 8, 7)

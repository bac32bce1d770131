"""The fields of a chat completion."""

import pytest

from foundation.errors import InvalidRequest
from inference.gateway.surfaces.chat import Chat

CHAT = Chat()
MESSAGES: list[dict] = [{"role": "user", "content": "hi"}]
BASE = {"model": "m", "messages": MESSAGES}


def test_a_plain_request_is_understood():
    request = CHAT.read({**BASE, "max_tokens": 5, "user": "kim", "temperature": 0}, size=100)
    assert (request.model, request.max_tokens, request.choices, request.customer) == ("m", 5, 1, "kim")
    assert request.fields == {**BASE, "max_tokens": 5, "temperature": 0}


@pytest.mark.parametrize("message", [{"role": []}, {"role": {}}, {"role": 5}, {"role": None}, {}, [], "user", None])
def test_a_message_without_a_known_role_is_refused(message):
    with pytest.raises(InvalidRequest, match="known role"):
        CHAT.read({"model": "m", "messages": [message]}, size=1)


@pytest.mark.parametrize("calls", [True, 1, "x", {}, [1], [None], [{}] * 129])
def test_calls_of_tools_are_objects(calls):
    said = {"role": "assistant", "content": "hi", "tool_calls": calls}
    with pytest.raises(InvalidRequest) as refused:
        CHAT.read({"model": "m", "messages": [said]}, size=1)
    assert refused.value.param == "messages[0].tool_calls"


@pytest.mark.parametrize(
    "field",
    [
        "api_base",
        "base_url",
        "extra_body",
        "extra_headers",
        "lora_request",
        "priority",
        "cache_salt",
        "kv_transfer_params",
        "prompt_embeds",
        "guided_json",
        "__proto__",
    ],
)
def test_what_is_not_on_the_list_never_passes(field):
    with pytest.raises(InvalidRequest, match="Unknown field") as refused:
        CHAT.read({**BASE, field: "x"}, size=1)
    assert refused.value.param == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_tokens", 0),
        ("max_tokens", -1),
        ("max_tokens", True),
        ("max_tokens", 1.5),
        ("max_tokens", "5"),
        ("n", 9),
        ("n", 0),
        ("n", True),
        ("temperature", 3),
        ("temperature", "hot"),
        ("temperature", True),
        ("top_logprobs", 21),
        ("stream", 1),
        ("stream", "true"),
        ("stop", [1]),
        ("stop", ["x"] * 17),
        ("logit_bias", {"1": 101}),
        ("tools", {}),
        ("tools", [1]),
        ("tool_choice", "maybe"),
        ("user", 5),
        ("user", "a\0b"),
        ("stream_options", []),
        ("model", ""),
        ("model", 5),
        ("response_format", "json"),
        ("messages", []),
        ("messages", "hi"),
        ("messages", None),
        ("messages", [5]),
        ("messages", [{"content": "x"}]),
        ("messages", [{"role": "king", "content": "x"}]),
        ("messages", [{"role": "user", "content": 5}]),
        ("messages", [{"role": "user", "content": [{"text": "no type"}]}]),
        ("messages", [{"role": "user"}]),
        ("messages", [{"role": "user", "content": [{"type": "text", "text": 1}]}]),
    ],
)
def test_a_wrong_value_is_refused_and_named(field, value):
    with pytest.raises(InvalidRequest) as refused:
        CHAT.read({**BASE, field: value}, size=1)
    assert field in f"{refused.value.param} {refused.value.message}"


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_a_number_that_is_too_large_is_refused_with_both_ends(field):
    with pytest.raises(InvalidRequest, match=rf"{field} must be a whole number from 1 to {2**31}\."):
        CHAT.read({**BASE, field: 2**31 + 1}, size=1)


def test_too_many_messages_are_refused():
    with pytest.raises(InvalidRequest, match="2048"):
        CHAT.read({**BASE, "messages": MESSAGES * 2049}, size=1)
    assert CHAT.read({**BASE, "messages": MESSAGES * 2048}, size=1)


def test_the_two_names_of_max_tokens_must_agree():
    assert CHAT.read({**BASE, "max_completion_tokens": 7}, size=1).max_tokens == 7
    with pytest.raises(InvalidRequest, match="differ"):
        CHAT.read({**BASE, "max_completion_tokens": 7, "max_tokens": 8}, size=1)


def test_stream_options_belong_to_streams():
    with pytest.raises(InvalidRequest):
        CHAT.read({**BASE, "stream_options": {"include_usage": True}}, size=1)
    assert CHAT.read({**BASE, "stream": True, "stream_options": {"include_usage": True}}, size=1).include_usage


def test_an_answer_of_tool_calls_needs_no_content():
    calls = [{"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}]
    assert CHAT.read({**BASE, "messages": MESSAGES + calls}, size=1)


def test_media_is_noticed_because_bytes_do_not_bound_it():
    image = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}]
    assert CHAT.read({**BASE, "messages": image}, size=1).has_media
    text = [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]
    assert not CHAT.read({**BASE, "messages": text}, size=1).has_media


def test_content_never_shows_in_a_repr():
    secret = "the launch code"
    assert secret not in repr(CHAT.read({**BASE, "messages": [{"role": "user", "content": secret}]}, size=1))

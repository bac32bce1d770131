"""What Mistral's API and TGI word in their own way comes out in OpenAI's words, and everything else as it was."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from inference.gateway.engines.kinds import ENGINES
from inference.gateway.errors import UpstreamError
from tests.inference.gateway.engines.orders import order

CHAT = "chat.completions"


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "up"}
    return b"data: " + orjson.dumps(head | {"choices": [choice]} | more) + b"\n\n"


def thinking(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}


def streamed(kind: str, sent: bytes) -> tuple[list[Any], Any]:
    """Return the chunks that a client gets, and the usage that is charged."""
    stream = ENGINES[kind].wires[CHAT].stream(order(stream=True))
    body = stream.feed(sent).body
    return [orjson.loads(event[6:]) for event in body.split(b"\n\n")[:-1]], stream.usage()


def whole(kind: str, **answer: Any) -> tuple[dict[str, Any], Any]:
    got = ENGINES[kind].wires[CHAT].whole(order(), orjson.dumps(answer), "application/json")
    return orjson.loads(got.body), got.usage


def test_what_mistral_thinks_is_reasoning_and_not_content():
    sent = (
        chunk({"content": [thinking("hm")]})
        + chunk({"content": [{"type": "text", "text": "so"}]})
        + chunk({"content": "!"})
    )
    told, _ = streamed("mistral", sent)
    deltas = [one["choices"][0]["delta"] for one in told]
    assert deltas == [{"content": "", "reasoning_content": "hm"}, {"content": "so"}, {"content": "!"}]
    message = {"role": "assistant", "content": [thinking("hm"), {"type": "text", "text": "so"}]}
    answer, _ = whole("mistral", choices=[{"index": 0, "message": message, "finish_reason": "model_length"}])
    choice = answer["choices"][0]
    assert (choice["message"]["content"], choice["message"]["reasoning_content"]) == ("so", "hm")
    assert choice["finish_reason"] == "length"


@pytest.mark.parametrize(
    "told", [{"num_cached_tokens": 2}, {"prompt_token_details": {"cached_tokens": 2}}], ids=["a number", "details"]
)
def test_what_mistral_read_from_its_cache_has_openais_name(told):
    used = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4, **told}
    _, usage = streamed("mistral", chunk({"content": ""}, "stop", usage=used))
    assert usage == {
        "prompt_tokens": 3,
        "completion_tokens": 1,
        "total_tokens": 4,
        "prompt_tokens_details": {"cached_tokens": 2},
    }


def test_mistral_is_told_of_earlier_turns_in_its_own_words():
    earlier: dict[str, Any] = {
        "role": "assistant",
        "content": "so",
        "reasoning_content": "hm",
        "refusal": None,
        "annotations": [],
    }
    asked = order(messages=[{"role": "developer", "content": "s"}, earlier, {"role": "user", "content": ""}])
    call = ENGINES["mistral"].wires[CHAT].call(asked, "up")
    assert call is not None
    assert orjson.loads(call.body)["messages"] == [
        {"role": "system", "content": "s"},
        {"role": "assistant", "content": [thinking("hm"), {"type": "text", "text": "so"}]},
        {"role": "user", "content": ""},
    ]


@pytest.mark.parametrize("reason", ["eos_token", "stop_sequence", "stop"])
def test_tgi_stops_as_openai_does(reason):
    told, _ = streamed("tgi", chunk({"content": "stop_sequence"}) + chunk({"content": "!"}, reason))
    assert [one["choices"][0]["finish_reason"] for one in told] == [None, "stop"]
    message = {"role": "assistant", "content": "!"}
    answer, _ = whole("tgi", choices=[{"index": 0, "message": message, "finish_reason": reason}])
    assert answer["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("reason", ["error", "abort"])
@pytest.mark.parametrize("kind", ["vllm", "sglang", "compatible", "mistral"])
def test_an_answer_that_its_engine_gave_up_is_none(kind, reason):
    message = {"role": "assistant", "content": "half"}
    with pytest.raises(UpstreamError):
        whole(kind, choices=[{"index": 0, "message": message, "finish_reason": reason}])
    stream = ENGINES[kind].wires[CHAT].stream(order(stream=True))
    passage = stream.feed(chunk({"content": "half"}) + chunk({}, reason) + b"data: [DONE]\n\n")
    assert passage.broken
    assert reason.encode() not in passage.body

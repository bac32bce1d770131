"""OpenAI's responses as chat and back, by golden examples written from the public references."""

from pathlib import Path

import orjson
import pytest

from foundation.errors import InvalidRequest
from inference.gateway.surfaces.responses import Responses
from inference.gateway.translation.responses_answer import response
from inference.gateway.translation.responses_events import ResponseEvents
from inference.gateway.translation.responses_request import chat_request

GOLDEN = orjson.loads((Path(__file__).parent / "golden" / "responses.json").read_bytes())
BASE = {"model": "m", "input": "hi"}
SURFACE = Responses()


def named(group: str):
    return pytest.mark.parametrize("case", GOLDEN[group], ids=[case["name"] for case in GOLDEN[group]])


@named("requests")
def test_a_request_is_put_as_chat(case):
    wanted = SURFACE.read(case["response"], size=1)
    assert chat_request(wanted.fields) == case["chat"]


@named("answers")
def test_an_answer_is_written_as_a_response(case):
    told = response(case["chat"], {"temperature": 0.5}, "public", {"completion_tokens": 7})
    assert (told["status"], told["output"], told["usage"]) == (case["status"], case["output"], case["usage"])
    assert (told["object"], told["model"], told["temperature"]) == ("response", "public", 0.5)


def test_a_stream_is_told_in_numbered_events_that_add_up_to_the_response():
    teller = ResponseEvents("public", {})
    told = b"".join(teller.chunk(chunk) for chunk in GOLDEN["stream"]["chunks"])
    last, marker = teller.end({})
    events = [orjson.loads(event.split(b"data: ")[1]) for event in (told + last + marker).split(b"\n\n")[:-1]]
    assert [event["type"] for event in events] == GOLDEN["stream"]["events"]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert b"response.completed" not in told + last
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert events[-1]["response"]["output"] == done
    assert [item.get("arguments") for item in done] == [None, None, "{}", "{}"]
    assert done[1]["content"][0]["text"] == "Looking."
    assert events[-1]["response"]["usage"]["total_tokens"] == 15


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("previous_response_id", "resp_1"),
        ("conversation", "conv_1"),
        ("prompt", {"id": "p"}),
        ("background", True),
        ("truncation", "auto"),
        ("input", []),
        ("input", [1]),
        ("input", [{"role": "king", "content": "x"}]),
        ("input", [{"type": "item_reference", "id": "x"}]),
        ("input", [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]),
        ("input", [{"type": "function_call", "name": "x", "arguments": "{}"}]),
        ("tools", [{"type": "web_search"}]),
        ("tool_choice", "maybe"),
        ("text", {"format": {"type": "xml"}}),
        ("reasoning", {"effort": "enormous"}),
        ("include", ["file_search_call.results"]),
        ("max_output_tokens", 0),
        ("extra_body", {}),
    ],
)
def test_what_reaches_beyond_the_request_is_refused_and_named(field, value):
    with pytest.raises(InvalidRequest) as refused:
        SURFACE.read({**BASE, field: value}, size=1)
    assert field in f"{refused.value.param} {refused.value.message}"

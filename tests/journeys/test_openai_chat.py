"""OpenAI's own SDK against a running server: every word that a chat completion may have, plain and streamed."""

import base64
import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from inference.simulator.pictures import png

FAST = "ttft=1 gap=0"
WAYS = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])


def tool(name: str) -> Any:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


TOOLS = [tool("weather"), tool("clock")]


@pytest.fixture
def ask(sdk):
    """Ask for a completion, plain or gathered from a stream by the SDK itself."""

    def asked(text: Any, *, streamed: bool, **fields: Any) -> ChatCompletion:
        asking: dict[str, Any] = {"model": "sim", "messages": [{"role": "user", "content": text}]} | fields
        if not streamed:
            plain: ChatCompletion = sdk.chat.completions.create(**asking)
            return plain
        with sdk.chat.completions.stream(**asking, stream_options={"include_usage": True}) as stream:
            stream.until_done()
            gathered: ChatCompletion = stream.current_completion_snapshot
        return gathered

    return asked


@pytest.fixture
def newest(installation, acme):
    """The newest usage record."""

    def read() -> dict[str, Any]:
        (row,) = installation.sql(
            "SELECT to_jsonb(u) FROM billing_usagerecord u WHERE organization_id = %s ORDER BY request_id DESC LIMIT 1",
            acme.id,
        )
        record: dict[str, Any] = row[0]
        return record

    return read


@WAYS
def test_tools_are_called_side_by_side(ask, newest, streamed):
    answer = ask(f"[[sim tools=2 {FAST}]]", streamed=streamed, tools=TOOLS, parallel_tool_calls=True)
    calls = answer.choices[0].message.tool_calls
    assert [call.function.name for call in calls] == ["weather", "clock"]
    assert all(isinstance(json.loads(call.function.arguments)["city"], str) for call in calls)
    assert answer.choices[0].finish_reason == "tool_calls"
    assert newest()["completion_tokens"] == answer.usage.completion_tokens > 0


@WAYS
def test_one_tool_can_be_named(ask, streamed):
    named = {"type": "function", "function": {"name": "clock"}}
    answer = ask(f"hi [[sim {FAST}]]", streamed=streamed, tools=TOOLS, tool_choice=named)
    assert [call.function.name for call in answer.choices[0].message.tool_calls] == ["clock"]


@WAYS
def test_none_can_be_wanted(ask, streamed):
    message = ask(f"hi [[sim {FAST}]]", streamed=streamed, tools=TOOLS, tool_choice="none").choices[0].message
    assert message.content
    assert not message.tool_calls


@WAYS
def test_json_by_a_schema(ask, streamed):
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "rain": {"type": "boolean"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "report", "schema": schema | {"required": ["city"]}}}
    said = json.loads(ask(f"[[sim {FAST}]]", streamed=streamed, response_format=wanted).choices[0].message.content)
    assert isinstance(said["city"], str)


@WAYS
def test_log_probabilities_come_with_each_token(ask, streamed):
    answer = ask(f"[[sim tokens=4 {FAST}]]", streamed=streamed, logprobs=True, top_logprobs=2)
    told = answer.choices[0].logprobs.content
    assert [len(token.top_logprobs) for token in told] == [2] * 4


@WAYS
def test_several_choices_are_all_charged(ask, newest, streamed):
    answer = ask(f"[[sim tokens=4 {FAST}]]", streamed=streamed, n=3)
    assert sorted(choice.index for choice in answer.choices) == [0, 1, 2]
    assert newest()["completion_tokens"] == answer.usage.completion_tokens == 12


@WAYS
def test_seed_and_stop_are_passed_on(ask, streamed):
    answer = ask(f"[[sim tokens=4 {FAST}]]", streamed=streamed, seed=7, stop=["never"], temperature=0)
    assert answer.choices[0].finish_reason == "stop"


@WAYS
def test_the_most_tokens_are_what_was_asked_and_never_more(ask, newest, streamed):
    answer = ask(f"[[sim tokens=50 {FAST}]]", streamed=streamed, max_completion_tokens=6)
    assert (answer.choices[0].finish_reason, answer.usage.completion_tokens) == ("length", 6)
    assert newest()["completion_tokens"] == 6


@WAYS
def test_reasoning_is_shown_and_charged(ask, newest, streamed):
    answer = ask(f"[[sim reasoning=5 tokens=3 {FAST}]]", streamed=streamed, reasoning_effort="low")
    message = answer.choices[0].message.to_dict()
    assert message.get("reasoning") or message.get("reasoning_content")
    assert newest()["completion_tokens"] == answer.usage.completion_tokens == 8


@WAYS
def test_a_refusal_is_told(ask, streamed):
    message = ask(f"[[sim refusal tokens=3 {FAST}]]", streamed=streamed).choices[0].message
    assert message.refusal
    assert not message.content


@WAYS
def test_a_picture_is_held_for_by_the_whole_context(ask, newest, streamed):
    shown = "data:image/png;base64," + base64.b64encode(png(8, 8, b"abc")).decode()
    parts = [
        {"type": "text", "text": f"what is it? [[sim tokens=3 {FAST}]]"},
        {"type": "image_url", "image_url": {"url": shown, "detail": "low"}},
    ]
    answer = ask(parts, streamed=streamed, max_tokens=3)
    record = newest()
    assert record["prompt_tokens"] == answer.usage.prompt_tokens
    assert record["hold_nusd"] == 8192 * 500 + 3 * 1500


@WAYS
def test_what_came_from_the_prefix_cache_has_its_own_price(ask, newest, streamed):
    text = f"{'Once upon a time. ' * 60}{streamed} [[sim tokens=2 {FAST}]]"
    # There are two replicas, each with a cache of its own.
    *_, answer = [ask(text, streamed=streamed) for _ in range(4)]
    record, usage = newest(), answer.usage
    cached = usage.prompt_tokens_details.cached_tokens
    assert 0 < cached == record["cached_tokens"] < usage.prompt_tokens
    assert record["cost_nusd"] == (usage.prompt_tokens - cached) * 500 + cached * 250 + 2 * 1500

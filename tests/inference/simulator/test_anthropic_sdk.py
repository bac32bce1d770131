"""Anthropic's own SDK, against what vLLM serves of its API."""

from collections.abc import Iterator

import anthropic
import pytest

TOOL: anthropic.types.ToolParam = {
    "name": "toll",
    "input_schema": {"type": "object", "properties": {"gate": {"type": "string"}}, "required": ["gate"]},
}


@pytest.fixture
def sdk(sim) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=sim.url, api_key="any", max_retries=0) as client:
        yield client


def _asked(text: str) -> list[anthropic.types.MessageParam]:
    return [{"role": "user", "content": text}]


def test_a_plain_message(sdk):
    answer = sdk.messages.create(model="sim", max_tokens=100, messages=_asked("[[sim tokens=12 ttft=0 gap=0]]"))
    assert answer.usage.output_tokens == 12
    assert len(answer.content[0].text.split(" ")) == 12


def test_a_streamed_message_adds_up_to_the_plain_one(sdk):
    messages = _asked("[[sim reasoning=3 tokens=12 ttft=0 gap=0]]")
    with sdk.messages.stream(model="sim", max_tokens=100, messages=messages) as stream:
        final = stream.get_final_message()
    plain = sdk.messages.create(model="sim", max_tokens=100, messages=messages)
    assert [block.to_dict() for block in final.content] == [block.to_dict() for block in plain.content]
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", 15)


def test_tools_are_used_in_a_stream(sdk):
    messages = _asked("[[sim tools=2 ttft=0 gap=0]]")
    tools: list[anthropic.types.ToolParam] = [TOOL, {**TOOL, "name": "pay"}]
    with sdk.messages.stream(model="sim", max_tokens=100, messages=messages, tools=tools) as stream:
        final = stream.get_final_message()
    assert [(block.name, list(block.input)) for block in final.content] == [("toll", ["gate"]), ("pay", ["gate"])]
    assert final.stop_reason == "tool_use"


def test_tokens_are_counted(sdk):
    assert sdk.messages.count_tokens(model="sim", messages=_asked("12345678")).input_tokens == 6


def test_errors_are_the_sdks_own(sdk):
    with pytest.raises(anthropic.RateLimitError):
        sdk.messages.create(model="sim", max_tokens=1, messages=_asked("[[sim status=429]]"))

"""Everything that chat has words for passes the gateway, plain and streamed, as the engine says it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.inference.gateway.door import Answer

FAST = "[[sim tokens=6 ttft=0 gap=0]]"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
    for name in ("weather", "time")
]
SCHEMA = {"type": "object", "properties": {"answer": {"type": "integer"}}, "required": ["answer"]}
PICTURE = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def told(answer: Answer, *, streamed: bool) -> list[dict[str, Any]]:
    """Return what each choice says: its message, put together from the deltas of a stream, and the rest beside it."""
    assert answer.status == 200, answer.body
    if not streamed:
        return [{**choice["message"], **_beside(choice)} for choice in answer.json["choices"]]
    assert answer.complete
    choices: dict[int, dict[str, Any]] = {}
    for event in answer.events[:-1]:
        for choice in orjson.loads(event).get("choices", []):
            said = choices.setdefault(choice["index"], {})
            _add(said, choice["delta"])
            said |= _beside(choice, said.get("logprobs"))
    return [choices[index] for index in sorted(choices)]


def _beside(choice: dict[str, Any], before: list[Any] | None = None) -> dict[str, Any]:
    found = {"finish_reason": choice["finish_reason"]} if choice.get("finish_reason") else {}
    logprobs = (before or []) + ((choice.get("logprobs") or {}).get("content") or [])
    return found | ({"logprobs": logprobs} if logprobs else {})


def _add(said: dict[str, Any], delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        if name == "tool_calls":
            calls = said.setdefault("tool_calls", {})
            for call in value:
                one = calls.setdefault(call["index"], {"name": "", "arguments": ""})
                for part, text in call["function"].items():
                    one[part] += text or ""
        elif isinstance(value, str) and name != "role":
            said[name] = said.get(name, "") + value


def calls(said: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the tools that are called, with their arguments read."""
    found = said["tool_calls"]
    functions = [call["function"] for call in found] if isinstance(found, list) else list(found.values())
    return [(function["name"], orjson.loads(function["arguments"])) for function in functions]


@pytest.fixture
async def ask(customer):
    acme = await customer()

    async def ask(text: str = FAST, **fields: Any) -> list[list[dict[str, Any]]]:
        """Ask twice: plain, then streamed."""
        return [told(await acme.chat(text, stream=streamed, **fields), streamed=streamed) for streamed in (False, True)]

    return ask


async def test_tools_are_called_in_parallel_and_as_chosen(ask):
    for (said,) in await ask("[[sim tools=2 ttft=0 gap=0]]", tools=TOOLS, parallel_tool_calls=True):
        assert [name for name, _ in calls(said)] == ["weather", "time"]
        assert all(isinstance(arguments["city"], str) for _, arguments in calls(said))
        assert said["finish_reason"] == "tool_calls"
    named = {"type": "function", "function": {"name": "time"}}
    for (said,) in await ask(tools=TOOLS, tool_choice=named):
        assert [name for name, _ in calls(said)] == ["time"]
    for (said,) in await ask(tools=TOOLS, tool_choice="none"):
        assert said["content"]
        assert not said.get("tool_calls")


async def test_what_tools_answered_goes_on_to_the_engine(customer):
    acme = await customer()
    call = {"id": "call_1", "type": "function", "function": {"name": "time", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": FAST},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "noon"},
    ]
    for streamed in (False, True):
        answer = await acme.ask({"model": "sim", "messages": messages, "tools": TOOLS, "stream": streamed})
        assert told(answer, streamed=streamed)[0]["content"]


async def test_a_schema_is_answered_with_json_of_its_shape(ask):
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}
    for (said,) in await ask("hi [[sim ttft=0 gap=0]]", response_format=wanted):
        assert isinstance(orjson.loads(said["content"])["answer"], int)


async def test_logprobs_come_with_each_token(ask):
    for (said,) in await ask(logprobs=True, top_logprobs=2):
        assert len(said["logprobs"]) == 6
        assert all(len(token["top_logprobs"]) == 2 for token in said["logprobs"])


async def test_every_choice_is_told_and_charged(ask, usage):
    for said in await ask(n=3):
        assert len(said) == 3
        assert all(choice["content"] for choice in said)
    assert [row["completion_tokens"] for row in await usage()] == [18, 18]


async def test_a_seed_repeats_an_answer_and_reasoning_and_refusals_have_their_own_fields(ask):
    first, again = await ask(seed=7, stop=["never said"], temperature=0)
    assert first[0]["content"] == again[0]["content"]
    for (said,) in await ask("[[sim tokens=3 reasoning=4 ttft=0 gap=0]]", reasoning_effort="low"):
        assert said["reasoning"]
        assert said["content"]
    for (said,) in await ask("[[sim tokens=3 refusal ttft=0 gap=0]]"):
        assert said["refusal"]
        assert not said.get("content")


async def test_pictures_go_on_to_the_engine(customer, usage):
    acme = await customer()
    parts = [{"type": "text", "text": FAST}, {"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}}]
    for streamed in (False, True):
        body = {"model": "sim", "messages": [{"role": "user", "content": parts}], "stream": streamed}
        assert told(await acme.ask(body), streamed=streamed)[0]["content"]
    assert [row["outcome"] for row in await usage()] == ["complete", "complete"]


async def test_cached_input_is_told_and_has_its_own_price(customer, usage):
    acme = await customer()
    prompt, cached = "the same long beginning " * 200 + FAST, 0
    for streamed in (False, True, False, True):
        answer = await acme.chat(prompt, stream=streamed, stream_options={"include_usage": True} if streamed else None)
        used = (orjson.loads(answer.events[-2]) if streamed else answer.json)["usage"]
        [*_, row] = await usage()
        assert row["cached_tokens"] == used["prompt_tokens_details"]["cached_tokens"]
        cached = row["cached_tokens"]
        fresh = row["prompt_tokens"] - cached
        assert row["cost_nusd"] == fresh * 500 + cached * 250 + row["completion_tokens"] * 1500
    assert cached > 0

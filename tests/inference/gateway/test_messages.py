"""Anthropic's messages before an engine that has them and before one that only chats: the same story as chat's."""

from typing import Any

import pytest

from inference.models import Pool
from tests.inference.gateway.messages_door import ask, text, told, types
from tests.inference.simulator.client import eventually

FAST = "ttft=1 gap=0"
TOOL = {"name": "toll", "input_schema": {"type": "object", "properties": {"gate": {"type": "string"}}}}
ROAD = {**TOOL, "name": "road", "description": "Where to."}
NATIVE, BRIDGED = Pool.Engine.VLLM, Pool.Engine.COMPATIBLE


@pytest.fixture(params=[NATIVE, BRIDGED], ids=["native", "bridged"])
def engine_kind(request):
    return request.param


@pytest.fixture
async def acme(customer):
    return await customer()


async def test_a_whole_message_costs_exactly_the_price(acme, usage):
    answer = await ask(acme, f"hi [[sim tokens=5 {FAST}]]")
    (record,) = await usage()
    used = answer.json["usage"]
    assert (answer.status, answer.json["type"], answer.json["model"]) == (200, "message", "sim")
    assert [block["type"] for block in answer.json["content"]] == ["text"]
    assert (record["outcome"], record["usage_source"], record["endpoint"]) == ("complete", "final", "messages")
    assert record["cost_nusd"] == used["input_tokens"] * 500 + used["cache_read_input_tokens"] * 250 + 5 * 1500
    assert answer.headers["x-turnpike-cost-nano-usd"] == str(record["cost_nusd"])
    assert answer.headers["request-id"] == answer.headers["x-request-id"]


async def test_a_stream_has_anthropics_events_and_says_what_the_whole_says(acme):
    directive = f"hi [[sim tokens=5 {FAST}]]"
    streamed, whole = await ask(acme, directive, stream=True), await ask(acme, directive)
    assert [name for name in types(streamed.body) if name != "ping"] == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * 5,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert text(streamed.body) == whole.json["content"][0]["text"]
    assert told(streamed.body)[0]["message"]["model"] == "sim"
    assert b"[DONE]" not in streamed.body


async def test_nothing_tells_that_a_message_is_complete_before_it_is_charged(acme, fresh_database):
    charged_when = {}

    def look(answer):
        complete = b"stop_reason" in answer.body.split(b"content_block_stop")[-1]
        charged_when[complete] = fresh_database.sql("SELECT count(*) FROM billing_usagerecord")[0][0]
        return False

    await ask(acme, f"hi [[sim tokens=5 {FAST}]]", stream=True, leave=look)
    assert charged_when == {False: 0, True: 1}


async def test_thinking_and_tools_come_in_blocks_of_their_own(acme):
    answer = await ask(acme, f"hi [[sim reasoning=2 tools=2 {FAST}]]", tools=[TOOL, ROAD], stream=True)
    begun = [event["content_block"] for event in told(answer.body) if event["type"] == "content_block_start"]
    assert [block["type"] for block in begun] == ["thinking", "tool_use", "tool_use"]
    assert [block.get("name") for block in begun[1:]] == ["toll", "road"]
    assert told(answer.body)[-2]["delta"]["stop_reason"] == "tool_use"
    assert types(answer.body).count("content_block_stop") == 3


async def test_tools_may_be_used_in_a_whole_message(acme):
    answer = await ask(acme, f"hi [[sim tools=1 {FAST}]]", tools=[TOOL], tool_choice={"type": "any"})
    (use,) = answer.json["content"]
    assert (use["type"], use["name"], answer.json["stop_reason"]) == ("tool_use", "toll", "tool_use")
    assert isinstance(use["input"]["gate"], str)


async def test_a_conversation_with_results_goes_on(acme):
    turns = [
        {"role": "user", "content": "What is the toll?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "toll", "input": {"gate": "1"}}]},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "two"}]},
                {"type": "text", "text": f"And now? [[sim tokens=3 {FAST}]]"},
            ],
        },
    ]
    answer = await ask(acme, messages=turns, tools=[TOOL], system=[{"type": "text", "text": "Be brief."}])
    assert (answer.status, answer.json["usage"]["output_tokens"]) == (200, 3)


async def test_the_engine_obeys_the_bound_that_was_held_for(acme):
    answer = await ask(acme, f"hi [[sim tokens=20 {FAST}]]", max_tokens=4)
    assert (answer.json["stop_reason"], answer.json["usage"]["output_tokens"]) == ("max_tokens", 4)


REFUSALS = {
    "status=500": (502, "api_error", "upstream_error"),
    "status=529": (503, "overloaded_error", "overloaded"),
    "status=429": (503, "overloaded_error", "overloaded"),
    "status=400": (400, "invalid_request_error", "invalid_request"),
    "status=401": (502, "api_error", "upstream_error"),
    "bad_gzip": (502, "api_error", "upstream_error"),
}


async def test_what_an_engine_refuses_costs_nothing_and_says_nothing_of_it(acme, usage):
    for directive, expected in REFUSALS.items():
        answer = await ask(acme, f"hi [[sim {FAST} tokens=3 {directive}]]")
        assert (answer.status, answer.error["type"], answer.error["code"]) == expected, directive
        assert b"sim" not in answer.body
    records = [(record["outcome"], record["cost_nusd"], record["status"]) for record in await usage()]
    assert records == [("upstream_error", 0, status) for status, _, _ in REFUSALS.values()]


async def test_a_client_that_leaves_pays_for_what_was_made_and_stops_the_engine(acme, usage, engines):
    left = lambda answer: answer.body.count(b"text_delta") >= 3  # noqa: E731 - a name for the next line
    answer = await ask(acme, "hi [[sim ttft=1 gap=50 tokens=60]]", stream=True, leave=left)
    (record,) = await usage()
    assert record["outcome"] == "client_left"
    assert (3 <= record["completion_tokens"] < 20, record["cost_nusd"] > 0) == (True, True)
    assert eventually(lambda: _seen(engines, answer) == ["client_gone"])


def _seen(engines, answer):
    lines = [line for engine in engines for line in engine.witness()["requests"]]
    return [line["ended"] for line in lines if line["request_id"] == answer.headers["x-request-id"]]


async def test_the_user_of_a_request_is_the_customer(acme, usage):
    await ask(acme, f"[[sim {FAST} tokens=1]]", metadata={"user_id": "alice"})
    await ask(acme, f"[[sim {FAST} tokens=1]]", metadata={"user_id": "u" * 200})
    alice, longer = [record["customer"] for record in await usage()]
    assert alice == "alice"
    assert longer.startswith("sha256:")


async def test_tokens_are_counted_for_nothing_and_on_the_record(acme, usage, engine_kind):
    question: dict[str, Any] = {"messages": [{"role": "user", "content": f"[[sim {FAST} tokens=1]] count"}]}
    counted = await acme.ask({"model": "sim", **question}, path="/v1/messages/count_tokens")
    assert (counted.headers.get("x-turnpike-estimated") == "true") is (engine_kind == BRIDGED)
    (record,) = await usage()
    assert (record["endpoint"], record["outcome"]) == ("messages.count_tokens", "complete")
    assert (record["cost_nusd"], record["hold_nusd"], record["prompt_tokens"]) == (0, 0, 0)
    spent = await ask(acme, **question)
    used = spent.json["usage"]
    if engine_kind == NATIVE:
        assert counted.json == {"input_tokens": used["input_tokens"] + used["cache_read_input_tokens"]}
    assert 5 < counted.json["input_tokens"] < 50


async def test_the_same_message_twice_under_one_key_is_made_and_charged_once(acme, usage):
    same = {"headers": {"idempotency-key": "once"}, "stream": True}
    first, second = [await ask(acme, f"[[sim {FAST} tokens=3]]", **same) for _ in range(2)]
    assert second.headers["idempotent-replayed"] == "true"
    assert types(second.body) == ["message_start", "message_delta", "message_stop"]
    assert told(second.body)[1]["usage"] == told(first.body)[-2]["usage"]
    assert len(await usage()) == 1


async def test_what_chat_cannot_say_is_refused_before_the_engine_and_frees_its_place(acme, usage, engine_kind):
    tools = [{"type": "bash_20250124", "name": "bash"}]
    answers = [await ask(acme, f"[[sim {FAST} tokens=1]]", tools=tools) for _ in range(2)]
    if engine_kind == BRIDGED:
        assert [(answer.status, answer.error["param"]) for answer in answers] == [(400, "tools")] * 2
        assert not any(acme.gateway.services.relay._balance.in_flight.values())


async def test_a_key_cannot_ask_for_more_at_once_than_its_limit(customer):
    acme = await customer(rpm=1)
    assert (await ask(acme, f"[[sim {FAST} tokens=1]]")).status == 200
    refused = await ask(acme)
    assert (refused.status, refused.error["type"]) == (429, "rate_limit_error")
    assert int(refused.headers["retry-after"]) >= 1

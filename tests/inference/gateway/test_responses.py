"""The story of a response, before an engine that serves them and before one that only chats."""

import orjson
import pytest

PATH = "/v1/responses"
FAST = "ttft=1 gap=0"
WEATHER = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}


@pytest.fixture(params=["vllm", "compatible"], ids=["native", "bridged"])
async def acme(request, customer, fresh_database):
    fresh_database.sql("UPDATE inference_pool SET engine = %s", request.param)
    door = await customer()
    await door.gateway._news._reload()
    return door


def body(directive: str, **more: object) -> dict[str, object]:
    return {"model": "sim", "input": f"hi [[sim {FAST} {directive}]]", **more}


def events(answer) -> list[dict]:
    return [orjson.loads(event) for event in answer.events]


async def test_a_whole_response_costs_its_tokens(acme, usage):
    answer = await acme.ask(body("tokens=5"), path=PATH)
    (record,) = await usage()
    assert (answer.status, answer.json["object"], answer.json["status"]) == (200, "response", "completed")
    assert (answer.json["model"], answer.json["store"] or False) == ("sim", False)
    assert answer.json["usage"]["output_tokens"] == record["completion_tokens"] == 5
    assert answer.headers["x-turnpike-cost-nano-usd"] == str(record["cost_nusd"])
    assert record["endpoint"] == "responses"


async def test_a_stream_says_that_it_is_complete_only_when_it_is_charged(acme, usage, fresh_database):
    charged = {}

    def look(answer) -> bool:
        complete = b"event: response.completed" in answer.body
        charged[complete] = fresh_database.sql("SELECT count(*) FROM billing_usagerecord")[0][0]
        return False

    answer = await acme.ask(body("tokens=5", stream=True), path=PATH, leave=look)
    told = events(answer)
    assert [told[0]["type"], told[-1]["type"]] == ["response.created", "response.completed"]
    assert told[-1]["response"]["model"] == "sim"
    assert charged == {False: 0, True: 1}
    (record,) = await usage()
    assert (record["outcome"], record["completion_tokens"]) == ("complete", 5)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_where_an_engine_tells_no_usage_a_client_is_told_what_is_charged(acme, usage, fresh_database, stream):
    fresh_database.sql("UPDATE inference_pool SET engine = 'compatible'")
    await acme.gateway._news._reload()
    answer = await acme.ask(body("tokens=5 usage=none", stream=stream), path=PATH)
    (record,) = await usage()
    told = events(answer)[-1]["response"]["usage"] if stream else answer.json["usage"]
    assert record["usage_source"] == "local"
    assert record["prompt_tokens"] > 0
    assert (told["input_tokens"], told["output_tokens"]) == (record["prompt_tokens"], record["completion_tokens"])


async def test_functions_are_called(acme):
    asked = body("tools=1 tokens=8", tools=[WEATHER], tool_choice="required")
    whole = await acme.ask(asked, path=PATH)
    assert [item["name"] for item in whole.json["output"] if item["type"] == "function_call"] == ["weather"]
    stream = await acme.ask({**asked, "stream": True}, path=PATH)
    calls = [event for event in events(stream) if event["type"] == "response.function_call_arguments.done"]
    assert [orjson.loads(call["arguments"]) for call in calls] == [{}]


async def test_a_client_that_leaves_pays_for_what_was_made(acme, usage):
    slow = {"model": "sim", "input": "hi [[sim ttft=1 gap=50 tokens=200]]", "stream": True}
    await acme.ask(slow, path=PATH, leave=lambda answer: answer.body.count(b"output_text.delta") >= 6)
    (record,) = await usage()
    assert record["outcome"] == "client_left"
    assert 0 < record["completion_tokens"] < 20
    assert record["cost_nusd"] > 0


@pytest.mark.parametrize(("directive", "status"), [("status=500", 502), ("status=429", 503), ("status=400", 400)])
async def test_a_refusal_is_told_in_openais_shape(acme, directive, status):
    answer = await acme.ask(body(directive), path=PATH)
    assert (answer.status, answer.error["type"] != "") == (status, True)


async def test_what_builds_on_a_stored_response_is_refused(acme, usage):
    answer = await acme.ask(body("tokens=1", previous_response_id="resp_1"), path=PATH)
    assert (answer.status, answer.error["param"]) == (400, "previous_response_id")
    assert await usage() == []

"""What takes more than one question to see of an engine behind the gateway: cache, leaving, parallel calls, SDKs."""

import uuid
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.conformance import leaving, usages
from tests.conformance.behind import Turnpike, price
from tests.conformance.generating import ANSWER, MESSAGES, TOOL
from tests.conformance.leaving import CHAT, Long
from tests.conformance.wire import MODEL, PUBLIC_MODEL, Answer, Request, Target
from tests.inference.simulator.client import eventually

OTHER_TOOL = {"type": "function", "function": {"name": "get_place", "parameters": ANSWER, "strict": True}}
BOTH: list[Any] = [{"role": "user", "content": "[[sim tools=2]] What is it like, and where?"}]


def _each_answer(left: str) -> pytest.MarkDecorator:
    """Ask for each of the long answers; the report calls it by what is left."""
    names = [f"through the gateway: leaving {left} at {long.path}" for long in leaving.ANSWERS]
    return pytest.mark.parametrize("long", leaving.ANSWERS, ids=names)


@pytest.fixture
def sdk(gateway: Turnpike) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.target.key, max_retries=0) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "stream"),
    [
        pytest.param(long.path, stream, id=f"through the gateway: cached tokens, {how}, at {long.path}")
        for long in leaving.ANSWERS
        for how, stream in (("plain", False), ("streamed", True))
    ],
)
def test_tokens_from_the_prefix_cache_are_told_and_cost_less(path: str, stream: bool, gateway: Turnpike):
    asked = _saying(path, f"{uuid.uuid4()} " + "the quick brown fox " * 60, stream=stream)
    first, second = (usages.told(gateway.send(asked)), gateway.send(asked))
    told, record = usages.told(second), gateway.record(second)
    assert record is not None
    assert first is not None
    assert told == record.usage
    assert (first.cached, told.prompt, told.completion) == (0, first.prompt, first.completion)
    assert 0 < told.cached < told.prompt
    assert record.cost_nusd == price(told) < price(first)


@_each_answer("a stream")
def test_a_stream_that_a_client_leaves_ends_in_the_engine_and_what_was_made_is_charged(
    long: Long, gateway: Turnpike, target: Target
):
    earlier, before = len(gateway.records(long.endpoint, "client_left")), leaving.made(target)
    with leaving.reading(gateway.target, long.path, long.body):
        pass
    leaving.frees_its_place(target)
    made = leaving.made(target) - before
    (record,) = eventually(lambda: gateway.records(long.endpoint, "client_left")[earlier:])
    assert 0 < record.usage.completion <= made < long.tokens
    assert (record.source, record.cost_nusd) == (long.source, price(record.usage))


@_each_answer("a plain answer")
def test_a_plain_answer_that_a_client_leaves_ends_in_the_engine_and_costs_nothing(
    long: Long, gateway: Turnpike, target: Target
):
    earlier, before = len(gateway.records(long.endpoint, "no_output")), leaving.made(target)
    with leaving.asking(gateway.target, long.path, long.body):
        eventually(lambda: leaving.running(target) > 0)
    leaving.frees_its_place(target)
    assert leaving.made(target) - before < long.tokens
    (record,) = eventually(lambda: gateway.records(long.endpoint, "no_output")[earlier:])
    assert record.cost_nusd == 0


def test_more_than_one_tool_is_called_in_one_stream(gateway: Turnpike):
    tools = {"tools": [TOOL, OTHER_TOOL], "tool_choice": "required", "parallel_tool_calls": True}
    body = {"model": MODEL, "messages": BOTH, "max_tokens": 200, "temperature": 0, "stream": True, **tools}
    answer = gateway.send(Request(path=CHAT, body=body | {"stream_options": {"include_usage": True}}))
    calls = _calls(answer)
    assert len(calls) > 1
    assert len({call["id"] for call in calls}) == len(calls)
    assert {call["name"] for call in calls} <= {"get_weather", "get_place"}
    record = gateway.record(answer)
    assert record is not None
    assert record.usage == usages.told(answer)


def test_the_official_sdk_sees_the_catalogues_model_and_reads_its_streams(sdk: openai.OpenAI):
    assert PUBLIC_MODEL in [model.id for model in sdk.models.list()]
    chunks = sdk.chat.completions.create(model=PUBLIC_MODEL, messages=MESSAGES, max_tokens=5, stream=True)
    assert {chunk.model for chunk in chunks} == {PUBLIC_MODEL}


@pytest.mark.parametrize(
    ("changed", "status"),
    [({"model": "absent"}, 404), ({"messages": []}, 400), ({"top_logprobs": 2}, 400)],
    ids=[f"through the gateway: SDK, {name}" for name in ("unknown model", "refused by it", "refused by the engine")],
)
def test_the_official_sdk_reads_refusals_whoever_refuses(changed: dict[str, Any], status: int, sdk: openai.OpenAI):
    asked: dict[str, Any] = {"model": PUBLIC_MODEL, "messages": MESSAGES, "max_tokens": 5, **changed}
    with pytest.raises(openai.APIStatusError) as refused:
        sdk.chat.completions.create(**asked)
    assert (refused.value.status_code, isinstance(refused.value.code, str)) == (status, True)


def _saying(path: str, text: str, *, stream: bool) -> Request:
    """Return a short request whose prompt is this text."""
    prompts: dict[str, dict[str, Any]] = {"/v1/completions": {"prompt": text}, "/v1/responses": {"input": text}}
    said = prompts.get(path) or {"messages": [{"role": "user", "content": text}]}
    most = "max_output_tokens" if path == "/v1/responses" else "max_tokens"
    tells = {"stream_options": {"include_usage": True}} if stream and path in (CHAT, "/v1/completions") else {}
    return Request(path=path, body={"model": MODEL, **said, most: 5, "temperature": 0, "stream": stream, **tells})


def _calls(answer: Answer) -> list[dict[str, str]]:
    """Put the calls of a stream together: each has an id and a name, told once, and arguments in pieces."""
    calls: dict[int, dict[str, str]] = {}
    for chunk in answer.chunks:
        for choice in chunk["choices"]:
            for delta in choice["delta"].get("tool_calls") or ():
                if "id" in delta:
                    assert delta["index"] not in calls
                    calls[delta["index"]] = {"id": delta["id"], "name": delta["function"]["name"]}
                assert delta["index"] in calls
    return [calls[index] for index in sorted(calls)]

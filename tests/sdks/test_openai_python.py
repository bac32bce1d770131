"""OpenAI's SDK for Python, unchanged, against a whole installation."""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel

from tests.installation import MODELS, Tenant
from tests.sdks.books import asked_of_engines, only_record, records
from tests.sdks.networks import Network

FAST = "ttft=1 gap=0"
PARAMETERS = {
    "type": "object",
    "properties": {"gate": {"type": "string"}},
    "required": ["gate"],
    "additionalProperties": False,
}
BREAKS = ["die_after=2", "rst_after=2", "err_event=2"]


class Toll(BaseModel):
    """What a structured answer is to be."""

    gate: str
    pence: int


@pytest.fixture
def client(customer: Tenant) -> Iterator[openai.OpenAI]:
    with sdk(customer) as client:
        yield client


def sdk(tenant: Tenant, **options) -> openai.OpenAI:
    known: dict[str, Any] = {"base_url": tenant.base_url, "api_key": tenant.api_key, "max_retries": 0}
    return openai.OpenAI(**(known | options))


def text(directive: str = "tokens=5") -> str:
    return f"What is the toll? [[sim {FAST} {directive}]]"


def asked(directive: str = "tokens=5") -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": text(directive)}]


def chat(client: openai.OpenAI, directive: str = "tokens=5", **fields):
    return client.chat.completions.create(model="sim", messages=asked(directive), **fields)


def respond(client: openai.OpenAI, directive: str = "tokens=5", **fields):
    return client.responses.create(model="sim", input=text(directive), **fields)


def test_an_answer_tells_the_usage_that_is_charged(installation, acme):
    with sdk(acme) as client:
        usage = chat(client).usage
    record = only_record(installation, acme)
    assert (usage.prompt_tokens, usage.completion_tokens) == (record.prompt, record.completion)
    assert (record.completion, record.outcome) == (5, "complete")


def test_a_collected_stream_is_the_plain_answer(client):
    options = {"include_usage": True}
    with client.chat.completions.stream(model="sim", messages=asked(), stream_options=options) as stream:
        streamed = stream.get_final_completion()
    plain = chat(client)
    assert streamed.choices[0].message.content == plain.choices[0].message.content
    assert streamed.usage.completion_tokens == plain.usage.completion_tokens == 5


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_a_tool_is_called_and_its_result_is_taken(client, streamed):
    tools: list[Any] = [{"type": "function", "function": {"name": "toll", "parameters": PARAMETERS, "strict": True}}]
    messages = asked("tools=1")
    if streamed:
        with client.chat.completions.stream(model="sim", messages=messages, tools=tools) as stream:
            called = stream.get_final_completion().choices[0]
    else:
        called = chat(client, "tools=1", tools=tools).choices[0]
    (call,) = called.message.tool_calls
    assert (called.finish_reason, call.function.name) == ("tool_calls", "toll")
    turn: Any = called.message.to_dict(exclude_none=True)
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "two pence"}
    second = client.chat.completions.create(model="sim", messages=[*messages, turn, result, *asked()], tools=tools)
    assert (second.choices[0].finish_reason, second.usage.completion_tokens) == ("stop", 5)


async def test_the_asynchronous_client_streams_as_well(customer):
    async with openai.AsyncOpenAI(base_url=customer.base_url, api_key=customer.api_key, max_retries=0) as client:
        stream = await client.chat.completions.create(model="sim", messages=asked(), stream=True)
        chunks = [chunk async for chunk in stream]
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_a_structured_answer_is_parsed(client):
    answer = client.chat.completions.parse(model="sim", messages=asked(), response_format=Toll)
    assert isinstance(answer.choices[0].message.parsed, Toll)


def test_a_response_tells_its_usage_and_its_text(client):
    answer = respond(client)
    assert (answer.status, answer.usage.output_tokens) == ("completed", 5)
    assert answer.output_text == chat(client).choices[0].message.content


def test_a_collected_response_is_the_plain_one(client):
    with client.responses.stream(model="sim", input=text()) as stream:
        streamed = stream.get_final_response()
    plain = respond(client)
    assert (streamed.output_text, streamed.usage.output_tokens) == (plain.output_text, plain.usage.output_tokens)


def test_a_response_calls_a_function_and_takes_its_output(client):
    tools: list[Any] = [{"type": "function", "name": "toll", "parameters": PARAMETERS, "strict": True}]
    question: Any = {"role": "user", "content": text("tools=1")}
    (call,) = client.responses.create(model="sim", input=[question], tools=tools).output
    assert (call.type, call.name) == ("function_call", "toll")
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "two pence"}
    turns: list[Any] = [question, call.to_dict(exclude_none=True), result, *asked()]
    assert client.responses.create(model="sim", input=turns, tools=tools).usage.output_tokens == 5


def test_a_structured_response_is_parsed(client):
    answer = client.responses.parse(model="sim", input=text(), text_format=Toll)
    assert isinstance(answer.output_parsed, Toll)


def test_texts_are_embedded(client):
    answer = client.embeddings.create(model="sim", input=["one", "two"], dimensions=8)
    assert [len(vector.embedding) for vector in answer.data] == [8, 8]
    assert answer.usage.prompt_tokens > 0


def test_a_legacy_completion_and_its_stream_say_the_same(client):
    prompt = f"Say [[sim {FAST} tokens=5]]"
    plain = client.completions.create(model="sim", prompt=prompt)
    stream = client.completions.create(model="sim", prompt=prompt, stream=True)
    assert "".join(chunk.choices[0].text for chunk in stream) == plain.choices[0].text
    assert plain.usage.completion_tokens == 5


def test_the_models_are_listed_and_found(client):
    assert [model.id for model in client.models.list()] == MODELS
    assert client.models.retrieve("sim").id == "sim"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-none")


REFUSALS = [
    ({"model": "gpt-none"}, openai.NotFoundError, "model_not_found", "model"),
    ({"temperature": 9}, openai.BadRequestError, "invalid_request", "temperature"),
    ({"extra_body": {"colour": "blue"}}, openai.BadRequestError, "invalid_request", "colour"),
]


@pytest.mark.parametrize(("fields", "kind", "code", "param"), REFUSALS, ids=[line[3] for line in REFUSALS])
def test_what_is_wrong_in_a_request_is_named(client, fields, kind, code, param):
    with pytest.raises(kind) as refused:
        client.chat.completions.create(**({"model": "sim", "messages": asked()} | fields))
    assert (refused.value.code, refused.value.param) == (code, param)
    assert refused.value.request_id.startswith("req_")


def test_a_wrong_key_is_an_authentication_error(customer):
    with sdk(customer, api_key="tpk_live_wrong") as client, pytest.raises(openai.AuthenticationError) as refused:
        chat(client)
    assert refused.value.code == "invalid_api_key"


def test_an_empty_wallet_is_402_and_is_not_retried(installation):
    network = Network()
    client = sdk(installation.organization(credit="0"), max_retries=2, http_client=network)
    with client, pytest.raises(openai.APIStatusError) as refused:
        chat(client)
    assert (refused.value.code, network.statuses) == ("insufficient_credit", [402])


def test_a_used_up_rate_is_a_rate_limit_error_that_says_when(installation):
    with sdk(installation.organization(rpm=1)) as client:
        chat(client)
        with pytest.raises(openai.RateLimitError) as refused:
            chat(client)
    assert refused.value.code == "rate_limit_exceeded"
    assert 1 <= int(refused.value.response.headers["retry-after"]) <= 61


def test_what_no_retry_heals_is_not_retried(installation, customer):
    network, once = Network(), {"Idempotency-Key": "order-0815"}
    with sdk(customer, max_retries=2, http_client=network, default_headers=once) as client:
        chat(client)
        with pytest.raises(openai.ConflictError) as refused:
            chat(client, "tokens=6")
    assert (refused.value.code, network.statuses) == ("idempotency_key_reused", [200, 409])
    network = Network()
    client = sdk(installation.organization(rpm=0), max_retries=2, http_client=network)
    with client, pytest.raises(openai.RateLimitError):
        chat(client)
    assert network.statuses == [429]


def test_a_retry_waits_as_long_as_it_is_told(installation):
    narrow = installation.organization(concurrency=1)
    with sdk(narrow) as first, closing(chat(first, "tokens=500 gap=20", stream=True)) as running:
        network = Network(on_refusal=running.close)
        with sdk(narrow, max_retries=5, http_client=network) as client:
            next(iter(running))
            began = time.monotonic()
            assert chat(client).usage.completion_tokens == 5
    *refused, served = network.answers
    waits = [int(answer.headers["retry-after"]) for answer in refused]
    assert (waits[0], served.status_code) == (1, 200)
    assert time.monotonic() - began > sum(waits), "by itself the SDK would wait for half of that"


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_a_failing_engine_is_a_server_error(client, stream):
    with pytest.raises(openai.InternalServerError) as failed:
        chat(client, "status=500", stream=stream)
    assert (failed.value.status_code, failed.value.code) == (502, "upstream_error")


@pytest.mark.parametrize("breaks", BREAKS)
def test_a_chat_that_breaks_is_an_error_and_never_an_answer(client, breaks):
    running = client.chat.completions.stream(model="sim", messages=asked(f"tokens=9 {breaks}"))
    with running as stream, pytest.raises(openai.APIError) as broken:
        stream.get_final_completion()
    assert broken.value.code == "upstream_error"


@pytest.mark.parametrize("breaks", BREAKS)
def test_a_response_that_breaks_is_an_error_and_never_an_answer(client, breaks):
    question = text(f"tokens=9 {breaks}")
    with client.responses.stream(model="sim", input=question) as stream, pytest.raises(openai.APIError) as broken:
        stream.get_final_response()
    assert broken.value.code == "upstream_error"


def test_a_client_that_runs_out_of_patience_pays_for_no_output(installation, acme):
    with sdk(acme, timeout=0.3) as client, pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(model="sim", messages=asked("ttft=20000 tokens=1"))
    record = only_record(installation, acme)
    assert (record.outcome, record.cost) == ("no_output", 0)


def test_a_client_that_runs_out_of_patience_in_a_stream_pays_for_what_came(installation, acme):
    with sdk(acme, timeout=0.3) as client, pytest.raises((openai.APITimeoutError, httpx2.ReadTimeout)):
        list(chat(client, "tokens=5 hang_after=2", stream=True))
    record = only_record(installation, acme)
    assert (record.outcome, record.completion, record.cost > 0) == ("client_left", 2, True)


def test_a_retry_after_a_lost_answer_is_neither_made_nor_charged_again(installation, acme):
    network = Network(loses=1)
    once = {"Idempotency-Key": "order-4711"}
    with sdk(acme, max_retries=2, http_client=network, default_headers=once) as client:
        answer = chat(client)
    assert network.statuses == [200, 200]
    assert asked_of_engines(installation, network.request_ids) == [True, False]
    assert [record.completion for record in records(installation, acme)] == [answer.usage.completion_tokens]

"""Anthropic's SDK for Python, unchanged, against a whole installation."""

import time
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic.types import MessageParam, ToolParam, Usage
from pydantic import BaseModel

from tests.installation import MODELS, Tenant
from tests.sdks.books import asked_of_engines, only_record, records
from tests.sdks.networks import Network

FAST = "ttft=1 gap=0"
TOOL: ToolParam = {
    "name": "toll",
    "input_schema": {"type": "object", "properties": {"gate": {"type": "string"}}, "required": ["gate"]},
}


class Toll(BaseModel):
    """What a structured answer is to be."""

    gate: str
    pence: int


@pytest.fixture
def client(customer: Tenant) -> Iterator[anthropic.Anthropic]:
    with sdk(customer) as client:
        yield client


def sdk(tenant: Tenant, **options) -> anthropic.Anthropic:
    known: dict[str, Any] = {
        "base_url": tenant.base_url.removesuffix("/v1"),
        "api_key": tenant.api_key,
        "max_retries": 0,
    }
    return anthropic.Anthropic(**(known | options))


def asked(directive: str = "tokens=5") -> list[MessageParam]:
    return [{"role": "user", "content": f"What is the toll? [[sim {FAST} {directive}]]"}]


def message(client: anthropic.Anthropic, directive: str = "tokens=5", **fields):
    known: dict[str, Any] = {"model": "sim", "max_tokens": 600, "messages": asked(directive)}
    return client.messages.create(**(known | fields))


def stream(client: anthropic.Anthropic, directive: str = "tokens=5", **fields):
    return client.messages.stream(model="sim", max_tokens=600, messages=asked(directive), **fields)


def prompt(usage: Usage) -> int:
    """All that was read: Anthropic counts apart what went into a cache and what came from it."""
    return usage.input_tokens + (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)


def told(error: anthropic.APIStatusError) -> dict[str, Any]:
    """What an error's body says of it."""
    assert isinstance(error.body, dict)
    return error.body["error"]


def test_a_message_tells_the_usage_that_is_charged(installation, acme):
    with sdk(acme) as client:
        usage = message(client).usage
    record = only_record(installation, acme)
    assert prompt(usage) == record.prompt
    assert (usage.output_tokens, record.completion, record.outcome) == (5, 5, "complete")


def test_an_answer_has_the_id_of_its_request(client):
    answer = message(client, system="Be brief.", metadata={"user_id": "alice"})
    assert answer._request_id is not None
    assert answer._request_id.startswith("req_")


def test_a_key_may_be_sent_as_a_token_as_well(customer):
    with sdk(customer, api_key=None, auth_token=customer.api_key) as client:
        assert message(client).usage.output_tokens == 5


def test_a_collected_stream_is_the_plain_message(client):
    with stream(client, "reasoning=3 tokens=5") as running:
        streamed = running.get_final_message()
    plain = message(client, "reasoning=3 tokens=5")
    assert [block.to_dict() for block in streamed.content] == [block.to_dict() for block in plain.content]
    assert (streamed.stop_reason, streamed.usage.output_tokens) == (plain.stop_reason, plain.usage.output_tokens)


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_a_tool_is_used_and_its_result_is_taken(client, streamed):
    if streamed:
        with stream(client, "tools=1", tools=[TOOL]) as running:
            called = running.get_final_message()
    else:
        called = message(client, "tools=1", tools=[TOOL])
    (use,) = called.content
    assert (called.stop_reason, use.type, use.name, list(use.input)) == ("tool_use", "tool_use", "toll", ["gate"])
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "two pence"}]}
    # The SDK's own objects are sent back as they came, as its examples do.
    turns = [*asked("tools=1"), {"role": "assistant", "content": called.content}, result, *asked()]
    second = message(client, messages=turns, tools=[TOOL])
    assert (second.stop_reason, second.usage.output_tokens) == ("end_turn", 5)


async def test_the_asynchronous_client_streams_as_well(customer):
    url = customer.base_url.removesuffix("/v1")
    client = anthropic.AsyncAnthropic(base_url=url, api_key=customer.api_key, max_retries=0)
    async with client, client.messages.stream(model="sim", max_tokens=600, messages=asked()) as running:
        assert (await running.get_final_message()).usage.output_tokens == 5


def test_a_structured_message_is_parsed(client):
    answer = client.messages.parse(model="sim", max_tokens=600, messages=asked(), output_format=Toll)
    assert isinstance(answer.parsed_output, Toll)


def test_tokens_are_counted_as_they_are_used(client):
    counted = client.messages.count_tokens(model="sim", messages=asked()).input_tokens
    assert counted == prompt(message(client).usage)


def test_the_models_are_listed_and_found(client):
    # Newest first, and how many of them a second saw the light of is chance.
    listed = list(client.models.list())
    assert sorted(model.id for model in listed) == MODELS
    assert [model.created_at for model in listed] == sorted((model.created_at for model in listed), reverse=True)
    assert client.models.retrieve("sim").display_name == "Simulator"
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("claude-none")


REFUSALS = [
    ({"model": "claude-none"}, anthropic.NotFoundError, "not_found_error", "model_not_found"),
    ({"max_tokens": 0}, anthropic.BadRequestError, "invalid_request_error", "invalid_request"),
    ({"extra_body": {"colour": "blue"}}, anthropic.BadRequestError, "invalid_request_error", "invalid_request"),
]


@pytest.mark.parametrize(("fields", "kind", "type_", "code"), REFUSALS, ids=["model", "max_tokens", "unknown field"])
def test_what_is_wrong_in_a_request_is_named(client, fields, kind, type_, code):
    with pytest.raises(kind) as refused:
        message(client, **fields)
    assert (told(refused.value)["type"], told(refused.value)["code"]) == (type_, code)
    assert refused.value.request_id == refused.value.body["request_id"]
    assert refused.value.request_id.startswith("req_")


def test_a_wrong_key_is_an_authentication_error(customer):
    with sdk(customer, api_key="tpk_live_wrong") as client, pytest.raises(anthropic.AuthenticationError) as refused:
        message(client)
    assert told(refused.value)["code"] == "invalid_api_key"


def test_an_empty_wallet_is_402_and_is_not_retried(installation):
    network = Network()
    client = sdk(installation.organization(credit="0"), max_retries=2, http_client=network)
    with client, pytest.raises(anthropic.PaymentRequiredError) as refused:
        message(client)
    assert (told(refused.value)["type"], network.statuses) == ("billing_error", [402])


def test_a_used_up_rate_is_a_rate_limit_error_that_says_when(installation):
    with sdk(installation.organization(rpm=1)) as client:
        message(client)
        with pytest.raises(anthropic.RateLimitError) as refused:
            message(client)
    assert told(refused.value)["code"] == "rate_limit_exceeded"
    assert 1 <= int(refused.value.response.headers["retry-after"]) <= 61


def test_what_no_retry_heals_is_not_retried(installation, customer):
    network, once = Network(), {"Idempotency-Key": "order-0816"}
    with sdk(customer, max_retries=2, http_client=network, default_headers=once) as client:
        message(client)
        with pytest.raises(anthropic.ConflictError) as refused:
            message(client, "tokens=6")
    assert (told(refused.value)["code"], network.statuses) == ("idempotency_key_reused", [200, 409])
    network = Network()
    client = sdk(installation.organization(rpm=0), max_retries=2, http_client=network)
    with client, pytest.raises(anthropic.RateLimitError):
        message(client)
    assert network.statuses == [429]


def test_a_retry_waits_as_long_as_it_is_told(installation):
    narrow = installation.organization(concurrency=1)
    with sdk(narrow) as first, stream(first, "tokens=500 gap=20") as running:
        network = Network(on_refusal=running.close)
        with sdk(narrow, max_retries=5, http_client=network) as client:
            next(iter(running))
            began = time.monotonic()
            assert message(client).usage.output_tokens == 5
    *refused, served = network.answers
    waits = [int(answer.headers["retry-after"]) for answer in refused]
    assert (waits[0], served.status_code) == (1, 200)
    assert time.monotonic() - began > sum(waits), "by itself the SDK would wait for half of that"


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_a_failing_engine_is_a_server_error(client, streamed):
    with pytest.raises(anthropic.InternalServerError) as failed:
        message(client, "status=500", stream=streamed)
    assert (failed.value.status_code, told(failed.value)["code"]) == (502, "upstream_error")


def test_an_overloaded_engine_is_anthropics_overloaded_error_and_is_asked_again(customer):
    network = Network()
    busy = pytest.raises(anthropic.InternalServerError)
    with sdk(customer, max_retries=1, http_client=network) as client, busy as failed:
        message(client, "status=529")
    assert (told(failed.value)["type"], network.statuses) == ("overloaded_error", [503, 503])


@pytest.mark.parametrize("breaks", ["die_after=2", "rst_after=2", "err_event=2"])
def test_a_message_that_breaks_is_an_error_and_never_an_answer(client, breaks):
    with stream(client, f"tokens=9 {breaks}") as running, pytest.raises(anthropic.APIStatusError) as broken:
        running.get_final_message()
    assert told(broken.value)["code"] == "upstream_error"


def test_a_client_that_runs_out_of_patience_pays_for_no_output(installation, acme):
    with sdk(acme, timeout=0.3) as client, pytest.raises(anthropic.APITimeoutError):
        message(client, messages=asked("ttft=20000 tokens=1"))
    record = only_record(installation, acme)
    assert (record.outcome, record.cost) == ("no_output", 0)


def test_a_client_that_runs_out_of_patience_in_a_stream_pays_for_what_came(installation, acme):
    patience = pytest.raises((anthropic.APITimeoutError, httpx2.ReadTimeout))
    with sdk(acme, timeout=0.3) as client, stream(client, "tokens=5 hang_after=2") as running, patience:
        running.get_final_message()
    record = only_record(installation, acme)
    assert (record.outcome, record.completion, record.cost > 0) == ("client_left", 2, True)


def test_a_retry_after_a_lost_answer_is_neither_made_nor_charged_again(installation, acme):
    network = Network(loses=1)
    once = {"Idempotency-Key": "order-4711"}
    with sdk(acme, max_retries=2, http_client=network, default_headers=once) as client:
        answer = message(client)
    assert network.statuses == [200, 200]
    assert asked_of_engines(installation, network.request_ids) == [True, False]
    assert [record.completion for record in records(installation, acme)] == [answer.usage.output_tokens]

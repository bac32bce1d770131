"""Anthropic's own SDK against a running server: what works with Anthropic works here, and is charged."""

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from tests.installation import MODELS

FAST = "ttft=1 gap=0"
TOOL: anthropic.types.ToolParam = {
    "name": "toll",
    "input_schema": {"type": "object", "properties": {"gate": {"type": "string"}}, "required": ["gate"]},
}


def client(tenant, **options) -> anthropic.Anthropic:
    root = tenant.base_url.removesuffix("/v1")
    return anthropic.Anthropic(base_url=root, **{"api_key": tenant.api_key, "max_retries": 0} | options)


@pytest.fixture(scope="module")
def acme(installation):
    return installation.organization()


@pytest.fixture(scope="module")
def sdk(acme) -> Iterator[anthropic.Anthropic]:
    with client(acme) as sdk:
        yield sdk


def asked(text: str) -> list[anthropic.types.MessageParam]:
    return [{"role": "user", "content": text}]


def create(sdk: anthropic.Anthropic, text: str, **fields: Any) -> anthropic.types.Message:
    asking: dict[str, Any] = {"model": "sim", "max_tokens": 100, "messages": asked(text), **fields}
    answer: anthropic.types.Message = sdk.messages.create(**asking)
    return answer


def error_of(failure: anthropic.APIStatusError) -> Any:
    return failure.response.json()["error"]


def test_a_plain_message_and_its_request_id(sdk):
    answer = create(sdk, f"[[sim tokens=12 {FAST}]]", system="Be brief.", metadata={"user_id": "alice"})
    assert (answer.usage.output_tokens, answer.stop_reason, answer.model) == (12, "end_turn", "sim")
    assert answer._request_id is not None
    assert answer._request_id.startswith("req_")


def test_a_streamed_message_adds_up_to_the_plain_one(sdk):
    text = f"[[sim reasoning=3 tokens=12 {FAST}]]"
    with sdk.messages.stream(model="sim", max_tokens=100, messages=asked(text)) as stream:
        final = stream.get_final_message()
    plain = create(sdk, text)
    assert [block.to_dict() for block in final.content] == [block.to_dict() for block in plain.content]
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", 15)


def test_a_tool_is_used_and_its_result_read(sdk):
    first = create(sdk, f"[[sim tools=1 {FAST}]]", tools=[TOOL])
    (use,) = first.content
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "two"}
    turns = [
        *asked("The toll?"),
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [result, {"type": "text", "text": f"[[sim tokens=4 {FAST}]]"}]},
    ]
    assert create(sdk, "", messages=turns, tools=[TOOL]).usage.output_tokens == 4


def test_tokens_and_models_are_found(sdk):
    counted = sdk.messages.count_tokens(model="sim", messages=asked("How many?"))
    assert counted.input_tokens > 0
    assert sorted(model.id for model in sdk.models.list()) == MODELS
    assert sdk.models.retrieve("sim").display_name == "Simulator"


def test_errors_are_the_sdks_own(installation, acme, sdk):
    with pytest.raises(anthropic.NotFoundError) as missing:
        create(sdk, "hi", model="nothing")
    assert error_of(missing.value)["code"] == "model_not_found"
    with pytest.raises(anthropic.AuthenticationError), client(acme, api_key="nonsense") as stranger:
        create(stranger, "hi")
    poor = installation.organization(name="Poor", credit="0.000001")
    with pytest.raises(anthropic.APIStatusError) as broke, client(poor) as sdk_of_poor:
        create(sdk_of_poor, "hi")
    assert (broke.value.status_code, error_of(broke.value)["type"]) == (402, "billing_error")
    slow = installation.organization(name="Slow", rpm=1)
    with client(slow) as sdk_of_slow:
        create(sdk_of_slow, f"[[sim tokens=1 {FAST}]]")
        with pytest.raises(anthropic.RateLimitError) as limited:
            create(sdk_of_slow, "hi")
    assert int(limited.value.response.headers["retry-after"]) >= 1


def test_a_stream_that_breaks_raises(sdk):
    with (
        pytest.raises(anthropic.APIStatusError, match="upstream_error"),
        sdk.messages.stream(
            model="sim", max_tokens=100, messages=asked(f"[[sim tokens=9 die_after=2 {FAST}]]")
        ) as stream,
    ):
        stream.get_final_message()


def test_the_sdk_tries_again_what_an_engine_was_too_busy_for(installation, acme):
    installation.clear_witness()
    with client(acme, max_retries=1) as patient, pytest.raises(anthropic.InternalServerError) as busy:
        create(patient, f"[[sim status=529 {FAST}]]")
    assert busy.value.status_code == 503
    assert len(installation.witness()) == 2


def test_a_client_out_of_patience_leaves(acme):
    with client(acme, timeout=0.2) as hasty, pytest.raises(anthropic.APITimeoutError):
        create(hasty, "[[sim ttft=5000 tokens=1]]")


def test_the_books_are_right_in_the_end(installation):
    assert installation.verify_ledger() == []

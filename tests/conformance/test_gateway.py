"""The engine behind the gateway, asked with the official SDK and by the cases that hold for the gateway as well."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from foundation import ids
from tests.conformance import behind, metrics, table
from tests.conformance.cases import Case
from tests.conformance.generating import MESSAGES
from tests.conformance.test_tending import ALL_OF_IT, TALE
from tests.conformance.wire import MODEL, Role, Target
from tests.inference.simulator.client import eventually
from tests.installation import Installation

KEPT = [case for case in table.CASES if case.through_gateway]


@pytest.fixture(scope="module")
def gateway(installation: Installation, target: Target) -> Iterator[Target]:
    with behind.gateway(installation, target) as found:
        yield found


@pytest.fixture
def sdk(gateway: Target) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.urls[Role.GENERATE]}/v1", api_key=gateway.key, max_retries=0) as client:
        yield client


@pytest.mark.parametrize("kept", KEPT, ids=[f"through the gateway: {case.id}" for case in KEPT])
def test_the_gateway_keeps_what_holds_for_the_engine(kept: Case, gateway: Target):
    answer = gateway.send(kept.request)
    assert answer.status == 200
    for holds in kept.holds:
        holds(answer)


def test_the_models_are_those_of_the_catalogue(sdk: openai.OpenAI):
    assert MODEL in [model.id for model in sdk.models.list()]


def test_a_plain_chat_is_charged_with_the_usage_of_the_engine(sdk: openai.OpenAI, installation: Installation):
    raw = sdk.chat.completions.with_raw_response.create(model=MODEL, messages=MESSAGES, max_tokens=5)
    usage = raw.parse().usage
    assert _charged(installation, raw.headers["x-request-id"]) == (usage.prompt_tokens, usage.completion_tokens)


def test_a_stream_is_charged_with_the_usage_of_the_engine(sdk: openai.OpenAI, installation: Installation):
    asked: dict[str, Any] = {"model": MODEL, "messages": MESSAGES, "max_tokens": 5}
    asked |= {"stream": True, "stream_options": {"include_usage": True}}
    with sdk.chat.completions.with_streaming_response.create(**asked) as raw:
        *_, last = raw.parse()
    assert _charged(installation, raw.headers["x-request-id"]) == (
        last.usage.prompt_tokens,
        last.usage.completion_tokens,
    )


def test_a_client_that_leaves_is_gone_from_the_engine_within_a_second(sdk: openai.OpenAI, target: Target):
    running = lambda: metrics.value(target, "vllm:num_requests_running")  # noqa: E731 - a name for three lines
    before = metrics.value(target, "vllm:generation_tokens_total")
    with sdk.chat.completions.create(model=MODEL, messages=TALE, max_tokens=900, n=8, stream=True) as stream:
        next(iter(stream))
        eventually(lambda: running() > 0)
    eventually(lambda: running() == 0, within=1)
    assert metrics.value(target, "vllm:generation_tokens_total") - before < ALL_OF_IT


@pytest.mark.parametrize(
    ("changed", "status"),
    [({"model": "absent"}, 404), ({"messages": []}, 400), ({"temperature": -1}, 400)],
    ids=["unknown model, refused by the gateway", "no messages, refused by it", "negative temperature, refused by it"],
)
def test_refusals_have_our_shape_whoever_refuses(changed: dict[str, Any], status: int, sdk: openai.OpenAI):
    asked: dict[str, Any] = {"model": MODEL, "messages": MESSAGES, "max_tokens": 5, **changed}
    with pytest.raises(openai.APIStatusError) as refused:
        sdk.chat.completions.create(**asked)
    assert refused.value.status_code == status
    assert isinstance(refused.value.code, str)
    assert refused.value.response.json()["error"].keys() == {"message", "type", "param", "code"}


def _charged(installation: Installation, request_id: str) -> tuple[int, int]:
    """What the books say of a request: its tokens in and out."""
    question = "SELECT prompt_tokens, completion_tokens FROM billing_usagerecord WHERE request_id = %s"
    ((prompt, completion),) = installation.sql(question, ids.parse("req", request_id))
    return prompt, completion

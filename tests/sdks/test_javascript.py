"""The SDKs for JavaScript, unchanged, against a whole installation; one Node asks everything at once."""

from typing import Any

import pytest

from tests.installation import MODELS, Installation, Tenant
from tests.sdks import node
from tests.sdks.books import asked_of_engines, only_record, records

OPENAI, ANTHROPIC = "openai", "anthropic"


BOTH = pytest.mark.parametrize("sdk", [OPENAI, ANTHROPIC])
# What is special about a customer of one SDK's own.
CUSTOMERS: dict[str, dict[str, Any]] = {
    "acme": {},
    "booked": {},
    "impatient": {},
    "repeating": {},
    "poor": {"credit": "0"},
    "blocked": {"rpm": 0},
    "limited": {"rpm": 1},
    "narrow": {"concurrency": 1},
}


@pytest.fixture(scope="module")
def customers(installation: Installation) -> dict[str, dict[str, Tenant]]:
    """Customers by SDK and name."""
    return {
        sdk: {name: installation.organization(**special) for name, special in CUSTOMERS.items()}
        for sdk in (OPENAI, ANTHROPIC)
    }


@pytest.fixture(scope="module")
def facts(customers: dict[str, dict[str, Tenant]]) -> dict[str, dict[str, Any]]:
    """What the SDKs found, by SDK and case."""
    return {sdk: node.run(sdk, own) for sdk, own in customers.items()}


def code(sdk: str, error: dict[str, Any]) -> str:
    """Our code of an error: OpenAI's SDK has a place for it, Anthropic's keeps the body."""
    return error["code"] if sdk == OPENAI else error["told"]["code"]


@BOTH
def test_an_answer_tells_the_usage_that_is_charged(facts, sdk, installation, customers):
    told, record = facts[sdk]["plain"], only_record(installation, customers[sdk]["booked"])
    assert (told["prompt_tokens"], told["completion_tokens"]) == (record.prompt, record.completion)
    assert (record.completion, record.outcome) == (5, "complete")


@pytest.mark.parametrize(
    ("sdk", "case"),
    [
        (OPENAI, "plain_and_streamed"),
        (OPENAI, "response_plain_and_streamed"),
        (OPENAI, "completion_plain_and_streamed"),
        (ANTHROPIC, "plain_and_streamed"),
    ],
)
def test_a_collected_stream_is_the_plain_answer(facts, sdk, case):
    plain, streamed = facts[sdk][case]
    assert plain
    assert plain == streamed


@pytest.mark.parametrize("case", ["tool", "tool_streamed"])
@BOTH
def test_a_tool_is_called_and_its_result_is_taken(facts, sdk, case):
    reason = {OPENAI: "tool_calls", ANTHROPIC: "tool_use"}[sdk]
    assert facts[sdk][case] == {"reason": reason, "name": "toll", "gate": "string", "then": 5}


@BOTH
def test_a_structured_answer_is_parsed(facts, sdk):
    assert facts[sdk]["structured"].keys() == {"gate", "pence"}


ERRORS = [
    ("wrong_key", 401, "AuthenticationError", "invalid_api_key"),
    ("unknown_model", 404, "NotFoundError", "model_not_found"),
    ("absent_model", 404, "NotFoundError", "model_not_found"),
    ("invalid_field", 400, "BadRequestError", "invalid_request"),
    ("rate_limit", 429, "RateLimitError", "rate_limit_exceeded"),
    ("failing_engine", 502, "InternalServerError", "upstream_error"),
    ("failing_engine_streamed", 502, "InternalServerError", "upstream_error"),
]


@pytest.mark.parametrize(("case", "status", "kind", "named"), ERRORS, ids=[line[0] for line in ERRORS])
@BOTH
def test_errors_are_the_sdks_own(facts, sdk, case, status, kind, named):
    error = facts[sdk][case]["error"]
    assert (error["status"], error["kind"], code(sdk, error)) == (status, kind, named)
    assert error["requestID"].startswith("req_")


@BOTH
def test_a_used_up_rate_says_when_it_ends(facts, sdk):
    assert 1 <= int(facts[sdk]["rate_limit"]["error"]["retryAfter"]) <= 61


IN_VAIN = [
    ("empty_wallet", "insufficient_credit", [402]),
    ("blocked", "rate_limit_exceeded", [429]),
    ("conflict", "idempotency_key_reused", [200, 409]),
]


@pytest.mark.parametrize(("case", "named", "statuses"), IN_VAIN, ids=[line[0] for line in IN_VAIN])
@BOTH
def test_what_no_retry_heals_is_not_retried(facts, sdk, case, named, statuses):
    assert facts[sdk][case] == {"code": named, "statuses": statuses}


@BOTH
def test_a_retry_waits_as_long_as_it_is_told(facts, sdk):
    found = facts[sdk]["retry_after"]
    *refused, served = found["answers"]
    told = [int(answer["retryAfter"]) for answer in refused]
    assert (told[0], served["status"], found["tokens"]) == (1, 200, 5)
    # A timer of Node may ring a millisecond early; by itself the SDK would wait for half of that.
    assert found["seconds"] >= sum(told) - 0.01


@pytest.mark.parametrize(
    ("sdk", "case"),
    [
        (OPENAI, "broken_chat"),
        (OPENAI, "broken_chat_raw"),
        (OPENAI, "broken_response"),
        (OPENAI, "broken_response_raw"),
        (ANTHROPIC, "broken"),
        (ANTHROPIC, "broken_raw"),
    ],
)
def test_a_stream_that_breaks_is_an_error_and_never_an_answer(facts, sdk, case):
    assert code(sdk, facts[sdk][case]["error"]) == "upstream_error"


@BOTH
def test_a_client_that_runs_out_of_patience_pays_for_no_output(facts, sdk, installation, customers):
    assert facts[sdk]["impatient"]["error"]["kind"] == "APIConnectionTimeoutError"
    record = only_record(installation, customers[sdk]["impatient"])
    assert (record.outcome, record.cost) == ("no_output", 0)


@BOTH
def test_a_retry_after_a_lost_answer_is_neither_made_nor_charged_again(facts, sdk, installation, customers):
    told = facts[sdk]["repeated"]
    assert [answer["status"] for answer in told["answers"]] == [200, 200]
    assert asked_of_engines(installation, [answer["requestId"] for answer in told["answers"]]) == [True, False]
    assert [record.completion for record in records(installation, customers[sdk]["repeating"])] == [told["tokens"]]


@BOTH
def test_the_models_are_listed_and_found(facts, sdk):
    shown = {OPENAI: "{}", ANTHROPIC: "model {}"}[sdk]
    assert facts[sdk]["models"] == [shown.format(name) for name in (*MODELS, "sim")]


def test_a_response_calls_a_function_and_takes_its_output(facts):
    assert facts[OPENAI]["response_tool"] == {"type": "function_call", "name": "toll", "then": 5}


def test_a_structured_response_is_parsed(facts):
    assert facts[OPENAI]["response_structured"].keys() == {"gate", "pence"}


def test_texts_are_embedded(facts):
    assert facts[OPENAI]["embeddings"]["lengths"] == [8, 8]
    assert facts[OPENAI]["embeddings"]["read"] > 0


def test_a_key_may_be_sent_as_a_token_as_well(facts):
    assert facts[ANTHROPIC]["token"] == 5


def test_tokens_are_counted_as_they_are_used(facts):
    counted, used = facts[ANTHROPIC]["counted"]
    assert counted == used > 0

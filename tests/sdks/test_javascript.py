"""The SDKs for JavaScript, unchanged, against a whole installation; one Node asks everything at once."""

from typing import Any

import pytest

from tests.installation import Installation, Tenant
from tests.sdks import node
from tests.sdks.books import only_record, records

OPENAI, ANTHROPIC = "openai", "anthropic"


@pytest.fixture(scope="module", params=[OPENAI, ANTHROPIC])
def sdk(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def customers(installation: Installation, sdk: str) -> dict[str, Tenant]:
    """Customers of one SDK, by what is special about them."""
    own = {"poor": {"credit": "0"}, "limited": {"rpm": 1}, "narrow": {"concurrency": 1}}
    names = ("acme", "booked", "poor", "limited", "narrow", "impatient", "repeating")
    return {name: installation.organization(**own.get(name, {})) for name in names}


@pytest.fixture(scope="module")
def facts(customers: dict[str, Tenant], sdk: str) -> dict[str, Any]:
    return node.run(sdk, customers)


def code(sdk: str, error: dict[str, Any]) -> str:
    """Our code of an error: OpenAI's SDK has a place for it, Anthropic's keeps the body."""
    return error["code"] if sdk == OPENAI else error["told"]["code"]


def test_an_answer_tells_the_usage_that_is_charged(facts, installation, customers):
    told, record = facts["plain"], only_record(installation, customers["booked"])
    assert (told["prompt_tokens"], told["completion_tokens"]) == (record.prompt, record.completion)
    assert (record.completion, record.outcome) == (5, "complete")


@pytest.mark.parametrize(
    ("of", "case"),
    [
        (OPENAI, "plain_and_streamed"),
        (OPENAI, "response_plain_and_streamed"),
        (OPENAI, "completion_plain_and_streamed"),
        (ANTHROPIC, "plain_and_streamed"),
    ],
)
def test_a_collected_stream_is_the_plain_answer(facts, sdk, of, case):
    if sdk == of:
        plain, streamed = facts[case]
        assert plain
        assert plain == streamed


@pytest.mark.parametrize("case", ["tool", "tool_streamed"])
def test_a_tool_is_called_and_its_result_is_taken(facts, sdk, case):
    reason = {OPENAI: "tool_calls", ANTHROPIC: "tool_use"}[sdk]
    assert facts[case] == {"reason": reason, "name": "toll", "gate": "string", "then": 5}


def test_a_structured_answer_is_parsed(facts):
    assert facts["structured"].keys() == {"gate", "pence"}


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
def test_errors_are_the_sdks_own(facts, sdk, case, status, kind, named):
    error = facts[case]["error"]
    assert (error["status"], error["kind"], code(sdk, error)) == (status, kind, named)
    assert error["requestID"].startswith("req_")


def test_a_used_up_rate_says_when_it_ends(facts):
    assert 1 <= int(facts["rate_limit"]["error"]["retryAfter"]) <= 61


def test_an_empty_wallet_is_402_and_is_not_retried(facts):
    assert (facts["empty_wallet"]["code"], facts["empty_wallet"]["statuses"]) == ("insufficient_credit", [402])


def test_a_retry_waits_as_long_as_it_is_told(facts):
    *refused, served = facts["retry_after"]["answers"]
    told = [int(answer["retryAfter"]) for answer in refused]
    assert (told[0], served["status"], facts["retry_after"]["answer"]) == (1, 200, 5)
    # A timer of Node may ring a millisecond early; by itself the SDK would wait for half of that.
    assert facts["retry_after"]["seconds"] >= sum(told) - 0.01


@pytest.mark.parametrize(
    ("of", "case"),
    [
        (OPENAI, "broken_chat"),
        (OPENAI, "broken_chat_raw"),
        (OPENAI, "broken_response"),
        (OPENAI, "broken_response_raw"),
        (ANTHROPIC, "broken"),
        (ANTHROPIC, "broken_raw"),
    ],
)
def test_a_stream_that_breaks_is_an_error_and_never_an_answer(facts, sdk, of, case):
    if sdk == of:
        assert code(sdk, facts[case]["error"]) == "upstream_error"


def test_a_client_that_runs_out_of_patience_pays_for_no_output(facts, installation, customers):
    assert facts["impatient"]["error"]["kind"] == "APIConnectionTimeoutError"
    record = only_record(installation, customers["impatient"])
    assert (record.outcome, record.cost) == ("no_output", 0)


def test_a_retry_after_a_lost_answer_is_neither_made_nor_charged_again(facts, installation, customers):
    told = facts["repeated"]
    assert [answer["status"] for answer in told["answers"]] == [200, 200]
    assert told["answers"][1]["replayed"] == "true"
    assert [record.completion for record in records(installation, customers["repeating"])] == [told["tokens"]]


def test_the_models_are_listed_and_found(facts, sdk):
    assert facts["models"] == [{OPENAI: "sim", ANTHROPIC: "model sim"}[sdk]] * 2

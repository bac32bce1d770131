"""Anthropic's API as an engine: chat is translated, messages go as they are, and both are charged alike."""

from collections.abc import Iterator

import pytest

from config.local import catalogue
from config.local.engines import Kind
from inference.models import Pool
from tenants import isolation
from tests.inference.gateway.messages_door import ask, told, types
from tests.inference.simulator.client import Simulated, simulator

FAST = "ttft=1 gap=0"
KEY = "sk-ant-simulated"
TOOLS = [{"type": "function", "function": {"name": name}} for name in ("toll", "road")]


@pytest.fixture(scope="module")
def claude() -> Iterator[Simulated]:
    with simulator("--engine", "anthropic", "--api-key", KEY) as engine:
        yield engine


@pytest.fixture
def catalogued(fresh_database, claude, monkeypatch):
    """The simulated model is for sale, behind Anthropic's API and its key."""
    monkeypatch.setenv("CLAUDE_KEY", KEY)
    with isolation.everything():
        catalogue.offer(Kind.SIMULATOR, [claude.url])
        Pool.objects.update(engine=Pool.Engine.ANTHROPIC, credential_env="CLAUDE_KEY")


@pytest.fixture
async def acme(customer):
    return await customer()


async def test_a_completion_is_charged_by_what_claude_says(acme, usage):
    answer = await acme.chat(f"hi [[sim tokens=5 reasoning=2 {FAST}]]")
    (choice,) = answer.json["choices"]
    assert (answer.json["object"], answer.json["model"], choice["finish_reason"]) == ("chat.completion", "sim", "stop")
    assert choice["message"]["content"]
    assert choice["message"]["reasoning_content"]
    (record,) = await usage()
    assert (record["usage_source"], record["completion_tokens"]) == ("final", 7)
    assert record["prompt_tokens"] == answer.json["usage"]["prompt_tokens"]


async def test_cached_tokens_have_their_own_price(acme, usage):
    question = "once more " * 60 + f"[[sim tokens=1 {FAST}]]"
    answers = [await acme.chat(question) for _ in range(2)]
    cached = answers[1].json["usage"]["prompt_tokens_details"]["cached_tokens"]
    first, second = await usage()
    assert second["cached_tokens"] == cached > 0
    assert first["cost_nusd"] - second["cost_nusd"] == (cached - first["cached_tokens"]) * 250


async def test_tools_are_called_in_a_stream(acme):
    answer = await acme.stream(f"hi [[sim tools=2 {FAST}]]", tools=TOOLS)
    whole = await acme.chat(f"hi [[sim tools=2 {FAST}]]", tools=TOOLS)
    names = [call["function"]["name"] for call in whole.json["choices"][0]["message"]["tool_calls"]]
    assert names == ["toll", "road"]
    assert (answer.complete, answer.body.count(b'"name":"toll"'), answer.body.count(b'"name":"road"')) == (True, 1, 1)


ENDINGS = {
    "tokens=5": ("complete", "final", 5, True),
    "tokens=5 usage=zero": ("complete", "final", 0, True),
    "tokens=5 no_done": ("complete", "final", 5, True),
    "tokens=5 crlf": ("complete", "final", 5, True),
    "tokens=5 split=3": ("complete", "final", 5, True),
    "tokens=5 comments": ("complete", "final", 5, True),
    "tokens=5 die_after=2": ("upstream_error", "continuous", None, False),
    "tokens=5 err_event=2": ("upstream_error", "continuous", None, False),
}


async def test_every_way_a_stream_ends(acme, usage):
    answers = [await acme.stream(f"hi [[sim {FAST} {directive}]]") for directive in ENDINGS]
    for (directive, expected), answer, record in zip(ENDINGS.items(), answers, await usage(), strict=True):
        outcome, source, tokens, complete = expected
        assert (record["outcome"], record["usage_source"], answer.complete) == (outcome, source, complete), directive
        assert tokens in (None, record["completion_tokens"]), directive
        assert (record["cost_nusd"] > 0) is bool(complete and tokens), directive


async def test_usage_comes_to_those_who_asked(acme):
    without = await acme.stream(f"hi [[sim tokens=3 {FAST}]]")
    asked = await acme.stream(f"hi [[sim tokens=3 {FAST}]]", stream_options={"include_usage": True})
    assert b"usage" not in without.body
    assert b'"completion_tokens":3' in asked.events[-2]


async def test_messages_go_as_they_are(acme, usage):
    answer = await ask(acme, f"hi [[sim tokens=3 reasoning=1 {FAST}]]", stream=True)
    assert types(answer.body)[-1] == "message_stop"
    assert b"signature_delta" in answer.body
    assert "service_tier" not in told(answer.body)[0]["message"]["usage"]
    assert not {"anthropic-ratelimit-requests-remaining"} & answer.headers.keys()
    (record,) = await usage()
    assert (record["endpoint"], record["completion_tokens"]) == ("messages", 4)


async def test_a_client_that_leaves_pays_for_what_it_got_by_our_own_estimate(acme, usage):
    left = lambda answer: answer.body.count(b"text_delta") >= 3  # noqa: E731 - a name for the next line
    await ask(acme, "hi [[sim ttft=1 gap=50 tokens=60]]", stream=True, leave=left)
    (record,) = await usage()
    assert (record["outcome"], record["completion_tokens"] >= 3, record["cost_nusd"] > 0) == ("client_left", True, True)


async def test_tokens_are_counted_by_claude(acme):
    question = {"model": "sim", "messages": [{"role": "user", "content": "How many?"}]}
    counted = await acme.ask(question, path="/v1/messages/count_tokens")
    assert counted.json["input_tokens"] > 0
    assert "x-turnpike-estimated" not in counted.headers


async def test_what_claude_cannot_do_is_refused_and_named(acme):
    refused = await acme.chat("hi", n=2)
    assert (refused.status, refused.error["param"]) == (400, "n")

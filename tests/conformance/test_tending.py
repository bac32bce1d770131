"""What takes more than one request to see: aborts, the prefix cache, request ids, metrics."""

import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.conformance import golden, metrics, targets
from tests.conformance.generating import MESSAGES
from tests.conformance.wire import MODEL, Request, Target
from tests.inference.simulator.client import eventually

CHAT = "/v1/chat/completions"
# vLLM takes the directive for text; the simulator lets the tokens last.
TALE: list[Any] = [{"role": "user", "content": "[[sim tokens=900 gap=10]] Tell me all of it."}]
LONG: dict[str, Any] = {"model": MODEL, "messages": TALE, "max_tokens": 900, "n": 8}
ALL_OF_IT = 900 * 8


def _ask(**changes) -> Request:
    return Request(path=CHAT, body={"model": MODEL, "messages": MESSAGES, "max_tokens": 5, **changes})


@contextmanager
def _asking(target: Target, body: dict[str, Any]) -> Iterator[None]:
    """Send a request, and hang up at the end of the block without having read anything."""
    with target.client() as client:
        request = client.build_request("POST", CHAT, json=body)
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    with socket.create_connection((request.url.host, request.url.port or 80)) as connection:
        connection.sendall("\r\n".join([f"POST {CHAT} HTTP/1.1", *lines, "", ""]).encode() + request.content)
        yield


def _running(target: Target) -> float:
    return metrics.value(target, "vllm:num_requests_running")


def test_a_client_that_leaves_frees_its_place_within_a_second(target: Target):
    before = metrics.value(target, "vllm:generation_tokens_total")
    with target.client() as client, client.stream("POST", CHAT, json=LONG | {"stream": True}) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("data: ")
    # vLLM counts anew with each step: another request's steps tell for certain whether this one still runs.
    eventually(lambda: target.send(_ask()).status == 200 and _running(target) == 0, within=1)
    assert metrics.value(target, "vllm:generation_tokens_total") - before < ALL_OF_IT


def test_a_client_that_leaves_a_plain_answer_frees_its_place_as_well(target: Target):
    before = metrics.value(target, "vllm:generation_tokens_total")
    with _asking(target, LONG):
        eventually(lambda: _running(target) > 0)
    eventually(lambda: _running(target) == 0, within=1)
    assert metrics.value(target, "vllm:generation_tokens_total") - before < ALL_OF_IT


def test_a_prefix_that_came_before_is_cached_and_counted(target: Target):
    again = [{"role": "user", "content": f"{uuid.uuid4()} " + "the quick brown fox " * 60}]
    first, second = (target.send(_ask(messages=again)).json["usage"] for _ in range(2))
    assert first["prompt_tokens_details"]["cached_tokens"] == 0
    assert 0 < second["prompt_tokens_details"]["cached_tokens"] < second["prompt_tokens"]
    assert second["prompt_tokens"] == first["prompt_tokens"]


def test_messages_count_what_came_from_the_cache_apart_from_the_input(target: Target):
    again = [{"role": "user", "content": f"{uuid.uuid4()} " + "the quick brown fox " * 60}]
    body = {"model": MODEL, "messages": again, "max_tokens": 5}
    first, second = (target.send(Request(path="/v1/messages", body=body)).json["usage"] for _ in range(2))
    assert (first["cache_read_input_tokens"], second["cache_creation_input_tokens"]) == (0, 0)
    assert second["cache_read_input_tokens"] == first["cache_creation_input_tokens"] > 0
    assert second["input_tokens"] == first["input_tokens"]


def test_the_counters_count_what_the_usage_says(target: Target):
    names = "vllm:prompt_tokens_total", "vllm:generation_tokens_total", "vllm:request_success_total"
    before = [metrics.value(target, name) for name in names]
    usage = target.send(_ask()).json["usage"]
    added = [usage["prompt_tokens"], usage["completion_tokens"], 1]
    after = [*map(sum, zip(before, added, strict=True))]
    eventually(lambda: [metrics.value(target, name) for name in names] == after)


def test_metrics_have_the_names_types_and_labels_of_vllm(target: Target):
    target.send(_ask())
    found = metrics.families(metrics.text(target))
    if targets.RECORDING and target.name == "vllm":
        golden.record("metrics", "families", found)
    recorded = golden.recorded("metrics", "families")
    assert found.items() <= recorded.items()
    assert recorded.keys() == found.keys() or target.name == "simulator"


def test_an_answer_has_the_id_of_its_request_in_its_header(target: Target):
    named = Request(path=CHAT, body=_ask().body, headers={"x-request-id": "acme-2"})
    assert target.send(named).headers["x-request-id"] == "acme-2"

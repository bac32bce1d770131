"""What takes more than one request to see: aborts, the prefix cache, request ids, metrics."""

import uuid

from tests.conformance import golden, leaving, metrics, targets
from tests.conformance.leaving import CHAT
from tests.conformance.leaving import ask as _ask
from tests.conformance.wire import MODEL, Request, Target
from tests.inference.simulator.client import eventually


def test_a_client_that_leaves_frees_its_place_within_a_second(target: Target):
    long, before = leaving.ANSWERS[0], leaving.made(target)
    with leaving.reading(target, long.path, long.body):
        pass
    leaving.frees_its_place(target)
    assert leaving.made(target) - before < long.tokens


def test_a_client_that_leaves_a_plain_answer_frees_its_place_as_well(target: Target):
    long, before = leaving.ANSWERS[0], leaving.made(target)
    with leaving.asking(target, long.path, long.body):
        eventually(lambda: leaving.running(target) > 0)
    leaving.frees_its_place(target)
    assert leaving.made(target) - before < long.tokens


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

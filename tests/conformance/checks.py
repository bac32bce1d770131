"""What must hold for an answer beyond its shape: each function takes an answer and asserts one thing."""

import json
from collections.abc import Callable
from typing import Any

from tests.conformance.wire import CONTEXT, Answer, Check

# --- Usage -----------------------------------------------------------------------------------------------------------


def counts(*, output: int) -> Check:
    """The usage of a whole answer adds up and tells so many tokens of output."""

    def check(answer: Answer) -> None:
        _adds_up(answer.json["usage"], output)

    return check


def fills_the_context(answer: Answer) -> None:
    """More than fits was asked for, and what fits was made: no error tells."""
    choice, usage = answer.json["choices"][0], answer.json["usage"]
    assert choice["finish_reason"] == "length"
    assert usage["total_tokens"] == CONTEXT


def counts_tokens_within_the_context(answer: Answer) -> None:
    assert 0 < answer.json["usage"]["completion_tokens"] < answer.json["usage"]["total_tokens"] <= CONTEXT


def counts_at_end(*, output: int) -> Check:
    """A stream's last chunk has no choices and the usage of all; no other chunk has both."""

    def check(answer: Answer) -> None:
        last = answer.chunks[-1]
        assert last["choices"] == []
        _adds_up(last["usage"], output)
        assert all(chunk["choices"] for chunk in answer.chunks[:-1])

    return check


def tells_no_usage(answer: Answer) -> None:
    assert not [chunk for chunk in answer.chunks if chunk.get("usage")]


def tells_usage_only_at_end(answer: Answer) -> None:
    assert not [chunk for chunk in answer.chunks[:-1] if chunk.get("usage")]


def counts_upwards(answer: Answer) -> None:
    """Every chunk has a usage, of its own choice, cumulative: the last one is the most, never the sum."""
    seen: dict[int, list[int]] = {}
    for chunk in answer.chunks[:-1]:
        seen.setdefault(chunk["choices"][0]["index"], []).append(chunk["usage"]["completion_tokens"])
    assert all(numbers == sorted(numbers) and numbers[-1] > 0 for numbers in seen.values())
    assert answer.chunks[-1]["usage"]["completion_tokens"] == sum(numbers[-1] for numbers in seen.values())


def counts_as_responses_do(*, output: int) -> Check:
    def check(answer: Answer) -> None:
        usage = (answer.chunks[-1]["response"] if answer.streamed else answer.json)["usage"]
        assert usage["output_tokens"] == output
        assert usage["total_tokens"] == usage["input_tokens"] + output

    return check


def counts_as_messages_do(*, output: int) -> Check:
    """Anthropic's usage; in a stream the first event tells no output yet, and the last but one all of it."""

    def check(answer: Answer) -> None:
        if not answer.streamed:
            assert answer.json["usage"]["output_tokens"] == output
            return
        first, last = answer.chunks[0]["message"]["usage"], answer.chunks[-2]["usage"]
        assert (first["output_tokens"], last["output_tokens"]) == (0, output)

    return check


def counts_input_only(answer: Answer) -> None:
    usage = answer.json["usage"]
    assert usage["prompt_tokens"] == usage["total_tokens"] > 0


def _adds_up(usage: dict[str, Any], output: int) -> None:
    assert usage["completion_tokens"] == output
    assert usage["prompt_tokens"] > 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + output


# --- Order of streams ------------------------------------------------------------------------------------------------


def is_one_stream(answer: Answer) -> None:
    """One id, one time and one model throughout, and one end marker at the end."""
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in answer.chunks}) == 1
    assert [event.data for event in answer.events].index("[DONE]") == len(answer.events) - 1


def finishes_each_choice_once(answer: Answer) -> None:
    """After a choice's finish reason nothing more of that choice comes."""
    finished: set[int] = set()
    for chunk in answer.chunks:
        for choice in chunk["choices"]:
            assert choice["index"] not in finished
            if choice["finish_reason"]:
                finished.add(choice["index"])
    assert finished == {choice["index"] for chunk in answer.chunks for choice in chunk["choices"]}


def begins_with_the_role(answer: Answer) -> None:
    first = answer.chunks[0]["choices"][0]["delta"]
    assert (first["role"], first["content"]) == ("assistant", "")


def names_its_events(answer: Answer) -> None:
    """The name of each event is also its type, and there is no end marker besides the last event."""
    assert [event.name for event in answer.events] == [event.data["type"] for event in answer.events]


def numbers_its_events(answer: Answer) -> None:
    assert [chunk["sequence_number"] for chunk in answer.chunks] == list(range(len(answer.chunks)))


# --- Content ---------------------------------------------------------------------------------------------------------


def says_one_of(*texts: str) -> Check:
    def check(answer: Answer) -> None:
        assert _said(answer) in texts

    return check


def says_json(answer: Answer) -> None:
    assert json.loads(_said(answer))["city"] in {"Paris", "Rome"}


def says_json_in_items(answer: Answer) -> None:
    """As a response says it: in the text of its first item."""
    response = answer.chunks[-1]["response"] if answer.streamed else answer.json
    assert json.loads(response["output"][0]["content"][0]["text"])["city"] in {"Paris", "Rome"}


def says_json_in_blocks(answer: Answer) -> None:
    """As a message says it: in its first block."""
    if answer.streamed:
        deltas = [chunk["delta"] for chunk in answer.chunks if chunk["type"] == "content_block_delta"]
        said = "".join(delta["text"] for delta in deltas)
    else:
        said = answer.json["content"][0]["text"]
    assert json.loads(said)["city"] in {"Paris", "Rome"}


def stops_before(text: str) -> Check:
    def check(answer: Answer) -> None:
        choice = answer.json["choices"][0]
        assert choice["finish_reason"] == "stop"
        assert text not in choice["message"]["content"]

    return check


def calls_the_tool(answer: Answer) -> None:
    (call,) = answer.json["choices"][0]["message"]["tool_calls"]
    assert call["function"]["name"] == "get_weather"
    assert json.loads(call["function"]["arguments"])["city"] in {"Paris", "Rome"}


def calls_the_tool_in_pieces(answer: Answer) -> None:
    deltas = [choice["delta"] for chunk in answer.chunks for choice in chunk["choices"]]
    calls = [call for delta in deltas for call in delta.get("tool_calls") or ()]
    assert calls[0]["function"]["name"] == "get_weather"
    assert json.loads("".join(call["function"].get("arguments") or "" for call in calls))["city"] in {"Paris", "Rome"}


def _said(answer: Answer) -> str:
    if answer.streamed:
        deltas = [choice["delta"] for chunk in answer.chunks for choice in chunk["choices"]]
        return "".join(delta.get("content") or "" for delta in deltas)
    said: str = answer.json["choices"][0]["message"]["content"]
    return said


def has_choices(number: int) -> Check:
    def check(answer: Answer) -> None:
        assert [choice["index"] for choice in answer.json["choices"]] == list(range(number))

    return check


def has_vectors(number: int) -> Check:
    """So many vectors of one length, in order."""

    def check(answer: Answer) -> None:
        data = answer.json["data"]
        assert [entry["index"] for entry in data] == list(range(number))
        assert len({len(entry["embedding"]) for entry in data}) == 1

    return check


def is_sorted_by_relevance(answer: Answer) -> None:
    scores = [result["relevance_score"] for result in answer.json["results"]]
    assert scores == sorted(scores, reverse=True)


def mentions(text: str) -> Check:
    def check(answer: Answer) -> None:
        assert text in answer.text

    return check


def carries_id(text: str) -> Callable[[Answer], None]:
    """The caller's request id, behind the prefix of the kind of answer."""

    def check(answer: Answer) -> None:
        assert answer.json["id"] == text

    return check


def carries_the_id_of_its_header(answer: Answer) -> None:
    """The id of the gateway's header and log is also the engine's."""
    assert answer.json["id"] == f"chatcmpl-{answer.headers['x-request-id']}"

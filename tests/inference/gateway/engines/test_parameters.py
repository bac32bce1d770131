"""What each engine understands is put in its own words; what it does not is refused by name."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from inference.gateway.engines.kinds import ENGINES
from inference.gateway.engines.parameters import CHAT, asks_nothing
from tests.inference.gateway.engines.fleet import KINDS
from tests.inference.gateway.engines.orders import order

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
JSON_SCHEMA = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
SAMPLES: dict[str, Any] = {
    "n": 2,
    "temperature": 0.5,
    "top_p": 0.5,
    "top_k": 5,
    "min_p": 0.1,
    "presence_penalty": 1,
    "frequency_penalty": 1,
    "repetition_penalty": 1.1,
    "stop": ["\n"],
    "seed": 7,
    "logit_bias": {"1": 1},
    "logprobs": True,
    "top_logprobs": 2,
    "tools": [TOOL],
    "tool_choice": "required",
    "response_format": JSON_SCHEMA,
    "reasoning_effort": "low",
}
OPEN = {"top_k", "min_p", "repetition_penalty"}
TEXT = {"n", "min_p", "logit_bias", "logprobs", "top_logprobs", "tools", "tool_choice", "reasoning_effort"}
REFUSED = {
    "vllm": set(),
    "sglang": set(),
    "trtllm": set(),
    "llamacpp": set(),
    "compatible": set(),
    "openai": OPEN,
    "anthropic": set(SAMPLES)
    - {"temperature", "top_p", "top_k", "stop", "tools", "tool_choice", "response_format"}
    - {"reasoning_effort"},
    "mistral": OPEN | {"logit_bias", "logprobs", "top_logprobs"},
    "tgi": OPEN | {"n", "logit_bias", "presence_penalty", "reasoning_effort"},
    "tgi-text": TEXT | {"presence_penalty"},
    "triton": TEXT | {"response_format"},
}


def test_the_samples_are_all_fields_that_ask_for_something():
    structure = {"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens"}
    assert set(SAMPLES) == CHAT - structure - {"parallel_tool_calls"}
    assert not any(asks_nothing(name, value) for name, value in SAMPLES.items())


async def test_a_field_that_an_engine_does_not_understand_is_refused_by_name_before_it_is_asked(
    customer, simulators, usage
):
    acme = await customer()
    for name, refused in REFUSED.items():
        before = len(simulators[name].witness()["requests"])
        answers = await asyncio.gather(*(acme.chat(model=name, **{field: SAMPLES[field]}) for field in sorted(refused)))
        told = {(got.status, got.error["code"], got.error["param"]) for got in answers}
        assert told == {(400, "invalid_request", field) for field in refused}, name
        assert len(simulators[name].witness()["requests"]) == before, name
    assert await usage() == []


async def test_all_other_fields_reach_the_engine_in_a_form_that_it_takes(customer):
    acme = await customer()
    for name, refused in REFUSED.items():
        fields = {field: value for field, value in SAMPLES.items() if field not in refused}
        if "tools" in fields:
            fields["parallel_tool_calls"] = True
        got = await acme.chat("hi [[sim tokens=2]]", model=name, **fields)
        assert got.status == 200, (name, got.body)


async def test_a_value_that_asks_for_nothing_is_no_reason_to_refuse(customer):
    acme = await customer()
    nothing = {"n": 1, "top_k": -1, "logit_bias": {}, "min_p": 0, "presence_penalty": 0, "logprobs": False}
    for name in KINDS:
        got = await acme.chat("hi [[sim tokens=2]]", model=name, **nothing)
        assert got.status == 200, (name, got.body)


def body(kind: str, surface: str = "chat.completions", *, template: str = "", **fields: Any) -> dict[str, Any]:
    """Return what an engine is sent."""
    call = ENGINES[kind].wires[surface].call(order(template=template, **fields), "up")
    assert call is not None
    asked: dict[str, Any] = orjson.loads(call.body)
    return asked


@pytest.mark.parametrize(
    ("kind", "fields", "sent"),
    [
        ("openai", {}, {"max_completion_tokens": 16}),
        ("mistral", {"seed": -7}, {"random_seed": 7, "max_tokens": 16}),
        ("llamacpp", {"repetition_penalty": 1.1}, {"repeat_penalty": 1.1}),
        ("llamacpp", {"reasoning_effort": "low"}, {"chat_template_kwargs": {"reasoning_effort": "low"}}),
        ("trtllm", {"top_k": -1, "tools": [TOOL]}, {"top_k": 0, "tool_choice": "auto"}),
        ("tgi", {"stop": "x", "seed": -1}, {"stop": ["x"], "seed": 2**64 - 1}),
        ("tgi", {"top_p": 0}, {"temperature": 0}),
        ("mistral", {"reasoning_effort": "high"}, {"reasoning_effort": "high"}),
        ("tgi", {"response_format": JSON_SCHEMA}, {"response_format": {"type": "json_object", "value": SCHEMA}}),
        ("vllm", {"stream": True}, {"stream_options": {"include_usage": True, "continuous_usage_stats": True}}),
        ("openai", {"stream": True}, {"stream_options": {"include_usage": True}}),
    ],
)
def test_a_field_is_called_as_the_engine_calls_it(kind, fields, sent):
    assert body(kind, **fields).items() >= sent.items()


@pytest.mark.parametrize("kind", ["openai", "mistral"])
def test_nothing_stays_under_the_name_that_the_engine_refuses(kind):
    sent = body(kind, seed=1, stream=kind == "mistral")
    assert not sent.keys() & ({"max_tokens"} if kind == "openai" else {"seed", "stream_options"})


def test_tgi_is_told_of_sampling_in_its_own_bounds():
    greedy = body("tgi", template="chatml", temperature=0, top_k=-1)["parameters"]
    drawn = body("tgi", template="chatml", temperature=0.5, top_p=1, seed=-1, response_format=JSON_SCHEMA)["parameters"]
    assert greedy == {
        "do_sample": False,
        "stop": ["<|im_end|>"],
        "max_new_tokens": 16,
        "details": True,
        "return_full_text": False,
    }
    assert (
        drawn.items()
        >= {
            "do_sample": True,
            "temperature": 0.5,
            "seed": 2**64 - 1,
            "grammar": {"type": "json", "value": SCHEMA},
        }.items()
    )
    assert "top_p" not in drawn


def test_triton_is_told_all_that_decides_how_it_draws():
    assert body("triton", template="llama3", temperature=0).items() >= {"top_k": 1}.items()
    drawn = body("triton", template="llama3", stop="X", stream=True)
    assert drawn.items() >= {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "stream": True}.items()
    assert drawn["stop_words"] == ["X", "<|eot_id|>"]
    assert drawn["return_num_input_tokens"] is drawn["return_num_output_tokens"] is True


@pytest.mark.parametrize("top_p", [0, 1])
def test_tgi_takes_no_top_p_at_either_end(top_p):
    assert "top_p" not in body("tgi", top_p=top_p)


async def test_only_one_text_is_continued_where_the_engine_takes_one(customer):
    acme = await customer()
    for name in ("tgi", "triton"):
        for prompt in (["a", "b"], [1, 2]):
            got = await acme.ask({"model": name, "prompt": prompt}, path="/v1/completions")
            assert (got.status, got.error["param"]) == (400, "prompt"), name


async def test_a_form_of_answer_that_an_engine_does_not_know_is_refused(customer):
    acme = await customer()
    loose = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    for wanted in ({"type": "grammar"}, {"type": "json_object"}, loose):
        for model in ("tgi", "tgi-text"):
            got = await acme.chat(model=model, response_format=wanted)
            assert (got.status, got.error["param"]) == (400, "response_format"), (model, wanted)


async def test_values_at_the_ends_of_their_range_reach_every_engine_in_a_form_that_it_takes(customer):
    acme = await customer()
    for name in KINDS:
        for fields in ({"top_p": 1, "stop": "x"}, {"temperature": 0}):
            got = await acme.chat("hi [[sim tokens=2]]", model=name, **fields)
            assert got.status == 200, (name, fields, got.body)


async def test_best_of_is_refused_where_only_streams_tell_the_usage(customer):
    acme = await customer()
    got = await acme.ask({"model": "tgi", "prompt": "hi", "best_of": 2}, path="/v1/completions")
    assert (got.status, got.error["param"]) == (400, "best_of")

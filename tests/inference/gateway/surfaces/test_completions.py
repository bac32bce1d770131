"""Completions and embeddings go the same way as chat: admitted, held for, relayed, settled."""

import pytest

from foundation.errors import InvalidRequest
from inference.gateway.surfaces.completions import Completions
from inference.gateway.surfaces.embeddings import Embeddings

COMPLETIONS, EMBEDDINGS = Completions(), Embeddings()


@pytest.mark.parametrize("prompt", ["", [], [""] * 129, [1, "a"], {"a": 1}, [[]], [True], [-1], [1.5], None])
def test_a_prompt_is_text_or_tokens(prompt):
    with pytest.raises(InvalidRequest, match="prompt"):
        COMPLETIONS.read({"model": "m", "prompt": prompt}, size=1)


@pytest.mark.parametrize(("prompt", "inputs"), [("a", 1), (["a", "b"], 2), ([1, 2, 3], 1), ([[1], [2, 3]], 2)])
def test_each_prompt_is_answered_as_often_as_asked(prompt, inputs):
    wanted = COMPLETIONS.read({"model": "m", "prompt": prompt, "n": 3}, size=1)
    assert (wanted.inputs, wanted.choices, wanted.max_tokens) == (inputs, 3 * inputs, 16)


def test_the_best_of_some_are_all_paid_for():
    assert COMPLETIONS.read({"model": "m", "prompt": "a", "n": 1, "best_of": 4}, size=1).choices == 4
    with pytest.raises(InvalidRequest, match="best_of"):
        COMPLETIONS.read({"model": "m", "prompt": "a", "n": 3, "best_of": 2}, size=1)


async def test_what_vllm_would_ignore_is_refused_unless_it_asks_for_nothing(customer, usage):
    acme = await customer()
    body = {"model": "sim", "prompt": "hi [[sim tokens=5 ttft=1 gap=0]]", "n": 2}
    refused = await acme.ask(body | {"best_of": 3}, path="/v1/completions")
    assert (refused.status, refused.error["param"]) == (400, "best_of")
    answered = await acme.ask(body | {"best_of": 2}, path="/v1/completions")
    assert [choice["index"] for choice in answered.json["choices"]] == [0, 1]
    (record,) = await usage()
    assert record["completion_tokens"] == 10


def test_inputs_of_embeddings_are_counted():
    assert EMBEDDINGS.read({"model": "m", "input": ["a", "b"]}, size=1).inputs == 2
    with pytest.raises(InvalidRequest, match="2048"):
        EMBEDDINGS.read({"model": "m", "input": ["a"] * 2049}, size=1)


async def test_a_completion_is_charged_as_a_chat_is(customer, usage):
    acme = await customer()
    body = {"model": "sim", "prompt": "hi [[sim tokens=5 ttft=1 gap=0]]"}
    whole = await acme.ask(body, path="/v1/completions")
    stream = await acme.ask({**body, "stream": True}, path="/v1/completions")
    assert (whole.status, whole.json["object"], whole.json["model"]) == (200, "text_completion", "sim")
    assert stream.complete
    records = await usage()
    assert [(one["endpoint"], one["completion_tokens"], one["cost_nusd"] > 0) for one in records] == [
        ("completions", 5, True)
    ] * 2

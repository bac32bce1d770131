import pytest

from tests.inference.simulator.client import CHAT, question, simulator


def _refusal(sim, body: bytes):
    reply = sim.call("POST", CHAT, body)
    assert reply.json["error"]["code"] == reply.status
    return reply.status, reply.json["error"]


def test_an_unknown_model_is_404_in_vllms_words(sim):
    status, error = _refusal(sim, question("Hello", model="gpt-5"))
    assert (status, error["type"], error["param"]) == (404, "NotFoundError", "model")
    assert error["message"] == "The model `gpt-5` does not exist."


def test_a_request_need_not_name_the_model(sim):
    assert sim.call("POST", CHAT, b'{"messages": [{"role": "user", "content": "x"}], "max_tokens": 1}').status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"{}",
        question("x", max_tokens=0),
        question("x", max_tokens="5"),
        question("x", max_tokens=True),
        question("x", n=0),
        question("x", n=1000),
        question("x", stream="yes"),
        question("x", stream_options={"include_usage": True}),
        question("x", stream=True, stream_options=True),
    ],
)
def test_what_vllm_refuses_is_refused(sim, body):
    assert _refusal(sim, body)[0] == 400


def test_a_request_that_cannot_fit_is_refused_with_its_numbers():
    with simulator("--max-model-len", "100") as sim:
        status, error = _refusal(sim, question("x" * 400))
        assert status == 400
        assert "100 tokens" in error["message"]
        assert "104 input tokens" in error["message"]
        assert _refusal(sim, question("x", max_tokens=101))[1]["param"] == "max_tokens"


def test_an_answer_ends_where_the_context_does():
    with simulator("--max-model-len", "100") as sim:
        answer = sim.ask("[[sim tokens=500 ttft=0 gap=0]]").json
        assert (answer["usage"]["total_tokens"], answer["choices"][0]["finish_reason"]) == (100, "length")


def test_an_answer_that_ignores_its_end_runs_to_the_limit(sim):
    answer = sim.ask("[[sim ttft=0 gap=0]]", ignore_eos=True, max_tokens=333).json
    assert answer["usage"]["completion_tokens"] == 333


def test_a_cache_salt_keeps_callers_apart(sim):
    text = "[[sim tokens=1 ttft=0 gap=0]]" + "salted " * 50
    cached = [
        sim.ask(text, cache_salt=salt).json["usage"]["prompt_tokens_details"]["cached_tokens"]
        for salt in ("acme", "acme", "globex")
    ]
    assert [bool(tokens) for tokens in cached] == [False, True, False]
